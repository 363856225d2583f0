"""Words that were found in a video, remembered: the same file is not searched again."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from typing import Any

from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.remote.store import Place, RemoteFile
from vidmodel_tf.user_cache import content_hash, identity_hash, recall, remember
from vidmodel_tf.video.decoder import decoder_version
from vidmodel_tf.words.cues import Cue
from vidmodel_tf.words.source import Source, obeyed_settings

_KIND = "words"


@dataclasses.dataclass(frozen=True)
class Found:
    """What was found in a video: its words, and a line for each kind of words that was passed over."""

    cues: tuple[Cue, ...] = ()
    warnings: tuple[str, ...] = ()


def remember_found(source: Source, video: Place, settings: PrepareConfig, found: Found) -> None:
    """Keeps what a source found.

    Raises:
        InputError: The video cannot be read.
    """
    remember(_KIND, _key(source, video, settings), _to_json(found))


def recall_found(source: Source, video: Place, settings: PrepareConfig) -> Found | None:
    """What a source found when it was asked before; None where it was not.

    Raises:
        InputError: The video cannot be read.
    """
    values = recall(_KIND, _key(source, video, settings))
    try:
        return _from_json(values)
    except (KeyError, TypeError, ValueError):
        return None


def _key(source: Source, video: Place, settings: PrepareConfig) -> str:
    obeyed = list(obeyed_settings(source.name, settings).values())
    if isinstance(video, RemoteFile):
        file = [video.url, video.num_bytes, video.version]
    else:
        file = content_hash(video) if source.by_content else identity_hash(video)
    parts = [file, source.name, source.version, obeyed, decoder_version()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _to_json(found: Found) -> dict[str, Any]:
    # What holds for the whole video ends at infinity, which JSON does not have.
    cues = [dataclasses.astuple(cue) for cue in found.cues]
    cues = [(start, None if end == math.inf else end, *texts) for start, end, *texts in cues]
    return {"cues": cues, "warnings": found.warnings}


def _from_json(values: Any) -> Found:
    cues = [Cue(start, math.inf if end is None else end, *texts) for start, end, *texts in values["cues"]]
    return Found(tuple(cues), tuple(values["warnings"]))
