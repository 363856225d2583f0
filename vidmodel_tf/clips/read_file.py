"""One video file -> the frames of several clips of it, each picture decoded once.

The packets are listed first, which tells without decoding when every picture is displayed and where decoding can begin.
Then only those stretches are decoded that lead from a key frame to a picture that is wanted. What the decoder gives has
the last word: a picture that cannot be decoded is no picture, and the one before it is displayed on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from vidmodel_tf.clips.clip_request import ClipRequest, DecodedClip, check_request
from vidmodel_tf.clips.part import Part
from vidmodel_tf.errors import InputError
from vidmodel_tf.video.file import VideoFile
from vidmodel_tf.video.opencv import import_opencv
from vidmodel_tf.video.packets import Packets

Answer = DecodedClip | InputError


def read_file(requests: Sequence[ClipRequest]) -> list[Answer]:
    """Decodes clips of one file.

    Args:
        requests: All of the same path.

    Returns:
        For each request its clip, or why it is refused; one refusal does not take the others with it.
    """
    answers: dict[int, Answer] = {}
    for number, request in enumerate(requests):
        try:
            check_request(request)
        except InputError as error:
            answers[number] = error
    open_ones = {number: request for number, request in enumerate(requests) if number not in answers}
    if open_ones:
        answers |= _read(Path(requests[0].path).absolute(), open_ones)
    return [answers[number] for number in range(len(requests))]


def _read(path: Path, requests: dict[int, ClipRequest]) -> dict[int, Answer]:
    answers: dict[int, Answer] = {}
    try:
        with VideoFile(path) as video:
            for packets, numbers in _plan_parts(video, requests):
                part = Part(video, packets)
                answers |= part.read({number: requests[number] for number in numbers})
    except InputError as error:
        return {number: answers.get(number, error) for number in requests}
    except import_opencv().error as error:
        reason = f"OpenCV cannot reduce or store its pictures ({' '.join(str(error).split())})"
        return {number: answers.get(number, InputError(reason, subject=path)) for number in requests}
    return answers


def _plan_parts(video: VideoFile, requests: dict[int, ClipRequest]) -> Iterator[tuple[Packets, list[int]]]:
    """Lists the packets of the whole file where that is needed, else of the ranges, each with those that overlap it."""
    ends = [math.inf if request.end_seconds is None else request.end_seconds for request in requests.values()]
    if not all(video.leads_to(end) for end in ends):
        yield video.packets, list(requests)
        return
    for start_seconds, end_seconds, numbers in _merge_ranges(requests):
        packets = video.list_packets_between(start_seconds, end_seconds)
        yield video.packets if packets is None else packets, numbers


def _merge_ranges(requests: dict[int, ClipRequest]) -> list[tuple[float, float, list[int]]]:
    merged: list[tuple[float, float, list[int]]] = []
    ranges = (
        (request.start_seconds or 0.0, request.end_seconds or 0.0, number) for number, request in requests.items()
    )
    for start_seconds, end_seconds, number in sorted(ranges):
        if merged and start_seconds <= merged[-1][1]:
            first, last, numbers = merged[-1]
            merged[-1] = first, max(last, end_seconds), [*numbers, number]
        else:
            merged.append((start_seconds, end_seconds, [number]))
    return merged
