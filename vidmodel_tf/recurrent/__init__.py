"""LSTMs and GRUs of Keras, computed by TensorFlow with fewer and larger ops."""
