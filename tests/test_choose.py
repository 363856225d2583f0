"""Which backends of Keras the commands accept, and what they say of others."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from vidmodel_tf.backend.choose import import_keras, require_tensorflow
from vidmodel_tf.cli import main
from vidmodel_tf.errors import InputError
from vidmodel_tf.export.saved_model.export import export_saved_model
from vidmodel_tf.export.trained import TrainedRun

RUN = Path(__file__).parent / "data" / "old_runs" / "clips" / "run"

WITHOUT_JAX = """
import sys
sys.modules["jax"] = None
from vidmodel_tf.backend import choose
choose.import_tensorflow = lambda: None
choose.import_keras()
"""


@pytest.mark.parametrize("name", ["torch", "theano"])
def test_another_backend_is_refused_by_name(monkeypatch, capsys, name):
    monkeypatch.delitem(sys.modules, "keras")  # as in a process that has not imported it yet
    monkeypatch.setenv("KERAS_BACKEND", name)
    assert main(["evaluate", str(RUN)]) == 2
    assert f"KERAS_BACKEND: expected one of tensorflow, jax. Received: {name};" in capsys.readouterr().err


def test_a_backend_that_keras_json_names_is_refused_too(monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(InputError, match=r"expected one of tensorflow, jax\. Received: torch; call the command with"):
        import_keras()


def test_where_jax_is_missing_the_extra_is_named():
    command, environment = [sys.executable, "-c", WITHOUT_JAX], {**os.environ, "KERAS_BACKEND": "jax"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    *_, last = result.stderr.splitlines()
    assert "InputError: Keras cannot be imported on the backend" in last
    assert 'pip install "vidmodel_tf[jax]"' in last


def test_exports_are_refused_before_any_work(monkeypatch, tmp_path):
    require_tensorflow("exports")
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    message = r"exports need Keras on TensorFlow\. Received: Keras on jax; .* again with KERAS_BACKEND=tensorflow"
    monkeypatch.setattr(TrainedRun, "model", property(lambda self: pytest.fail("the model was built")))
    with pytest.raises(InputError, match=message):
        export_saved_model(RUN, tmp_path / "out")
    assert not (tmp_path / "out").exists()
