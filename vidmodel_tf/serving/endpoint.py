"""A model that is served somewhere: where, how patiently it is asked, and what its refusals mean in our words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vidmodel_tf.errors import InputError, VidmodelError

SIGNATURE = "encoded_frames"
MAX_ATTEMPTS = 5  # gRPC makes no more, whatever it is told
FIRST_WAIT_SECONDS = 0.2  # before the second attempt; each wait is twice the one before
_MAX_WORDS = 500  # of what a server says; TensorFlow can go on for pages
_PORTS = "by default 8500: gRPC, 8501: REST"
_LARGEST_MESSAGE = 2**31 - 1  # gRPC counts in 32 bits, and TF Serving takes as much

Outputs = dict[str, np.ndarray | list[str]]
"""By name: `HEAD_scores`, float32 [B, K]; `HEAD_label` or `HEAD_labels`, B strings."""


@dataclass(frozen=True)
class Endpoint:
    """A served model.

    Attributes:
        address: HOST:PORT; of the REST interface also with http:// or https:// before it.
        model_name: What the server calls it.
        version: One of its versions; None: the newest that the server has.
        deadline_seconds: For the answer to one request, all attempts and the waiting between them included.
        attempts: 1 to 5. Only a server that cannot be reached, or says that it is not ready, is asked again.
        max_message_bytes: The largest request and the largest answer over gRPC. Its own default, 4 MB, is less than
            some requests.

    Raises:
        InputError: A value is out of range.
    """

    address: str
    model_name: str
    version: int | None = None
    deadline_seconds: float = 30.0
    attempts: int = MAX_ATTEMPTS
    max_message_bytes: int = 256 * 2**20

    def __post_init__(self) -> None:
        _check(bool(re.fullmatch(r"(https?://)?[^\s/]+:\d+", self.address)), "address", "HOST:PORT", self.address)
        _check(bool(self.model_name), "model_name", "what the server calls the model", self.model_name)
        _check(self.version is None or self.version >= 0, "version", "0 or more", self.version)
        _check(self.deadline_seconds > 0, "deadline_seconds", "more than 0", self.deadline_seconds)
        _check(1 <= self.attempts <= MAX_ATTEMPTS, "attempts", f"1 to {MAX_ATTEMPTS}", self.attempts)
        size_fits = 1 <= self.max_message_bytes <= _LARGEST_MESSAGE
        _check(size_fits, "max_message_bytes", f"1 to {_LARGEST_MESSAGE}", self.max_message_bytes)

    @property
    def waits_seconds(self) -> list[float]:
        """What passes between attempts, `attempts - 1` numbers."""
        return [FIRST_WAIT_SECONDS * 2**i for i in range(self.attempts - 1)]

    def error(self, code: str, words: str) -> VidmodelError:
        """What a user is told of a request that got no answer.

        Args:
            code: The gRPC status by name; for REST that of the same meaning, or the HTTP status.
            words: What the server or the network says.
        """
        words = " ".join(words.split())[:_MAX_WORDS]
        where, model = self.address, self.model_name
        if self.version is not None:
            model += f", version {self.version}"
        if code == "INVALID_ARGUMENT":
            return InputError(f"{where} refused the request: {words}")
        if code == "NOT_FOUND":
            return InputError(
                f"{where}: expected the name of a model that it serves, and a version that it has loaded. "
                f"Received: {model} ({words})"
            )
        if code == "UNAVAILABLE":
            return VidmodelError(
                f"{where} cannot be reached or is not ready, after {self.attempts} attempts: see whether the server "
                f"runs and the port is the right one, {_PORTS} ({words})"
            )
        if code == "DEADLINE_EXCEEDED":
            return VidmodelError(
                f"{where} gave no answer within {self.deadline_seconds:g} seconds: raise the deadline, ask about "
                f"fewer clips at once, or see whether the port is the right one, {_PORTS} ({words})"
            )
        if code == "RESOURCE_EXHAUSTED":
            return VidmodelError(
                f"{where}: the request or its answer is too large: ask about fewer clips at once, or raise the limit "
                f"of this client (max_message_bytes) or of what stands before the server ({words})"
            )
        return VidmodelError(
            f"{where} failed: {code}: {words}; see its log, and whether the port is the right one, {_PORTS}"
        )


class ServingClient(Protocol):
    """A way of asking a served model.

    Attributes:
        endpoint: Where.
    """

    endpoint: Endpoint

    def ask(self, jpegs_BxT: Sequence[Sequence[bytes]], words_B: Sequence[str]) -> Outputs:
        """One request.

        Args:
            jpegs_BxT: The frames of each clip as JPEG files.
            words_B: Joined strings (`text.fields.join_fields`); "": no words.

        Raises:
            InputError: The server refuses what is asked, or has no such model.
            VidmodelError: It cannot be reached, or did not answer in time.
        """
        ...

    def status(self) -> dict[int, str]:
        """What the server says of each version that it knows, such as `{2: "AVAILABLE"}`. Raises as `ask` does."""
        ...

    def close(self) -> None:
        """Closes the connection."""


def _check(is_right: bool, name: str, expected: str, received: object) -> None:
    if not is_right:
        raise InputError(f"{name}: expected {expected}. Received: {received!r}")
