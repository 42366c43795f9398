"""What does the history hold? Three datasets of plain columns, and the mark by which a file is known to be of them.

``runs`` has a row per run, ``checks`` one per check and run, ``operations`` one per operation, measure and run.
Product, target and month (of the run's start, UTC) stand in the folders, hive style, and in no file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final

import pyarrow as pa

from harness.model.outcome import ComparisonClass

__all__ = [
    "CHECKS",
    "CLASS_COUNTS",
    "DATASETS",
    "FORMAT",
    "OPERATIONS",
    "RUNS",
    "SCHEMAS",
    "SORTED_BY",
    "foreign",
    "in_order",
    "marks",
    "runs_marked",
]

FORMAT: Final = 1
"""Of the files; a reader passes over, and names, what was written in a later one."""

RUNS, CHECKS, OPERATIONS = "runs", "checks", "operations"
DATASETS: Final = (OPERATIONS, CHECKS, RUNS)
"""In the order they are written: a run is recorded when its row of ``runs`` is there."""

CLASS_COUNTS: Final = {each: f"count_{each.value.replace('-', '_')}" for each in ComparisonClass}
_TIME: Final = pa.timestamp("ms", tz="UTC")


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema([pa.field(name, kind) for name, kind in columns.items()])


SCHEMAS: Final[Mapping[str, pa.Schema]] = {
    RUNS: _schema(
        run_id=pa.string(),
        started=_TIME,
        ended=_TIME,
        release=pa.string(),
        suite=pa.string(),
        suite_digest=pa.string(),
        scheme=pa.string(),
        target_kind=pa.string(),
        rehearsal=pa.bool_(),
        verdict=pa.string(),
        excluded=pa.string(),
        excluded_why=pa.string(),
        why=pa.string(),
        next_action=pa.string(),
        cases=pa.int32(),
        checks=pa.int32(),
        passed=pa.int32(),
        failed=pa.int32(),
        **dict.fromkeys(CLASS_COUNTS.values(), pa.int32()),
        components=pa.string(),
        waivers=pa.string(),
        causes=pa.string(),
        harness=pa.string(),
        verdict_sha256=pa.string(),
    ),
    CHECKS: _schema(
        check=pa.string(),
        run_id=pa.string(),
        started=_TIME,
        release=pa.string(),
        suite=pa.string(),
        kind=pa.string(),
        outcome=pa.string(),
        **{"class": pa.string()},
        excused=pa.bool_(),
        fingerprint=pa.string(),
        definition_changed=pa.bool_(),
        moved_from=pa.string(),
        baseline_passed=pa.int32(),
        baseline_failed=pa.int32(),
        cause=pa.string(),
        component=pa.string(),
        operation=pa.string(),
        latency_ms=pa.float32(),
        callback_ms=pa.float32(),
        message=pa.string(),
    ),
    OPERATIONS: _schema(
        operation=pa.string(),
        measure=pa.string(),
        run_id=pa.string(),
        started=_TIME,
        release=pa.string(),
        suite=pa.string(),
        component=pa.string(),
        count=pa.int32(),
        p50_ms=pa.float32(),
        p95_ms=pa.float32(),
        max_ms=pa.float32(),
    ),
}

SORTED_BY: Final = {RUNS: ("started", "run_id"), CHECKS: ("check", "started"), OPERATIONS: ("operation", "started")}
"""How rows lie in a file, so that a reader that looks for one check passes over most row groups."""


def in_order(dataset: str, table: pa.Table) -> pa.Table:
    """Returns ``table`` with its rows as they lie in a file."""
    return table.sort_by([(name, "ascending") for name in SORTED_BY[dataset]])


_FORMAT_KEY, _DATASET_KEY, _RUNS_KEY = b"mojaloop-harness.format", b"mojaloop-harness.dataset", b"mojaloop-harness.runs"


def marks(dataset: str, runs: Iterable[str]) -> dict[bytes, bytes]:
    """Returns what a file's metadata says of it: format, dataset, and the ids of the runs whose rows it holds."""
    listed = json.dumps(sorted(set(runs)), ensure_ascii=False)
    return {_FORMAT_KEY: str(FORMAT).encode(), _DATASET_KEY: dataset.encode(), _RUNS_KEY: listed.encode()}


def runs_marked(metadata: Mapping[bytes, bytes] | None) -> frozenset[str]:
    """Returns the ids of the runs whose rows a file holds, by its ``marks``."""
    return frozenset(json.loads((metadata or {})[_RUNS_KEY]))


def foreign(dataset: str, metadata: Mapping[bytes, bytes] | None, columns: Iterable[str]) -> str:
    """Returns why a file is not one of ``dataset`` that can be read; empty where it is."""
    given = metadata or {}
    if _FORMAT_KEY not in given or _RUNS_KEY not in given:
        return "the harness did not write it"
    if given[_FORMAT_KEY] != str(FORMAT).encode():
        said = given[_FORMAT_KEY].decode("utf-8", "replace")
        return f"it has format {said[:20]}, and this harness reads format {FORMAT}"
    if given.get(_DATASET_KEY) != dataset.encode():
        return f"it belongs to another dataset than {dataset}"
    absent = set(SCHEMAS[dataset].names) - set(columns)
    return f"it lacks the columns {', '.join(sorted(absent))}" if absent else ""
