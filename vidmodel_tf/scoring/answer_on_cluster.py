"""Answers for clips from many machines: each opens the model once, and answers one list of clips after another."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import itertools
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

from vidmodel_tf.backend.choose import import_keras
from vidmodel_tf.backend.one_core import use_one_core
from vidmodel_tf.clips.clip_range import ClipRange
from vidmodel_tf.clips.question import Refusal
from vidmodel_tf.cluster.open_machines import open_cluster
from vidmodel_tf.decision import Answer
from vidmodel_tf.forms.form import Form
from vidmodel_tf.forms.open_model import open_model
from vidmodel_tf.scoring.answer_clips import CLIPS_AT_ONCE, answer_clips

_CLIPS_A_LIST = 2 * CLIPS_AT_ONCE  # at least, where there are so many
_LISTS_PER_CORE = 4  # asked for in advance; so many wait for a slow one before them

Answers = list[Answer | Refusal]


def answer_on_cluster(
    address: str, model: Path, clips: Sequence[ClipRange], text: str | None
) -> Iterator[Answer | Refusal]:
    """Answers for each clip what the model predicts.

    Args:
        address: Of a Ray cluster.
        model: Which every node sees.
        clips: As `answer_clips` takes them.
        text: Words for all of them; None: those beside and in each video.

    Yields:
        In the order of `clips`, an answer, or a refusal of a clip that cannot be read.
    """
    asked = _lists(clips)
    with open_cluster(address) as cluster, cluster.open_pool(0, None) as pool:
        waiting: deque[tuple[list[ClipRange], Future[tuple[Answers, str]]]] = deque()
        while True:
            for part in itertools.islice(asked, max(_LISTS_PER_CORE * pool.num_workers - len(waiting), 0)):
                sent = [dataclasses.replace(clip, path=clip.path.absolute()) for clip in part]
                reads = [model.absolute(), *dict.fromkeys(clip.path for clip in sent)]
                waiting.append((part, pool.submit(_answer_list, model.absolute(), sent, text, reads=reads)))
            if not waiting:
                return
            part, answered = waiting.popleft()
            answers, said = answered.result()
            sys.stderr.write(said)
            for clip, answer in zip(part, answers, strict=True):
                yield dataclasses.replace(answer, id=str(clip.path))  # as the user wrote it


def _lists(clips: Sequence[ClipRange]) -> Iterator[list[ClipRange]]:
    """Divides clips; questions about one clip stay together, as its frames are read once."""
    part: list[ClipRange] = []
    for _, group in itertools.groupby(clips, key=lambda clip: clip.footage):
        part += group
        if len(part) >= _CLIPS_A_LIST:
            yield part
            part = []
    if part:
        yield part


def _answer_list(model: Path, clips: Sequence[ClipRange], text: str | None) -> tuple[Answers, str]:
    """Runs on a node. Beside the answers it gives what has been said on standard error."""
    form = _open(model)
    with contextlib.redirect_stderr(io.StringIO()) as said:
        answers = list(answer_clips(form, clips, text, num_workers=1))
    return answers, said.getvalue()


@functools.lru_cache(maxsize=1)
def _open(model: Path) -> Form:
    """A process of Ray's has a core to itself, and answers many lists."""
    import_keras()
    use_one_core()
    return open_model(model)
