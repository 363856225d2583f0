"""Vectors of words: read from files, chosen for a vocabulary, written."""
