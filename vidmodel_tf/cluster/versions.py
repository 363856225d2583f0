"""What a machine computes with. Another version of any of it might give other bytes."""

from __future__ import annotations

import functools
import platform
from collections.abc import Mapping
from importlib.metadata import version

from vidmodel_tf.backend.choose import chosen_backend
from vidmodel_tf.version import __version__
from vidmodel_tf.video.decoder import decoder_version
from vidmodel_tf.video.opencv import import_opencv


@functools.cache
def installed_versions() -> Mapping[str, str]:
    """Versions by name, of this process."""
    return {
        "vidmodel_tf": __version__,
        "python": platform.python_version(),
        "processor": platform.machine(),
        **{f"decoder {name}": value for name, value in decoder_version().items()},
        "opencv": import_opencv().__version__,
        **{name: version(name) for name in ("numpy", "tensorflow", "keras")},
        "backend of Keras": chosen_backend(),
    }


def differences(expected: Mapping[str, str]) -> str:
    """How this process differs from another, as part of a message; "" where it does not.

    Args:
        expected: `installed_versions` of the other.

    Example:
        >>> differences({**installed_versions(), "keras": "1.0"}).endswith("in place of 1.0")
        True
    """
    found = installed_versions()
    return ", ".join(
        f"{name} {found.get(name)} in place of {value}" for name, value in expected.items() if found.get(name) != value
    )
