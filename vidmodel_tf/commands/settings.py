"""Settings on the command line: --config, --set, and flags for the few settings that are changed every day."""

from __future__ import annotations

import argparse
from typing import Any

from vidmodel_tf.config import (
    ModelConfig,
    PrepareConfig,
    TrainConfig,
    from_mapping,
    parse_override,
)


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


def add_training_settings(parser: argparse.ArgumentParser) -> None:
    """Adds --config and --set for "model" and "train", and the everyday flags among these settings."""
    add_settings(parser, "model", "train")
    model, train = ModelConfig(), TrainConfig()
    parser.add_argument(
        "--backbone",
        help="what encodes a frame: resnet50, efficientnet_lite0, mobilenet_v2, small_cnn, ..., a FILE.keras of your "
        f"own, or keras_hub:PRESET (default: {model.backbone})",
    )
    parser.add_argument(
        "--weights",
        help=f"of the backbone: imagenet, none, or the path of a weights file (default: {model.weights})",
    )
    parser.add_argument("--epochs", type=int, help=f"train for at most this many (default: {train.epochs})")
    parser.add_argument(
        "--seed", type=int, help=f"of the initial weights, the order and the augmentation (default: {train.seed})"
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
