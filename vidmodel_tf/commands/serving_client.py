"""`vidmodel serving-client`: answers for videos from a model that TensorFlow Serving has loaded."""

from __future__ import annotations

import argparse
import contextlib

from vidmodel_tf.commands import show

HELP = "answers for videos from a model in TensorFlow Serving"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("address", metavar="ADDRESS", help="HOST:PORT of the server: by default 8500, 8501 for REST")
    parser.add_argument("model_name", metavar="MODEL_NAME", help="what the server calls the model")
    parser.add_argument("files", nargs="+", metavar="FILE", help="videos, folders and globs")
    parser.add_argument(
        "--settings", required=True, metavar="MODEL", help="the run folder or the exported model that is served"
    )
    parser.add_argument("--text", help="words for all of them (default: those beside and in each video)")
    parser.add_argument("--rest", action="store_true", help="ask over REST, not gRPC")
    parser.add_argument(
        "--deadline",
        type=float,
        default=30,
        metavar="SECONDS",
        help="for the answer to one request (default: %(default)s)",
    )
    parser.add_argument(
        "--version",
        type=int,
        metavar="N",
        help="the version of the served model to ask (default: the newest that is served)",
    )
    parser.add_argument("--batch-size", type=int, default=4, metavar="N", help="clips a request (default: %(default)s)")
    show.add_json_flag(parser, "print one JSON object a line")


def run(options: argparse.Namespace) -> int:
    """Asks the server, and shows an answer for each video."""
    from vidmodel_tf.serving.endpoint import Endpoint
    from vidmodel_tf.serving.predict import open_client, predict_by_server

    endpoint = Endpoint(options.address, options.model_name, version=options.version, deadline_seconds=options.deadline)
    with contextlib.closing(open_client(endpoint, rest=options.rest)) as client:
        answers = predict_by_server(
            client, options.files, options.settings, text=options.text, batch_size=options.batch_size
        )
        return show.show_answers(answers, options)
