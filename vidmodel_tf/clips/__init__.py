"""Files on disk -> clips, frames, words. No TensorFlow."""
