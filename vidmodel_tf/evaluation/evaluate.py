"""How good a model is on a split: metrics per head, and what is left of them when a part of the input is taken away."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.evaluation.metrics import multi_label_metrics, single_label_metrics
from vidmodel_tf.evaluation.results import Evaluation, HeadResult, SingleLabelResult
from vidmodel_tf.forms.form import Form, Scores
from vidmodel_tf.forms.open_model import open_model
from vidmodel_tf.labels import Labels
from vidmodel_tf.pages.pictures import save_confusion_matrix, save_reliability_diagram
from vidmodel_tf.progress import track
from vidmodel_tf.records.data_set import DataSet, open_data_set
from vidmodel_tf.records.frames import decode_questions
from vidmodel_tf.records.stored_clip import StoredClip
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.own_data import is_own_data
from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.storage import write_json
from vidmodel_tf.text.fields import join_fields

ABLATIONS = ("without_text", "without_frames", "shuffled_frames")

_CLIPS_AT_ONCE = 4
_SEED = 0  # of the derangement and of the permutations


@dataclasses.dataclass
class _Collected:
    """Scores of all clips by variant ("full" and the ablations), and what they are measured against."""

    scores: dict[str, list[Scores]]
    class_ids: dict[str, np.ndarray]  # {head: [n], or [n, K] of 0 and 1}
    labelled: dict[str, np.ndarray]  # {head: bool [n]}
    others: np.ndarray  # [n]: whose frames clip i gets in "without_frames"
    training: Sequence[StoredClip]  # what the baseline is learnt from


def evaluate(model: str | Path | Form, *, data: str | Path | None = None, split: str = "test") -> Evaluation:
    """Measures a model on a split. That of a run folder is kept there as `evaluation/SPLIT.json`.

    On another data set than its own: as `evaluation/NAME/SPLIT.json`.

    The ablations say what the answer rests on. `without_text`: no clip has words. `without_frames`: each clip has
    another clip's frames. `shuffled_frames`: each clip has its own frames in a random order.

    Args:
        model: A run folder, an exported model, or one already opened.
        data: A prepared data set; by default the one that the model was trained on.
        split: Its name.

    Raises:
        InputError: There is no such model, data set or split, or the data set asks other questions.
    """
    model = open_model(model)
    run = model.run
    data = Path(data) if data is not None else run.data
    if data is None:
        raise InputError(f"{run.path} does not say on which data set it was trained: give --data data/NAME")
    if not data.is_dir():
        raise InputError(f"there is no data set at {data}: give --data where the prepared data set lies now")
    data = open_data_set(data)
    own_data = is_own_data(data, run)
    _check_labels(data.labels, run)
    data = data.with_fold(run.fold if own_data else None)
    collected = _collect(model, data, split)
    result = Evaluation(
        split=split,
        num_clips=len(collected.others),
        data=str(data.path),
        heads={head: _head_metrics(collected, "full", head, run) for head in run.labels},
        ablations={
            name: {head: _ablated_accuracy(collected, name, head, run) for head in run.labels} for name in ABLATIONS
        },
    )
    if model.keeps_results:
        folder = run.path / layout.EVALUATION
        folder = folder if own_data else folder / data.path.resolve().name
        write_json(folder / f"{split}.json", result.to_json())
        _save_pictures(result, run, folder)
    return result


def _check_labels(labels: Labels, run: Run) -> None:
    for head, names in run.labels.items():
        if labels.get(head) != names:
            raise InputError(
                f"the data set's classes for the head {head!r} differ from the model's: "
                f"expected {names}. Received: {labels.get(head)}"
            )
        if (head in labels.multi_label) != (head in run.labels.multi_label):
            kinds = ["one class a clip", "any number of classes a clip"]
            expected = kinds[head in run.labels.multi_label]
            raise InputError(f"the data set's head {head!r}: expected {expected}. Received: the other kind")


def _collect(model: Form, data: DataSet, split: str) -> _Collected:
    config, clips = model.run.config.model, data.in_split(split)
    words = [join_fields(clip.text, config.text_fields) for clip in clips]
    row_of = {clip.id: row for row, clip in enumerate(clips)}
    others = derangement(len(clips), _SEED)
    # In "without_frames" clip j is scored on the frames of clip others[j]. Frames are read one after the other, so
    # the inverse is needed: receivers[i] is the clip whose words go with the frames of clip i.
    receivers = np.argsort(others)
    collected = _Collected({name: [] for name in ("full", *ABLATIONS)}, {}, {}, others, data.in_split("train"))
    questions = data.questions(split, config)
    batches = iter(lambda: list(itertools.islice(questions, _CLIPS_AT_ONCE)), [])
    for batch in track(batches, "evaluating", -(-len(clips) // _CLIPS_AT_ONCE)):
        rows = [row_of[clip.id] for clip, _ in batch]
        frames = decode_questions([question for _, question in batch], config)
        _score_batch(model, frames, words, receivers, rows, collected)
    for head in model.run.labels:
        collected.class_ids[head] = np.array([_class_ids(clip, head, model.run.labels) for clip in clips])
        collected.labelled[head] = np.array([clip.labels[head] is not None for clip in clips])
    return collected


def _class_ids(clip: StoredClip, head: str, labels: Labels) -> int | list[float]:
    """The class of a clip, or 0 and 1 by class for a multi-label head; class 0 or zeros where it is not labelled."""
    label, names = clip.labels[head], labels[head]
    if head in labels.multi_label:
        return [float(name in (label or ())) for name in names]
    return 0 if label is None else names.index(label)


def _score_batch(
    model: Form,
    frames: np.ndarray,
    words: Sequence[str],
    receivers: np.ndarray,
    rows: Sequence[int],
    collected: _Collected,
) -> None:
    own, others = [words[row] for row in rows], [words[receivers[row]] for row in rows]
    features = model.encode(frames) if model.run.config.model.has_frames else None
    full, without_text, without_frames = (model.classify(features, text) for text in (own, [""] * len(own), others))
    shuffled = np.stack([_shuffle(clip, _SEED + row) for clip, row in zip(frames, rows, strict=True)])
    shuffled_frames = model.scores(shuffled, own)
    for name, scores in (
        ("full", full),
        ("without_text", without_text),
        ("without_frames", without_frames),
        ("shuffled_frames", shuffled_frames),
    ):
        collected.scores[name].append(scores)


def _shuffle(frames_TxHxWxC: np.ndarray, seed: int) -> np.ndarray:
    return frames_TxHxWxC[np.random.default_rng(seed).permutation(len(frames_TxHxWxC))]


def derangement(n: int, seed: int) -> np.ndarray:
    """A random permutation of 0..n-1 without a fixed point (n = 1 has none: 0 stays)."""
    order = np.random.default_rng(seed).permutation(n)
    result = np.empty(n, int)
    result[order] = np.roll(order, 1)  # one cycle through all
    return result


def _head_metrics(collected: _Collected, variant: str, head: str, run: Run) -> HeadResult:
    scores = np.concatenate([batch[head] for batch in collected.scores[variant]])
    if variant == "without_frames":
        scores = scores[collected.others]  # the row of clip j's words is where the frames of others[j] were read
    labelled, values = collected.labelled[head], collected.class_ids[head]
    if head in run.labels.multi_label:
        return multi_label_metrics(scores, values, labelled, run.labels[head], run.thresholds[head])
    counts = Counter(clip.labels[head] for clip in collected.training)
    train_counts = [counts[name] for name in run.labels[head]]
    return single_label_metrics(
        scores, np.where(labelled, values, -1), run.labels[head], train_counts if any(train_counts) else None
    )


def _ablated_accuracy(collected: _Collected, variant: str, head: str, run: Run) -> float | None:
    if variant == "without_frames" and len(collected.others) < 2:
        return None  # there is no other clip
    if not (run.config.model.has_text if variant == "without_text" else run.config.model.has_frames):
        return None  # the model lacks the branch
    return _head_metrics(collected, variant, head, run).accuracy


def _save_pictures(result: Evaluation, run: Run, folder: Path) -> None:
    for head, metrics in result.heads.items():
        if not metrics.num_clips:
            continue
        bins = [bin_.to_json() for bin_ in metrics.calibration_bins]
        save_reliability_diagram(folder / f"{result.split}_{head}_reliability.png", bins, f"{head}, {result.split}")
        if isinstance(metrics, SingleLabelResult):
            save_confusion_matrix(
                folder / f"{result.split}_{head}_confusion.png",
                metrics.confusion_matrix,
                run.labels[head],
                f"{head}, {result.split}: accuracy {metrics.accuracy:.3f}",
            )
