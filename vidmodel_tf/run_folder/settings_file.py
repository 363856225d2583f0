"""The file of settings that a user gives to a command (`--config`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vidmodel_tf.errors import InputError
from vidmodel_tf.run_folder.formats import upgrade
from vidmodel_tf.storage import check_no_device, check_size

MAX_BYTES = 2**20  # a hundred times as much as all settings written out


def read_settings_file(path: str | Path, sections: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Reads a JSON file of settings, `{SECTION: {KEY: VALUE}}`; settings that it leaves out keep their defaults.

    The `config.json` of a run folder serves too, of an older version as well; its other entries are left aside.

    Args:
        path: The file, UTF-8.
        sections: The sections that may be in it.

    Raises:
        InputError: The file cannot be read, or something else is in it.
    """
    check_no_device(Path(path))
    try:
        check_size(Path(path), MAX_BYTES)
        values = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"cannot read the config file {path}: {error.strerror}") from None
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(f"the config file {path} is not JSON: {error}") from None
    if isinstance(values, dict) and "vidmodel_version" in values:  # a run folder's
        values = upgrade(values, path)
        values = {section: values[section] for section in sections if section in values}
    expected = " and ".join(f'"{section}"' for section in sections)
    if not isinstance(values, dict) or not all(isinstance(value, dict) for value in values.values()):
        raise InputError(f"the config file {path}: expected an object with the sections {expected}")
    for section in values:
        if section not in sections:
            raise InputError(f"the config file {path}: unknown section {section!r}; expected {expected}")
    return values
