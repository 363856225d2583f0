from vidmodel_tf.commands import show
from vidmodel_tf.commands.prepare import print_report
from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.records.prepare_report import PrepareReport, SplitCounts

REPORT = PrepareReport(
    num_clips=2,
    refused={"a.mp4": "is empty"},
    warnings=("class [b] has few clips",),
    clip_warnings={f"{i}.mp4": ("one is odd", "and so is this") for i in range(22)},
    ignored_columns=("url",),
    passed_over={".jpg": 2, ".bik": 3},
    decoder={"name": "pyav"},
    counts={"train": SplitCounts(2, {"label": {"x": 1, "y": 1}})},
    settings=PrepareConfig(),
    source="clips.csv",
    plan_fingerprint="",
    fingerprint="",
)


def test_everything_that_was_not_stored_is_printed(capsys):
    print_report(REPORT, show.open_console())
    lines = capsys.readouterr().out.splitlines()
    first = lines.index("refused: a.mp4: is empty")
    assert lines[first + 1 : first + 3] == [
        "passed over: 5 files: 3 .bik, 2 .jpg",
        "warning: 0.mp4: one is odd; and so is this",
    ]
    assert lines[-4:] == [
        "warning: 19.mp4: one is odd; and so is this",
        "warning: 2 more clips, see prepare_report.json",
        "warning: class [b] has few clips",
        "ignored columns: url",
    ]
