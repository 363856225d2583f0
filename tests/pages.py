"""The commands of a page of the docs, run as they stand there but for a small model."""

from __future__ import annotations

import shlex
from pathlib import Path

from vidmodel_tf.cli import main

DOCS = Path(__file__).parents[1] / "docs"
BACKBONE = " --backbone efficientnet_lite0"


def commands(page: str) -> list[str]:
    """The lines of a page's `sh` blocks that call vidmodel."""
    blocks = (DOCS / page).read_text(encoding="utf-8").split("```sh\n")[1:]
    return [line for block in blocks for line in block.split("```")[0].splitlines() if line.startswith("vidmodel ")]


def run_commands(page: str) -> None:
    """Runs them in the current folder, which holds `prepare.json` and `train.json`, settings of a small model."""
    for command in commands(page):
        name, *arguments = shlex.split(command.removeprefix("vidmodel ").replace(BACKBONE, ""))
        settings = ["--config", f"{name}.json"] if name in ("prepare", "train") else []
        assert main([name, *arguments, *settings]) in (0, None), command
