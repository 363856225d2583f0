import pickle

import pytest

from vidmodel_tf.errors import InputError
from vidmodel_tf.labels import Labels


def test_multi_label_heads_survive_a_copy():
    labels = Labels({"topic": ("a", "b"), "mood": ["x"]}, {"topic"})
    assert labels == {"topic": ["a", "b"], "mood": ["x"]}
    assert Labels(labels).multi_label == {"topic"}


def test_unknown_multi_label_head():
    with pytest.raises(ValueError, match=r"expected some of the heads \['mood'\]\. Received: \['topic'\]"):
        Labels({"mood": ["x"]}, {"topic"})


def test_errors_cross_process_borders_with_their_details():
    error = pickle.loads(pickle.dumps(InputError("2 bad rows", details=["row 2: ...", "row 3: ..."])))
    assert (str(error), error.details, error.exit_code) == ("2 bad rows", ("row 2: ...", "row 3: ..."), 2)
