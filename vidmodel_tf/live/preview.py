"""The newest picture of each source with what the model says of it, side by side in one file."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.live.watched_source import WatchedSource
from vidmodel_tf.storage import atomic_write
from vidmodel_tf.video.opencv import import_opencv

PERIOD_SECONDS = 1.0
SUFFIXES = (".jpg", ".jpeg", ".png")
_HEIGHT, _LINE_HEIGHT, _MARGIN = 240, 18, 6


class Preview:
    """Writes the picture, about once a second, whole or not at all.

    Args:
        path: Of a .jpg or .png file.
        labels: Class names by head.
        warn: Told, once, if it cannot be written.

    Raises:
        InputError: It is to be another kind of file.
    """

    def __init__(self, path: Path, labels: Mapping[str, Sequence[str]], warn: Callable[[str], None]) -> None:
        if path.suffix.lower() not in SUFFIXES:
            raise InputError(f"--preview: expected the name of a {' or '.join(SUFFIXES)} file. Received: {path}")
        self._path, self._labels, self._warn = path, labels, warn
        self._next = 0.0
        self._is_told = False

    def show(self, sources: Sequence[WatchedSource]) -> None:
        """Writes the picture, if it is time to."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + PERIOD_SECONDS
        tiles = [self._tile(source) for source in sources if source.newest_frame]
        if not tiles:
            return
        cv2 = import_opencv()
        try:
            with atomic_write(self._path) as beside:
                beside.write_bytes(cv2.imencode(self._path.suffix, np.hstack(tiles))[1].tobytes())
        except OSError as error:
            if not self._is_told:
                self._warn(f"--preview {self._path} cannot be written ({error.strerror})")
            self._is_told = True

    def _tile(self, source: WatchedSource) -> np.ndarray:
        cv2 = import_opencv()
        pixels = cv2.imdecode(np.frombuffer(source.newest_frame or b"", np.uint8), cv2.IMREAD_COLOR)
        height, width = pixels.shape[:2]
        tile = cv2.resize(pixels, (max(round(width * _HEIGHT / height), 1), _HEIGHT))
        for row, text in enumerate([f"{source.name} {time.strftime('%H:%M:%S')}", *self._texts(source)]):
            origin = (_MARGIN, _MARGIN + (row + 1) * _LINE_HEIGHT - 4)
            for color, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
                cv2.putText(tile, text, origin, cv2.FONT_HERSHEY_SIMPLEX, 0.5, color, thickness, cv2.LINE_AA)
        return tile

    def _texts(self, source: WatchedSource) -> list[str]:
        best = [(head, int(np.argmax(scores)), scores) for head, scores in source.newest_scores.items()]
        return [f"{self._labels[head][index]} {scores[index]:.2f}" for head, index, scores in best]
