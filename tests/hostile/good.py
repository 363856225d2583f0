"""What is damaged: clips, a data set, a run and its exports, all small and whole. Run as a script it makes them."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

SECRET = "9f8b2c-the-secret-of-this-machine"  # stands in files that no command is given


@dataclass(frozen=True)
class Good:
    """Where everything lies.

    Args:
        folder: Of all of it.
    """

    folder: Path

    @property
    def clips(self) -> Path:
        """A folder of videos with `clips.csv` and files of words."""
        return self.folder / "clips"

    @property
    def videos(self) -> list[Path]:
        """The videos, sorted; in several containers."""
        return sorted(path for path in self.clips.iterdir() if path.suffix in (".mp4", ".avi", ".webm"))

    @property
    def data(self) -> Path:
        """The data set."""
        return self.folder / "data"

    @property
    def run(self) -> Path:
        """A run folder."""
        return self.folder / "run"

    @property
    def exports(self) -> Path:
        """`saved_model/1/` and `tflite/`."""
        return self.folder / "exports"

    @property
    def timelines(self) -> Path:
        """A folder of timelines."""
        return self.folder / "timelines"

    @property
    def secret(self) -> Path:
        """A file that no command is given."""
        return self.folder / "secret.txt"


def make(folder: Path) -> None:
    """Makes all of it; TensorFlow is loaded for it."""
    from tests.conftest import PREPARE, write_clips
    from tests.exports import CONFIGS, train_run
    from tests.timeline_documents import make_document
    from tests.videos import write_video
    from vidmodel_tf import cli
    from vidmodel_tf.records.prepare import prepare
    from vidmodel_tf.storage import write_json

    good = Good(folder)
    for needed in (good.clips, good.timelines):
        needed.mkdir(parents=True)
    prepare(write_clips(good.clips), good.data, PREPARE)
    for suffix in (".avi", ".webm"):
        write_video(good.clips / f"other{suffix}", num_frames=12)
    train_run(good.data, good.run, CONFIGS["plain"])
    for form in ("saved_model", "tflite"):
        if cli.main(["export", str(good.run), "--out", str(good.exports / form), "--format", form]):
            raise SystemExit(f"the export to {form} failed")
    write_json(good.timelines / "a.timeline.json", make_document(good.videos[0]).to_json())
    write_json(good.folder / "policy.json", POLICY)
    good.secret.write_text(SECRET)


POLICY = {
    "version": 1,
    "rules": [{"name": "fights", "head": "label", "label": "fight", "on": 0.6, "off": 0.4, "decision": "review"}],
    "video": [{"name": "all", "head": "label", "label": "fight", "reject_score": 0.9, "review_score": 0.5}],
}

if __name__ == "__main__":
    make(Path(sys.argv[1]))
    print(json.dumps("made"))
