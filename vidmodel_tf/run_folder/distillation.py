"""What a distilled run was taught by, and the settings of it and of pruning. No TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from vidmodel_tf.check_settings import Range, check_settings
from vidmodel_tf.config import from_mapping

# The names of the settings on the command line and in `config.json`.
SECTION = "distil"
PRUNE = "prune"


@dataclasses.dataclass(frozen=True, kw_only=True)
class DistilConfig:
    """How a model learns from another one (Hinton, Vinyals and Dean 2015).

    The defaults are those of the comparison by Tian, Krishnan and Isola, "Contrastive representation distillation"
    (2020), in which few methods did better than this one.
    """

    # Divides the logits of both models: above 1, the teacher's ranking of the wrong classes counts more.
    temperature: Annotated[float, Range(1.0, 100.0)] = 4.0
    alpha: Annotated[float, Range(0.0, 1.0)] = 0.9  # the share of the teacher in the loss; the rest is the labels'

    def __post_init__(self) -> None:
        check_settings(self)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PruneConfig:
    """How much of the teacher's backbone the student's does without; see `compression.prune`."""

    share: Annotated[float, Range(0.0, 0.9)] = 0.0  # of the channels that can be removed; 0: the backbone is not pruned

    def __post_init__(self) -> None:
        check_settings(self)


@dataclasses.dataclass(frozen=True)
class Distillation:
    """What a distilled run was taught by.

    Attributes:
        config: How.
        teacher: The run folder of the teacher, where it lay then.
        fingerprint: Of the teacher, which identifies it wherever it lies.
        prune: How much of the teacher's backbone was removed.
    """

    config: DistilConfig
    teacher: Path
    fingerprint: str
    prune: PruneConfig = PruneConfig()

    def to_json(self) -> dict[str, Any]:
        """The entries of `config.json`: `{"distil": {...}, "teacher", "teacher_fingerprint"}`, `prune` if it was."""
        return {
            SECTION: dataclasses.asdict(self.config),
            **({PRUNE: dataclasses.asdict(self.prune)} if self.prune.share else {}),
            "teacher": str(self.teacher.resolve()),
            "teacher_fingerprint": self.fingerprint,
        }

    @classmethod
    def from_json(cls, settings: Mapping[str, Any]) -> Distillation | None:
        """Reads these entries out of a `config.json`; None where it has none: the run was trained on labels alone.

        Raises:
            InputError: A setting is unknown or out of range.
            KeyError: An entry is missing.
        """
        if SECTION not in settings:
            return None
        config = from_mapping(DistilConfig, settings[SECTION], SECTION)
        prune = from_mapping(PruneConfig, settings.get(PRUNE, {}), PRUNE)
        return cls(config, Path(settings["teacher"]), settings["teacher_fingerprint"], prune)
