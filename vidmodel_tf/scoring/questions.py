"""Video files and the words beside them -> questions to a model. No TensorFlow: clients of a server use it too."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from vidmodel_tf.clips.clip_request import ClipRequest
from vidmodel_tf.clips.question import Question, Refusal
from vidmodel_tf.clips.read_clips import read_clips
from vidmodel_tf.errors import InputError
from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.text.fields import join_fields
from vidmodel_tf.video.sampling import slots_for_inference
from vidmodel_tf.words.cues import text_by_field
from vidmodel_tf.words.sidecars import Sidecars


def read_questions(run: Run, paths: Sequence[Path], text: str | None) -> Iterator[Question | Refusal]:
    """Reads videos in the way in which the run's training clips were read.

    Args:
        run: Its settings say how.
        paths: Video files.
        text: Words for all of them, taken for the model's first text field; None: the sidecar of each, if any.

    Yields:
        In the order of `paths`, a question, or a refusal of a file that cannot be read.
    """
    words_of = _words_reader(run, text)
    if not run.config.model.has_frames:  # such a model answers for files that cannot be decoded, too
        yield from (_ask_of_words(path, words_of) for path in paths)
        return
    prepare = run.config.prepare
    slots = slots_for_inference(prepare.num_stored_frames, run.config.model.num_frames).tolist()
    requests = (
        ClipRequest(
            path=path,
            num_frames=prepare.num_stored_frames,
            short_side=prepare.short_side,
            jpeg_quality=prepare.jpeg_quality,
            slots=tuple(slots),
        )
        for path in paths
    )
    for request, result in read_clips(requests, num_workers=0, timeout_seconds=prepare.timeout_seconds):
        path = Path(request.path)
        if isinstance(result, InputError):
            yield Refusal(str(path), result.reason)
        else:
            yield _ask(path, result.jpeg_frames, words_of)


def _words_reader(run: Run, text: str | None) -> Callable[[Path], str]:
    """The function that gives the words for a video: the same text for all, or those in the files beside it."""
    fields = run.config.model.text_fields
    if text is not None:
        joined = join_fields({fields[0]: text}, fields)
        return lambda _: joined
    prepare = run.config.prepare

    @functools.lru_cache(maxsize=64)
    def sidecars_in(folder: Path) -> Sidecars:
        return Sidecars(prepare.languages, root=None if prepare.follow_links else folder)

    return lambda path: join_fields(text_by_field(sidecars_in(path.parent).find(path, fields)), fields)


def _ask_of_words(path: Path, words_of: Callable[[Path], str]) -> Question | Refusal:
    if not path.is_file():
        return Refusal(str(path), "there is no such file: expected a video")
    return _ask(path, (), words_of)


def _ask(path: Path, jpeg_frames: tuple[bytes, ...], words_of: Callable[[Path], str]) -> Question | Refusal:
    try:
        return Question(str(path), jpeg_frames, words_of(path))
    except InputError as error:
        return Refusal(str(path), str(error))
