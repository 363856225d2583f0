"""A folder of class folders -> clips: `SOURCE/LABEL/clip.mp4`, or `SOURCE/SPLIT/LABEL/clip.mp4`."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from vidmodel_tf.clips.clip import Clip, check_words, clip_id, relative_name
from vidmodel_tf.clips.manifest.cells import SPLIT_NAMES, check_video_file, parse_class
from vidmodel_tf.clips.manifest.missing import is_missing
from vidmodel_tf.clips.manifest.passed_over import count_passed_over, describe_counts
from vidmodel_tf.config import TEXT_FIELDS
from vidmodel_tf.errors import InputError
from vidmodel_tf.video.names import is_video_name
from vidmodel_tf.words.cues import sources_by_field, text_by_field
from vidmodel_tf.words.sidecars import Sidecars

HEAD = "label"


@dataclasses.dataclass(frozen=True)
class ClassFolders:
    """What a folder of class folders holds.

    Attributes:
        clips: Sorted by path.
        passed_over: Files in the class folders that are neither videos nor words beside one: how many, by suffix.
        warnings: One line each.
    """

    clips: list[Clip]
    passed_over: Counter[str]
    warnings: list[str]


def read_folder(root: Path, sidecars: Sidecars) -> ClassFolders:
    """Reads a folder of class folders.

    A level of folders `train`, `validation` (or `val`), `test` above the class folders is recognised as splits where
    no other folder with videos stands beside them and no video lies in them directly. Hidden files are passed over.
    A video may be a link to a file elsewhere; the link's place says its class.

    Args:
        root: Absolute.
        sidecars: Finds the words beside the videos.

    Raises:
        InputError: A video lies above or below the class folders, a file cannot be a video, two links lead to one
            file, or there is no video; `details` lists every bad file.
    """
    class_folders = list(_class_folders(root))
    clips = _read_clips(root, class_folders, sidecars)
    passed_over = sum((count_passed_over(folder, sidecars) for folder, _ in class_folders), Counter())
    if not clips:
        others = f", but {describe_counts(passed_over)}" if passed_over else ""
        raise InputError(
            f"expected videos in class folders, SOURCE/LABEL/clip.mp4. Received: no video in {root}{others}"
        )
    warnings = [warning for folder, _ in class_folders for warning in _warnings(folder, root)]
    return ClassFolders(clips, passed_over, warnings)


def _read_clips(root: Path, class_folders: Sequence[tuple[Path, str | None]], sidecars: Sidecars) -> list[Clip]:
    faults = [f"{path.name}: lies beside the class folders; move it into one" for path in _videos(root)]
    clips: dict[object, Clip] = {}
    num_files = len(faults)
    for class_folder, split in class_folders:
        for path in _videos_below(class_folder):
            num_files += 1
            try:
                clip = _read_clip(path, class_folder, root, split, sidecars)
                if clip.key in clips:
                    raise InputError(f"the same file as {clips[clip.key].id}; remove one of the links")
            except InputError as error:
                faults.append(f"{relative_name(path, root)}: {error}")
            else:
                clips[clip.key] = clip
    if faults:
        raise InputError(f"{len(faults)} bad of {num_files} videos in {root}; correct or remove them", faults)
    return sorted(clips.values(), key=lambda clip: clip.id)


def _class_folders(root: Path) -> Iterator[tuple[Path, str | None]]:
    folders = _folders(root)
    with_videos = [folder for folder in folders if _holds_videos(folder)]
    split_folders = [
        folder for folder in with_videos if folder.name.lower() in SPLIT_NAMES and not any(_videos(folder))
    ]
    if not split_folders:
        yield from ((folder, None) for folder in folders)
        return
    if strangers := [folder.name for folder in with_videos if folder not in split_folders]:
        raise InputError(
            f"expected only class folders, or only the split folders train, validation, test, in {root}. "
            f"Received: {split_folders[0].name!r} with folders in it, and beside it {strangers[0]!r}"
        )
    for folder in split_folders:
        split = SPLIT_NAMES[folder.name.lower()]
        yield from ((class_folder, split) for class_folder in _folders(folder))


def _read_clip(path: Path, class_folder: Path, root: Path, split: str | None, sidecars: Sidecars) -> Clip:
    if path.is_dir():
        raise InputError("a link to a folder, which is not followed; link the videos in it one by one")
    if path.parent != class_folder:
        raise InputError("lies deeper than the class folder; expected LABEL/clip.mp4 (or name its label in a CSV)")
    check_video_file(path)
    label = parse_class(class_folder.name)
    if label is None:
        raise InputError("expected a class folder with a name")
    name, cues = relative_name(path, root), sidecars.find(path)
    text = text_by_field(cues)
    check_words(text)
    return Clip(
        id=clip_id(name, None, None),
        path=path,
        text=text,
        words_from=sources_by_field(cues),
        open_fields=frozenset(TEXT_FIELDS) - {cue.field for cue in cues},
        labels={HEAD: label},
        source=name,
        split=split,
    )


def _warnings(class_folder: Path, root: Path) -> Iterator[str]:
    name = relative_name(class_folder, root)
    if not _holds_videos(class_folder):
        yield f"the folder {name!r} holds no video, so there is no class of this name"
    elif is_missing(class_folder.name):
        yield f"the class {name!r} has the name by which pandas writes a missing value"


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "__MACOSX")))


def _videos(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if is_video_name(path.name) and not path.is_dir())


def _videos_below(folder: Path) -> Iterator[Path]:
    yield from sorted(_videos(folder))
    for inner in _folders(folder):
        # A linked folder may lead anywhere, also above itself: it is not entered, and refused as it stands.
        yield from [inner] if inner.is_symlink() else _videos_below(inner)


def _holds_videos(folder: Path) -> bool:
    return next(_videos_below(folder), None) is not None
