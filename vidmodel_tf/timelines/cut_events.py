"""The events of a video as videos of their own, in `NAME.clips/`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vidmodel_tf.errors import InputError
from vidmodel_tf.progress import track
from vidmodel_tf.storage import atomic_write
from vidmodel_tf.timelines.contact_sheet import contact_sheet
from vidmodel_tf.timelines.cut_clip import encode_range
from vidmodel_tf.timelines.cut_folder import CutFolder, Range
from vidmodel_tf.timelines.cut_names import cut_names
from vidmodel_tf.timelines.document import Document
from vidmodel_tf.video.file import VideoFile

SUFFIX = ".clips"
SHEET_NAME = "events.jpg"


def cut_events(folder: str | Path, name: str, document: Document) -> tuple[Path | InputError, ...]:
    """Writes each event as `FOLDER/NAME.clips/START_RULE_LABEL.mp4`, exactly from its start to its end, with its sound.

    Beside them stands `events.jpg`, the contact sheet. A cut that is there already is kept. Cuts of events that are no
    more are removed; files of others are left alone.

    Args:
        folder: Is made where it is missing.
        name: Of the video among those in the folder.
        document: The video and its events.

    Returns:
        For each event its file, or why it could not be cut.

    Raises:
        InputError: The video is no longer there, or the folder's list of cuts was damaged.
    """
    parts = {
        f"{stem}.mp4": (event.start_seconds, event.end_seconds)
        for stem, event in zip(cut_names(document.events), document.events, strict=True)
    }
    cuts = CutFolder(Path(folder) / f"{name}{SUFFIX}", document.video.sha256)
    cuts.keep_only([*parts, SHEET_NAME] if parts else [])
    if not parts:
        return ()
    answers = _cut_missing(cuts, parts, document.video.path)
    cuts.begin(SHEET_NAME)
    contact_sheet(document, cuts.path / SHEET_NAME)
    return answers


def _cut_missing(cuts: CutFolder, parts: Mapping[str, Range], path: str) -> tuple[Path | InputError, ...]:
    answers: list[Path | InputError] = []
    with VideoFile(path) as video:  # opened once: the packets of some containers are listed from start to end
        for name, part in track(parts.items(), f"cutting {video.path.name}", len(parts)):
            answers.append(cuts.path / name if cuts.has(name, part) else _cut(video, cuts, name, part))
    return tuple(answers)


def _cut(video: VideoFile, cuts: CutFolder, name: str, part: Range) -> Path | InputError:
    cuts.begin(name)
    try:
        with atomic_write(cuts.path / name) as beside:
            encode_range(video, *part, beside)
    except InputError as error:
        return error
    cuts.finish(name, part)
    return cuts.path / name
