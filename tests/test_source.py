"""Which cameras are watched, and what they are called."""

from __future__ import annotations

import pytest

from tests.videos import write_video
from vidmodel_tf.errors import InputError
from vidmodel_tf.live.source import make_sources

ONE, TWO = "rtsp://10.0.0.7/1", "http://10.0.0.8/2"


def test_names():
    assert [source.name for source in make_sources([ONE, TWO])] == ["cam1", "cam2"]
    assert [source.name for source in make_sources([ONE, TWO], ["门口", "back yard"])] == ["门口", "back yard"]


def test_a_file_of_urls(tmp_path):
    path = tmp_path / "urls.txt"
    write_video(tmp_path / "a film.mp4", num_frames=2)
    path.write_text(f"# house\ndoor {ONE}\n\n{TWO}\n{tmp_path}/a film.mp4\n", encoding="utf-8")
    sources = make_sources(["0"], urls_file=path)
    assert [source.name for source in sources] == ["cam1", "door", "cam3", "cam4"]
    assert [source.address.kind for source in sources] == ["device", "stream", "stream", "file"]


@pytest.mark.parametrize(
    ("urls", "names", "message"),
    [
        ([], [], "expected a URL"),
        ([ONE, TWO], ["door"], "a name for each of the 2 URLs. Received: 1"),
        ([ONE, TWO], ["door", "door"], "Received: door twice"),
        ([ONE], ["../door"], r"Received: '\.\./door'"),
        ([ONE], [".hidden"], "begins with a letter"),
        ([ONE], ["a" * 65], "at most 64"),
        ([ONE, "rtmp://10.0.0.9"], [], "one of the protocols"),
    ],
)
def test_refused(urls, names, message):
    with pytest.raises(InputError, match=message):
        make_sources(urls, names)


def test_no_password_in_a_refusal():
    """A name and an address that were swapped."""
    with pytest.raises(InputError, match="expected a name") as error:
        make_sources(["door"], ["rtsp://admin:s3cret@10.0.0.7/1"])
    assert "s3cret" not in str(error.value)
