"""Which cameras are watched, and what they are called."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vidmodel_tf.errors import InputError
from vidmodel_tf.storage import read_text
from vidmodel_tf.video.address import Address, hide_password, parse_address
from vidmodel_tf.video.containers import check_video

_NAME = re.compile(r"\w[\w .-]{0,63}")  # it is the name of a folder too


@dataclass(frozen=True)
class Source:
    """One camera.

    Attributes:
        name: As log lines and folders call it.
        address: Where it is.
    """

    name: str
    address: Address


def make_sources(urls: Sequence[str], names: Sequence[str] = (), urls_file: str | Path | None = None) -> list[Source]:
    """The cameras of a command line.

    Args:
        urls: Addresses: of streams, numbers of cameras, or video files.
        names: One for each of `urls`, in their order; without any they are cam1, cam2, ...
        urls_file: A file with more of them, an address a line, or a name, white space and an address. Lines that begin
            with # are passed over.

    Raises:
        InputError: There is none; a name is missing, occurs twice or cannot be that of a folder; an address is
            none, or a file no video.
    """
    if names and len(names) != len(urls):
        raise InputError(f"--name: expected a name for each of the {len(urls)} URLs. Received: {len(names)} names")
    pairs = [*zip(names or [""] * len(urls), urls, strict=True), *(_read_pairs(urls_file) if urls_file else ())]
    if not pairs:
        raise InputError("expected a URL, or a file of URLs (--urls FILE). Received: neither")
    sources = [
        Source(_checked(name or f"cam{number}", url), parse_address(url)) for number, (name, url) in enumerate(pairs, 1)
    ]
    all_names = [source.name for source in sources]
    for name in all_names:
        if all_names.count(name) > 1:
            raise InputError(f"expected a name of its own for each source. Received: {name} twice")
    for source in sources:
        if source.address.kind == "file":
            check_video(Path(source.address.text))
    return sources


def _read_pairs(path: str | Path) -> list[tuple[str, str]]:
    lines = [line.strip() for line in read_text(Path(path)).splitlines()]
    return [_split(line) for line in lines if line and not line.startswith("#")]


def _split(line: str) -> tuple[str, str]:
    words = line.split(maxsplit=1)
    is_address = len(words) == 1 or ("://" not in line and Path(line).exists())
    return ("", line) if is_address else (words[0], words[1])


def _checked(name: str, url: str) -> str:
    if not _NAME.fullmatch(name):
        raise InputError(
            "expected a name of letters, digits, spaces, dots and dashes, at most 64, that begins with a letter or "
            f"digit. Received: {hide_password(hide_password(name, url), name)!r}"
        )
    return name
