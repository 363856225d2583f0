"""The settings of the model that a server serves, and the server's outputs as answers with class names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from vidmodel_tf.decision import AnyLabels, HeadAnswer, OneLabel, decide
from vidmodel_tf.errors import InputError, VidmodelError
from vidmodel_tf.run_folder.layout import EXPORTED_RUN, is_run_folder, versions_in
from vidmodel_tf.run_folder.run import Run, read_settings_of_run
from vidmodel_tf.serving.endpoint import Outputs


def read_settings_of_served(path: str | Path, version: int | None = None) -> Run:
    """The settings by which clips are made ready for a served model, and its class names.

    Args:
        path: The run folder, the exported version, or the folder of the model's versions.
        version: Which of several versions; None: the newest.

    Raises:
        InputError: It is none of these.
    """
    path = Path(path)
    versions = sorted(versions_in(path), reverse=True) if version is None else [version]
    for folder in (path, path / EXPORTED_RUN, *(path / str(number) / EXPORTED_RUN for number in versions)):
        if is_run_folder(folder):
            return read_settings_of_run(folder)
    which = "" if version is None else f" that holds the version {version}"
    raise InputError(f"settings: expected a run folder, or a folder made by `vidmodel export`{which}. Received: {path}")


def describe_outputs(
    outputs: Outputs, num_clips: int, labels: Mapping[str, Sequence[str]] | None = None
) -> list[dict[str, HeadAnswer]]:
    """Puts a server's outputs into words. The labels are those that the server chose.

    Args:
        outputs: From `ServingClient.ask`.
        num_clips: B, as asked.
        labels: Class names of each head; None: they are not known.

    Returns:
        For each clip its answers by head; their `scores` are a list where the class names are not known.

    Raises:
        InputError: The heads or classes are others than those of `labels`.
        VidmodelError: The outputs are not for `num_clips` clips.
    """
    heads = [name.removesuffix("_scores") for name in sorted(outputs) if name.endswith("_scores")]
    if {len(value) for value in outputs.values()} != {num_clips}:
        sizes = {name: len(value) for name, value in outputs.items()}
        raise VidmodelError(f"the server: expected an answer about {num_clips} clips. Received rows: {sizes}")
    if labels is not None:
        _check_labels(outputs, heads, labels)
        heads = list(labels)
    return [{head: _describe(outputs, head, i, labels) for head in heads} for i in range(num_clips)]


def _check_labels(outputs: Outputs, heads: Sequence[str], labels: Mapping[str, Sequence[str]]) -> None:
    served = {head: len(outputs[f"{head}_scores"][0]) for head in heads}
    expected = {head: len(names) for head, names in labels.items()}
    if served != expected:
        raise InputError(
            f"settings: expected those of the model that is served, with the classes by head {served}. "
            f"Received: {expected}; give the folder of the version that is served"
        )


def _describe(outputs: Outputs, head: str, i: int, labels: Mapping[str, Sequence[str]] | None) -> HeadAnswer:
    values = [float(score) for score in outputs[f"{head}_scores"][i]]
    scores = values if labels is None else dict(zip(labels[head], values, strict=True))
    best = int(decide(values))
    if f"{head}_labels" in outputs:
        joined = outputs[f"{head}_labels"][i]
        given = tuple(joined.split("|")) if joined else ()
        if labels is not None:
            _check_served(set(given) <= set(labels[head]), head, given, labels)
        return AnyLabels(given, scores)
    label = outputs[f"{head}_label"][i]
    if labels is not None:
        _check_served(label == labels[head][best], head, label, labels)
    return OneLabel(label, values[best], scores)


def _check_served(same: bool, head: str, answer: str | tuple[str, ...], labels: Mapping[str, Sequence[str]]) -> None:
    if not same:
        said = answer if isinstance(answer, str) else list(answer)
        raise InputError(
            f"settings: expected those of the model that is served, which answers {said!r} for the head {head!r}. "
            f"Received: the classes {list(labels[head])}; give the folder of the version that is served"
        )
