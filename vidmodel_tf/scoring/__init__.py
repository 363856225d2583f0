"""A trained model and new videos -> answers."""
