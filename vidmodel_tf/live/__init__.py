"""Cameras that are watched: frames as they come -> events, log lines, notifications."""
