"""Timelines of several videos in one folder; what was scored before is not scored again."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

from vidmodel_tf.clips.question import Refusal
from vidmodel_tf.errors import InputError
from vidmodel_tf.forms.form import Form
from vidmodel_tf.scoring.audit import AuditLog
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.scoring.windows import WindowPlan
from vidmodel_tf.storage import remove_leftovers_of, write_text
from vidmodel_tf.timelines.annotate import SUFFIX as ANNOTATED_SUFFIX
from vidmodel_tf.timelines.annotate import annotate
from vidmodel_tf.timelines.cut import Cut
from vidmodel_tf.timelines.cut_events import SUFFIX as CUTS_SUFFIX
from vidmodel_tf.timelines.cut_events import cut_events
from vidmodel_tf.timelines.cut_folder import LIST_NAME
from vidmodel_tf.timelines.document import SUFFIX, Document, read_document
from vidmodel_tf.timelines.draw_events import draw_events
from vidmodel_tf.timelines.outputs import write_outputs
from vidmodel_tf.timelines.record_decisions import record_decisions
from vidmodel_tf.timelines.timeline import TimelineTask, plan_task, score_task
from vidmodel_tf.timelines.video_names import free_name

TOLD_SECONDS = 0.1  # before its event, where a copied cut begins


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
    copy: bool = False,
    annotated: bool = False,
    audit: AuditLog | None = None,
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
        text: Words for all videos; None: those beside and in each.
        clips: Cut the events out into `NAME.clips/`.
        copy: Cut without encoding anew, from the key frame before each event.
        annotated: Write `NAME.annotated.mp4`, the video with its scores drawn in.
        audit: Gets the decisions on a video before its files are written.

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
            document, judgement = draw_events(document, policy)
        except InputError as error:
            yield Refusal(str(video), error.reason)
            continue
        if audit is not None:
            record_decisions(audit, document, judgement, policy)
        _write(folder, name, task, document, policy)
        timeout_seconds = form.run.config.prepare.timeout_seconds
        if clips:
            warnings += _cut(folder, name, document, timeout_seconds, copy=copy)
        if annotated:
            warnings += _annotate(folder, name, document, timeout_seconds)
        yield MadeTimeline(name, document, warnings)


def _scored(task: TimelineTask, folder: Path, name: str) -> tuple[Document, tuple[str, ...]]:
    path = folder / f"{name}{SUFFIX}"
    if path.exists() and _is_key(folder, name, task):
        with contextlib.suppress(InputError):  # one that is damaged is made again
            document = read_document(path)
            # The video may have been moved since.
            return dataclasses.replace(document, video=dataclasses.replace(document.video, path=str(task.path))), ()
    return score_task(task, _partial_path(folder, name))


def _write(folder: Path, name: str, task: TimelineTask, document: Document, policy: Policy) -> None:
    """Writes the files of a video. Killed at any moment, the key never stands beside the scores of other settings."""
    if not _is_key(folder, name, task):
        _key_path(folder, name).unlink(missing_ok=True)
    paths = write_outputs(folder, name, document, policy=policy)
    write_text(_key_path(folder, name), task.key)
    _partial_path(folder, name).unlink(missing_ok=True)
    others = (_key_path(folder, name), _partial_path(folder, name), folder / f"{name}{ANNOTATED_SUFFIX}")
    for path in (*paths, *others):
        remove_leftovers_of(path)


def _cut(folder: Path, name: str, document: Document, timeout_seconds: float, *, copy: bool) -> tuple[str, ...]:
    try:
        answers = cut_events(folder, name, document, copy=copy, timeout_seconds=timeout_seconds)
    except InputError as error:
        return (f"no event was cut out: {error}",)
    warnings = [
        f"{event.id} was not cut out: {answer}"
        for event, answer in zip(document.events, answers, strict=True)
        if isinstance(answer, InputError)
    ]
    early_seconds = [
        event.start_seconds - answer.start_seconds
        for event, answer in zip(document.events, answers, strict=True)
        if isinstance(answer, Cut) and copy
    ]
    if (earliest := max(early_seconds, default=0.0)) >= TOLD_SECONDS:
        warnings.append(
            f"copied cuts begin at the key frame before their event, up to {earliest:.1f} seconds early; "
            f"{name}{CUTS_SUFFIX}/{LIST_NAME} says where each begins"
        )
    return tuple(warnings)


def _annotate(folder: Path, name: str, document: Document, timeout_seconds: float) -> tuple[str, ...]:
    try:
        annotate(document.video.path, document, folder / f"{name}{ANNOTATED_SUFFIX}", timeout_seconds=timeout_seconds)
    except InputError as error:
        return (f"its scores were not drawn in: {error}",)
    return ()


def _is_key(folder: Path, name: str, task: TimelineTask) -> bool:
    path = _key_path(folder, name)
    return path.exists() and path.read_text(encoding="utf-8") == task.key


def _key_path(folder: Path, name: str) -> Path:
    return folder / f".{name}.key"


def _partial_path(folder: Path, name: str) -> Path:
    return folder / f".{name}.partial.npz"
