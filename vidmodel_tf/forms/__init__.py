"""A trained model in whatever form."""
