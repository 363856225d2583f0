"""One clip of a source of clips: where it is, what words go with it, what it is labelled as."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path

from vidmodel_tf.config import QUESTION
from vidmodel_tf.remote.store import Place
from vidmodel_tf.text.fields import check_text_length

Label = str | tuple[str, ...] | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Clip:
    """A video file, or a range of one; or words without a video. Several questions about one range are several clips.

    Args:
        id: Unique in its source of clips: see `clip_id`.
        path: Absolute, or a file in a store; None: there are words alone.
        text: Every name in `config.TEXT_FIELDS`, "" where there is none; and `config.QUESTION` where one is asked.
        words_from: `{field: where its words came from}` for the fields that have words: "manifest", "sidecar:NAME",
            "tracks:eng", ...
        labels: Every head; a class name, a tuple of names for a multi-label head, None where not labelled.
        source: What must not be split: clips of one source share camera, scene or author.
        start_seconds: Where the range starts; None: at the beginning.
        end_seconds: Where it ends (half open); None: at the end of the file.
        split: "train", "validation" or "test" where the source of clips says so.
        open_fields: The text fields for which the manifest and the files beside the video have no words; there may be
            some in the video itself.
        fault: Why it cannot be stored; None: nothing is known against it yet.
    """

    id: str
    path: Place | None
    text: dict[str, str]
    labels: dict[str, Label]
    source: str
    start_seconds: float | None = None
    end_seconds: float | None = None
    split: str | None = None
    words_from: dict[str, str] = dataclasses.field(default_factory=dict)
    open_fields: frozenset[str] = frozenset()
    fault: str | None = None

    @functools.cached_property
    def question(self) -> str:
        """What is asked about it, white space as single spaces; "": nothing."""
        return _on_one_line(self.text.get(QUESTION, ""))

    @functools.cached_property
    def footage(self) -> str:
        """Equal for clips with the same frames: the id without what is asked about it."""
        return footage_id(self.id, self.question)

    @property
    def key(self) -> tuple[Place | str, float, float | None, str]:
        """Equal for the same question about the same part of the same file, whatever links lead to it."""
        path = self.path.resolve() if isinstance(self.path, Path) else self.path
        return path or self.footage, self.start_seconds or 0.0, self.end_seconds, self.question


def check_words(text: Mapping[str, str]) -> None:
    """Refuses more words than a model takes, whichever fields it reads.

    Args:
        text: As of a `Clip`.

    Raises:
        InputError: There are more.
    """
    check_text_length("\n".join(("", *text.values())))  # a marker stands before each field


def class_names(label: Label) -> tuple[str, ...]:
    """The classes of a label, however many it has.

    Example:
        >>> class_names("cat"), class_names(("cat", "dog")), class_names(None)
        (('cat',), ('cat', 'dog'), ())
    """
    return (label,) if isinstance(label, str) else label or ()


def relative_name(path: Path, root: Path) -> str:
    """The path below `root` with forward slashes, or the absolute path where it lies outside. Both absolute."""
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


def clip_id(name: str, start_seconds: float | None, end_seconds: float | None, question: str = "") -> str:
    """What a clip is called.

    Args:
        name: The file's name as `relative_name` gives it.
        start_seconds: Where a range starts.
        end_seconds: Where it ends.
        question: What is asked about it; "": nothing.

    Returns:
        The name, then `@START-END` where a range is given (`@5-`: to the end), then `?QUESTION` where one is asked.

    Example:
        >>> clip_id("a.mp4", 5.0, 8.5, "What is he doing?")
        'a.mp4@5-8.5?What is he doing?'
    """
    if start_seconds is not None or end_seconds is not None:
        name += f"@{_shortest(start_seconds or 0.0)}-{'' if end_seconds is None else _shortest(end_seconds)}"
    return name + _asked(question)


def footage_id(id: str, question: str) -> str:
    """The id that a clip would have if nothing were asked about it.

    Example:
        >>> footage_id("a.mp4@5-8.5?What is he doing?", "What is he doing?")
        'a.mp4@5-8.5'
    """
    return id.removesuffix(_asked(question))


def _asked(question: str) -> str:
    words = _on_one_line(question)
    return f"?{words}" if words else ""


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _shortest(seconds: float) -> str:
    return repr(seconds).removesuffix(".0")
