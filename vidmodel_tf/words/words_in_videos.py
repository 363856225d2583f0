"""Words found in videos themselves, by the sources that `prepare.words` names.

Files are hostile: each is read in a worker process that may crash or hang, within a time limit.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self, TypeVar

from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.errors import InputError, VidmodelError
from vidmodel_tf.machines import Machines, TaskPool, ThisMachine
from vidmodel_tf.progress import track
from vidmodel_tf.remote.local_copy import local_copy
from vidmodel_tf.remote.store import Place
from vidmodel_tf.video.decoder import begin_decoding
from vidmodel_tf.video.opencv import import_opencv
from vidmodel_tf.words.finder import ExtraWarning, WordsWarning
from vidmodel_tf.words.remembered import Found, recall_found, remember_found
from vidmodel_tf.words.source import Source, load_source
from vidmodel_tf.worker_of_pool import TaskTimeoutError, WorkerDiedError

Item = TypeVar("Item")


class UnusableSourceError(VidmodelError):
    """A source of words can be used for no file at all: an extra is missing, say."""

    exit_code = 2


class WordsInVideos:
    """Finds the words in videos; to be closed (`with`), which ends its worker processes.

    Args:
        settings: Which sources are asked and how, and the time limit for each of them.
        num_workers: Processes, started when they are first needed; 0: one a core.
        machines: Where they are; None: here.
    """

    def __init__(self, settings: PrepareConfig, num_workers: int = 1, machines: Machines | None = None) -> None:
        self._settings = settings
        self._machines = machines or ThisMachine()
        self._num_workers = num_workers or self._machines.num_cores
        self._num_processes = 1
        self._pool: TaskPool | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the worker processes."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def find(self, video: Path, fields: Collection[str]) -> Found:
        """The words of one video for some fields.

        Raises:
            InputError: The file cannot be read; it is the subject.
            UnusableSourceError: A source can be used for no file.
        """
        answer = self.find_all({video: fields})[video]
        if isinstance(answer, InputError):
            raise answer
        return answer

    def find_all(self, fields_of: Mapping[Place, Collection[str]]) -> dict[Place, Found | InputError]:
        """The words of videos, or why one of them cannot be read.

        Args:
            fields_of: By video, the text fields for which words are wanted. Each is filled by the first source that
                has words for it; a source is not asked where it could add nothing.

        Raises:
            UnusableSourceError: A source can be used for no file.
        """
        if self._pool is None:
            self._num_processes = max(min(self._num_workers, len(fields_of)), 1)
        answers: dict[Place, Found | InputError] = {video: Found() for video in fields_of}
        for name in self._settings.words:
            source = load_source(name)
            wanted = {video: _open_fields(fields_of[video], answer, source) for video, answer in answers.items()}
            for video, more in self._ask(source, [video for video, fields in wanted.items() if fields]):
                answers[video] = _joined(answers[video], more, wanted[video])
        return answers

    def _ask(self, source: Source, videos: Sequence[Place]) -> Iterator[tuple[Place, Found | InputError]]:
        """What was remembered, then what the workers find."""
        unknown = []
        for video in _tracked(videos, "looking up words"):
            try:
                found = recall_found(source, video, self._settings)
            except InputError as error:
                yield video, _of_one_file(source, error)
                continue
            if found is None:
                unknown.append(video)
            else:
                yield video, found
        futures = [(video, self._schedule(source, video)) for video in unknown]
        for video, future in _tracked(futures, f"finding words ({source.name})"):
            yield video, self._answer(source, video, future)

    def _schedule(self, source: Source, video: Place) -> concurrent.futures.Future[Found | InputError]:
        if self._pool is None:
            import_opencv()  # fails here once, not in each worker
            self._pool = self._machines.open_pool(self._num_processes, begin_decoding)
        # A source that runs several threads shares the cores with as many processes as there are.
        settings = dataclasses.replace(self._settings, num_workers=self._num_processes)
        place = video.absolute() if isinstance(video, Path) else video  # a worker may have another folder
        reads = [place] if isinstance(place, Path) else []
        return self._pool.submit(
            _find, source.name, place, settings, timeout_seconds=settings.timeout_seconds, reads=reads
        )

    def _answer(
        self, source: Source, video: Place, future: concurrent.futures.Future[Found | InputError]
    ) -> Found | InputError:
        try:
            answer = future.result()
        except TaskTimeoutError:
            reason = (
                f"its words took longer than {self._settings.timeout_seconds:g} seconds to find ({source.name}): "
                "raise prepare.timeout_seconds, or leave that source out of prepare.words"
            )
            return InputError(reason, subject=str(video))
        except WorkerDiedError as error:
            return InputError(f"the search for its words crashed ({source.name}, {error})", subject=str(video))
        return _of_one_file(source, answer) if isinstance(answer, InputError) else answer


def _of_one_file(source: Source, error: InputError) -> InputError:
    """An error without a subject is not about a file: it would come back with each of them."""
    if error.subject is None:
        raise UnusableSourceError(f"prepare.words: {source.name}: {error.reason}")
    return error


def _tracked(items: Sequence[Item], description: str) -> Iterable[Item]:
    # A single video is asked about while other work shows its progress.
    return track(items, description, len(items)) if len(items) > 1 else items


def _open_fields(wanted: Collection[str], answer: Found | InputError, source: Source) -> set[str]:
    """The fields that a source can fill and that no earlier one has filled."""
    if isinstance(answer, InputError):
        return set()
    return (set(wanted) & set(source.fields)) - {cue.field for cue in answer.cues}


def _joined(before: Found | InputError, more: Found | InputError, fields: Collection[str]) -> Found | InputError:
    if isinstance(before, InputError) or isinstance(more, InputError):
        return before if isinstance(before, InputError) else more
    new = tuple(cue for cue in more.cues if cue.field in fields and cue.text.strip())
    return Found((*before.cues, *new), tuple(dict.fromkeys((*before.warnings, *more.warnings))))


def _find(name: str, video: Place, settings: PrepareConfig) -> Found | InputError:
    """Asks a source about a file, and remembers what it says. Runs in a worker."""
    source = load_source(name)
    try:
        with local_copy(video) as path:
            found, is_complete = _search(source, path, settings)
    except InputError as error:  # it is gone
        return InputError(error.reason, subject=error.subject)
    if is_complete and isinstance(found, Found):
        remember_found(source, video, settings, found)
    return found


def _search(source: Source, video: Path, settings: PrepareConfig) -> tuple[Found | InputError, bool]:
    """What a source finds, and whether it would find no more if another extra were installed."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", WordsWarning)
            cues = source.find(video, settings)
    except VidmodelError as error:
        return InputError(error.reason, subject=error.subject), False
    except Exception as error:  # damaged files make libraries fail in any way; the other files are still searched
        told = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        return InputError(f"the search for its words failed ({source.name}, {told})", subject=str(video)), False
    found = Found(cues, tuple(dict.fromkeys(str(warning.message) for warning in caught)))
    return found, not any(issubclass(warning.category, ExtraWarning) for warning in caught)
