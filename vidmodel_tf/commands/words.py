"""`vidmodel words`: the words beside and in videos, as `prepare` would store them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from vidmodel_tf.commands import show
from vidmodel_tf.commands.settings import add_settings, gather_prepare_settings
from vidmodel_tf.errors import InputError

if TYPE_CHECKING:
    from vidmodel_tf.clips.question import Refusal
    from vidmodel_tf.config import PrepareConfig
    from vidmodel_tf.words.video_words import VideoWords

VIDEOS_A_WORKER = 4  # that are searched before the first answers are shown
_CHARACTERS_SHOWN = 300  # of a field, in the table

HELP = "the words beside and in videos, and where they come from"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="videos, folders and globs")
    add_settings(parser, "prepare")
    show.add_json_flag(parser, "print one JSON object a line")
    parser.add_argument("--srt", action="store_true", help="print what is said or shown as subtitles, of one video")


def run(options: argparse.Namespace) -> int:
    """Finds and shows the words of each video.

    Returns:
        The exit code: 2 if no video could be read.
    """
    from vidmodel_tf.clips.question import Refusal
    from vidmodel_tf.video.names import expand_videos

    config, videos = gather_prepare_settings(options), expand_videos(options.files)
    if options.srt and (options.json or len(videos) > 1):
        received = "--json too" if options.json else f"{len(videos)} videos"
        raise InputError(f"--srt: expected one video and no --json. Received: {received}")
    any_read = False
    for answer in _find(videos, config):
        any_read |= not isinstance(answer, Refusal)
        _show(answer, options)
    return 0 if any_read else 2


def _find(videos: list[Path], config: PrepareConfig) -> Iterator[VideoWords | Refusal]:
    from vidmodel_tf.clips.question import Refusal
    from vidmodel_tf.config import TEXT_FIELDS
    from vidmodel_tf.words.video_words import VideoWords
    from vidmodel_tf.words.words_of_videos import WordsOfVideos
    from vidmodel_tf.workers import num_usable_cores

    num_at_once = VIDEOS_A_WORKER * (config.num_workers or num_usable_cores())
    with WordsOfVideos(config) as words:
        for first in range(0, len(videos), num_at_once):
            some = videos[first : first + num_at_once]
            faults = {video: fault for video in some if (fault := _fault_of_file(video)) is not None}
            answers = dict(words.find_all((video for video in some if video not in faults), TEXT_FIELDS))
            for video in some:
                answer = faults.get(video) or answers[video]
                if isinstance(answer, InputError):
                    yield Refusal(str(video), answer.reason)
                else:
                    yield VideoWords(str(video), answer)


def _fault_of_file(video: Path) -> InputError | None:
    from vidmodel_tf.video.containers import check_file

    try:
        check_file(video)
    except InputError as error:
        return error
    return None


def _show(answer: VideoWords | Refusal, options: argparse.Namespace) -> None:
    from vidmodel_tf.clips.question import Refusal
    from vidmodel_tf.words.cues import sources_by_field, text_by_field

    if options.json:
        show.print_json(answer.to_json())
    elif isinstance(answer, Refusal):
        print(f"{answer.id}: error: {answer.reason}", file=sys.stderr if options.srt else sys.stdout)
    elif options.srt:
        print(answer.to_srt(), end="")
    else:
        texts, sources = text_by_field(answer.cues), sources_by_field(answer.cues)
        rows = [(field, source, texts[field][:_CHARACTERS_SHOWN]) for field, source in sources.items()]
        show.open_console().print(answer.path, show.table("", ["field", "from", "words"], rows), sep="\n")
