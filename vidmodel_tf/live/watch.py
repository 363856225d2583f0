"""Watches cameras with a trained model."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from vidmodel_tf.clips.question import Question
from vidmodel_tf.config import ModelConfig
from vidmodel_tf.forms.form import Form
from vidmodel_tf.forms.open_model import open_model
from vidmodel_tf.live.source import make_sources
from vidmodel_tf.live.watching import LiveModel, Outputs, watch_sources
from vidmodel_tf.records.frames import decode_questions
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.scoring.window_pass import WindowPass
from vidmodel_tf.scoring.windows import WindowPlan
from vidmodel_tf.text.fields import join_fields
from vidmodel_tf.timelines.timeline import plan_for, policy_for
from vidmodel_tf.video.stored_frame import encode_frame


def watch(
    model: str | Path | Form,
    urls: Sequence[str],
    out: str | Path,
    *,
    names: Sequence[str] = (),
    urls_file: str | Path | None = None,
    policy: Policy | None = None,
    text: str | None = None,
    seconds: float | None = None,
    window_seconds: float | None = None,
    run: str | None = None,
    webhook: str | None = None,
    preview: str | Path | None = None,
    stop: threading.Event | None = None,
    warn: Callable[[str], None] | None = None,
    show: Callable[[str], None] = lambda line: None,
) -> None:
    """Watches cameras until the time is up, or `stop` is set, or all of them were files and have ended.

    `OUT/events.jsonl` gets a line for each thing that happens, `OUT/events/SOURCE/` a picture and a cut of each event.

    Args:
        model: A run folder, an exported model, or one already opened by `open_model`.
        urls: Addresses of streams, numbers of cameras, or video files, which play at their own pace.
        out: A folder. What a watch that was killed left open in it is ended.
        names: Of the `urls`; without any they are cam1, cam2, ...
        urls_file: A file with more of them (`make_sources`).
        policy: What an event is, and when to notify; None: one rule for each class but the most frequent.
        text: Words for all of them, taken for the model's first text field.
        seconds: How long; None: for ever.
        window_seconds: Length of a window; None: the median length of the training clips.
        run: A command that is run for each notification, with the line of the log as its standard input.
        webhook: An address that each line of a notification is posted to.
        preview: A picture file that shows what is seen, written about once a second.
        stop: Ends the watch when it is set, from another thread or a signal.
        warn: Told what goes wrong without ending the watch, a line each; None: they go to standard error.
        show: Given each line of the log in short, for people.

    Raises:
        InputError: There is no such model, address or command, or the length of a window is not known.
        VidmodelError: The log cannot be written (any more).
    """
    warn = warn or _print_line
    sources = make_sources(urls, names, urls_file)
    outputs = Outputs(Path(out), run, webhook, None if preview is None else Path(preview))
    form = open_model(model)
    plan = plan_for(form.run, window_seconds, None)
    policy = policy or policy_for(form.run)
    policy.check_against(form.run.labels)
    config = form.run.config.model
    if config.has_text and (missing := _missing_fields(config, text)):
        warn(f"the model reads the words of {', '.join(missing)} too, and gets none of them here")
    watch_sources(
        _live_model(form, plan, text),
        sources,
        policy,
        outputs,
        stop=stop or threading.Event(),
        seconds=seconds,
        warn=warn,
        show=show,
    )


def _live_model(form: Form, plan: WindowPlan, text: str | None) -> LiveModel:
    config, prepare = form.run.config.model, form.run.config.prepare
    words = join_fields({config.text_fields[0]: text or ""}, config.text_fields)

    def begin_pass() -> WindowPass:
        return WindowPass(form, plan, lambda start, end: words, finds_cuts=False)

    def decode(jpegs: Sequence[bytes]) -> np.ndarray:
        return decode_questions([Question("", tuple(jpegs), "")], config)[0]

    _warm_up(begin_pass(), decode, plan)
    return LiveModel(begin_pass, decode, form.run.labels, plan, prepare.short_side, prepare.jpeg_quality)


def _warm_up(windows: WindowPass, decode: Callable[[Sequence[bytes]], np.ndarray], plan: WindowPlan) -> None:
    """The first calls take seconds, in which frames would pile up."""
    black = encode_frame(np.zeros((16, 16, 3), np.uint8), 90)
    for _ in range(plan.num_frames // plan.hop_steps + 2):
        windows.push(decode([black] * plan.hop_steps))


def _missing_fields(config: ModelConfig, text: str | None) -> list[str]:
    return list(config.text_fields if text is None else config.text_fields[1:])


def _print_line(line: str) -> None:
    print(f"vidmodel watch: {line}", file=sys.stderr, flush=True)
