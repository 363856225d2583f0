"""Stored JPEGs -> the pixels that the model takes. The one spatial rule: the whole picture is resized to H x W.

The input pipeline, prediction and the exported signatures all use it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from vidmodel_tf.clips.question import Question
from vidmodel_tf.config import ModelConfig
from vidmodel_tf.errors import InputError


def decode_frames(jpegs_T: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """JPEG strings [T], each of any size -> uint8 RGB [T, H, W, 3]."""
    return tf.map_fn(
        lambda jpeg: to_pixels(resize(_decode(jpeg), height, width)),
        tf.convert_to_tensor(jpegs_T),
        fn_output_signature=tf.TensorSpec((height, width, 3), tf.uint8),
    )


def decode_questions(questions: Sequence[Question], config: ModelConfig) -> np.ndarray:
    """The frames of a batch of questions as the model takes them, uint8 RGB [B, T, H, W, 3].

    A model of words alone takes frames too, and ignores them: they are black.

    Raises:
        InputError: A stored frame is no JPEG, or a damaged one.
    """
    if not config.has_frames:
        return black_frames(len(questions), config)
    jpegs_BxT = tf.constant([question.jpeg_frames for question in questions])
    try:
        return _batch_decoder(config.height, config.width)(jpegs_BxT).numpy()
    except tf.errors.InvalidArgumentError:
        names = ", ".join(dict.fromkeys(question.id for question in questions))
        raise InputError(f"a stored frame is no JPEG, or a damaged one, in one of these clips: {names}") from None


def black_frames(num_clips: int, config: ModelConfig) -> np.ndarray:
    """Frames for a model that ignores them, uint8 [B, T, H, W, 3]."""
    return np.zeros((num_clips, config.num_frames, config.height, config.width, 3), np.uint8)


@functools.cache
def _batch_decoder(height: int, width: int) -> Callable[[tf.Tensor], tf.Tensor]:
    @tf.function(input_signature=[tf.TensorSpec((None, None), tf.string)])
    def decode(jpegs_BxT):
        with tf.device("/CPU:0"):  # as the input pipeline does it, so that the pixels are the same
            frames = decode_frames(tf.reshape(jpegs_BxT, [-1]), height, width)
            return tf.reshape(frames, tf.concat([tf.shape(jpegs_BxT), tf.shape(frames)[1:]], 0))

    return decode


def _decode(jpeg: tf.Tensor) -> tf.Tensor:
    return tf.io.decode_jpeg(jpeg, channels=3, dct_method="INTEGER_ACCURATE")


def resize(images: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """uint8 [..., h, w, 3] -> float32 0..255 [..., H, W, 3], antialiased bilinear."""
    return tf.image.resize(images, (height, width), antialias=True)


def to_pixels(images: tf.Tensor) -> tf.Tensor:
    """float32 -> uint8, rounded to the nearest and clipped to 0..255."""
    return tf.cast(tf.round(tf.clip_by_value(images, 0.0, 255.0)), tf.uint8)


def decode_augmented(
    jpegs_T: tf.Tensor,
    height: int,
    width: int,
    seed: tf.Tensor,
    *,
    mirror: bool,
    random_crop: float,
    random_color: float,
) -> tf.Tensor:
    """Like `decode_frames`, with one random crop, flip and change of colour for all frames of the clip.

    Args:
        jpegs_T: JPEG strings [T], all of one size.
        height: H.
        width: W.
        seed: int [2]; the same seed gives the same pixels.
        mirror: Whether a clip is flipped left to right with a probability of one half.
        random_crop: At most this share of height and width is cut off.
        random_color: Brightness and contrast vary by at most this share.
    """
    seeds = tf.random.split(seed, 3)
    images_TxhxwxC = tf.map_fn(_decode, jpegs_T, fn_output_signature=tf.TensorSpec((None, None, 3), tf.uint8))
    images = resize(_crop(images_TxhxwxC, seeds[0], random_crop), height, width)
    if mirror:
        flipped = tf.random.stateless_uniform((), seeds[1]) < 0.5
        images = tf.cond(flipped, lambda: images[:, :, ::-1], lambda: images)
    return to_pixels(_change_color(images, seeds[2], random_color))


def _crop(images_TxhxwxC: tf.Tensor, seed: tf.Tensor, random_crop: float) -> tf.Tensor:
    cut_y, cut_x, at_y, at_x = tf.unstack(tf.random.stateless_uniform((4,), seed))
    size = tf.cast(tf.shape(images_TxhxwxC)[1:3], tf.float32)
    kept = tf.cast(tf.math.ceil(size * (1.0 - random_crop * tf.stack([cut_y, cut_x]))), tf.int32)
    room = size - tf.cast(kept, tf.float32)
    start = tf.cast(tf.round(room * tf.stack([at_y, at_x])), tf.int32)
    return images_TxhxwxC[:, start[0] : start[0] + kept[0], start[1] : start[1] + kept[1]]


def _change_color(images: tf.Tensor, seed: tf.Tensor, random_color: float) -> tf.Tensor:
    brightness, contrast = tf.unstack(tf.random.stateless_uniform((2,), seed, -random_color, random_color))
    middle = tf.reduce_mean(images)  # over the whole clip: if the light changes within it, that is content
    return (images - middle) * (1.0 + contrast) + middle * (1.0 + brightness)
