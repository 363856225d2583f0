from vidmodel_tf.commands import show
from vidmodel_tf.commands.prepare import print_report

REPORT = {
    "num_clips": 2,
    "counts": {"train": {"clips": 2, "labels": {"label": {"x": 1, "y": 1}}}},
    "refused": {"a.mp4": "is empty"},
    "warnings": ["class [b] has few clips"],
    "ignored_columns": ["url"],
    "passed_over": {".jpg": 2, ".bik": 3},
}


def test_everything_that_was_not_stored_is_printed(capsys):
    print_report(REPORT, show.open_console())
    lines = capsys.readouterr().out.splitlines()
    assert lines[-4:] == [
        "refused: a.mp4: is empty",
        "passed over: 5 files: 3 .bik, 2 .jpg",
        "warning: class [b] has few clips",
        "ignored columns: url",
    ]
