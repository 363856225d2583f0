"""The words that questions hold; their frames are tested with `predict`."""

from types import SimpleNamespace

import pytest

from vidmodel_tf.clips.question import Question, Refusal
from vidmodel_tf.config import ModelConfig, PrepareConfig, TrainConfig
from vidmodel_tf.run_folder.run import RunConfig
from vidmodel_tf.scoring.questions import read_questions


@pytest.mark.parametrize(
    ("languages", "words"), [(("de",), "\x02deutsch"), (("en", "de"), "\x02english"), (("fr",), "")]
)
def test_words_are_read_in_the_languages_of_the_run(tmp_path, languages, words):
    model = ModelConfig(branches="text", text_fields=("title", "subtitles"))
    run = SimpleNamespace(config=RunConfig(model, TrainConfig(), PrepareConfig(languages=languages)))
    video = tmp_path / "a.mp4"
    video.touch()
    for code, text in (("de", "deutsch"), ("en", "english")):
        (tmp_path / f"a.{code}.vtt").write_text(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{text}\n")
    assert list(read_questions(run, [video], None)) == [Question(str(video), (), words)]
    assert list(read_questions(run, [video], "given")) == [Question(str(video), (), "\x01given")]


def test_words_that_cannot_be_read_refuse_the_video_alone(tmp_path):
    run = SimpleNamespace(config=RunConfig(ModelConfig(branches="text"), TrainConfig(), PrepareConfig()))
    paths = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    for path in paths:
        path.touch()
    (tmp_path / "a.json").write_text("{")
    refusal, question = read_questions(run, paths, None)
    assert isinstance(refusal, Refusal)
    assert "a.json is not JSON" in refusal.reason
    assert question == Question(str(paths[1]), (), "")
