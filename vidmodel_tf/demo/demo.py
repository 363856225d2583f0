"""The whole way on clips that it draws itself: from video files to answers, offline, in minutes."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from vidmodel_tf import tables
from vidmodel_tf.config import ModelConfig, PrepareConfig, TrainConfig
from vidmodel_tf.demo.drawn_clips import chance_levels, draw_demo
from vidmodel_tf.evaluation.evaluate import evaluate
from vidmodel_tf.forms.keras_form import RunModel
from vidmodel_tf.records.prepare import prepare
from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.scoring.clips import predict
from vidmodel_tf.training.train import train

PREPARE = PrepareConfig(num_stored_frames=16, short_side=64)
MODEL = ModelConfig(
    backbone="small_cnn",
    weights="none",
    num_frames=8,
    height=32,
    width=32,
    projection_units=64,
    lstm_units=96,
    num_tokens=24,
    embedding_units=32,
    text_lstm_units=48,
    hidden_units=192,
    dropout=0.0,
)
TRAIN = TrainConfig(epochs=20, batch_size=32, learning_rate=2e-3, patience=15, label_smoothing=0.0, random_color=0.0)


def run_demo(folder: str | Path) -> None:
    """Draws clips and leaves `clips`, `dataset` and `run` in the folder, all usable by the other commands."""
    folder, console = Path(folder), Console(highlight=False, soft_wrap=True)
    console.print("1. drawing clips: a ball changes its colour, and the title asks which came first or last")
    manifest = draw_demo(folder / "clips")
    console.print("2. vidmodel prepare")
    tables.print_prepare_report(prepare(manifest, folder / "dataset", PREPARE))
    console.print("3. vidmodel train")
    run = train(folder / "dataset", folder / "run", MODEL, TRAIN)
    console.print("4. vidmodel evaluate")
    model = RunModel(run)
    result = evaluate(model)
    tables.print_evaluation(result)
    _print_ablations(result, run, console)
    console.print("5. vidmodel predict, with the words that lie beside each video")
    videos = sorted((folder / "clips").glob("**/test-*.mp4"))[:4]
    tables.print_predictions(list(predict(model, videos)))
    console.print(f"next: vidmodel inspect {folder / 'dataset'}")
    console.print(f"      vidmodel predict {folder / 'run'} {videos[0]} --text 'Which colour comes last?'")


def _print_ablations(result: dict, run: Run, console: Console) -> None:
    (head,) = run.labels
    console.print(f"test accuracy {result['heads'][head]['accuracy']:.3f}; what is left of it, beside chance:")
    for name, chance in chance_levels().items():
        console.print(f"  {name.replace('_', ' '):16} {result['ablations'][name][head]:.3f}  (chance {chance:.3f})")
