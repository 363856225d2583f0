"""As `pytorch.py`, by `torch.compile`."""

from __future__ import annotations

from pytorch import main

main(compiled=True)
