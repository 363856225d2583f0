"""Keras computes the model on TensorFlow or on JAX; TensorFlow reads the data either way."""
