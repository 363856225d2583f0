"""A trained run -> a smaller one, taught by it, and what that is worth."""

from __future__ import annotations

from pathlib import Path

from vidmodel_tf.compression.measure import measure_compression
from vidmodel_tf.compression.pruned_backbone import check_can_be_pruned, with_pruned_backbone
from vidmodel_tf.compression.results import Compression
from vidmodel_tf.compression.teacher import teacher_of
from vidmodel_tf.config import ModelConfig, TrainConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.evaluation.evaluate import check_labels, open_data_of
from vidmodel_tf.export.trained import TrainedRun
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.records.stored_clip import StoredClip
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.distillation import DistilConfig, PruneConfig
from vidmodel_tf.run_folder.own_data import is_own_data
from vidmodel_tf.run_folder.run import Run, load_run
from vidmodel_tf.storage import write_json
from vidmodel_tf.training.train import train


def compress(
    teacher_dir: str | Path,
    out: str | Path,
    model_config: ModelConfig,
    train_config: TrainConfig | None = None,
    distil_config: DistilConfig | None = None,
    prune_config: PruneConfig | None = None,
    *,
    data: str | Path | None = None,
) -> Compression:
    """Trains a smaller model that learns from a trained one, and measures both.

    The teacher scores each clip once, as it is stored; the student learns from these scores and the labels, from the
    scores alone where a clip has no label (Hinton, Vinyals and Dean 2015). The result is a run folder like any other,
    with `compress.json` beside: `Compression` as JSON. A call that was killed goes on when it is called again.

    Args:
        teacher_dir: A run folder.
        out: The run folder to make.
        model_config: Settings of the student's graph.
        train_config: Settings of its training; by default the teacher's.
        distil_config: How it learns from the teacher.
        prune_config: How much of the teacher's backbone it does without; by default nothing is removed.
        data: A prepared data set with the teacher's heads, which may have others; by default the one that the teacher
            was trained on.

    Raises:
        InputError: There is no such run or data set, they do not fit each other or the student, or `out` holds
            something else.
    """
    out, run, prune = Path(out), load_run(teacher_dir), prune_config or PruneConfig()
    _check_student(model_config, run, out, prune)
    data_set = open_data_of(run, data)
    check_labels(data_set.labels, run)
    is_own = is_own_data(data_set, run)
    if not is_own:
        _check_inputs_of_teacher(run, data_set)
    _check_words_of_student(model_config, run, data_set)
    fold, teacher, train_config = run.fold if is_own else None, TrainedRun(run), train_config or run.config.train
    if prune.share:
        model_config, train_config = with_pruned_backbone(
            out, teacher, data_set.with_fold(fold), model_config, train_config, prune
        )
    student = train(
        data_set, out, model_config, train_config,
        fold=fold, teacher=teacher_of(teacher.reference, distil_config or DistilConfig(), prune),
    )  # fmt: skip
    result = measure_compression(teacher, TrainedRun(student), data_set.with_fold(fold))
    write_json(out / layout.COMPRESSION, result.to_json())
    return result


def _check_student(config: ModelConfig, teacher: Run, out: Path, prune: PruneConfig) -> None:
    if out.resolve() == teacher.path.resolve():
        raise InputError(f"--out: expected another folder than the teacher's. Received: {out}")
    if prune.share:
        check_can_be_pruned(config, teacher.config.model, prune)
    elif config == teacher.config.model:
        raise InputError(
            f"expected a student that is smaller than {teacher.path}, such as --backbone efficientnet_lite0, "
            "--set model.ensemble_size=1 or --set prune.share=0.4. Received: the teacher's own settings of the model"
        )


def _check_inputs_of_teacher(teacher: Run, data: DataSet) -> None:
    config = teacher.config.model
    if config.has_frames:
        data.slots(config.num_frames)  # refuses words without videos, and frames that do not fit
    if config.has_text and not any(_has_words(clip, field) for clip in data.clips for field in config.text_fields):
        raise InputError(
            f"{data.path}: expected clips with words in the fields that the teacher reads "
            f"({', '.join(config.text_fields)}). Received: none with any"
        )


def _check_words_of_student(student: ModelConfig, teacher: Run, data: DataSet) -> None:
    read = teacher.config.model.text_fields if teacher.config.model.has_text else ()
    for field in student.text_fields if student.has_text else ():
        if field not in read and not any(_has_words(clip, field) for clip in data.clips):
            raise InputError(
                f"model.text_fields: expected fields that clips of {data.path} have words in, or that the teacher "
                f"reads ({', '.join(read) or 'none'}). Received: {field!r}"
            )


def _has_words(clip: StoredClip, field: str) -> bool:
    return bool(clip.text.get(field, "").strip())
