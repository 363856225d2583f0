"""What the sound of a video does where its pictures pause."""

from __future__ import annotations

from pathlib import Path

import av

from vidmodel_tf.video.containers import best_video_stream, open_container


def sound_advance(path: Path, before_pts: int, after_pts: int) -> float | None:
    """By how many seconds the sound goes on, in the file, between two packets of the video.

    While a still picture is displayed, it goes on as long as the picture does; where only the clock of the pictures
    jumps, it goes on by no more than usual.

    Args:
        path: The file.
        before_pts: Timestamp of the one packet, in ticks of the video stream.
        after_pts: Of the next.

    Returns:
        None where there is no sound on both sides.
    """
    before_seconds = last_seconds = None
    has_passed = False
    with open_container(path) as container:
        video, sound = best_video_stream(container, path), container.streams.best("audio")
        if sound is None:
            return None
        try:
            for packet in container.demux(video, sound):
                if packet.pts is None:
                    continue
                if packet.stream is sound:
                    last_seconds = float(packet.pts * packet.time_base)
                    if has_passed:
                        return None if before_seconds is None else last_seconds - before_seconds
                elif packet.pts == before_pts:
                    before_seconds = last_seconds
                elif packet.pts == after_pts:
                    has_passed = True
        except av.FFmpegError:
            return None
    return None


def last_sound_seconds(path: Path) -> float:
    """When the last packet of any other stream than the video is over, on the container's own clock; 0.0: none."""
    last_seconds = 0.0
    with open_container(path) as container:
        others = [stream for stream in container.streams if stream.type in ("audio", "subtitle")]
        try:
            for packet in container.demux(others) if others else ():
                if packet.pts is not None:
                    end = packet.pts + (packet.duration or 0)
                    last_seconds = max(last_seconds, float(end * packet.time_base))
        except av.FFmpegError:
            return last_seconds
    return last_seconds
