"""Videos and words -> a TFDS data set: finished shards survive a kill, an unfinished set never looks whole."""

from __future__ import annotations

import shutil
from pathlib import Path

from vidmodel_tf.clips.find_words import find_words
from vidmodel_tf.clips.manifest.read import read_manifest
from vidmodel_tf.cluster.open_machines import open_machines
from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.folder_lock import locked
from vidmodel_tf.integrity import check_sums
from vidmodel_tf.machines import Machines
from vidmodel_tf.records.finish import finish
from vidmodel_tf.records.layout import CONTENT
from vidmodel_tf.records.plan import Plan, plan_data_set
from vidmodel_tf.records.prepare_report import PrepareReport, read_report
from vidmodel_tf.records.remote_folder import RemoteFolder
from vidmodel_tf.records.shards import write_shards
from vidmodel_tf.remote.store import check_url, is_url
from vidmodel_tf.storage import read_json, write_json
from vidmodel_tf.words.speech_model import with_absolute_model


def prepare(
    source: str | Path, out: str | Path, config: PrepareConfig | None = None, *, cluster: str | None = None
) -> PrepareReport:
    """Decodes the clips of `source` into a data set that `tfds.builder_from_directory(out)` reads.

    Interrupted, it leaves `OUT.partial`, and goes on from there when called again with the same arguments.

    Args:
        source: A folder of class folders, or a CSV or JSONL manifest, which may name files in stores.
        out: The folder to make, or the address of one in a store (s3://BUCKET/data/NAME). That is made on this machine,
            in the folder of `VIDMODEL_CACHE`, and then uploaded; `SHA256SUMS` last, without which it is not whole.
        config: How clips are stored.
        cluster: The address of a Ray cluster whose nodes read the videos (docs/cluster.md); None: this machine does.
            The bytes are the same.

    Raises:
        InputError: The manifest has bad rows, no clip could be read, `out` holds something else, another process
            is making it, or there is no such cluster.
        VidmodelError: A node does not see a video or has other versions, nodes died again and again, or a store gives
            no access.
    """
    config = with_absolute_model(config or PrepareConfig())
    with open_machines(cluster) as machines:
        if not is_url(str(out)):
            return _prepare(_plan(str(source), config, machines), _named(Path(out)), machines)
        store = RemoteFolder(check_url(str(out)))
        plan = _plan(str(source), config, machines)
        if store.is_whole():
            report = store.read_report()
            _check_made_so(plan, report, store)
            return report
        report = _prepare(plan, store.beside, machines)
        store.upload()
    return report


def _plan(source: str, config: PrepareConfig, machines: Machines) -> Plan:
    return plan_data_set(source, find_words(read_manifest(source, config), config, machines), config)


def _prepare(plan: Plan, out: Path, machines: Machines) -> PrepareReport:
    partial = out.with_name(out.name + ".partial")
    if not out.exists():
        with locked(partial):
            if not out.exists():  # another process may have finished it meanwhile
                _open_partial(plan, partial)
                write_shards(plan.shards, partial, plan.config, machines)
                return finish(plan, partial, out)
    report = _finished_report(plan, out)
    shutil.rmtree(partial, ignore_errors=True)  # there if a kill came right after the data set was in place
    return report


def _named(out: Path) -> Path:
    """The path with the name of its folder at the end, in place of "." and ".."."""
    out = out if out.name not in ("", "..") else out.resolve()
    if not out.name:
        raise InputError(f"{out}: expected a new folder for the data set; give another --out")
    return out


def _finished_report(plan: Plan, out: Path) -> PrepareReport:
    try:
        report = read_report(out)
    except InputError:
        raise InputError(
            f"{out} exists already and is not a prepared data set: expected a folder that does not exist yet; "
            "give another --out"
        ) from None
    _check_made_so(plan, report, out)
    check_sums(out, CONTENT)
    return report


def _check_made_so(plan: Plan, report: PrepareReport, out: Path | RemoteFolder) -> None:
    if report.plan_fingerprint != plan.fingerprint:
        raise InputError(
            f"{out} exists already and was made from other clips, words or settings{_failed_searches(plan)}: "
            "give another --out, or remove that folder first"
        )


def _open_partial(plan: Plan, partial: Path) -> None:
    path = partial / "plan.json"
    if not path.exists():
        partial.mkdir(parents=True, exist_ok=True)
        write_json(path, {"fingerprint": plan.fingerprint})
    elif read_json(path) != {"fingerprint": plan.fingerprint}:
        raise InputError(
            f"{partial} was begun with other clips, words or settings{_failed_searches(plan)}: "
            "go on with those, or remove that folder to begin anew"
        )


def _failed_searches(plan: Plan) -> str:
    """The same call gives another plan where a search for words failed now and not before, on a busy machine say."""
    failed = [f"{clip.id}: {clip.fault}" for clip in plan.manifest.clips if clip.fault is not None]
    return f" (words that are not found now, of {len(failed)} clips, such as {failed[0]})" if failed else ""
