"""The run folder is the model."""
