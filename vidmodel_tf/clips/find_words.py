"""Words in the videos themselves, for the fields that a source of clips leaves open."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from vidmodel_tf.clips.clip import Clip, check_words
from vidmodel_tf.clips.manifest.read import Manifest
from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.machines import Machines
from vidmodel_tf.remote.store import Place
from vidmodel_tf.words.cues import cut, sources_by_field, text_by_field
from vidmodel_tf.words.remembered import Found
from vidmodel_tf.words.words_in_videos import WordsInVideos


def find_words(manifest: Manifest, config: PrepareConfig, machines: Machines | None = None) -> Manifest:
    """The same clips with the words that lie in their videos; those of a range are cut out of those of the film.

    Args:
        manifest: From `read_manifest`.
        config: Which sources of words are asked.
        machines: Where videos are searched; None: here.

    Returns:
        A clip whose video cannot be searched has a `fault`.

    Raises:
        UnusableSourceError: A source of words can be used for no file.
    """
    fields_of: defaultdict[Place, set[str]] = defaultdict(set)
    for clip in manifest.clips:
        if clip.path is not None:
            fields_of[clip.path] |= clip.open_fields
    if not config.words or not fields_of:
        return manifest
    with WordsInVideos(config, config.num_workers, machines) as words:
        answers = words.find_all(fields_of)
    clips = tuple(clip if clip.path is None else _with_words(clip, answers[clip.path]) for clip in manifest.clips)
    return dataclasses.replace(manifest, clips=clips, warnings=(*manifest.warnings, *_warnings(answers)))


def _with_words(clip: Clip, found: Found | InputError) -> Clip:
    if isinstance(found, InputError):
        return dataclasses.replace(clip, fault=found.reason)
    cues = [cue for cue in cut(found.cues, clip.start_seconds, clip.end_seconds) if cue.field in clip.open_fields]
    text = {**clip.text, **{field: text for field, text in text_by_field(cues).items() if text}}
    try:
        check_words(text)
    except InputError as error:
        return dataclasses.replace(clip, fault=error.reason)
    words_from = {**clip.words_from, **sources_by_field(cues)}
    return dataclasses.replace(clip, text=text, words_from=words_from)


def _warnings(answers: Mapping[Place, Found | InputError]) -> Iterator[str]:
    videos_of: defaultdict[str, list[Place]] = defaultdict(list)
    for video, answer in answers.items():
        for line in answer.warnings if isinstance(answer, Found) else ():
            videos_of[line].append(video)
    yield from (f"words in {_names(videos)}: {line}" for line, videos in videos_of.items())


def _names(videos: Sequence[Place]) -> str:
    return videos[0].name if len(videos) == 1 else f"{len(videos)} videos, such as {videos[0].name}"
