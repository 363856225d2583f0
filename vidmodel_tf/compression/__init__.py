"""A trained run -> a smaller one that does its work."""
