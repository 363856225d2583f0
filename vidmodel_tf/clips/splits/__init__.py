"""Clips -> splits and folds that keep sources whole."""
