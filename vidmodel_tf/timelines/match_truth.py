"""Timelines and the truth about their videos, brought together."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from vidmodel_tf.errors import InputError
from vidmodel_tf.scoring.labelled_video import LabelledVideo
from vidmodel_tf.scoring.overlap import TimeRange
from vidmodel_tf.scoring.truth import HeadLabel, TrueVideo, Truth
from vidmodel_tf.timelines.document import Document
from vidmodel_tf.user_cache import content_hash

_SECONDS_BEYOND = 1.0  # who writes down times rounds them
_MOST_NAMES = 5  # in a message


@dataclasses.dataclass(frozen=True)
class MatchedTruth:
    """The videos of which both a timeline and the truth are known.

    Attributes:
        videos: In the order of the timelines.
        warnings: What was left out or changed, one line each.
    """

    videos: tuple[LabelledVideo, ...]
    warnings: tuple[str, ...]


def match_truth(documents: Sequence[Document], truth: Truth) -> MatchedTruth:
    """Finds what the truth says about each timeline's video.

    A video is known by its content. Where the truth names a file that is not there, it is known by the file's name.

    Args:
        documents: Of one model, each of another video.
        truth: Videos without a timeline are left out, and so are timelines of videos that it does not name.

    Raises:
        InputError: No video has both, a name could mean several videos, a time lies behind the end of its video, the
            truth names a class that the model lacks, two timelines are of one video, or they are of several models.
    """
    _check_documents(documents)
    found = _match(documents, truth)
    if not found:
        raise InputError(
            f"{truth.path.name}: expected rows of some of the videos {_names(_paths(documents))}. Received: rows of "
            f"{_names(video.path for video in truth.videos)}; a video is known by its content, or by its name where "
            "the file that the row names is not there"
        )
    for document in documents:
        truth.check_against({name: head.labels for name, head in document.scores.heads.items()})
    warnings = [*_warn_of_unmatched(documents, truth, found)]
    videos = [
        _labelled(document, found[index], truth, warnings) for index, document in enumerate(documents) if index in found
    ]
    return MatchedTruth(tuple(videos), tuple(warnings))


def _check_documents(documents: Sequence[Document]) -> None:
    models = {document.model.fingerprint: document.model.path for document in documents}
    if len(models) > 1:
        raise InputError(f"expected timelines of one model. Received: {len(models)}, {', '.join(models.values())}")
    paths = collections.defaultdict(list)
    for document in documents:
        paths[document.video.sha256].append(document.video.path)
    if repeated := next((several for several in paths.values() if len(several) > 1), None):
        raise InputError(f"expected one timeline a video. Received: {' and '.join(repeated)}, of the same content")


def _match(documents: Sequence[Document], truth: Truth) -> dict[int, TrueVideo]:
    """The truth by the position of the document."""
    found = _match_contents(documents, truth.videos)
    absent = collections.defaultdict(list)
    for video in truth.videos:
        if not video.path.is_file():
            absent[video.path.name].append(video)
    unmatched = collections.defaultdict(list)
    for index, document in enumerate(documents):
        if index not in found:
            unmatched[Path(document.video.path).name].append(index)
    for name in absent.keys() & unmatched.keys():
        if len(absent[name]) > 1 or len(unmatched[name]) > 1:
            several = [str(video.path) for video in absent[name]]
            several += [documents[index].video.path for index in unmatched[name]]
            raise InputError(
                f"{truth.path.name}: expected one video called {name!r}, as the file is not where its row says. "
                f"Received: {', '.join(several)}; correct the path in the row, so that the content tells"
            )
        found[unmatched[name][0]] = absent[name][0]
    return found


def _match_contents(documents: Sequence[Document], videos: Sequence[TrueVideo]) -> dict[int, TrueVideo]:
    wanted = {document.video.sha256: index for index, document in enumerate(documents)}
    paths, names = {*_paths(documents)}, {path.name for path in _paths(documents)}
    found: dict[int, TrueVideo] = {}
    # The likely ones first: reading long videos takes long, and ends when all are found.
    for video in sorted(videos, key=lambda video: (video.path not in paths, video.path.name not in names)):
        if len(found) == len(documents):
            break
        if not video.path.is_file():
            continue
        index = wanted.get(content_hash(video.path))
        if index in found:
            raise InputError(
                f"expected rows of one file for a video. Received: rows of {found[index].path} and of {video.path}, "
                "which have the same content"
            )
        if index is not None:
            found[index] = video
    return found


def _labelled(document: Document, video: TrueVideo, truth: Truth, warnings: list[str]) -> LabelledVideo:
    name = Path(document.video.path).name
    end = document.video.duration_seconds
    times = [time for ranges in video.ranges.values() for time in ranges]
    if late := [start for start, _ in times if start >= end]:
        raise InputError(
            f"{truth.path.name}: {name}: expected times in seconds before its end at {end:g}. "
            f"Received: an event at {late[0]:g}; are they frames or milliseconds, or of another video?"
        )
    if (last := max((stop for _, stop in times), default=0.0)) > end + _SECONDS_BEYOND:
        warnings.append(f"{name}: an event ends at {last:g} seconds, but the video at {end:g}; it was cut there")
    return LabelledVideo(name, document.scores, _cut(video.ranges, end))


def _cut(ranges: Mapping[HeadLabel, Sequence[TimeRange]], end: float) -> dict[HeadLabel, tuple[TimeRange, ...]]:
    return {what: tuple((start, min(stop, end)) for start, stop in times) for what, times in ranges.items()}


def _warn_of_unmatched(documents: Sequence[Document], truth: Truth, found: Mapping[int, TrueVideo]) -> Iterable[str]:
    unscored = [path for index, path in enumerate(_paths(documents)) if index not in found]
    matched = {video.path for video in found.values()}
    unused = [video.path for video in truth.videos if video.path not in matched]
    same_name = {path.name for path in unscored} & {path.name for path in unused}
    if unscored:
        yield f"not scored, as {truth.path.name} has no rows of them: {_names(unscored)}"
    if same_name:
        yield f"of these it has the name, but the file there has another content: {', '.join(sorted(same_name))}"
    if unused:
        yield f"no timeline was given of: {_names(unused)}"


def _paths(documents: Iterable[Document]) -> list[Path]:
    return [Path(document.video.path) for document in documents]


def _names(paths: Iterable[Path]) -> str:
    names = [path.name for path in paths]
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more
