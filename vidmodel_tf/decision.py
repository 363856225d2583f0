"""From scores to an answer: the one rule, for every form of a model, for evaluation and for a server's client.

Every form of a model gives float32 scores, and the exported graph compares them in float32. So thresholds are rounded
to float32 here too: a score of float32(0.7) reaches the threshold 0.7, although 0.7 as a Python float is larger.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np


def decide(scores: np.ndarray | Sequence[float], thresholds: Sequence[float] | None = None) -> np.ndarray:
    """Chooses the classes that a head answers with.

    Args:
        scores: [..., K], 0 to 1; compared as float32.
        thresholds: [K], 0 to 1, of a multi-label head; None: the head has one class a clip.

    Returns:
        Class ids, integers [...]: the class with the highest score, the first of equal ones. For a multi-label head
        booleans [..., K]: whether the score reaches the threshold (>=).

    Example:
        >>> decide([[0.2, 0.8], [0.5, 0.5]]).tolist()
        [1, 0]
        >>> decide([[0.2, 0.8], [0.5, 0.5]], [0.5, 0.6]).tolist()
        [[False, True], [True, False]]
    """
    scores = np.asarray(scores, np.float32)
    if thresholds is None:
        return scores.argmax(axis=-1)
    return scores >= np.asarray(thresholds, np.float32)


@dataclasses.dataclass(frozen=True)
class OneLabel:
    """What a head answers whose clips have one class each.

    Attributes:
        label: The name of the class.
        score: Its score, 0 to 1.
        scores: By class name; a list by class id where the names are not known.
    """

    label: str
    score: float
    scores: dict[str, float] | list[float]

    def to_json(self) -> dict[str, object]:
        """`{"label", "score", "scores"}`."""
        return {"label": self.label, "score": self.score, "scores": self.scores}


@dataclasses.dataclass(frozen=True)
class AnyLabels:
    """What a multi-label head answers.

    Attributes:
        labels: The names of the classes whose scores reach their thresholds, by class id.
        scores: By class name; a list by class id where the names are not known.
    """

    labels: tuple[str, ...]
    scores: dict[str, float] | list[float]

    def to_json(self) -> dict[str, object]:
        """`{"labels", "scores"}`."""
        return {"labels": list(self.labels), "scores": self.scores}


HeadAnswer = OneLabel | AnyLabels
Seconds = tuple[float | None, float | None]  # start and end of a range; None: that of the video


def clip_to_json(path: str, seconds: Seconds | None, question: str) -> dict[str, object]:
    """`{"path"}`, of a range `"start_seconds"` and `"end_seconds"` too, and `"question"` where one is asked."""
    values: dict[str, object] = {"path": path}
    if seconds is not None:
        values |= {"start_seconds": seconds[0], "end_seconds": seconds[1]}
    return values | ({"question": question} if question else {})


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a model answers about one clip.

    Attributes:
        id: The clip's id in a data set, or the path as the user wrote it.
        heads: By the name of the head.
        seconds: Start and end of a range of a video; None: the whole.
        question: What a list of clips asks about it; "": nothing.
    """

    id: str
    heads: dict[str, HeadAnswer]
    seconds: Seconds | None = None
    question: str = ""

    def to_json(self) -> dict[str, object]:
        """`{"path", "heads": {HEAD: {"label", "score", "scores": {LABEL: score}}}}`, with `"labels"` for several.

        The answer for a range of a video has `"start_seconds"` and `"end_seconds"` after the path, and the answer to a
        question in a list of clips has `"question"`.
        """
        heads = {head: answer.to_json() for head, answer in self.heads.items()}
        return {**clip_to_json(self.id, self.seconds, self.question), "heads": heads}


def answer_heads(
    scores: Mapping[str, np.ndarray | Sequence[float]],
    labels: Mapping[str, Sequence[str]],
    thresholds: Mapping[str, Sequence[float]],
) -> dict[str, HeadAnswer]:
    """Decides every head of one clip.

    Args:
        scores: [K] by head.
        labels: Class names by head.
        thresholds: [K] by head, of the multi-label heads alone.
    """
    return {head: _answer_head(scores[head], names, thresholds.get(head)) for head, names in labels.items()}


def _answer_head(
    scores: np.ndarray | Sequence[float], names: Sequence[str], thresholds: Sequence[float] | None
) -> HeadAnswer:
    by_name = {name: float(score) for name, score in zip(names, scores, strict=True)}
    decided = decide(scores, thresholds)
    if thresholds is None:
        label = names[int(decided)]
        return OneLabel(label, by_name[label], by_name)
    return AnyLabels(tuple(name for name, is_given in zip(names, decided, strict=True) if is_given), by_name)
