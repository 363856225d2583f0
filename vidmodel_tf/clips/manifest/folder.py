"""A folder of class folders -> clips: `SOURCE/LABEL/clip.mp4`, or `SOURCE/SPLIT/LABEL/clip.mp4`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vidmodel_tf.clips.clip import Clip, clip_id, relative_name
from vidmodel_tf.clips.manifest.cells import SPLIT_NAMES, check_video_file, parse_class
from vidmodel_tf.errors import InputError
from vidmodel_tf.video.names import is_video_name
from vidmodel_tf.words.sidecars import read_sidecar_words

HEAD = "label"


def read_folder(root: Path) -> list[Clip]:
    """The clips of a folder of class folders (absolute path), sorted by path.

    A level of folders `train`, `validation` (or `val`), `test` above the class folders is recognised as splits where
    no other folder with videos stands beside them and no video lies in them directly. Hidden files, files that are
    not videos, and folders without videos are passed over.

    Raises:
        InputError: A video lies above or below the class folders, a link leads out of its class folder, a file
            cannot be a video, or there is no video; `details` lists every bad file.
    """
    folders = [folder for folder in _folders(root) if _holds_videos(folder)]
    faults = [f"{path.name}: lies beside the class folders; move it into one" for path in _videos(root)]
    clips: dict[object, Clip] = {}
    num_files = len(faults)
    for class_folder, split in _class_folders(root, folders):
        for path in _videos_below(class_folder):
            num_files += 1
            try:
                clip = _read_clip(path, class_folder, root, split)
                if clip.key in clips:
                    raise InputError(f"the same file as {clips[clip.key].id}; remove one of the links")
            except InputError as error:
                faults.append(f"{relative_name(path, root)}: {error}")
            else:
                clips[clip.key] = clip
    if faults:
        raise InputError(f"{len(faults)} bad of {num_files} videos in {root}; correct or remove them", faults)
    if not clips:
        raise InputError(f"expected videos in class folders, SOURCE/LABEL/clip.mp4. Received: no video in {root}")
    return sorted(clips.values(), key=lambda clip: clip.id)


def _class_folders(root: Path, folders: list[Path]) -> Iterator[tuple[Path, str | None]]:
    split_folders = [folder for folder in folders if folder.name.lower() in SPLIT_NAMES and not any(_videos(folder))]
    if not split_folders:
        yield from ((folder, None) for folder in folders)
        return
    if strangers := [folder.name for folder in folders if folder not in split_folders]:
        raise InputError(
            f"expected only class folders, or only the split folders train, validation, test, in {root}. "
            f"Received: {split_folders[0].name!r} with folders in it, and beside it {strangers[0]!r}"
        )
    for folder in split_folders:
        split = SPLIT_NAMES[folder.name.lower()]
        yield from ((class_folder, split) for class_folder in _folders(folder))


def _read_clip(path: Path, class_folder: Path, root: Path, split: str | None) -> Clip:
    if not path.resolve().is_relative_to(class_folder.resolve()):
        raise InputError(f"a link that leads out of its class folder, to {path.resolve()}; put the file itself there")
    if path.parent != class_folder:
        raise InputError("lies deeper than the class folder; expected LABEL/clip.mp4 (or name its label in a CSV)")
    check_video_file(path)
    label = parse_class(class_folder.name)
    if label is None:
        raise InputError("expected a class folder with a name")
    name = relative_name(path, root)
    return Clip(
        id=clip_id(name, None, None),
        path=path,
        text=read_sidecar_words(path),
        labels={HEAD: label},
        source=name,
        split=split,
    )


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "__MACOSX")))


def _videos(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if is_video_name(path.name) and not path.is_dir())


def _videos_below(folder: Path) -> Iterator[Path]:
    yield from sorted(_videos(folder))
    for inner in _folders(folder):
        # A linked folder is not entered, it may lead anywhere, above itself too; its name is refused as it stands.
        yield from [inner] if inner.is_symlink() else _videos_below(inner)


def _holds_videos(folder: Path) -> bool:
    return next(_videos_below(folder), None) is not None
