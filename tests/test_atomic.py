import json
import stat

import pytest

from vidmodel_tf.storage import atomic_write, write_json


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})
    with pytest.raises(RuntimeError, match="half-way"), atomic_write(path) as beside:
        beside.write_text("half")
        raise RuntimeError("half-way")
    assert json.loads(path.read_text()) == {"old": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_the_suffix_is_kept_and_others_may_read(tmp_path):
    with atomic_write(tmp_path / "deep" / "m.weights.h5") as beside:
        assert beside.name.endswith(".weights.h5")
        assert beside.parent == tmp_path / "deep"
        beside.write_bytes(b"x")
    assert stat.S_IMODE((tmp_path / "deep" / "m.weights.h5").stat().st_mode) == 0o644


def test_json_is_unicode_and_refuses_nan(tmp_path):
    write_json(tmp_path / "a.json", {"名": "é"})
    assert "名" in (tmp_path / "a.json").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "b.json", float("nan"))
    assert not (tmp_path / "b.json").exists()
