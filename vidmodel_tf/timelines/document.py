"""`NAME.timeline.json`: all that is known of one video, from which everything else is drawn again. No TensorFlow."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.scoring.event import Event
from vidmodel_tf.scoring.timed_scores import HeadScores, TimedScores
from vidmodel_tf.storage import read_json, write_text

SUFFIX = ".timeline.json"
VERSION = 1


@dataclasses.dataclass(frozen=True)
class VideoFacts:
    """The video.

    Attributes:
        path: As the user gave it, made absolute.
        sha256: Of the file's content, hexadecimal.
        duration_seconds: From the container's second 0, as players count, to the end of the last picture.
        num_frames: As the container says or as counted.
        width: Pixels, upright.
        height: Pixels, upright.
    """

    path: str
    sha256: str
    duration_seconds: float
    num_frames: int
    width: int
    height: int


@dataclasses.dataclass(frozen=True)
class ModelFacts:
    """The model.

    Attributes:
        path: As the user gave it.
        fingerprint: Changes when its settings or weights do.
    """

    path: str
    fingerprint: str


@dataclasses.dataclass(frozen=True)
class TimelineSettings:
    """How the video was divided.

    Attributes:
        window_seconds: Length of a window.
        hop_seconds: From the start of a window to that of the next.
        step_seconds: One frame spacing; a multiple of it is the hop.
        windows: "shots": windows do not cross cuts; "fixed": they take no notice of them.
    """

    window_seconds: float
    hop_seconds: float
    step_seconds: float
    windows: str


@dataclasses.dataclass(frozen=True)
class Shot:
    """What lies between two cuts, half open."""

    start_seconds: float
    end_seconds: float


@dataclasses.dataclass(frozen=True, eq=False)
class Document:
    """One video's timeline.

    Attributes:
        video: The video.
        model: The model.
        settings: How the video was divided.
        scores: A row a step.
        shots: In order, without gaps; one for the whole video where cuts were not looked for.
        events: By start.
        decision: The worst decision of the policy's rules; None without a policy that decides.
    """

    video: VideoFacts
    model: ModelFacts
    settings: TimelineSettings
    scores: TimedScores
    shots: tuple[Shot, ...] = ()
    events: tuple[Event, ...] = ()
    decision: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As the file holds it."""
        heads = {
            name: {"labels": list(head.labels), "scores": head.scores.tolist()}
            for name, head in self.scores.heads.items()
        }
        return {
            "version": VERSION,
            "video": dataclasses.asdict(self.video),
            "model": dataclasses.asdict(self.model),
            "settings": dataclasses.asdict(self.settings),
            "heads": heads,
            "shots": [dataclasses.asdict(shot) for shot in self.shots],
            "events": [event.to_json() for event in self.events],
            "decision": self.decision,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Document:
        """The reverse of `to_json`."""
        video, settings = VideoFacts(**value["video"]), TimelineSettings(**value["settings"])
        heads = {
            name: HeadScores(
                tuple(head["labels"]), np.array(head["scores"], np.float64).reshape(-1, len(head["labels"]))
            )
            for name, head in value["heads"].items()
        }
        return cls(
            video=video,
            model=ModelFacts(**value["model"]),
            settings=settings,
            scores=TimedScores(settings.step_seconds, video.duration_seconds, heads),
            shots=tuple(Shot(**shot) for shot in value["shots"]),
            events=tuple(Event.from_json(event) for event in value["events"]),
            decision=value["decision"],
        )


def write_document(path: str | Path, document: Document) -> None:
    """Writes the file, whole or not at all."""
    write_text(path, json.dumps(document.to_json(), ensure_ascii=False, allow_nan=False) + "\n")


def read_document(path: str | Path) -> Document:
    """Reads the file.

    Raises:
        InputError: It is missing or damaged, or was made by a newer version.
    """
    path = Path(path)
    value = read_json(path)
    if not isinstance(value, dict) or value.get("version") != VERSION:
        found = value.get("version") if isinstance(value, dict) else type(value).__name__
        raise InputError(f"{path}: expected a timeline of version {VERSION}. Received: {found}")
    try:
        return Document.from_json(value)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is damaged: {error}; make it again with `vidmodel timeline`") from None
