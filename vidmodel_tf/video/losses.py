"""What of a video is missing: what its container claims against what could be decoded."""

from __future__ import annotations

from functools import cached_property

from vidmodel_tf.errors import InputError
from vidmodel_tf.video.file import VideoFile
from vidmodel_tf.video.packets import Packets
from vidmodel_tf.video.sound import last_other_seconds
from vidmodel_tf.video.timeline import Timeline

TOLD_SHARE = 0.01
REFUSED_SHARE = 0.5
# Some packets of these are for reference only: that no picture comes out of a packet does not mean that it is damaged.
CODECS_WITH_INVISIBLE_FRAMES = ("vp8", "vp9", "av1", "libdav1d", "libvpx", "libvpx-vp9")


class Losses:
    """Counts the pictures that should have come and did not, from when it is made."""

    def __init__(self, video: VideoFile, packets: Packets) -> None:
        self._video = video
        self._packets = packets
        self._timeline = video.timeline(packets)  # before anything is found to be lost
        self._num_refused_before = video.num_refused
        self._expected: set[int] = set()
        self._lost: set[int] = set()
        self.is_interlaced = False

    def add(self, expected: set[int], lost: set[int]) -> None:
        """Notes what one pass of the decoder should have given and did not: timestamps, or numbers of pictures."""
        self._expected |= expected
        self._lost |= lost

    @property
    def has_any(self) -> bool:
        """Whether any picture that was to be decoded did not come, or a packet was refused."""
        return bool(self._lost) or self._num_refused > 0

    def check(self, timeline: Timeline) -> None:
        """Refuses a video of which more than half is missing.

        Raises:
            InputError: So much is missing, or everything.
        """
        if len(timeline.keys) == 0:
            raise InputError(
                f"no frame of this video can be decoded (codec {self._video.codec}): it is damaged or cut off",
                subject=self._video.path,
            )
        if self._undecoded_share > REFUSED_SHARE:
            raise InputError(
                f"{self._num_lost} of the {len(self._expected)} frames that were to be decoded for this clip could "
                "not be: it is damaged",
                subject=self._video.path,
            )
        if self._share > REFUSED_SHARE:
            num_claimed = max(self._num_claimed, len(self._packets))
            num_left = min(len(timeline.keys), round((1 - self._share) * num_claimed))
            raise InputError(
                f"only {num_left} of the {num_claimed} frames that the file claims to have can be read: it is cut off "
                "or damaged",
                subject=self._video.path,
            )

    def warnings(self) -> tuple[str, ...]:
        """One line where so much is missing that it matters."""
        share = self._share
        if share <= TOLD_SHARE:
            return ()
        return (f"{share:.0%} of its frames are missing or could not be decoded: it is cut off or damaged",)

    @property
    def _share(self) -> float:
        return 1 - (1 - self._cut_share) * (1 - self._undecoded_share)

    @property
    def _undecoded_share(self) -> float:
        return self._num_lost / len(self._expected) if self._expected else 0.0

    @property
    def _num_lost(self) -> int:
        """Pictures that were lost, not packets that have no picture of their own."""
        num_lost, num_expected = len(self._lost), len(self._expected)
        if self._video.codec in CODECS_WITH_INVISIBLE_FRAMES:
            num_lost = min(num_lost, self._num_refused)
        if self.is_interlaced:  # a packet may hold one of the two fields of a picture
            num_lost = max(num_lost - (num_expected - num_lost), 0)
        return num_lost

    @property
    def _num_refused(self) -> int:
        return self._video.num_refused - self._num_refused_before

    @property
    def _num_claimed(self) -> int:
        return self._video.claimed_frames or round(self._video.claimed_seconds / self._video.frame_seconds)

    @cached_property
    def _cut_share(self) -> float:
        """How much was cut off from the end. Count and duration must both fall short: either may be made up."""
        video = self._video
        if not (self._packets.is_whole and video.claimed_seconds and len(self._packets)) or self._timeline.notes:
            return 0.0
        by_seconds = 1 - self._seconds_there / video.claimed_seconds
        num_packets = int((~self._packets.is_hidden).sum())
        by_frames = 1 - num_packets / video.claimed_frames if video.claimed_frames else by_seconds
        share = max(min(by_seconds, by_frames), 0.0)
        if share > TOLD_SHARE and not video.claimed_frames:
            # What the container claims may be the length of another stream.
            other_seconds = last_other_seconds(video.path, video.stream_index) - video.zero_seconds
            if other_seconds >= (1 - TOLD_SHARE) * video.claimed_seconds:
                return 0.0
        return share

    @property
    def _seconds_there(self) -> float:
        timeline = self._timeline
        if self._video.claims_video_seconds:
            return timeline.duration_seconds
        end_seconds = float(timeline.seconds[0]) + timeline.duration_seconds
        # Matroska claims from the zero of its own clock, whenever its streams begin.
        return end_seconds + (max(self._video.zero_seconds, 0.0) if self._video.format == "matroska" else 0.0)
