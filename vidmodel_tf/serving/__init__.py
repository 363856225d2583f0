"""Questions to a model that TF Serving has loaded."""
