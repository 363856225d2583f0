"""`python -m tests.hostile.marked_command FILE COMMAND ...`: a command that marks in FILE when it imports something."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

from tests.hostile.marks import Marks
from vidmodel_tf import cli


def watch_imports(marks: Marks, main_thread: int) -> None:
    """Runs beside the command."""
    while True:
        frame = sys._current_frames().get(main_thread)
        while frame is not None:
            if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
                marks.mark_import()
                break
            frame = frame.f_back
        time.sleep(0.005)


if __name__ == "__main__":
    marks = Marks(Path(sys.argv[1]), is_new=False)
    threading.Thread(target=watch_imports, args=(marks, threading.main_thread().ident), daemon=True).start()
    sys.argv = ["vidmodel", *sys.argv[2:]]
    marks.mark_begin()
    code = cli.main()
    marks.mark_end()
    sys.exit(code)
