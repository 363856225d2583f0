"""Videos and the words beside and in them -> questions to a model. No TensorFlow: clients of a server use it too."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import sys
from collections.abc import Callable, Iterator, Sequence

from vidmodel_tf.clips.clip_range import ClipRange
from vidmodel_tf.clips.clip_request import ClipRequest
from vidmodel_tf.clips.question import Question, Refusal
from vidmodel_tf.clips.read_clips import read_clips
from vidmodel_tf.config import QUESTION
from vidmodel_tf.errors import InputError
from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.text.fields import join_fields
from vidmodel_tf.video.containers import check_file
from vidmodel_tf.video.sampling import slots_for_inference
from vidmodel_tf.words.cues import cut, text_by_field
from vidmodel_tf.words.words_of_videos import WordsOfVideos


def read_questions(run: Run, clips: Sequence[ClipRange], text: str | None) -> Iterator[Question | Refusal]:
    """Reads clips in the way in which the run's training clips were read.

    Args:
        run: Its settings say how.
        clips: Videos, or ranges of them, with what is asked about them. Neighbours that differ in nothing but the
            question are read once.
        text: Words for all of them, taken for the model's first text field; None: those beside and in each video.

    Yields:
        In the order of `clips`, a question, or a refusal of a clip that cannot be read.

    Raises:
        InputError: Something is asked of a model that reads no questions, or by `text` too.
    """
    check_questions(run, clips, text)
    yield from read_checked_questions(run, clips, text)


def read_checked_questions(
    run: Run, clips: Sequence[ClipRange], text: str | None, num_workers: int = 0
) -> Iterator[Question | Refusal]:
    """As `read_questions`, for some of the clips that `check_questions` has let pass together.

    Args:
        run: As there.
        clips: As there.
        text: As there.
        num_workers: Processes that decode; 0: one a core.
    """
    with _words_reader(run, text) as words_of:
        yield from _read(run, clips, words_of, num_workers)


def _read(
    run: Run, clips: Sequence[ClipRange], words_of: Callable[[ClipRange], str], num_workers: int
) -> Iterator[Question | Refusal]:
    if not run.config.model.has_frames:  # such a model answers for files that cannot be decoded, too
        yield from (_ask_of_words(clip, words_of) for clip in clips)
        return
    prepare = run.config.prepare
    slots = slots_for_inference(prepare.num_stored_frames, run.config.model.num_frames).tolist()
    groups = [list(group) for _, group in itertools.groupby(clips, key=lambda clip: clip.footage)]
    requests = (
        ClipRequest(
            path=clip.path,
            num_frames=prepare.num_stored_frames,
            short_side=prepare.short_side,
            jpeg_quality=prepare.jpeg_quality,
            start_seconds=clip.start_seconds,
            end_seconds=clip.end_seconds,
            slots=tuple(slots),
        )
        for clip, *_ in groups
    )
    results = read_clips(requests, num_workers=num_workers, timeout_seconds=prepare.timeout_seconds)
    for group, (_, result) in zip(groups, results, strict=True):
        for clip in group:
            if isinstance(result, InputError):
                yield _refuse(clip, result.reason)
            else:
                yield _ask(clip, result.jpeg_frames, words_of)


def check_questions(run: Run, clips: Sequence[ClipRange], text: str | None) -> None:
    """Refuses what cannot be asked, and warns where nothing is.

    Raises:
        InputError: Something is asked of a model that reads no questions, or by `text` too.
    """
    fields, num_asked = run.config.model.text_fields, sum(bool(clip.question) for clip in clips)
    reads_questions = run.config.model.has_text and QUESTION in fields
    if num_asked and not reads_questions:
        received = ", ".join(fields) if run.config.model.has_text else "no words"
        raise InputError(
            f"column {QUESTION!r}: expected a model that reads questions (model.text_fields). "
            f"Received: one that reads {received}"
        )
    if num_asked and text is not None:
        raise InputError(f"expected a column {QUESTION!r} or --text, which asks the same of all clips. Received: both")
    if reads_questions and text is None and num_asked < len(clips):
        line = (
            f"nothing is asked about {len(clips) - num_asked} of {len(clips)} clips, though the model reads questions"
        )
        print(f"warning: {line}: ask by --text, or in a list with a column {QUESTION!r}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _words_reader(run: Run, text: str | None) -> Iterator[Callable[[ClipRange], str]]:
    """Gives the function that gives the words for a clip: the same text for all, or those beside and in its video."""
    fields = run.config.model.text_fields
    if text is not None:
        joined = join_fields({fields[0]: text}, fields)
        yield lambda _: joined
        return
    with words_as_trained(run) as words:

        def words_of(clip: ClipRange) -> str:
            cues = cut(words.find(clip.path, fields), clip.start_seconds, clip.end_seconds)
            return join_fields({**text_by_field(cues), QUESTION: clip.question}, fields)

        yield words_of


def words_as_trained(run: Run) -> WordsOfVideos:
    """Finds words as those of the run's training clips were found; in videos only if the model reads any."""
    prepare = run.config.prepare
    return WordsOfVideos(prepare if run.config.model.has_text else dataclasses.replace(prepare, words=()))


def _ask_of_words(clip: ClipRange, words_of: Callable[[ClipRange], str]) -> Question | Refusal:
    try:
        check_file(clip.path)
    except InputError as error:
        return _refuse(clip, error.reason)
    return _ask(clip, (), words_of)


def _ask(clip: ClipRange, jpeg_frames: tuple[bytes, ...], words_of: Callable[[ClipRange], str]) -> Question | Refusal:
    try:
        return Question(str(clip.path), jpeg_frames, words_of(clip), clip.seconds, clip.question)
    except InputError as error:
        return _refuse(clip, str(error))


def _refuse(clip: ClipRange, reason: str) -> Refusal:
    return Refusal(str(clip.path), reason, clip.seconds, clip.question)
