"""Makes the data set beside this file. Version 0.1.0 made it: four text fields, and no word of where they came from.

    PYTHONPATH=CHECKOUT_OF_0.1.0 python make_old_data_set.py

`clips.json` holds what the old code itself read back: id, split, text and labels of every clip.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
from pathlib import Path

from vidmodel_tf.records.index import read_index

from tests.conftest import PREPARE
from tests.videos import write_video
from vidmodel_tf.records.prepare import prepare

HERE = Path(__file__).parent
ROWS = """path,label:colour,labels:topic,title,tags,source
0.mp4,red,sport|news,一个红色的视频,,a
1.mp4,blue,,A blue film,"short, test",b
2.mp4,red,|,,,c
3.mp4,blue,news,blue again,,d
4.mp4,red,sport,red again,,e
5.mp4,,news,,old,f
6.mp4,blue,sport,the last blue,,g
7.mp4,red,news,the last red,,h
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        source.mkdir()
        for i in range(8):
            write_video(source / f"{i}.mp4", num_frames=12, color=((255, 40, 40), (40, 40, 255))[i % 2])
        (source / "2.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nspoken words\n", encoding="utf-8")
        (source / "clips.csv").write_text(ROWS, encoding="utf-8")
        settings = dataclasses.replace(PREPARE, num_stored_frames=2, short_side=16, jpeg_quality=60)
        shutil.rmtree(HERE / "data", ignore_errors=True)
        prepare(source / "clips.csv", HERE / "data", settings)
    clips = [
        {"id": clip.id, "split": clip.split, "text": clip.text, "labels": clip.labels}
        for clip in read_index(HERE / "data")
    ]
    (HERE / "clips.json").write_text(json.dumps(clips, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
