"""FFmpeg's own programs, which tests compare with and make files by; the package itself does not need them."""

from __future__ import annotations

import shutil
import subprocess

import pytest


def ffmpeg(*arguments: object) -> None:
    """Calls `ffmpeg`; a test that does so is skipped where there is none."""
    _run("ffmpeg", arguments)


def ffprobe(*arguments: object) -> str:
    """What `ffprobe` prints; a test that asks it is skipped where there is none."""
    return _run("ffprobe", arguments)


def _run(program: str, arguments: tuple[object, ...]) -> str:
    if shutil.which(program) is None:
        pytest.skip(f"the program {program} is not installed")
    command = [program, "-v", "error", *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
