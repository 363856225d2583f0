"""What the backbone of a model is given when it trains: frames and motion images of the training clips."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vidmodel_tf.config import ModelConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.model.build import stream_names
from vidmodel_tf.model.layers import MotionImages
from vidmodel_tf.progress import track
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.records.frames import decode_questions


def training_images(data: DataSet, config: ModelConfig, count: int) -> np.ndarray:
    """About as many images as are wanted, as many of each clip, in the same choice for every call.

    Args:
        data: A prepared data set.
        config: Settings of a model with frames, which say what of them its backbone is given.
        count: With more clips than that, some of them, evenly over the split, give one each.

    Returns:
        Pixels 0..255, float32 [n, H, W, 3].

    Raises:
        InputError: There is no such image.
    """
    num_clips, rng = data.count("train"), np.random.default_rng(0)
    if not num_clips:
        raise InputError(f"{data.path} has no clips in the split 'train', by which a backbone is pruned")
    step = max(num_clips // count, 1)
    of_each = -(-count * step // num_clips)
    chosen = []
    clips = track(_images_by_clip(data, config, step), "images to prune by", -(-num_clips // step))
    for images in clips:
        chosen.append(images[rng.choice(len(images), min(of_each, len(images)), replace=False)])
    if not (images := np.concatenate(chosen)).size:
        raise InputError(f"{data.path}: expected training clips that are not black, or still where a model sees motion")
    return images


def _images_by_clip(data: DataSet, config: ModelConfig, step: int) -> Iterator[np.ndarray]:
    motion_images = MotionImages(config.motion_gain)
    for number, (_, question) in enumerate(data.questions("train", config)):
        if number % step == 0:
            frames = decode_questions([question], config)
            parts = {
                "appearance": lambda frames=frames: frames[0].astype(np.float32),
                "motion": lambda frames=frames: np.asarray(motion_images(frames[:, 1:], frames[:, :-1]))[0],
            }
            images = np.concatenate([parts[stream]() for stream in stream_names(config)])
            yield images[images.any(axis=(1, 2, 3))]
