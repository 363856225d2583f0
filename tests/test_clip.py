from __future__ import annotations

from vidmodel_tf.clips.clip import clip_id


def test_clip_ids_keep_every_digit() -> None:
    assert clip_id("a", 12345.678, 123456789.0) == "a@12345.678-123456789"
    assert clip_id("a", 0.1, None) == "a@0.1-"
    assert clip_id("a", None, None) == "a"
