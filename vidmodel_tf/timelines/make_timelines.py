"""Timelines of several videos in one folder; what was scored before is not scored again."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

from vidmodel_tf.clips.question import Refusal
from vidmodel_tf.errors import InputError
from vidmodel_tf.forms.form import Form
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.scoring.windows import WindowPlan
from vidmodel_tf.storage import write_text
from vidmodel_tf.timelines.annotate import SUFFIX as ANNOTATED_SUFFIX
from vidmodel_tf.timelines.annotate import annotate
from vidmodel_tf.timelines.cut_events import cut_events
from vidmodel_tf.timelines.document import SUFFIX, Document, read_document
from vidmodel_tf.timelines.outputs import write_outputs
from vidmodel_tf.timelines.timeline import TimelineTask, decided, plan_task, score_task
from vidmodel_tf.timelines.video_names import free_name


@dataclasses.dataclass(frozen=True, eq=False)
class MadeTimeline:
    """A video whose files are written.

    Attributes:
        name: What they are called.
        document: What they say.
        warnings: What of a video that was scored now could not be decoded, and which events could not be cut out.
    """

    name: str
    document: Document
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """`{"path", "name", "duration_seconds", "decision", "events", "warnings"}`."""
        return {
            "path": self.document.video.path,
            "name": self.name,
            "duration_seconds": self.document.video.duration_seconds,
            "decision": self.document.decision,
            "events": [event.to_json() for event in self.document.events],
            "warnings": list(self.warnings),
        }


def make_timelines(
    form: Form,
    videos: Sequence[Path],
    folder: str | Path,
    plan: WindowPlan,
    policy: Policy,
    *,
    windows: str = "shots",
    text: str | None = None,
    clips: bool = False,
    annotated: bool = False,
) -> Iterator[MadeTimeline | Refusal]:
    """Scores videos one after the other and writes the files of each.

    Args:
        form: The model, opened.
        videos: The files.
        folder: Where they go; made where it is missing. Killed and called again with the same arguments, the work
            goes on where it was.
        plan: Windows.
        policy: What an event is, and what is decided.
        windows: "shots" or "fixed".
        text: Words for all videos; None: those in the files beside each.
        clips: Cut the events out into `NAME.clips/`.
        annotated: Write `NAME.annotated.mp4`, the video with its scores drawn in.

    Yields:
        In order, what was written, or the refusal of a video that cannot be read.
    """
    folder = Path(folder)
    taken: list[str] = []
    for video in videos:
        try:
            task = plan_task(form, video, plan, windows=windows, text=text)
            name = free_name(folder, task.path, task.sha256, taken)
            taken.append(name)
            document, warnings = _scored(task, folder, name)
            document = decided(document, policy)
        except InputError as error:
            yield Refusal(str(video), error.reason)
            continue
        write_outputs(folder, name, document, policy=policy)
        write_text(_key_path(folder, name), task.key)
        if clips:
            warnings += _cut(folder, name, document)
        if annotated:
            annotate(document.video.path, document, folder / f"{name}{ANNOTATED_SUFFIX}")
        yield MadeTimeline(name, document, warnings)


def _scored(task: TimelineTask, folder: Path, name: str) -> tuple[Document, tuple[str, ...]]:
    path, key_path = folder / f"{name}{SUFFIX}", _key_path(folder, name)
    if path.exists() and key_path.exists() and key_path.read_text(encoding="utf-8") == task.key:
        with contextlib.suppress(InputError):  # one that is damaged is made again
            return read_document(path), ()
    return score_task(task, folder / f".{name}.partial.npz")


def _cut(folder: Path, name: str, document: Document) -> tuple[str, ...]:
    answers = zip(document.events, cut_events(folder, name, document), strict=True)
    return tuple(f"{event.id} was not cut out: {answer}" for event, answer in answers if isinstance(answer, InputError))


def _key_path(folder: Path, name: str) -> Path:
    return folder / f".{name}.key"
