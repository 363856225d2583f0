"""Strings -> token ids."""
