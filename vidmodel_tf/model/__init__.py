"""The Keras graph. Backend-free Keras: nothing here imports TensorFlow."""
