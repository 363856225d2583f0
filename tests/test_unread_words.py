"""`train` names the text fields with words that the model does not read."""

import dataclasses
from types import SimpleNamespace

import pytest

from tests.conftest import MODEL
from vidmodel_tf.config import TEXT_FIELDS
from vidmodel_tf.training.unread_words import describe_unread_words


def data_with(**texts):
    """The training clips of a data set whose fields hold these texts, clip by clip."""
    rows = zip(*texts.values(), strict=True)
    clips = [SimpleNamespace(text=dict.fromkeys(TEXT_FIELDS, "") | dict(zip(texts, row, strict=True))) for row in rows]
    return SimpleNamespace(in_split=lambda split: {"train": clips, "test": []}[split])


def test_fields_with_words_are_named_with_the_number_of_clips():
    data = data_with(title=["a", "b", "c"], screen_text=["EXIT", " ", "3"], speech=["", "hello", ""])
    assert describe_unread_words(data, MODEL) == (
        "the training clips have words that the model does not read: screen_text (2 of 3 clips), speech (1 of 3 clips);"
        " model.text_fields says what it reads"
    )


def test_questions_that_are_not_read_are_named():
    data = data_with(title=["a", "b"], question=["What?", ""])
    assert "does not read: question (1 of 2 clips);" in str(describe_unread_words(data, MODEL))
    asking = dataclasses.replace(MODEL, text_fields=("question", "title"))
    assert describe_unread_words(data, asking) is None


def test_questions_to_a_model_of_frames_alone_are_named():
    data = data_with(question=["What is he doing?"], title=["a"])
    without_words = dataclasses.replace(MODEL, branches="video")
    assert "does not read: question (1 of 1 clips);" in str(describe_unread_words(data, without_words))


@pytest.mark.parametrize(
    "changes", [{"text_fields": TEXT_FIELDS}, {"branches": "video"}, {"text_fields": ("title", "speech")}]
)
def test_nothing_is_said_where_all_words_are_read_or_none_are_meant_to_be(changes):
    data = data_with(title=["a"], speech=["hello"])
    assert describe_unread_words(data, dataclasses.replace(MODEL, **changes)) is None
