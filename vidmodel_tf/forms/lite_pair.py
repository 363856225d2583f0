"""The streaming pair of TensorFlow Lite files: one encodes each frame once, the other classifies T encoded frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.forms.form import Form, Scores
from vidmodel_tf.forms.lite_form import TOLERANCES, open_signature
from vidmodel_tf.forms.settings_beside import read_settings_beside
from vidmodel_tf.forms.token_ids import encode_texts

ENCODER_PREFIX = "frame_features_"  # then the precision
CLASSIFIER = "classify_features.tflite"


class LitePair(Form):
    """The pair, opened.

    Args:
        path: The first half, `frame_features_PRECISION.tflite`; the second is found beside it.
        num_threads: Threads that each interpreter may use.

    Raises:
        InputError: A half is missing or cannot be read, or the settings are missing.
    """

    def __init__(self, path: str | Path, num_threads: int = 2) -> None:
        path = Path(path)
        classifier = path.with_name(CLASSIFIER)
        if not classifier.is_file():
            raise InputError(
                f"{path}: expected the other half of the streaming pair beside it. Received: no {CLASSIFIER} there"
            )
        self.path, self.run = Path(path), read_settings_beside(path)
        self.tolerance = TOLERANCES.get(path.stem.removeprefix(ENCODER_PREFIX), TOLERANCES["float32"])
        self._encode, self._classify = (open_signature(half, num_threads) for half in (path, classifier))

    def encode(self, frames_BxTxHxWxC: np.ndarray, previous_BxHxWxC: np.ndarray | None = None) -> np.ndarray:
        """See `Form`. The first half takes one frame at a time, and the frame before it."""
        first = frames_BxTxHxWxC[:, 0] if previous_BxHxWxC is None else previous_BxHxWxC
        previous = np.concatenate([first[:, np.newaxis], frames_BxTxHxWxC[:, :-1]], axis=1)
        return np.stack(
            [
                np.concatenate(
                    [
                        self._encode(frame=clip[t : t + 1], previous_frame=before[t : t + 1])["features"]
                        for t in range(len(clip))
                    ]
                )
                for clip, before in zip(frames_BxTxHxWxC, previous, strict=True)
            ]
        )

    def classify(self, features: np.ndarray | None, words: Sequence[str]) -> Scores:
        """See `Form`. The second half takes one clip at a time."""
        token_ids, features = encode_texts(words, self.run), np.asarray(features)
        rows = [
            self._classify(features=features[row : row + 1], token_ids=token_ids[row : row + 1])
            for row in range(len(words))
        ]
        return {head: np.concatenate([row[head] for row in rows]) for head in self.run.labels}
