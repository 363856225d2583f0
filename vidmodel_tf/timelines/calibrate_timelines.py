"""Folders of timelines and the truth about their videos -> a policy, and what it is worth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vidmodel_tf.scoring.calibrate import calibrate
from vidmodel_tf.scoring.calibration import Calibration
from vidmodel_tf.scoring.truth import read_truth
from vidmodel_tf.storage import write_json
from vidmodel_tf.timelines.document import read_document
from vidmodel_tf.timelines.folder import timeline_paths
from vidmodel_tf.timelines.match_truth import match_truth


def calibrate_timelines(
    folders: Sequence[str | Path],
    truth: str | Path,
    out: str | Path,
    *,
    most_false_alarms_per_hour: float | None = None,
) -> Calibration:
    """Chooses a rule for each class that the truth names, as `scoring.calibrate.calibrate` does.

    Args:
        folders: With `NAME.timeline.json` files of one model, each of another video.
        truth: The CSV file.
        out: Where to write the policy, as JSON.
        most_false_alarms_per_hour: 0 or more; None: no limit.

    Raises:
        InputError: A folder has no timelines, they and the truth do not fit each other, or there are too few videos
            or events. Nothing is written then.
    """
    known = read_truth(truth)
    documents = [read_document(path) for folder in folders for path in timeline_paths(folder)]
    matched = match_truth(documents, known)
    result = calibrate(
        matched.videos,
        list(known.rows),
        most_false_alarms_per_hour=most_false_alarms_per_hour,
        warnings=matched.warnings,
    )
    write_json(out, result.policy.to_json())
    return result
