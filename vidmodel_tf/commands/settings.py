"""Settings on the command line: --config, --set, and flags for the few settings that are changed every day."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidmodel_tf.config import (
    ModelConfig,
    PrepareConfig,
    TrainConfig,
    from_mapping,
    parse_override,
    to_mapping,
)

if TYPE_CHECKING:
    from vidmodel_tf.run_folder.distillation import DistilConfig, PruneConfig


def add_settings(parser: argparse.ArgumentParser, *sections: str) -> None:
    """Adds --config and --set for some sections of settings ("prepare", "model", "train")."""
    example = ", ".join(f'"{section}": {{...}}' for section in sections)
    parser.add_argument("--config", metavar="FILE", help=f"a JSON file of settings: {{{example}}}")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar=f"{sections[0]}.KEY=VALUE",
        help="change one setting; can be repeated",
    )
    parser.set_defaults(sections=sections, everyday={})


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """Adds --cluster."""
    parser.add_argument(
        "--cluster", metavar="ADDRESS", help="do the work on a Ray cluster: HOST:PORT, auto or ray://HOST:PORT"
    )


def add_training_settings(parser: argparse.ArgumentParser) -> None:
    """Adds --config and --set for "model" and "train", and the everyday flags among these settings."""
    add_settings(parser, "model", "train")
    _add_everyday_flags(parser, to_mapping(ModelConfig()) | to_mapping(TrainConfig()))


def add_settings_of_student(parser: argparse.ArgumentParser) -> None:
    """Adds --config and --set for "model", "train", "distil" and "prune", and the everyday flags."""
    add_settings(parser, "model", "train", "distil", "prune")
    _add_everyday_flags(parser, dict.fromkeys(("backbone", "weights", "epochs", "seed"), "the teacher's"))


def _add_everyday_flags(parser: argparse.ArgumentParser, defaults: Mapping[str, Any]) -> None:
    parser.add_argument(
        "--backbone",
        help="what encodes a frame: resnet50, efficientnet_lite0, mobilenet_v2, small_cnn, ..., a FILE.keras of your "
        f"own, or keras_hub:PRESET (default: {defaults['backbone']})",
    )
    parser.add_argument(
        "--weights",
        help=f"of the backbone: imagenet, none, or the path of a weights file (default: {defaults['weights']})",
    )
    parser.add_argument("--epochs", type=int, help=f"train for at most this many (default: {defaults['epochs']})")
    parser.add_argument(
        "--seed",
        type=int,
        help=f"of the initial weights, the order and the augmentation (default: {defaults['seed']})",
    )
    parser.set_defaults(everyday={"backbone": "model", "weights": "model", "epochs": "train", "seed": "train"})


def gather_prepare_settings(options: argparse.Namespace) -> PrepareConfig:
    """The defaults, changed by --config, then by --set.

    Raises:
        InputError: A setting is unknown, has the wrong type or is out of range; the config file cannot be read.
    """
    return from_mapping(PrepareConfig, _gather(options)["prepare"], "prepare")


def gather_training_settings(options: argparse.Namespace) -> tuple[ModelConfig, TrainConfig]:
    """The defaults, changed by --config, then by everyday flags, then by --set.

    Raises:
        InputError: As `gather_prepare_settings`.
    """
    values = _gather(options)
    return from_mapping(ModelConfig, values["model"], "model"), from_mapping(TrainConfig, values["train"], "train")


def gather_settings_of_student(
    options: argparse.Namespace, teacher_dir: Path
) -> tuple[ModelConfig, TrainConfig, DistilConfig, PruneConfig]:
    """The settings of the teacher, changed as in `gather_training_settings`, and how the student learns from it.

    The weights of the backbone are the teacher's only where the backbone is. A backbone that is pruned is the teacher's
    too: the one that the config file of a pruned run names is what came of it.

    Args:
        options: Of the command line.
        teacher_dir: The run folder of the teacher.

    Raises:
        InputError: As `gather_training_settings`; or the run folder cannot be read.
    """
    from vidmodel_tf.run_folder.distillation import PRUNE, SECTION, DistilConfig, PruneConfig
    from vidmodel_tf.run_folder.run import read_settings_of_run

    values, teacher = _gather(options), read_settings_of_run(teacher_dir).config
    model, prune = to_mapping(teacher.model), from_mapping(PruneConfig, values[PRUNE], PRUNE)
    if prune.share and str(values["model"].get("backbone")).startswith("file:"):
        values["model"] = {key: value for key, value in values["model"].items() if key not in ("backbone", "weights")}
    if values["model"].get("backbone", model["backbone"]) != model["backbone"]:
        model["weights"] = ModelConfig().weights
    return (
        from_mapping(ModelConfig, model | values["model"], "model"),
        from_mapping(TrainConfig, to_mapping(teacher.train) | values["train"], "train"),
        from_mapping(DistilConfig, values[SECTION], SECTION),
        prune,
    )


def _gather(options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    from vidmodel_tf.run_folder.settings_file import read_settings_file

    values: dict[str, dict[str, Any]] = {section: {} for section in options.sections}
    if options.config:
        values |= read_settings_file(options.config, options.sections)
    for key, section in options.everyday.items():
        if getattr(options, key) is not None:
            values[section][key] = getattr(options, key)
    for text in options.set:
        section, key, value = parse_override(text, options.sections)
        values[section][key] = value
    return values
