"""Real clips and titles, which are no part of the repository; tests that need them are skipped without them."""

from pathlib import Path

import pytest

_FOLDER = Path(__file__).parents[2] / "shared" / "data"
FIGHTS = _FOLDER / "surveillance_fights" / "clips.csv"
TITLES = _FOLDER / "video_words" / "titles.csv"


def needs(path: Path) -> pytest.MarkDecorator:
    """A mark for tests that read a file of real data."""
    return pytest.mark.skipif(not path.is_file(), reason=f"the real data are not at {path}")
