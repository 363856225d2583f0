"""Addresses: what they are, and that no password is ever seen."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidmodel_tf.errors import InputError
from vidmodel_tf.video.address import hide_password, parse_address


@pytest.mark.parametrize("scheme", ["rtsp", "rtsps", "http", "https", "udp", "tcp", "rtp", "tls", "RTSP"])
def test_streams(scheme):
    assert parse_address(f"{scheme}://10.0.0.7:554/1").kind == "stream"


def test_device_and_file(tmp_path):
    (tmp_path / "film.mp4").touch()
    assert parse_address("0").kind == "device"
    assert parse_address(str(tmp_path / "film.mp4")).kind == "file"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file:///etc/passwd", "one of the protocols rtsp, .*Received: file"),
        ("concat://a|b", "one of the protocols"),
        ("rtmp://host/app", "one of the protocols .*Received: rtmp"),
        ("missing.mp4", "there is no such file"),
        ("-1", "there is no such file"),
        ("concat:a.ts|b.ts", "there is no such file"),
        ("admin:hal-lo@10.0.0.7/1", r"Received: \*\*\*@10.0.0.7/1, and there is no such file"),
        ("rtsp://", "such as rtsp://user:password@host:554/path"),
        ("rtsp://host:port/1", "such as rtsp://user:password@host:554/path"),
        ("rtsp://admin:hal/lo@host/1", "write % escapes"),
    ],
)
def test_refused(text, message):
    with pytest.raises(InputError, match=message) as error:
        parse_address(text)
    assert "hal/lo" not in str(error.value)
    assert "admin" not in str(error.value)


def test_an_address_too_long_for_a_file():
    assert parse_address("http://cam/?token=" + 5000 * "a").kind == "stream"
    with pytest.raises(InputError, match="there is no such file"):
        parse_address(5000 * "a")


def test_representation_hides_all():
    assert "secret" not in repr(parse_address("rtsp://admin:secret@host/1"))


@pytest.mark.parametrize(
    ("url", "text", "expected"),
    [
        ("rtsp://admin:s3cret@cam/1", "rtsp://admin:s3cret@cam/1", "rtsp://***@cam/1"),
        ("rtsp://admin:p%40ss@cam/1", "p@ss and p%40ss", "*** and ***"),
        ("rtsp://admin:p%2Fs@cam/1", "p%2fs", "***"),
        ("rtsp://admin:p@ss@cam/1", "rtsp://admin:p@ss@cam/1", "rtsp://***@cam/1"),
        ("rtsp://admin:p@ss@cam/1", "rtsp://admin:p%40ss@cam/1", "rtsp://admin:***@cam/1"),
        ("rtsp://admin@cam/1", "rtsp://admin@cam/1", "rtsp://***@cam/1"),
        ("http://cam/?user=a1b2&pwd=x9y8&size=big", "x9y8 of a1b2, big", "*** of ***, big"),
        ("http://cam/?token=a+b", "a b, a+b, a%20b", "***, ***, ***"),
        ("rtsp://cam:554/1", "rtsp://cam:554/1", "rtsp://cam:554/1"),
        ("rtsp://admin:12/34secret@host/1", "rtsp://admin:12/34secret@host/1", "rtsp://***@host/1"),
        ("rtsp://admin:hal@lo/secret@host/1", "rtsp://admin:hal@lo/secret@host/1", "rtsp://***@host/1"),
        ("rtsp://admin:12?34@host/1", "12?34 of rtsp://admin:12?34@host/1", "*** of rtsp://***@host/1"),
        ("rtsp://host/a@b", "rtsp://host/a@b", "rtsp://host/a@b"),
        ("rtsp://[::1]:554/a@b", "rtsp://[::1]:554/a@b", "rtsp://[::1]:554/a@b"),
        ("film.mp4", "film.mp4", "film.mp4"),
    ],
)
def test_hide_password(url, text, expected):
    assert hide_password(text, url) == expected


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=6))
def test_no_password_is_left(password):
    url = f"rtsp://admin:{quote(password, safe='')}@cam/1"
    for written in (password, quote(password), quote(password, safe=""), url):
        assert written not in hide_password(f"could not open {written}: refused", url) or written in "***"
