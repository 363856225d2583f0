"""The page of a timeline: player, curves, events and rules in one HTML file that needs no network."""

from __future__ import annotations

import base64
import html
import json
import os
import shlex
import string
import urllib.parse
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from vidmodel_tf.errors import InputError

_SCORE_UNIT = 10_000  # scores have 4 places; the page gets whole numbers
_RULE_KEYS = {  # what the scripts read; a missing one would be a wrong answer, not an error
    "rules": ("on", "off", "min_seconds", "gap_seconds", "pad_seconds", "decision"),
    "video": ("reject_over_seconds", "reject_score", "review_score"),
}
_SCRIPTS = (  # in the order in which they need each other
    "elements.js",
    "times.js",
    "scores.js",
    "find_events.js",
    "judge.js",
    "colors.js",
    "view.js",
    "player.js",
    "chart_marks.js",
    "legend.js",
    "chart.js",
    "event_table.js",
    "rule_panel.js",
    "keys.js",
    "timeline.js",
)


def render_timeline_page(
    document: Mapping[str, Any], video_href: str, *, policy: Mapping[str, Any] | None = None
) -> str:
    """Makes the page as one string.

    Args:
        document: The JSON of a `Document` (`NAME.timeline.json`).
        video_href: Where the page finds the video, as `relative_href` gives it.
        policy: The JSON of the policy by which the document's events were found, with every setting, as
            `Policy.to_json` gives it: its rules become sliders. None: the page shows the events as they are.

    Returns:
        HTML, to be written as UTF-8.

    Raises:
        InputError: A rule lacks a setting or watches a class that the document does not have, or the scores are not
            0 to 1 with 4 places.
    """
    video = document["video"]
    if policy is not None:
        _check_rules(policy, document["heads"])
    return string.Template(_part("template.html")).substitute(
        title=html.escape(Path(video["path"]).name),
        video_href=html.escape(video_href),
        width=int(video["width"]),
        height=int(video["height"]),
        library_styles=_part("uPlot.min.css"),
        styles=_part("timeline.css"),
        library=f"/*\n{_part('uPlot.LICENSE')}*/\n{_part('uPlot.iife.min.js')}",
        script="\n".join(_part(name) for name in _SCRIPTS),
        data=_json_for_script(_page_data(document, policy)),
    )


def relative_href(video: str | Path, folder: str | Path) -> str:
    """The URL of a video for a page that lies in `folder`.

    Example:
        >>> relative_href("/films/100% 猫 #1.mp4", "/films/out")
        '../100%25%20%E7%8C%AB%20%231.mp4'
    """
    try:
        path = Path(os.path.relpath(video, folder)).as_posix()
    except ValueError:  # on another drive of Windows
        return Path(video).resolve().as_uri()
    return urllib.parse.quote(os.fsencode(path))


def _part(name: str) -> str:
    return (resources.files("vidmodel_tf.pages") / "timeline" / name).read_text(encoding="utf-8")


def _json_for_script(value: object) -> str:
    """JSON that cannot end the script element in which it stands."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _page_data(document: Mapping[str, Any], policy: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the page shows. It holds no path of this computer, for a page may be handed on."""
    video, settings, heads = document["video"], document["settings"], document["heads"]
    name, step_seconds = Path(video["path"]).name, settings["step_seconds"]
    num_steps = max((len(head["scores"]) for head in heads.values()), default=0)
    return {
        "video": {"name": name, "width": video["width"], "height": video["height"]},
        "convert": _command_to_convert(name),
        "model": Path(document["model"]["path"]).name,
        "windows": {"seconds": settings["window_seconds"], "kind": settings["windows"]},
        "step_seconds": step_seconds,
        "duration_seconds": video["duration_seconds"],
        "scores_end_seconds": min(num_steps * step_seconds, video["duration_seconds"]),
        "heads": [
            {"name": head, "labels": value["labels"], "scores": _encoded_tracks(value["scores"], len(value["labels"]))}
            for head, value in heads.items()
        ],
        "cuts": [shot["start_seconds"] for shot in document["shots"][1:]],
        "events": document["events"],
        "decision": document["decision"],
        "rules": [] if policy is None else policy["rules"],
        "policy": policy,
    }


def _command_to_convert(name: str) -> str:
    source = f"./{name}" if name.startswith("-") else name
    target = f"{source.removesuffix(Path(name).suffix)}.h264.mp4"
    return shlex.join(["ffmpeg", "-i", source, "-c:v", "libx264", "-pix_fmt", "yuv420p", target])


def _encoded_tracks(scores: Sequence[Sequence[float]], num_labels: int) -> list[str]:
    """For each class base64 of uint16, little-endian: a third of the size of JSON, and exact.

    Raises:
        InputError: A score is not what the page would restore.
    """
    scores_SxK = np.array(scores, np.float64).reshape(-1, num_labels)
    units_SxK = np.round(scores_SxK * _SCORE_UNIT)
    if not np.array_equal(units_SxK / _SCORE_UNIT, scores_SxK) or np.any((units_SxK < 0) | (units_SxK > _SCORE_UNIT)):
        raise InputError("expected scores from 0 to 1, rounded to 4 places. Received: others; round them first")
    return [base64.b64encode(track.tobytes()).decode("ascii") for track in units_SxK.astype("<u2").T]


def _check_rules(policy: Mapping[str, Any], heads: Mapping[str, Any]) -> None:
    for part, keys in _RULE_KEYS.items():
        for rule in policy[part]:
            missing = [key for key in ("name", "head", "label", *keys) if key not in rule]
            if missing:
                raise InputError(f"expected every setting of a rule, as `Policy.to_json` gives it. Missing: {missing}")
            _check_class(rule, heads)


def _check_class(rule: Mapping[str, Any], heads: Mapping[str, Any]) -> None:
    if rule["head"] in heads and rule["label"] in heads[rule["head"]]["labels"]:
        return
    known = ", ".join(f"{head}: {'|'.join(value['labels'])}" for head, value in heads.items())
    raise InputError(
        f"rule {rule['name']!r}: expected a head and class of the timeline ({known}). "
        f"Received: {rule['head']!r}, {rule['label']!r}"
    )
