"""A trained model and a prepared data set -> how good it is."""
