"""What every source of words in a video has in common.

A source is a module in `vidmodel_tf/words/finders/` with a function `find_NAME`, a `Finder`; with `VERSION`, a whole
number that grows when the same file would give other words, so that what was found before is found again; and with
`FIELDS`, the text fields that it can fill. `vidmodel_tf.words.source` loads it by its name, and
`vidmodel_tf.words.words_in_videos` asks it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.words.cues import Cue

Finder = Callable[[Path, PrepareConfig], tuple[Cue, ...]]
"""Finds the words of one file, on the clock on which second 0 is the container's start; none where it has none.

It runs in a process of its own with a time limit, because files are hostile. `Cue.source` begins with the source's
name: "tracks:eng", "captions", "screen", "speech:packaged".

Raises:
    InputError: Without a subject: the source can be used for no file at all, because an extra is missing, say.
    VidmodelError: With the file as its subject: this file cannot be read.

Warns:
    WordsWarning: Of words in the file that are passed over; shown to the user with the name of the file.
    ExtraWarning: The same where an extra would read them.
"""


class WordsWarning(UserWarning):
    """Words in a file are passed over; one line, without the name of the file."""


class ExtraWarning(WordsWarning):
    """Words are passed over that would be found if an extra were installed; the answer is not remembered."""
