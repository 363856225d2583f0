"""One video file -> the frames of several clips of it.

The packets are listed first, which tells without decoding when every picture is displayed and where decoding can begin.
Then only those stretches are decoded that lead from a key frame to a picture that is wanted. What the decoder gives has
the last word: a picture that cannot be decoded is no picture, and the one before it is displayed on.

Clips that overlap share their pictures, each decoded once. A clip is the same, byte for byte and warning for warning,
whichever others are read with it: where pictures are missing, each clip is read by itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from vidmodel_tf.clips.clip_request import ClipRequest, DecodedClip, check_request
from vidmodel_tf.clips.part import Part
from vidmodel_tf.errors import InputError
from vidmodel_tf.remote.local_copy import local_copy
from vidmodel_tf.remote.store import Place, RemoteFile
from vidmodel_tf.video.file import VideoFile
from vidmodel_tf.video.opencv import import_opencv
from vidmodel_tf.video.packets import Packets

ReadResult = DecodedClip | InputError
Requests = dict[int, ClipRequest]  # by their number


def read_file(requests: Sequence[ClipRequest]) -> list[ReadResult]:
    """Decodes clips of one file.

    Args:
        requests: All of the same path.

    Returns:
        For each request its clip, or why it is refused; one refusal does not take the others with it.

    Raises:
        StoreError: The file lies in a store that gives no access, or fails.
    """
    answers: dict[int, ReadResult] = {}
    for number, request in enumerate(requests):
        try:
            check_request(request)
        except InputError as error:
            answers[number] = error
    open_ones = {number: request for number, request in enumerate(requests) if number not in answers}
    if open_ones:
        place = requests[0].path
        answers |= _read(place if isinstance(place, RemoteFile) else Path(place).absolute(), open_ones)
    return [answers[number] for number in range(len(requests))]


def _read(place: Place, requests: Requests) -> dict[int, ReadResult]:
    try:
        with local_copy(place) as path, VideoFile(path) as video:
            return _read_video(video, requests)
    except InputError as error:
        return dict.fromkeys(requests, error)


def _read_video(video: VideoFile, requests: Requests) -> dict[int, ReadResult]:
    """Lists only the packets of the ranges where the file leads to them, else all of them."""
    answers: dict[int, ReadResult] = {}
    for group in _merge_ranges({number: request for number, request in requests.items() if _is_led_to(video, request)}):
        answers |= _read_group(video, group, lambda group: _list_range(video, group))
    rest = {number: request for number, request in requests.items() if number not in answers}
    return answers | (_read_group(video, rest, lambda _: video.packets) if rest else {})


def _is_led_to(video: VideoFile, request: ClipRequest) -> bool:
    return request.end_seconds is not None and video.leads_to(request.end_seconds)


def _list_range(video: VideoFile, group: Requests) -> Packets | None:
    spans = [_span(request) for request in group.values()]
    return video.list_packets_between(min(start for start, _ in spans), max(end for _, end in spans))


def _read_group(
    video: VideoFile, group: Requests, list_packets: Callable[[Requests], Packets | None]
) -> dict[int, ReadResult]:
    """Reads requests together, or one by one where that would make a difference; none where no packets are listed."""
    packets = list_packets(group)
    answers = None if packets is None else _read_part(video, packets, group)
    if answers is None and len(group) > 1:
        alone = [_read_group(video, {number: request}, list_packets) for number, request in group.items()]
        return {number: answer for answers in alone for number, answer in answers.items()}
    return answers or {}


def _read_part(video: VideoFile, packets: Packets, group: Requests) -> dict[int, ReadResult] | None:
    try:
        return Part(video, packets).read(group)
    except InputError as error:
        return dict.fromkeys(group, error)
    except import_opencv().error as error:
        reason = f"OpenCV cannot reduce or store its pictures ({' '.join(str(error).split())})"
        return dict.fromkeys(group, InputError(reason, subject=video.path)) if len(group) == 1 else None


def _merge_ranges(requests: Requests) -> list[Requests]:
    """Groups those that overlap."""
    groups: list[Requests] = []
    last_seconds = -math.inf
    for number, request in sorted(requests.items(), key=lambda item: (*_span(item[1]), item[0])):
        start_seconds, end_seconds = _span(request)
        if start_seconds > last_seconds:
            groups.append({})
        groups[-1][number] = request
        last_seconds = max(last_seconds, end_seconds)
    return groups


def _span(request: ClipRequest) -> tuple[float, float]:
    return request.start_seconds or 0.0, math.inf if request.end_seconds is None else request.end_seconds
