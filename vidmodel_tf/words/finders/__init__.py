"""Where words are found in a video itself: a module a source."""
