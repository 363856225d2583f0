"""A server that speaks TF Serving's two protocols and answers from a SavedModel, run as a process of its own.

    python -m tests.serving_peer VERSION_FOLDER MODEL_NAME

It prints its ports as a line of JSON. Then it takes orders, a line of JSON each, and replies to each with the calls so
far: `{"unavailable": 2}` refuses the next two calls, `{"hold": true}` answers none before `{"hold": false}`. It ends
with its standard input. It stands in for the official server, which it is not: how that one maps errors, REST and JSON
is followed by its documentation.
"""

from __future__ import annotations

import base64
import concurrent.futures
import http.server
import json
import re
import sys
import threading
import urllib.parse
from pathlib import Path

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

HTTP_STATUS = {"INVALID_ARGUMENT": 400, "NOT_FOUND": 404, "UNAVAILABLE": 503, "INTERNAL": 500}
URL = re.compile(r"/v1/models/([^/:]+)(?:/versions/(\d+))?(:predict)?")
PATIENCE_SECONDS = 60.0


class RefusalError(Exception):
    """A status code of gRPC by name, and words."""


class Peer:
    """The model, and what the process was told to do to its callers."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name, self.version = name, int(folder.name)
        self.model = tf.saved_model.load(str(folder))
        self.lock, self.free = threading.Lock(), threading.Event()
        self.free.set()
        self.calls, self.unavailable = 0, 0

    def predict(self, name, version, signature, inputs):
        """Arrays by name -> arrays by name."""
        self._receive(name, version)
        if signature not in self.model.signatures:
            raise RefusalError("INVALID_ARGUMENT", f'Serving signature name: "{signature}" not found in signature def')
        try:
            answer = self.model.signatures[signature](**{key: tf.constant(value) for key, value in inputs.items()})
        except (tf.errors.InvalidArgumentError, TypeError, ValueError) as error:
            raise RefusalError("INVALID_ARGUMENT", str(error)) from None
        return {key: value.numpy() for key, value in answer.items()}

    def status(self, name, version):
        """The versions."""
        self._receive(name, version)
        return [self.version]

    def _receive(self, name, version) -> None:
        with self.lock:
            self.calls += 1
            refuse = self.unavailable > 0
            self.unavailable -= refuse
        self.free.wait(PATIENCE_SECONDS)
        if refuse:
            raise RefusalError("UNAVAILABLE", "The batch scheduling queue to which this task was submitted is full")
        if name != self.name or version not in (None, self.version):
            which = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise RefusalError("NOT_FOUND", f"Servable not found for request: {which}")


class OverGrpc(prediction_service_pb2_grpc.PredictionServiceServicer, model_service_pb2_grpc.ModelServiceServicer):
    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    def Predict(self, request, context):  # noqa: N802 (the stubs' name)
        inputs = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
        outputs = self._answer(context, self.peer.predict, request, request.model_spec.signature_name, inputs)
        response = predict_pb2.PredictResponse()
        for key, value in outputs.items():
            # the official server puts numbers into fields, where TensorFlow's Python packs bytes
            tensor = response.outputs[key]
            tensor.CopyFrom(tf.make_tensor_proto(np.zeros(0, value.dtype), shape=(0,)))
            tensor.tensor_shape.CopyFrom(tf.TensorShape(value.shape).as_proto())
            (tensor.string_val if value.dtype == object else tensor.float_val).extend(value.ravel().tolist())
        return response

    def GetModelStatus(self, request, context):  # noqa: N802 (the stubs' name)
        response = get_model_status_pb2.GetModelStatusResponse()
        for version in self._answer(context, self.peer.status, request):
            found = response.model_version_status.add()
            found.version, found.state = version, get_model_status_pb2.ModelVersionStatus.AVAILABLE
        return response

    def _answer(self, context, method, request, *arguments):
        spec = request.model_spec
        version = spec.version.value if spec.HasField("version") else None
        try:
            return method(spec.name, version, *arguments)
        except RefusalError as refusal:
            code, words = refusal.args
            context.abort(grpc.StatusCode[code], words)


def rest_handler(peer: Peer) -> type[http.server.BaseHTTPRequestHandler]:
    class OverRest(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._reply(lambda name, version: predict_json(peer, name, version, body))

        def do_GET(self):
            self._reply(lambda name, version: status_json(peer.status(name, version)))

        def _reply(self, answer):
            try:
                name, version, _ = URL.fullmatch(self.path).groups()
                name, number = urllib.parse.unquote(name), None if version is None else int(version)
                status, reply = 200, answer(name, number)
            except RefusalError as refusal:
                code, words = refusal.args
                status, reply = HTTP_STATUS[code], {"error": words}
            data = json.dumps(reply, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *arguments):
            pass

    return OverRest


def predict_json(peer: Peer, name, version, body: bytes):
    """A request in rows ("instances") or columns ("inputs"), answered in the same way."""
    request = json.loads(body)
    if ("instances" in request) == ("inputs" in request):
        raise RefusalError("INVALID_ARGUMENT", "Missing 'inputs' or 'instances' key")
    rows = request.get("instances")
    columns = request["inputs"] if rows is None else {key: [row[key] for row in rows] for key in rows[0]}
    inputs = {key: from_json(value) for key, value in columns.items()}
    outputs = peer.predict(name, version, request.get("signature_name", "serving_default"), inputs)
    outputs = {key: to_json(value) for key, value in outputs.items()}
    if rows is None:
        return {"outputs": outputs}
    return {"predictions": [{key: value[i] for key, value in outputs.items()} for i in range(len(rows))]}


def status_json(versions):
    status = {"error_code": "OK", "error_message": ""}
    return {"model_version_status": [{"version": str(v), "state": "AVAILABLE", "status": status} for v in versions]}


def from_json(value):
    if isinstance(value, dict):
        return base64.b64decode(value["b64"])
    return [from_json(part) for part in value] if isinstance(value, list) else value


def to_json(array: np.ndarray):
    return [value.decode() for value in array] if array.dtype == object else array.tolist()


def main(folder: str, name: str) -> None:
    peer = Peer(Path(folder), name)
    over_grpc = grpc.server(concurrent.futures.ThreadPoolExecutor(4))  # with gRPC's limit of 4 MB
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(OverGrpc(peer), over_grpc)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(OverGrpc(peer), over_grpc)
    grpc_port = over_grpc.add_insecure_port("127.0.0.1:0")
    over_grpc.start()
    over_rest = http.server.ThreadingHTTPServer(("127.0.0.1", 0), rest_handler(peer))
    threading.Thread(target=over_rest.serve_forever, daemon=True).start()
    print(json.dumps({"grpc": grpc_port, "rest": over_rest.server_port}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        with peer.lock:
            peer.unavailable = order.get("unavailable", peer.unavailable)
            reply = {"calls": peer.calls}
        if "hold" in order:
            (peer.free.clear if order["hold"] else peer.free.set)()
        print(json.dumps(reply), flush=True)
    peer.free.set()
    over_grpc.stop(None).wait()
    over_rest.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
