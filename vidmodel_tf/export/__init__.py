"""A run folder -> the forms in which a model runs elsewhere."""
