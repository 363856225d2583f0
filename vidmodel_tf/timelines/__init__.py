"""A long video -> scores over time, events, and the files that show them."""
