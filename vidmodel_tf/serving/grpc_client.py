"""A served model asked over gRPC, without TensorFlow."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import grpc
import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.serving.endpoint import FIRST_WAIT_SECONDS, SIGNATURE, Endpoint, Outputs
from vidmodel_tf.serving.messages import (
    STATES,
    PredictRequest,
    PredictResponse,
    StatusRequest,
    StatusResponse,
    set_strings,
    to_array,
)


class GrpcClient:
    """See `vidmodel_tf.serving.endpoint.ServingClient`.

    Args:
        endpoint: The model; the address without http://.

    Raises:
        InputError: The address is a URL.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        if "://" in endpoint.address:
            raise InputError(
                f"address: expected HOST:PORT for gRPC, such as localhost:8500. Received: {endpoint.address!r} "
                "(ask REST for URLs)"
            )
        self.endpoint = endpoint
        self._channel = grpc.insecure_channel(endpoint.address, options=_options(endpoint))
        self._predict = self._channel.unary_unary(
            "/tensorflow.serving.PredictionService/Predict",
            request_serializer=PredictRequest.SerializeToString,
            response_deserializer=PredictResponse.FromString,
        )
        self._status = self._channel.unary_unary(
            "/tensorflow.serving.ModelService/GetModelStatus",
            request_serializer=StatusRequest.SerializeToString,
            response_deserializer=StatusResponse.FromString,
        )

    def ask(self, jpegs_BxT: Sequence[Sequence[bytes]], words_B: Sequence[str]) -> Outputs:
        """See `ServingClient`."""
        request = PredictRequest()
        self._name_model(request)
        request.model_spec.signature_name = SIGNATURE
        words = [words.encode() for words in words_B]
        for name, values in (("jpeg_frames", jpegs_BxT), ("text", words)):
            set_strings(request.inputs.add(key=name).value, np.array(values, object))
        answer = self._call(self._predict, request)
        return {named.key: _value(to_array(named.value)) for named in answer.outputs}

    def status(self) -> dict[int, str]:
        """See `ServingClient`."""
        request = StatusRequest()
        self._name_model(request)
        answer = self._call(self._status, request)
        return {found.version: STATES.get(found.state, str(found.state)) for found in answer.model_version_status}

    def close(self) -> None:
        """See `ServingClient`."""
        self._channel.close()

    def _name_model(self, request: Any) -> None:
        request.model_spec.name = self.endpoint.model_name
        if self.endpoint.version is not None:
            request.model_spec.version.value = self.endpoint.version

    def _call(self, method: Callable[..., Any], request: Any) -> Any:
        try:
            return method(request, timeout=self.endpoint.deadline_seconds)
        except grpc.RpcError as error:
            raise self.endpoint.error(error.code().name, error.details() or "") from None


def _options(endpoint: Endpoint) -> list[tuple[str, int | str]]:
    size = endpoint.max_message_bytes
    # a name that stands for several servers: each in turn, and another attempt asks another one
    config: dict[str, Any] = {"loadBalancingConfig": [{"round_robin": {}}]}
    waits = endpoint.waits_seconds
    if waits:
        policy = {
            "maxAttempts": endpoint.attempts,
            "initialBackoff": f"{waits[0]}s",
            "maxBackoff": f"{waits[-1]}s",
            "backoffMultiplier": 2,
            "retryableStatusCodes": ["UNAVAILABLE"],
        }
        config["methodConfig"] = [{"name": [{}], "retryPolicy": policy}]
    return [
        ("grpc.max_send_message_length", size),
        ("grpc.max_receive_message_length", size),
        ("grpc.service_config", json.dumps(config)),
        # gRPC keeps 256 KiB of a request for another attempt and makes none with more: a single clip may be more
        ("grpc.per_rpc_retry_buffer_size", size),
        # or the attempts would all fall into the second in which a lost connection is not tried again
        ("grpc.initial_reconnect_backoff_ms", round(1000 * FIRST_WAIT_SECONDS)),
    ]


def _value(array: np.ndarray) -> np.ndarray | list[str]:
    return [value.decode() for value in array.ravel()] if array.dtype == object else array
