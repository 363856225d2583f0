"""Files that name other files or addresses, as a stranger may send them under the name of a video."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

ATOMS_WITH_ATOMS = (b"moov", b"trak", b"mdia", b"minf", b"dinf")


def referring_texts(video: Path, address: str) -> dict[str, str]:
    """Playlists and scripts that name a video of this machine and an address, by the kind of text.

    Args:
        video: Absolute; FFmpeg would show its pictures.
        address: Of a listener that is to hear nothing.
    """
    port = address.rpartition(":")[2].partition("/")[0]
    hls = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n"
    return {
        "ffconcat": f"ffconcat version 1.0\nfile {video.name}\n",
        "ffconcat_address": f"ffconcat version 1.0\nfile '{address}'\n",
        "concat": f"file '{video}'\n",
        "hls": f"{hls}#EXTINF:1,\n{video}\n#EXT-X-ENDLIST\n",
        "hls_address": f"{hls}#EXTINF:1,\n{address}\n#EXT-X-ENDLIST\n",
        "hls_key": f'{hls}#EXT-X-KEY:METHOD=AES-128,URI="{address}"\n#EXTINF:1,\n{video}\n#EXT-X-ENDLIST\n',
        "sdp": f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP/TCP 96\n",
        "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT1S"><Period><AdaptationSet mimeType="video/mp4">'
        f'<Representation id="1" bandwidth="1"><BaseURL>{address}</BaseURL></Representation>'
        "</AdaptationSet></Period></MPD>",
        "imf": '<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016"/>',
        "smooth_streaming": '<?xml version="1.0"?><SmoothStreamingMedia MajorVersion="2" Duration="1"/>',
        "asx": f'<asx version="3.0"><entry><ref href="{address}"/></entry></asx>',
        "real": f"{address}\n",
        "windows_media": f"[Reference]\nRef1={address}\n",
        "quicktime_link": f'<?xml version="1.0"?><?quicktime type="application/x-quicktime-media-link"?>'
        f'<embed src="{address}"/>',
        "quicktime_rtsp": f"RTSPtext\nrtsp://127.0.0.1:{port}/x\n",
        "svg": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{address}"/></svg>',
    }


def write_alias(path: Path, video: Path) -> Path:
    """Writes a QuickTime file whose pictures are said to lie in another one of the same form, and not in itself."""
    path.write_bytes(_with_alias(video.read_bytes(), _alias(str(video).encode())))
    return path


def _alias(target: bytes) -> bytes:
    """The data reference of QuickTime: a record of the classic Mac OS with the absolute path at its end."""
    volume, name = b"disk", target.rpartition(b"/")[2][:63]
    record = bytes(10) + bytes([len(volume)]) + volume.ljust(27, b"\0") + bytes(12)
    record += bytes([len(name)]) + name.ljust(63, b"\0") + bytes(16) + struct.pack(">HH", 1, 1) + bytes(16)
    record += struct.pack(">HH", 2, len(target)) + target + b"\0" * (len(target) % 2)
    record += struct.pack(">HH", 0xFFFF, 0)
    entry = struct.pack(">I4sI", 12 + len(record), b"alis", 0) + record
    return struct.pack(">I4sII", 16 + len(entry), b"dref", 0, 1) + entry


def _with_alias(content: bytes, alias: bytes) -> bytes:
    parts, at = [], 0
    while at < len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        body = content[at + 8 : at + size]
        if kind in ATOMS_WITH_ATOMS:
            body = _with_alias(body, alias)
        elif kind == b"mdat":
            body = bytes(len(body))
        parts.append(alias if kind == b"dref" else struct.pack(">I4s", 8 + len(body), kind) + body)
        at += size
    return b"".join(parts)


@contextlib.contextmanager
def listener() -> Iterator[tuple[str, list[bytes]]]:
    """An address on this machine, and the connections to it."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_listen, args=(server, heard), daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/secret.mp4", heard


def _listen(server: socket.socket, heard: list[bytes]) -> None:
    with contextlib.suppress(OSError):  # the server is closed
        while True:
            connection, _ = server.accept()
            heard.append(b"a connection")
            connection.close()
