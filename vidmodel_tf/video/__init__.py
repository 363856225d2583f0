"""Pixels in time: files -> frames. No TensorFlow."""
