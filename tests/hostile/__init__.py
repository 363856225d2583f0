"""Damaged and hostile inputs, and what the commands make of them."""
