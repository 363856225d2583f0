"""`vidmodel predict`: answers for videos."""

from __future__ import annotations

import argparse
from pathlib import Path

from vidmodel_tf.backend.choose import import_keras
from vidmodel_tf.commands import show
from vidmodel_tf.commands.settings import add_cluster
from vidmodel_tf.errors import InputError
from vidmodel_tf.run_folder.layout import check_model_path

HELP = "answers for videos"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("model", metavar="MODEL", help="a run folder, or an exported model")
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="videos, folders and globs; a CSV of path,start_seconds,end_seconds,question",
    )
    parser.add_argument("--text", help="words for all of them (default: those beside and in each video)")
    add_cluster(parser)
    show.add_json_flag(parser, "print one JSON object a line")


def run(options: argparse.Namespace) -> int:
    """Predicts, and shows an answer for each video."""
    _check_order(options.model, options.files)
    check_model_path(options.model)
    import_keras()
    from vidmodel_tf.scoring.clips import predict

    answers = predict(options.model, options.files, text=options.text, cluster=options.cluster)
    return show.show_answers(answers, options)


def _check_order(model: str, files: list[str]) -> None:
    from vidmodel_tf.video.names import is_video_name

    if is_video_name(Path(model).name) and not Path(model).is_dir():
        raise InputError(
            "expected the model first, then the videos. "
            f"Received: the video {model} for MODEL; did you mean `vidmodel predict {files[0]} {model}`?"
        )
