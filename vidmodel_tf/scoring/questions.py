"""Video files and the words beside them -> questions to a model. No TensorFlow: clients of a server use it too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from vidmodel_tf.clips.question import Question, Refusal
from vidmodel_tf.clips.read_clip import ClipRequest
from vidmodel_tf.clips.read_clips import read_clips
from vidmodel_tf.errors import InputError
from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.text.fields import join_fields
from vidmodel_tf.video.sampling import slots_for_inference
from vidmodel_tf.words.sidecars import read_sidecar_words


def read_questions(run: Run, paths: Sequence[Path], text: str | None) -> Iterator[Question | Refusal]:
    """Reads videos in the way in which the run's training clips were read.

    Args:
        run: Its settings say how.
        paths: Video files.
        text: Words for all of them, taken for the model's first text field; None: the sidecar of each, if any.

    Yields:
        In the order of `paths`, a question, or a refusal of a file that cannot be read.
    """
    if not run.config.model.has_frames:  # such a model answers for files that cannot be decoded, too
        yield from (_ask_of_words(path, run, text) for path in paths)
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
            yield Refusal(str(path), str(result).removeprefix(f"{path.absolute()}: "))
        else:
            yield _ask(path, result.jpeg_frames, run, text)


def _ask_of_words(path: Path, run: Run, text: str | None) -> Question | Refusal:
    if not path.is_file():
        return Refusal(str(path), "there is no such file: expected a video")
    return _ask(path, (), run, text)


def _ask(path: Path, jpeg_frames: tuple[bytes, ...], run: Run, text: str | None) -> Question | Refusal:
    fields = run.config.model.text_fields
    try:
        words = {fields[0]: text} if text is not None else read_sidecar_words(path)
        return Question(str(path), jpeg_frames, join_fields(words, fields))
    except InputError as error:
        return Refusal(str(path), str(error))
