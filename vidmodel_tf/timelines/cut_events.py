"""The events of a video as videos of their own, in `NAME.clips/`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.progress import track
from vidmodel_tf.storage import remove_leftovers_of
from vidmodel_tf.timelines.contact_sheet import contact_sheet
from vidmodel_tf.timelines.cut import Cut
from vidmodel_tf.timelines.cut_clip import cut_ranges
from vidmodel_tf.timelines.cut_folder import CutFolder, Wanted
from vidmodel_tf.timelines.cut_names import cut_names
from vidmodel_tf.timelines.document import Document
from vidmodel_tf.timelines.worker_process import DecoderDiedError, WorkerProcess

SUFFIX = ".clips"
SHEET_NAME = "events.jpg"
MAX_DEATHS = 3  # of decoders; what is left of the video is not tried then
MP4_SUFFIXES = (".mp4", ".m4v")
"""Of videos whose packets MP4 holds as they are. Those of others are copied into Matroska, which holds any."""


def cut_events(
    folder: str | Path,
    name: str,
    document: Document,
    *,
    copy: bool = False,
    timeout_seconds: float = PrepareConfig().timeout_seconds,
    cut: Callable[..., None] = cut_ranges,
) -> tuple[Cut | InputError, ...]:
    """Writes each event as `FOLDER/NAME.clips/START_RULE_LABEL.mp4`, exactly from its start to its end, with its sound.

    Beside them stands `events.jpg`, the contact sheet. A cut that is there already is kept. Cuts of events that are no
    more are removed; files of others are left alone. The video is decoded in a process of its own.

    Args:
        folder: Is made where it is missing.
        name: Of the video among those in the folder.
        document: The video and its events.
        copy: Takes the packets as they are, which is fast and loses nothing, but begins at the key frame before; the
            file is `.mkv` where the video is not MP4.
        timeout_seconds: A decoder that gives no picture for so long is ended.
        cut: What the process does; a function that can be imported.

    Returns:
        For each event its cut, or why there is none.

    Raises:
        InputError: The video is no longer there, or the folder's list of cuts was damaged.
    """
    suffix = ".mkv" if copy and Path(document.video.path).suffix.lower() not in MP4_SUFFIXES else ".mp4"
    wanted = {
        f"{stem}{suffix}": Wanted((event.start_seconds, event.end_seconds), copy)
        for stem, event in zip(cut_names(document.events), document.events, strict=True)
    }
    cuts = CutFolder(Path(folder) / f"{name}{SUFFIX}", document.video.sha256)
    cuts.keep_only([*wanted, SHEET_NAME] if wanted else [])
    if not wanted:
        return ()
    answers: dict[str, Cut | InputError] = {}
    numbered = _answers(cuts, wanted, Path(document.video.path), timeout_seconds, cut)
    for answer_name, answer in track(numbered, f"cutting {Path(document.video.path).name}", len(wanted)):
        answers[answer_name] = answer
    cuts.begin(SHEET_NAME)
    contact_sheet(document, cuts.path / SHEET_NAME, timeout_seconds=timeout_seconds)
    return tuple(answers[name] for name in wanted)


def _answers(
    cuts: CutFolder, wanted: Mapping[str, Wanted], video: Path, timeout_seconds: float, cut: Callable[..., None]
) -> Iterator[tuple[str, Cut | InputError]]:
    """The cuts by name; one that kills a decoder does not take the others."""
    missing = []
    for name, what in wanted.items():
        if (kept := cuts.find(name, what)) is None:
            missing.append(name)
        else:
            yield name, kept
    if missing:
        cuts.begin(*missing)
    num_deaths = 0
    while missing:
        parts = [(cuts.path / name, *wanted[name].seconds, wanted[name].is_copy) for name in missing]
        with WorkerProcess(video, timeout_seconds, cut, video, parts) as worker:
            try:
                while missing:
                    answer = worker.receive()
                    if isinstance(answer, Cut):
                        cuts.finish(wanted[missing[0]], answer)
                    yield missing.pop(0), answer
            except DecoderDiedError as error:
                worker.close()
                remove_leftovers_of(cuts.path / missing[0], unused_seconds=0.0)
                num_deaths += 1
                given_up = missing if num_deaths == MAX_DEATHS else missing[:1]
                missing = missing[len(given_up) :]
                yield from [(name, error) for name in given_up]
