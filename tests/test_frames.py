import cv2
import numpy as np
import pytest
import tensorflow as tf

from tests.videos import paint_frame, read_frame_number, read_jpeg
from vidmodel_tf.records.frames import decode_augmented, decode_frames, resize, to_pixels


def jpegs(frames):
    return tf.constant(
        [cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes() for frame in frames]
    )


def test_at_its_own_size_a_frame_is_only_decoded():
    frames = [paint_frame(i * 321, color=(255, 120, 10)) for i in range(4)]
    encoded = jpegs(frames)
    decoded = decode_frames(encoded, 72, 96).numpy()
    expected = np.stack([read_jpeg(jpeg) for jpeg in encoded.numpy()])
    # libjpeg in TensorFlow and in OpenCV round chroma differently by a few units
    assert np.abs(decoded.astype(int) - expected).mean() < 1.0
    assert decoded.dtype == np.uint8


def test_every_frame_keeps_its_number_whatever_its_size():
    encoded = jpegs([paint_frame(7, (96, 72)), paint_frame(3000, (50, 200)), paint_frame(1234, (33, 17))])
    decoded = decode_frames(encoded, 40, 64).numpy()
    assert decoded.shape == (3, 40, 64, 3)
    assert [read_frame_number(frame) for frame in decoded] == [7, 3000, 1234]


def test_resize_by_a_half_is_the_triangle_filter():
    column = np.zeros((1, 8, 1, 1), np.uint8)
    column[0, 4] = 160
    # Antialiased bilinear by 2: weights 1/8, 3/8, 3/8, 1/8 around each new centre.
    np.testing.assert_allclose(resize(column, 4, 1).numpy().ravel(), [0, 20, 60, 0], atol=1e-4)


def test_pixels_are_rounded_and_clipped():
    assert to_pixels(tf.constant([-3.0, 0.4, 0.6, 254.7, 300.0])).numpy().tolist() == [0, 0, 1, 255, 255]


def augmented(seed, num_frames=3, **changes):
    settings = {"mirror": False, "random_crop": 0.0, "random_color": 0.0} | changes
    encoded = jpegs([paint_frame(2730 + i, color=(200, 255, 90)) for i in range(num_frames)])
    return decode_augmented(encoded, 72, 96, tf.constant([0, seed]), **settings).numpy()


def test_without_augmentation_it_is_decode_frames():
    encoded = jpegs([paint_frame(2730 + i, color=(200, 255, 90)) for i in range(3)])
    np.testing.assert_array_equal(augmented(5), decode_frames(encoded, 72, 96).numpy())


@pytest.mark.parametrize("change", [{"mirror": True}, {"random_crop": 0.3}, {"random_color": 0.4}])
def test_a_seed_decides_and_seeds_differ(change):
    results = [augmented(seed, **change) for seed in range(16)]
    np.testing.assert_array_equal(results[2], augmented(2, **change))
    assert len({result.tobytes() for result in results}) > 1


def test_mirroring_is_all_or_nothing_for_a_clip():
    plain = augmented(0)
    for seed in range(16):
        result = augmented(seed, mirror=True)
        assert np.array_equal(result, plain) or np.array_equal(result, plain[:, :, ::-1])


def test_all_frames_of_a_clip_change_alike():
    encoded = jpegs([paint_frame(1365)] * 4)
    result = decode_augmented(
        encoded, 40, 40, tf.constant([0, 3]), mirror=True, random_crop=0.4, random_color=0.4
    ).numpy()
    np.testing.assert_array_equal(result, np.broadcast_to(result[:1], result.shape))


def test_colour_changes_stay_within_their_share():
    grey = jpegs([np.full((32, 32, 3), 100, np.uint8)])
    for seed in range(10):
        result = decode_augmented(
            grey, 32, 32, tf.constant([1, seed]), mirror=False, random_crop=0.0, random_color=0.2
        ).numpy()
        assert 79 <= result.min() <= result.max() <= 121  # 100 -20 % .. +20 %, and one unit for JPEG


def test_a_crop_keeps_at_least_its_share():
    ramp = np.repeat(np.tile(np.arange(200, dtype=np.uint8), (50, 1))[..., None], 3, axis=-1)
    widths = set()
    for seed in range(12):
        row = decode_augmented(
            jpegs([ramp]), 50, 200, tf.constant([2, seed]), mirror=False, random_crop=0.25, random_color=0.0
        ).numpy()[0, 25, :, 0]
        widths.add(int(row[-1]) - int(row[0]))
    assert 146 <= min(widths) < max(widths) <= 200  # at least 3/4 of 0..199 is still to be seen
