"""The picture and the cut of each event of one source, in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vidmodel_tf.live.event_cuts import EventCuts
from vidmodel_tf.live.frame_ring import FrameRing
from vidmodel_tf.live.work_queue import WorkQueue
from vidmodel_tf.scoring.event import Event
from vidmodel_tf.storage import atomic_write, remove_leftovers


class EventFiles:
    """Writes `FOLDER/events/SOURCE/ID.jpg` and `ID.mp4`.

    What cannot be written is told, and the event goes on without it. What a watch that was killed was writing is
    removed.

    Args:
        folder: Of the whole watch.
        source: The name of the source.
        ring: Its newest frames.
        step_seconds: From a frame to the next.
        cuts: Writes the cuts.
        warn: Told of what cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        source: str,
        ring: FrameRing,
        step_seconds: float,
        cuts: WorkQueue,
        warn: Callable[[str], None],
    ) -> None:
        self._folder, self._place = folder, Path("events") / source
        self._ring, self._step_seconds, self._warn = ring, step_seconds, warn
        self._cuts = EventCuts(folder / self._place, ring, step_seconds, cuts, warn)
        self._peaks: dict[str, tuple[float, bytes]] = {}  # by event that goes on, its peak and the frame there
        self._pictures: dict[str, float] = {}  # by event that goes on, the peak that its picture shows
        remove_leftovers(folder / self._place)

    def pass_to(self, end_step: int) -> None:
        """Says that no frames before a step will come any more."""
        self._cuts.pass_to(end_step)

    def start(self, event: Event) -> dict[str, object]:
        """Writes the picture of an event that has begun; the fields of its log line."""
        return self._write_picture(event)

    def update(self, event: Event) -> None:
        """Keeps the frame at the peak, and cuts an event that has become as long as a cut may be."""
        self._keep_peak(event)
        self._cuts.update(event)

    def end(self, event: Event) -> dict[str, object]:
        """Writes picture and cut of an event; the fields of its log line. The cut is there a little later."""
        fields = self._write_picture(event)
        cut = {"cut": str(self._place / f"{event.id}.mp4")} if self._cuts.end(event) else {}
        self._peaks.pop(event.id, None)
        self._pictures.pop(event.id, None)
        return fields | cut

    def finish(self) -> None:
        """Writes what still waits for frames."""
        self._cuts.finish()

    def _keep_peak(self, event: Event) -> None:
        """While it is there: an event may last for hours."""
        if event.id in self._peaks and self._peaks[event.id][0] == event.peak_seconds:
            return
        jpeg = self._ring.nearest(round(event.peak_seconds / self._step_seconds))
        if jpeg is not None:
            self._peaks[event.id] = event.peak_seconds, jpeg

    def _write_picture(self, event: Event) -> dict[str, object]:
        self._keep_peak(event)
        name, kept = self._place / f"{event.id}.jpg", self._peaks.get(event.id)
        if kept is not None and self._pictures.get(event.id) != kept[0] and self._write(name, kept[1]):
            self._pictures[event.id] = kept[0]
        return {"picture": str(name)} if event.id in self._pictures else {}

    def _write(self, name: Path, jpeg: bytes) -> bool:
        try:
            with atomic_write(self._folder / name) as beside:
                beside.write_bytes(jpeg)
        except OSError as error:
            self._warn(f"{self._folder / name} cannot be written ({error.strerror})")
            return False
        return True
