"""How does a run come into the history? Whole or not at all, once, and whatever a killed writer left is put right.

Files are written beside the data, put on the disk and renamed; the row of ``runs`` comes last and makes the run count.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from harness.errors import HarnessError
from harness.history.compact import merge_months
from harness.history.places import clear, folder_of, folders, leftovers, locked, run_file, run_named, write_parquet
from harness.history.reader import History, Selection, file_with, table_of
from harness.history.rows import Rows, rows_of
from harness.history.schema import DATASETS, RUNS, in_order
from harness.judge.verdict import JudgedRun

__all__ = ["Appended", "append"]


@dataclass(frozen=True, slots=True)
class Appended:
    """Where a run's facts stand now, and what the writer found on its way that a person should know."""

    path: Path
    notes: tuple[str, ...] = ()


def append(dataset: Path, judged: JudgedRun) -> Appended:
    """Records ``judged`` in the history under ``dataset`` (``reports/history``) and returns where.

    A run that is there already is not recorded twice: judged as before, nothing changes; judged otherwise, the new
    judgement takes the place of the old one. What a writer that was killed left behind is removed and told. Waits for
    other writers, and merges the files of months that are over. Raises ``UsageError`` for a run without id or end,
    ``HarnessError`` where nothing can be written.
    """
    rows = rows_of(judged)
    try:
        with locked(dataset):
            notes = _put_right(dataset, rows)
            path, said = _recorded(dataset, rows)
            return Appended(path, (*notes, *said, *_months_merged(dataset, rows)))
    except OSError as problem:
        raise HarnessError(
            f"run {rows.run_id} cannot be recorded in the history: {problem.strerror or problem}",
            remedy=f"Make room, then: harness history record {rows.run_id}",
        ) from problem


def _months_merged(root: Path, rows: Rows) -> list[str]:
    """Merges the months of this target that are over, so that files never become too many. The run is in already."""
    over = [
        (dataset, month)
        for dataset in DATASETS
        for month in folders(root, dataset, rows.product, rows.target)
        if month.month < rows.month
    ]
    try:
        merged = merge_months(root, over)
    except OSError as problem:
        return [f"months that are over could not be merged: {problem.strerror or problem}"]
    return [text for each in merged for text in each.passed_over]


def _put_right(root: Path, rows: Rows) -> list[str]:
    """Removes what killed writers left, of this target and in the workroom."""
    notes = []
    left = leftovers(root)
    for path in left:
        clear(path)
    if left:
        notes.append(f"removed {len(left)} unfinished from the history: a writer had been killed")
    history = History(root)
    known = set(history.runs(Selection(rows.product, rows.target))["run_id"].to_pylist())
    # Of a run whose facts are there but cannot be read, the rest is kept: perhaps it can be mended.
    torn = (run_named(path) for month in folders(root, RUNS, rows.product, rows.target) for path in month.files())
    known |= {run for run in torn if run is not None}
    cut_off = set()
    for dataset in DATASETS:
        for month in folders(root, dataset, rows.product, rows.target):
            for path in month.files():
                run = run_named(path)
                if dataset != RUNS and run is not None and run not in known:
                    path.unlink(missing_ok=True)
                    cut_off.add(run)
    cut_off.discard(rows.run_id)
    notes += [
        f"run {run} was being recorded when its writer was killed; removed. Record it: harness history record {run}"
        for run in sorted(cut_off)
    ]
    return [*notes, *history.problems]


def _recorded(root: Path, rows: Rows) -> tuple[Path, list[str]]:
    places = {
        dataset: folder_of(root, dataset, rows.product, rows.target, rows.month).path / run_file(rows.run_id)
        for dataset in DATASETS
    }
    there = _merged_with(root, rows)
    said = _verdict_of(root, rows)
    if said is not None and said == _digest(rows.tables[RUNS]):
        return there.get(RUNS, places[RUNS]), [f"run {rows.run_id} is in the history already"]
    for dataset in DATASETS:
        held = there.get(dataset)
        if held is None:
            write_parquet(root, places[dataset], dataset, rows.tables[dataset], [rows.run_id])
        else:
            _replace(root, held, dataset, rows)
    notes = [f"run {rows.run_id} was judged otherwise before: its rows have been replaced"] if said is not None else []
    return there.get(RUNS, places[RUNS]), notes


def _verdict_of(root: Path, rows: Rows) -> str | None:
    """The digest of the verdict that the history has of this run."""
    runs = History(root).runs(Selection(rows.product, rows.target))
    own = runs.filter(pc.equal(runs["run_id"], rows.run_id))
    return _digest(own) if len(own) else None


def _digest(runs: pa.Table) -> str:
    return str(runs["verdict_sha256"][0].as_py())


def _merged_with(root: Path, rows: Rows) -> dict[str, Path]:
    """Per dataset the file in which this run lies together with others."""
    found = {}
    for dataset in DATASETS:
        month = folder_of(root, dataset, rows.product, rows.target, rows.month)
        path = file_with(dataset, month, rows.run_id)
        if path is not None and run_named(path) is None:
            found[dataset] = path
    return found


def _replace(root: Path, held: Path, dataset: str, rows: Rows) -> None:
    """Puts this run's rows in the place of those that a merged file has of it."""
    found = table_of(dataset, held)
    if isinstance(found, str):
        raise HarnessError(f"{held}: {found}", remedy="Move the file away, then record its runs again")
    table, runs = found
    others = table.filter(pc.not_equal(table["run_id"], rows.run_id))
    joined = pa.concat_tables([others, rows.tables[dataset]])
    write_parquet(root, held, dataset, in_order(dataset, joined), sorted(runs))
