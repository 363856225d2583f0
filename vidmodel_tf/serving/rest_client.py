"""A served model asked over REST: a third more bytes than gRPC, through anything that lets HTTP pass."""

from __future__ import annotations

import base64
import json
import random
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import numpy as np
import urllib3

from vidmodel_tf.errors import VidmodelError
from vidmodel_tf.serving.endpoint import SIGNATURE, Endpoint, Outputs

_CODES = {
    400: "INVALID_ARGUMENT",
    404: "NOT_FOUND",
    413: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class RestClient:
    """See `vidmodel_tf.serving.endpoint.ServingClient`.

    Args:
        endpoint: The model.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        address = endpoint.address if "://" in endpoint.address else f"http://{endpoint.address}"
        version = "" if endpoint.version is None else f"/versions/{endpoint.version}"
        self._url = f"{address}/v1/models/{quote(endpoint.model_name, safe='')}{version}"
        self._pool = urllib3.PoolManager()

    def ask(self, jpegs_BxT: Sequence[Sequence[bytes]], words_B: Sequence[str]) -> Outputs:
        """See `ServingClient`."""
        jpegs = [[{"b64": base64.b64encode(jpeg).decode()} for jpeg in clip] for clip in jpegs_BxT]
        inputs = {"jpeg_frames": jpegs, "text": list(words_B)}
        body = json.dumps({"signature_name": SIGNATURE, "inputs": inputs}).encode()
        outputs = self._answer("POST", f"{self._url}:predict", body, "outputs")
        return {name: _value(name, value) for name, value in outputs.items()}

    def status(self) -> dict[int, str]:
        """See `ServingClient`."""
        found = self._answer("GET", self._url, None, "model_version_status")
        return {int(version["version"]): version["state"] for version in found}

    def close(self) -> None:
        """See `ServingClient`."""
        self._pool.clear()

    def _answer(self, method: str, url: str, body: bytes | None, key: str) -> Any:
        code, words, answer = self._persist(method, url, body)
        if code != "OK":
            raise self.endpoint.error(code, words)
        if key not in answer:
            raise VidmodelError(f"{url}: expected an answer of TF Serving, with {key!r}. Received: {words[:100]!r}")
        return answer[key]

    def _persist(self, method: str, url: str, body: bytes | None) -> tuple[str, str, dict[str, Any]]:
        # urllib3 can ask again by itself, but knows no deadline over all attempts.
        end = time.monotonic() + self.endpoint.deadline_seconds
        result = self._attempt(method, url, body, end)
        for wait_seconds in self.endpoint.waits_seconds:
            wait_seconds *= random.uniform(0.8, 1.2)  # or all clients of a server would come back at once
            if result[0] != "UNAVAILABLE" or time.monotonic() + wait_seconds >= end:
                break
            time.sleep(wait_seconds)
            result = self._attempt(method, url, body, end)
        return result

    def _attempt(self, method: str, url: str, body: bytes | None, end: float) -> tuple[str, str, dict[str, Any]]:
        """The code, what was said, and the same as JSON if it is such."""
        left = urllib3.Timeout(total=max(end - time.monotonic(), 1e-3))
        headers = {"Content-Type": "application/json"}
        try:
            reply = self._pool.request(method, url, body=body, headers=headers, timeout=left, retries=False)
        except urllib3.exceptions.NewConnectionError as error:  # refused, or no such host
            return "UNAVAILABLE", str(error), {}
        except urllib3.exceptions.TimeoutError as error:
            return "DEADLINE_EXCEEDED", str(error), {}
        except urllib3.exceptions.HTTPError as error:
            return type(error).__name__, str(error), {}
        words, answer = reply.data.decode(errors="replace"), _parse(reply.data)
        if reply.status == 200:
            return "OK", words, answer
        return _CODES.get(reply.status, f"HTTP {reply.status}"), str(answer.get("error", words)), answer


def _parse(data: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _value(name: str, value: Any) -> np.ndarray | list[str]:
    return np.array(value, np.float32) if name.endswith("_scores") else value
