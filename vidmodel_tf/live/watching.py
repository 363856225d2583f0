"""Watches sources with one model, until it is told to stop. No TensorFlow: the model is a function here."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidmodel_tf.live.damaged_pictures import DamagedPictures
from vidmodel_tf.live.event_cuts import ring_seconds
from vidmodel_tf.live.event_files import EventFiles
from vidmodel_tf.live.event_log import EventLog
from vidmodel_tf.live.event_reporter import EventReporter
from vidmodel_tf.live.frame_ring import FrameRing
from vidmodel_tf.live.hooks import command_hook, webhook
from vidmodel_tf.live.preview import Preview
from vidmodel_tf.live.repeated_pictures import RepeatedPictures
from vidmodel_tf.live.source import Source
from vidmodel_tf.live.source_scores import FramePass, SourceScores
from vidmodel_tf.live.watched_source import WatchedSource
from vidmodel_tf.live.work_queue import WorkQueue
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.scoring.windows import WindowPlan
from vidmodel_tf.video.camera import Camera
from vidmodel_tf.video.camera_process import CameraPlan

CLOSE_SECONDS = 0.7  # that cuts and notifications have at the end
_TURN_SECONDS = 0.25


@dataclass(frozen=True)
class LiveModel:
    """What a watch needs to know of a model.

    Attributes:
        begin_pass: Begins a pass over frames without a break.
        decode: JPEGs -> uint8 RGB [n, H, W, 3], as the model takes them.
        labels: Class names by head.
        plan: Length and hop of windows.
        short_side: Of the frames that training stored, in pixels.
        jpeg_quality: Of them, 1 to 100.
    """

    begin_pass: Callable[[], FramePass]
    decode: Callable[[Sequence[bytes]], np.ndarray]
    labels: Mapping[str, Sequence[str]]
    plan: WindowPlan
    short_side: int
    jpeg_quality: int


@dataclass(frozen=True)
class Outputs:
    """Where a watch puts what it finds.

    Attributes:
        folder: Of the log, pictures and cuts.
        run: A command for each notification; None: none.
        webhook: An address for each notification; None: none.
        preview: A picture file; None: none.
    """

    folder: Path
    run: str | None = None
    webhook: str | None = None
    preview: Path | None = None


def watch_sources(
    model: LiveModel,
    sources: Sequence[Source],
    policy: Policy,
    outputs: Outputs,
    *,
    stop: threading.Event,
    seconds: float | None = None,
    warn: Callable[[str], None],
    show: Callable[[str], None] = lambda line: None,
) -> None:
    """Watches until it is told to stop, the time is up, or all sources were files and have ended.

    Args:
        model: The model.
        sources: The cameras.
        policy: What to look for.
        outputs: Where to put it.
        stop: Ends the watch.
        seconds: Ends it too; None: never.
        warn: Told, in one line each, what goes wrong without ending the watch.
        show: Given each line of the log in short, for people.

    Raises:
        InputError: An output cannot be what it is said to be.
        VidmodelError: The log cannot be written (any more).
    """
    wake = threading.Event()
    preview = outputs.preview and Preview(outputs.preview, model.labels, warn)
    with contextlib.ExitStack() as stack:
        log = EventLog(outputs.folder, warn, show)
        stack.callback(log.close)
        watched = _open_all(model, sources, policy, outputs, log, wake, warn, stack)
        end = float("inf") if seconds is None else time.monotonic() + seconds
        while not stop.is_set() and time.monotonic() < end and not all(source.is_ended for source in watched):
            wake.clear()
            has_more = [source.work() for source in watched]
            if preview:
                preview.show(watched)
            if not any(has_more):
                wake.wait(_TURN_SECONDS)
        for source in watched:
            source.finish("stopped")


def _open_all(
    model: LiveModel,
    sources: Sequence[Source],
    policy: Policy,
    outputs: Outputs,
    log: EventLog,
    wake: threading.Event,
    warn: Callable[[str], None],
    stack: contextlib.ExitStack,
) -> list[WatchedSource]:
    queues: list[WorkQueue] = []
    stack.callback(lambda: _close(queues))

    def queue() -> WorkQueue:
        queues.append(WorkQueue())
        return queues[-1]

    hooks = []
    if outputs.run is not None:
        hooks.append(command_hook(outputs.run, queue()))
    if outputs.webhook is not None:
        hooks.append(webhook(outputs.webhook, queue()))
    cuts, step_seconds = queue(), model.plan.step_seconds
    num_kept = math.ceil(ring_seconds(policy.rules, model.plan.window_seconds) / step_seconds)
    watched = []
    for source in sources:
        camera = Camera(_camera_plan(model, source), model.plan.num_frames, wake)
        ring = FrameRing(num_kept)
        files = EventFiles(outputs.folder, source.name, ring, step_seconds, cuts, warn)
        reporter = EventReporter(source.name, policy, model.labels, step_seconds, log, files, hooks, warn)
        scores = SourceScores(model.begin_pass, model.decode, model.plan, model.labels)
        repeats = RepeatedPictures(source.name, step_seconds, warn)
        damage = DamagedPictures(source.name, warn)
        stack.enter_context(camera)
        watched.append(WatchedSource(source.name, camera, scores, ring, reporter, repeats, damage, log))
    return watched


def _camera_plan(model: LiveModel, source: Source) -> CameraPlan:
    return CameraPlan(
        address=source.address,
        step_seconds=model.plan.step_seconds,
        offset_seconds=float(model.plan.frame_times(0, 1)[0]),
        short_side=model.short_side,
        jpeg_quality=model.jpeg_quality,
    )


def _close(queues: Sequence[WorkQueue]) -> None:
    deadline = time.monotonic() + CLOSE_SECONDS
    for queue in queues:
        queue.close(deadline)
