"""The model as one functional Keras graph of three sub-models, which caching, fine-tuning and serving run apart.

    frames ──frame_encoder──> backbone output ──projection──> features ──┐
    token_ids ───────────────────────────────────────────────────────────head──> scores by head

Legend of shapes: B batch, T frames, H W C height, width and channels, L text tokens, F size of a backbone output,
D features, S streams, K classes. T' is any number of frames; only the head requires T.

A slot without motion (the first of a clip, and a frame equal to the one before it) is exactly zero in the motion
stream's part of the backbone output and of the features. From either, the head can tell which slots to skip; a cache
or a client passes no masks beside the arrays.

Features stand side by side stream by stream, and within a stream one ensemble member after the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np
from keras import layers, ops

from vidmodel_tf.config import ModelConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.labels import Labels, head_fault
from vidmodel_tf.model.backbones import build_backbone, scaling_layer
from vidmodel_tf.model.layers import (
    EnsembleAverage,
    FoldedTimeDistributed,
    KeepSlots,
    MeanPooling,
    MotionImages,
    SlotMask,
    Standardization,
    TokenMask,
)
from vidmodel_tf.model.num_weights import check_settings_of_size
from vidmodel_tf.model.own_backbone import is_own_backbone, load_own_backbone
from vidmodel_tf.model.precision import dtype_policy
from vidmodel_tf.model.temporal import temporal_branch
from vidmodel_tf.model.word_vectors import (
    check_embedding_units,
    check_word_vectors,
    mean_of_word_vectors,
    set_word_vectors,
)

ClassNames = Mapping[str, Sequence[str]]


def build_model(
    config: ModelConfig,
    labels: ClassNames,
    vocabulary_size: int,
    *,
    word_vectors: Mapping[int, np.ndarray] | None = None,
    load_backbone_weights: bool = True,
    own_backbone: keras.Model | None = None,
) -> keras.Model:
    """Builds the graph.

    Args:
        config: Its settings.
        labels: Class names of each head; heads in `labels.multi_label`, if it has that, get a sigmoid.
        vocabulary_size: Number of token ids, padding included.
        word_vectors: What embeddings begin as, [D] by token id; those of other ids are random. Needed with
            `config.embeddings`, unless the weights of the whole model are loaded next.
        load_backbone_weights: False leaves the backbone random and downloads nothing, for callers that load the
            weights of the whole model next. Whether its BatchNorm may train still depends on `config.weights`.
        own_backbone: The backbone, built already, where the user brings one (`FILE.keras`, `keras_hub:PRESET`);
            None: it is loaded from where `config` says.

    Returns:
        A functional model: `frames` uint8 [B, T, H, W, 3] RGB and `token_ids` int32 [B, L], 0 to vocabulary_size - 1
        and 0 for padding on the right, to `{head: scores}`, float32 [B, K] in 0..1.

    Raises:
        InputError: Labels or settings that no model can be built from.
        VidmodelError: ImageNet weights cannot be downloaded.
    """
    labels = Labels(labels)
    _check_labels(labels)
    check_embedding_units(config)
    check_settings_of_size(config, labels, vocabulary_size)
    if load_backbone_weights:
        check_word_vectors(config, word_vectors)
    with dtype_policy(config.precision):
        # === Layers ===
        frame_encoder, projection = None, None
        if config.has_frames:
            backbone = own_backbone or _build_backbone(config, load_backbone_weights)
            frame_encoder = build_frame_encoder(config, backbone)
            projection = _build_projection(config, frame_encoder.output_shape[-1])
        head = _build_head(config, labels, vocabulary_size)

        # === Functional graph ===
        frames_shape = (config.num_frames, config.height, config.width, 3)
        frames_BxTxHxWx3 = layers.Input(frames_shape, dtype="uint8", name="frames")
        token_ids_BxL = layers.Input((config.num_tokens,), dtype="int32", name="token_ids")
        parts = {"token_ids": token_ids_BxL}
        if frame_encoder is not None and projection is not None:
            parts["features"] = projection(frame_encoder(frames_BxTxHxWx3))
        scores = head(parts)

        # === Config ===
        inputs = {"frames": frames_BxTxHxWx3, "token_ids": token_ids_BxL}
        model = keras.Model(inputs, scores, name="vidmodel")
    if word_vectors:
        set_word_vectors(model, word_vectors)
    return model


def build_encoded_model(model: keras.Model, config: ModelConfig) -> keras.Model:
    """The part of `model` behind the backbone, with the same layers: training one trains the other.

    Args:
        model: A model of `build_model`.
        config: Its settings.

    Returns:
        A functional model: `encodings` float32 [B, T, S * F], the backbone outputs of a clip (absent in a model of
        words alone), and `token_ids` int32 [B, L] to `{head: scores}`.
    """
    with dtype_policy(config.precision):
        inputs = {"token_ids": layers.Input((config.num_tokens,), dtype="int32", name="token_ids")}
        parts = dict(inputs)
        if config.has_frames:
            projection = model.get_layer("projection")
            output_shape = (config.num_frames, projection.input_shape[-1])
            inputs["encodings"] = layers.Input(output_shape, name="encodings")
            parts["features"] = projection(inputs["encodings"])
        return keras.Model(inputs, model.get_layer("head")(parts), name="vidmodel_encoded")


def stream_names(config: ModelConfig) -> tuple[str, ...]:
    """The streams, in the order in which they stand side by side in backbone outputs and features."""
    return ("appearance", "motion") if config.streams == "both" else (config.streams,)


def build_frame_encoder(config: ModelConfig, cnn: keras.Model, *, previous_given: bool = False) -> keras.Model:
    """Frames -> their encodings by a CNN, the model's streams side by side on the last axis.

    Args:
        config: The settings of the model; `streams` says whether frames, motion images or both are encoded.
        cnn: Scaled images [B, H, W, 3] to [B, ..., F]: the backbone, or a lower part of it.
        previous_given: The frame that each frame's motion is measured from is an input of its own. Frames that
            arrive one by one are then encoded as in a whole clip, each of them once.

    Returns:
        A functional model: `frames` uint8 [B, T', H, W, 3] (with `previous_given`, `{"frames", "previous_frames"}`,
        both of that shape) to float32 [B, T', ..., S * F].
    """
    inference_only = config.weights != "none"
    folded = FoldedTimeDistributed(cnn, inference_only=inference_only, dtype=folded_dtype(config), name="backbone")
    scale = scaling_layer(config.backbone)
    frames_shape = (None, config.height, config.width, 3)
    frames = inputs = layers.Input(frames_shape, dtype="uint8", name="frames")
    given = layers.Input(frames_shape, dtype="uint8", name="previous_frames") if previous_given else None
    if given is not None:
        inputs = {"frames": frames, "previous_frames": given}
    if config.streams == "appearance":
        output = layers.Activation("linear", dtype="float32", name="backbone_output")(folded(scale(frames)))
        return keras.Model(inputs, output, name="frame_encoder")
    previous = given
    if previous is None:
        previous = layers.Concatenate(axis=1, dtype="uint8", name="previous_frames")([frames[:, :1], frames[:, :-1]])
    motion = MotionImages(config.motion_gain, name="motion_images")(frames, previous)
    slots = SlotMask(name="motion_slots")(motion)
    if config.streams == "motion":
        output = KeepSlots(name="backbone_output")(folded(scale(motion)), slots)
        return keras.Model(inputs, output, name="frame_encoder")
    # One call for both streams: a BatchNorm that trains then computes its statistics over both, as they are used.
    images = layers.Concatenate(axis=1, dtype="float32", name="both_images")([scale(frames), scale(motion)])
    appearance, motion = ops.split(folded(images), 2, axis=1)
    motion = KeepSlots(name="motion_output")(motion, slots)
    output = layers.Concatenate(dtype="float32", name="backbone_output")([appearance, motion])
    return keras.Model(inputs, output, name="frame_encoder")


def folded_dtype(config: ModelConfig) -> str | None:
    """In what the backbone, or a part of it, is given its inputs; None: as the policy says."""
    # A backbone that the user brings contains its scaling, which needs the pixels in float32, and has a precision of
    # its own by layer.
    return "float32" if is_own_backbone(config.backbone) else None


def _build_backbone(config: ModelConfig, load_weights: bool) -> keras.Model:
    if is_own_backbone(config.backbone):
        return load_own_backbone(config.backbone, config, load_weights=load_weights)
    return build_backbone(config.backbone, config.height, config.width, config.weights if load_weights else "none")


def _build_projection(config: ModelConfig, output_size: int) -> keras.Model:
    inputs = layers.Input((None, output_size), name="backbone_output")
    parts = split_streams(inputs, config)
    standardized = [
        Standardization(name=f"{stream}_standardization")(part)
        for stream, part in zip(stream_names(config), parts, strict=True)
    ]
    projected = []
    for stream, part, values in zip(stream_names(config), parts, standardized, strict=True):
        for prefix in _member_prefixes(config):
            x = layers.Dense(config.projection_units, name=f"{prefix}{stream}_projection")(values)
            if stream == "motion":
                x = KeepSlots(name=f"{prefix}motion_features")(x, SlotMask(name=f"{prefix}motion_slots")(part))
            else:
                x = layers.Activation("linear", dtype="float32", name=f"{prefix}appearance_features")(x)
            projected.append(x)
    return keras.Model(inputs, side_by_side(projected, "features", "float32"), name="projection")


def _build_head(config: ModelConfig, labels: Labels, vocabulary_size: int) -> keras.Model:
    inputs, features = {}, []
    if config.has_frames:
        num_parts = len(stream_names(config)) * config.ensemble_size
        inputs["features"] = layers.Input((config.num_frames, num_parts * config.projection_units), name="features")
        features = _split(inputs["features"], num_parts)
    inputs["token_ids"] = layers.Input((config.num_tokens,), dtype="int32", name="token_ids")
    members = []
    for number, prefix in enumerate(_member_prefixes(config)):
        streams = features[number :: config.ensemble_size]
        members.append(_build_member(prefix, streams, inputs["token_ids"], config, labels, vocabulary_size))
    if config.ensemble_size == 1:
        return keras.Model(inputs, members[0], name="head")
    scores = {head: EnsembleAverage(name=head)([member[head] for member in members]) for head in labels}
    return keras.Model(inputs, scores, name="head")


def _member_prefixes(config: ModelConfig) -> list[str]:
    """The prefix of the layer names of each ensemble member: none where there is only one.

    It ends in a dot, which no head's name contains. Weights are found by these names: they cannot change.
    """
    return [f"net_{number}." for number in range(config.ensemble_size)] if config.ensemble_size > 1 else [""]


def _build_member(
    prefix: str, streams: list, token_ids, config: ModelConfig, labels: Labels, vocabulary_size: int
) -> dict:
    """The scores of one ensemble member, by head."""
    branches = [
        temporal_branch(part, f"{prefix}{stream}", stream == "motion", config)
        for part, stream in zip(streams, stream_names(config) if streams else (), strict=True)
    ]
    if config.has_text:
        branches.append(_text_branch(token_ids, f"{prefix}text", config, vocabulary_size))
    x = layers.Concatenate(name=f"{prefix}branches.concatenate")(branches) if len(branches) > 1 else branches[0]
    if config.hidden_units:
        x = layers.Dense(config.hidden_units, activation="relu", name=f"{prefix}hidden.dense")(x)
    x = layers.Dropout(config.dropout, name=f"{prefix}hidden.dropout")(x)
    # Heads directly on features start at zero, as in logistic regression: with few clips the noise of random weights
    # is never trained away. Not behind a hidden layer: with zeros there the LSTM of the words hardly began to learn.
    initializer = "glorot_uniform" if config.hidden_units else "zeros"
    scores = {}
    for head, classes in labels.items():
        activation = "sigmoid" if head in labels.multi_label else "softmax"
        scores[head] = layers.Dense(
            len(classes), activation=activation, kernel_initializer=initializer, dtype="float32", name=f"{prefix}{head}"
        )(x)
    return scores


def _text_branch(token_ids, name: str, config: ModelConfig, vocabulary_size: int):
    mask = TokenMask(name=f"{name}.mask")(token_ids)
    x = layers.Embedding(vocabulary_size, config.embedding_units, name=f"{name}.embedding")(token_ids)
    x = layers.Dropout(config.dropout, name=f"{name}.dropout")(x)
    parts = []
    if config.text_pooling != "mean":
        parts.append(layers.LSTM(config.text_lstm_units, name=f"{name}.lstm")(x, mask=mask))
    if config.text_pooling != "last":
        parts.append(MeanPooling(name=f"{name}.mean")(x, mask=mask))
    if config.embeddings != "none":
        parts.append(mean_of_word_vectors(token_ids, name, config, vocabulary_size))
    return layers.Concatenate(name=f"{name}.concatenate")(parts) if len(parts) > 1 else parts[0]


def split_streams(x, config: ModelConfig) -> list:
    """The streams of [..., S * F], each [..., F]."""
    return _split(x, len(stream_names(config)))


def _split(x, num_parts: int) -> list:
    return list(ops.split(x, num_parts, axis=-1)) if num_parts > 1 else [x]


def side_by_side(parts: list, name: str, dtype: str):
    """Streams [..., F] as [..., S * F]; a single one as it is."""
    return layers.Concatenate(dtype=dtype, name=name)(parts) if len(parts) > 1 else parts[0]


def _check_labels(labels: Labels) -> None:
    if not labels:
        raise InputError("labels: expected at least one head. Received: none")
    for head, classes in labels.items():
        if fault := head_fault(head):
            raise InputError(f"labels: {fault}")
        least = 1 if head in labels.multi_label else 2
        if len(classes) < least:
            raise InputError(f"labels: expected {least} classes or more for {head!r}. Received: {list(classes)}")
