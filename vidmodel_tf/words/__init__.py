"""Words in time: what lies beside a video."""
