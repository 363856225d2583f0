"""The four signatures of an exported model.

- `encoded_frames`: JPEG frames of any size and words -> scores and labels. The recommended one.
- `serving_default`: frames of the model's size and words -> the same.
- `frame_features`: frames -> features, each frame encoded once, so that windows which overlap share the work.
- `classify_features`: features and words -> the same as the first two.

A model of words alone has the first two only. Legend of shapes: see `vidmodel_tf.model.build`.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from vidmodel_tf.export.saved_model.graph import InferenceGraph
from vidmodel_tf.export.saved_model.limit_request import limit_jpegs, limit_number, limit_texts
from vidmodel_tf.export.saved_model.request_checks import check_finite, check_jpegs, check_same_number, check_shape
from vidmodel_tf.export.saved_model.request_limits import MAX_CLIPS_WITHOUT_FRAMES, max_frames
from vidmodel_tf.records.frames import decode_frames
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.text.tokenize_graph import text_encoder

Outputs = dict[str, tf.Tensor]


class ServedModel(tf.Module):
    """The contents of a SavedModel: signatures, labels and vocabulary.

    Args:
        run: The run folder.
        graph: The model of the run.
    """

    def __init__(self, run: Run, graph: InferenceGraph) -> None:
        super().__init__(name="vidmodel")
        self.run, self.graph = run, graph
        self.labels = tf.saved_model.Asset(str(run.path / layout.LABELS))
        config = run.config.model
        self.encode_text = text_encoder(run.path / layout.VOCABULARY, config.num_tokens, config.field_budgets)

    def signatures(self) -> dict[str, tf.types.experimental.ConcreteFunction]:
        """Traces the signatures, by name."""
        config = self.run.config.model
        picture = (config.height, config.width, 3)
        text = tf.TensorSpec((None,), tf.string, "text")
        jpegs = tf.TensorSpec((None, config.num_frames), tf.string, "jpeg_frames")
        frames = tf.TensorSpec((None, config.num_frames, *picture), tf.uint8, "frames")
        functions = {
            "encoded_frames": _trace(self._encoded_frames, jpegs, text),
            "serving_default": _trace(self._serving_default, frames, text),
        }
        if config.has_frames:
            any_frames = tf.TensorSpec((None, None, *picture), tf.uint8, "frames")
            features = tf.TensorSpec((None, config.num_frames, self.graph.num_features), tf.float32, "features")
            functions["frame_features"] = _trace(self._frame_features, any_frames)
            functions["classify_features"] = _trace(self._classify_features, features, text)
        return functions

    def _encoded_frames(self, jpeg_frames: tf.Tensor, text: tf.Tensor) -> Outputs:
        config = self.run.config.model
        num_frames, height, width = config.num_frames, config.height, config.width
        jpegs = check_shape(
            "jpeg_frames", jpeg_frames, (None, num_frames), f"JPEG strings [B, {num_frames}] with B >= 1"
        )
        jpegs = self._limit_frames("jpeg_frames", jpegs)
        text = self._check_text(text, "jpeg_frames", jpegs)
        if not config.has_frames:
            return self._answer(None, text)
        with tf.name_scope("jpeg_frames"):  # the decoder's errors bear this name
            files = limit_jpegs("jpeg_frames", tf.reshape(check_jpegs("jpeg_frames", jpegs), [-1]))
            frames = decode_frames(files, height, width)
        features = self.graph.encode(tf.reshape(frames, [-1, num_frames, height, width, 3]))
        return self._answer(features, text)

    def _serving_default(self, frames: tf.Tensor, text: tf.Tensor) -> Outputs:
        frames = self._check_frames(frames, self.run.config.model.num_frames)
        text = self._check_text(text, "frames", frames)
        return self._answer(self.graph.encode(frames) if self.run.config.model.has_frames else None, text)

    def _frame_features(self, frames: tf.Tensor) -> Outputs:
        return {"features": self.graph.encode(self._check_frames(frames, None))}

    def _classify_features(self, features: tf.Tensor, text: tf.Tensor) -> Outputs:
        shape = (None, self.run.config.model.num_frames, self.graph.num_features)
        words = f"float32 [B, {shape[1]}, {shape[2]}] with B >= 1"
        features = check_shape("features", features, shape, words)
        features = limit_number("features", features, tf.shape(features)[0], MAX_CLIPS_WITHOUT_FRAMES, "clips")
        features = check_finite("features", features)
        return self._answer(features, self._check_text(text, "features", features))

    def _check_frames(self, frames: tf.Tensor, num_frames: int | None) -> tf.Tensor:
        shape = (None, num_frames, self.run.config.model.height, self.run.config.model.width, 3)
        steps, condition = (num_frames, "B >= 1") if num_frames else ("T", "B and T >= 1")
        words = f"uint8 RGB [B, {steps}, {shape[2]}, {shape[3]}, 3] with {condition}"
        return self._limit_frames("frames", check_shape("frames", frames, shape, words))

    def _limit_frames(self, name: str, frames: tf.Tensor) -> tf.Tensor:
        """Limits frames [B, T, ...] or JPEG files [B, T]; a model of words alone ignores them."""
        config = self.run.config.model
        if not config.has_frames:
            return limit_number(name, frames, tf.shape(frames)[0], MAX_CLIPS_WITHOUT_FRAMES, "clips")
        return limit_number(name, frames, tf.reduce_prod(tf.shape(frames)[:2]), max_frames(config), "frames")

    def _check_text(self, text: tf.Tensor, other_name: str, other: tf.Tensor) -> tf.Tensor:
        text = check_shape("text", text, (None,), "strings [B] with B >= 1")
        return limit_texts("text", check_same_number("text", text, other_name, other))

    def _answer(self, features: tf.Tensor | None, text: tf.Tensor) -> Outputs:
        outputs = {}
        for head, scores in self.graph.classify(features, self.encode_text(text)).items():
            names = tf.constant(self.run.labels[head])
            outputs[f"{head}_scores"] = scores
            if head in self.run.labels.multi_label:
                given = scores >= tf.constant(self.run.thresholds[head], tf.float32)
                outputs[f"{head}_labels"] = _join_given(names, given)
            else:
                # Of equal scores `top_k` takes the first, as `decision.decide` does; `argmax` does not promise it.
                best = tf.math.top_k(scores, k=1).indices[:, 0]
                outputs[f"{head}_label"] = tf.gather(names, best)
        return outputs


def _trace(function: Callable[..., Outputs], *inputs: tf.TensorSpec) -> tf.types.experimental.ConcreteFunction:
    return tf.function(function, autograph=False).get_concrete_function(*inputs)


def _join_given(names: tf.Tensor, given_BxK: tf.Tensor) -> tf.Tensor:
    """The names that are given, joined by `|`, string [B]."""
    ragged = tf.ragged.boolean_mask(tf.tile(names[tf.newaxis], [tf.shape(given_BxK)[0], 1]), given_BxK)
    return tf.strings.reduce_join(ragged, axis=1, separator="|")
