"""`vidmodel watch`: events in live streams."""

from __future__ import annotations

import argparse
import os
import sys
from typing import NoReturn

from vidmodel_tf.backend.choose import import_keras
from vidmodel_tf.errors import InputError
from vidmodel_tf.run_folder.layout import check_model_path

HELP = "find events in cameras and other live streams"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("model", metavar="MODEL", help="a run folder, or an exported model")
    sources = parser.add_argument(
        "sources",
        nargs="+",  # not "*", which is done with none of them where an option stands between MODEL and URL
        default=[],
        metavar="URL",
        help="rtsp://, http://, udp:// ..., the number of a camera, or a file, which plays at its own pace",
    )
    sources.required = False
    parser.add_argument("--out", required=True, metavar="DIR", help="gets events.jsonl, pictures and cuts of events")
    parser.add_argument(
        "--name", nargs="+", action="extend", default=[], metavar="NAME", help="of each URL (default: cam1, cam2, ...)"
    )
    parser.add_argument(
        "--urls",
        metavar="FILE",
        help="more URLs, one a line, each after its name if it has one; keeps passwords out of the command line",
    )
    parser.add_argument("--policy", metavar="FILE", help="what an event is, and when to notify (default: every class)")
    parser.add_argument("--text", metavar="WORDS", help="words for all of them")
    parser.add_argument("--window", type=float, metavar="SECONDS", help="length of a window (default: as in training)")
    parser.add_argument("--seconds", type=float, metavar="S", help="end after so long (default: never)")
    parser.add_argument("--run", dest="command_to_run", metavar="COMMAND", help="run for each notification")
    parser.add_argument("--webhook", metavar="URL", help="each notification is posted to it as JSON")
    parser.add_argument("--preview", metavar="FILE", help="a picture of what is seen, written about once a second")


def run(options: argparse.Namespace) -> int:
    """Watches until it is told to stop."""
    from vidmodel_tf.live.source import make_sources
    from vidmodel_tf.scoring.policy import load_policy

    if options.seconds is not None and not options.seconds > 0:
        raise InputError(f"--seconds: expected more than 0. Received: {options.seconds:g}")
    make_sources(options.sources, options.name, options.urls)  # what is wrong there is told before TensorFlow loads
    policy = load_policy(options.policy) if options.policy else None
    check_model_path(options.model)
    import_keras()
    from vidmodel_tf.live.stop_on_signals import stop_on_signals
    from vidmodel_tf.live.watch import watch

    with stop_on_signals() as stop:
        watch(
            options.model,
            options.sources,
            options.out,
            names=options.name,
            urls_file=options.urls,
            policy=policy,
            text=options.text,
            seconds=options.seconds,
            window_seconds=options.window,
            run=options.command_to_run,
            webhook=options.webhook,
            preview=options.preview,
            stop=stop,
            show=lambda line: print(line, flush=True),
        )
        if stop.is_set():
            _exit_at_once()
    return 0


def _exit_at_once() -> NoReturn:
    """All is written and closed; taking TensorFlow apart would take seconds, in which a service manager might kill."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
