"""What holds for every source of words that `prepare.words` may name."""

import dataclasses
import typing

import pytest

from tests.closed_captions import ERASE, SHOW, loaded, write_captioned
from tests.conftest import PREPARE
from tests.manifests import write_table
from vidmodel_tf.config import TEXT_FIELDS, PrepareConfig, WordSource
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.prepare import prepare
from vidmodel_tf.words.source import SETTINGS, load_source, obeyed_settings, unused_settings

NAMES = typing.get_args(WordSource)


@pytest.mark.parametrize("name", NAMES)
def test_a_source_says_what_it_finds_and_obeys(name):
    source = load_source(name)
    assert source.name == name
    assert set(source.fields) <= set(TEXT_FIELDS)
    assert source.fields
    assert set(SETTINGS[name]) <= {field.name for field in dataclasses.fields(PrepareConfig)}
    assert set(obeyed_settings(name, PrepareConfig())) == set(SETTINGS[name])


def test_together_they_find_every_field():
    assert set().union(*(load_source(name).fields for name in NAMES)) == set(TEXT_FIELDS)


def test_settings_that_no_source_obeys():
    assert unused_settings(()) == {"speech_model", "screen_frames_per_second"}
    assert unused_settings(("tracks", "speech")) == {"screen_frames_per_second"}
    assert unused_settings(NAMES) == set()


def test_captions_reach_a_data_set(tmp_path):
    rows = []
    for number, text in enumerate(("A GOAL", "A FOUL", "NO GOAL", "NO FOUL")):
        write_captioned(tmp_path / f"{number}.mp4", {0: loaded(text), 20: [SHOW], 50: [ERASE]}, num_frames=60)
        rows.append({"path": f"{number}.mp4", "label": "ab"[number % 2], "split": ("train", "test")[number // 2]})
    config = dataclasses.replace(PREPARE, words=("captions",), validation_fraction=0.0)
    prepare(write_table(tmp_path / "clips.csv", rows), tmp_path / "data", config)
    clips = {clip.id: clip for clip in open_data_set(tmp_path / "data").clips}
    expected = {"0.mp4": "A GOAL", "1.mp4": "A FOUL", "2.mp4": "NO GOAL", "3.mp4": "NO FOUL"}
    assert {name: clip.text["subtitles"] for name, clip in clips.items()} == expected
    assert {clip.words_from["subtitles"] for clip in clips.values()} == {"captions"}
