"""What did each check show, night after night? The history of one product, target and suite as a matrix.

A night is a run. Its facts are a row; what its checks showed is a column of the matrix.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from harness.history.reader import History, Selection
from harness.history.schema import CHECKS, CLASS_COUNTS
from harness.model.outcome import ComparisonClass, Outcome, VerdictKind

__all__ = [
    "ABSENT",
    "BLIND",
    "FAILED",
    "PASSED",
    "Night",
    "Nights",
    "night_of",
    "nights_of",
    "nights_of_table",
    "suites_of",
]

ABSENT, PASSED, FAILED, BLIND = 0, 1, 2, 3
"""What a night says of a check: nothing (not part of it), passed, failed or missing, ran without saying anything."""

_COLUMNS: Final = (
    "check", "kind", "run_id", "outcome", "class", "excused", "fingerprint", "baseline_passed", "baseline_failed",
    "component",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Night:
    """The facts of one run."""

    run_id: str
    started: datetime
    release: str
    suite: str
    verdict: VerdictKind
    excluded: str
    """``mass-failure``, ``cut-off`` or ``not-ready`` where it is kept out of the statistics; else empty."""
    excluded_why: str
    why: str
    checks: int
    passed: int
    failed: int
    counts: Mapping[str, int]
    """Rows per comparison class."""
    components: Mapping[str, str]
    waivers: tuple[Mapping[str, Any], ...]
    """``{id, status, expires, ticket, checks}`` each."""
    causes: tuple[Mapping[str, Any], ...]
    """``{cause, component, text, cases, checks}`` each."""
    rehearsal: bool
    next_action: str

    @property
    def day(self) -> date:
        """The day it started on, in UTC."""
        return self.started.date()

    @property
    def approved(self) -> bool:
        """Whether the release could have gone."""
        return self.verdict in (VerdictKind.APPROVED, VerdictKind.APPROVED_WITH_KNOWN_ISSUES)


@dataclass(frozen=True, slots=True, eq=False)
class Nights:
    """The nights in the order of their start, and per check (row) and night (column) what was shown."""

    nights: tuple[Night, ...]
    checks: tuple[str, ...]
    """Sorted."""
    showed: npt.NDArray[np.int8]
    """``ABSENT``, ``PASSED``, ``FAILED`` or ``BLIND``."""
    asked: npt.NDArray[np.int32]
    """Which question it was: equal numbers in one row are equal fingerprints. -1 where there is none."""
    baseline_passed: npt.NDArray[np.int32]
    baseline_failed: npt.NDArray[np.int32]
    excused: npt.NDArray[np.bool_]
    component: tuple[str, ...]
    """Of each check, as the last night that names one has it."""
    baseline_asks_same: npt.NDArray[np.bool_]

    @property
    def counted(self) -> npt.NDArray[np.bool_]:
        """Which nights count."""
        return np.array([not night.excluded for night in self.nights], dtype=bool)


def suites_of(runs: pa.Table) -> list[str]:
    """Returns the suites that ``runs`` are of, sorted."""
    return sorted(set(runs["suite"].to_pylist()))


def nights_of(history: History, runs: pa.Table, product: str, target: str, suite: str, until: str = "") -> Nights:
    """Returns the nights of one suite on one target. ``runs`` are the rows of ``runs`` of this target, in order.

    With ``until`` (a run id) those up to and with this run.
    """
    chosen = [row for row in runs.to_pylist() if row["suite"] == suite]
    if until:
        chosen = chosen[: 1 + next((n for n, row in enumerate(chosen) if row["run_id"] == until), -1)]
    nights = tuple(night_of(row) for row in chosen)
    known = set(runs["run_id"].to_pylist())
    wanted = Selection(product, target, until_month=f"{nights[-1].started:%Y-%m}" if nights else "0000-00")
    columns = [*_COLUMNS, "definition_changed"]
    return nights_of_table(nights, history.read(CHECKS, columns, wanted, known))


def nights_of_table(nights: tuple[Night, ...], rows: pa.Table) -> Nights:
    """Returns ``nights`` with what ``rows`` (of the dataset ``checks``) tell of them; rows of other runs are left."""
    at_night = {night.run_id: number for number, night in enumerate(nights)}
    run_codes, run_ids = _coded(rows["run_id"])
    column = np.array([at_night.get(run, -1) for run in run_ids] or [-1])[run_codes]
    mine: Any = column >= 0
    if mine.all():
        mine = slice(None)
    check_codes, check_ids = _coded(rows["check"])
    order = np.argsort(np.array(check_ids, dtype=object), kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    row = rank[check_codes] if len(check_ids) else check_codes
    row, column = row[mine], column[mine]
    shape = (len(check_ids), len(nights))
    cell = row * shape[1] + column

    def spread(values: npt.NDArray[Any], kind: Any, empty: Any) -> npt.NDArray[Any]:
        matrix = np.full(shape[0] * shape[1], empty, dtype=kind)
        matrix[cell] = values[mine]
        return matrix.reshape(shape)

    outcome, names = _coded(rows["outcome"])
    class_codes, classes = _coded(rows["class"])
    by_outcome = np.array([_BY_OUTCOME.get(name, ABSENT) for name in names] or [ABSENT], dtype=np.int8)[outcome]
    is_missing = np.array([name == ComparisonClass.MISSING.value for name in classes] or [False])[class_codes]
    prints, values = _coded(rows["fingerprint"])
    unsaid = np.array([not value for value in values] or [True])[prints]
    components, component_names = _coded(rows["component"])
    has_name = np.array([bool(name) for name in component_names] or [False])[components]
    named = spread(np.where(has_name, components, -1), np.int32, -1)
    kept = np.zeros(shape[0], dtype=bool)
    kept[row] = True
    checks = np.array(check_ids, dtype=object)[order]
    kinds, kind_names = _coded(rows["kind"])
    of_case = np.zeros(shape[0], dtype=bool)
    of_case[rank[check_codes][np.array([name == "case" for name in kind_names] or [False])[kinds]]] = True
    showed = spread(np.where(is_missing, FAILED, by_outcome), np.int8, ABSENT)
    _cases_that_ran(checks, of_case, showed)
    return Nights(
        nights=nights,
        checks=tuple(checks[kept]),
        showed=showed[kept],
        asked=spread(np.where(unsaid, -1, prints), np.int32, -1)[kept],
        baseline_passed=spread(_numbers(rows["baseline_passed"]), np.int32, 0)[kept],
        baseline_failed=spread(_numbers(rows["baseline_failed"]), np.int32, 0)[kept],
        excused=spread(_numbers(rows["excused"]).astype(bool), np.bool_, False)[kept],
        component=tuple(component_names[code] if code >= 0 else "" for code in _last(named[kept])),
        baseline_asks_same=spread(~_numbers(rows["definition_changed"]).astype(bool), np.bool_, True)[kept],
    )


_BY_OUTCOME: Final = {
    Outcome.PASSED.value: PASSED,
    Outcome.FAILED.value: FAILED,
    Outcome.HOLLOW.value: BLIND,
    Outcome.SKIPPED.value: BLIND,
    Outcome.ERROR.value: BLIND,
}


def _cases_that_ran(checks: npt.NDArray[np.object_], of_case: npt.NDArray[np.bool_], showed: Any) -> None:
    """A row of a whole case is there only in nights in which no check carries what befell it; in others it passed."""
    for at in np.flatnonzero(of_case):
        prefix = f"{checks[at]}::"
        own = np.arange(np.searchsorted(checks, prefix), np.searchsorted(checks, f"{checks[at]}:;"))
        if len(own):
            ran = (showed[own] != ABSENT).any(axis=0) & (showed[at] == ABSENT)
            showed[at, ran] = PASSED


def _last(matrix: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Per row the last value that is not negative; -1 where there is none."""
    if not matrix.shape[1]:
        return np.full(matrix.shape[0], -1, dtype=np.int32)
    there = matrix >= 0
    at = matrix.shape[1] - 1 - np.argmax(there[:, ::-1], axis=1)
    return np.where(there.any(axis=1), matrix[np.arange(len(matrix)), at], -1)


def _coded(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Returns the codes of a dictionary column, and the texts that they stand for."""
    whole = column.unify_dictionaries().combine_chunks() if column.num_chunks else pa.array([], column.type)
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0) if whole.num_chunks else pa.array([], column.type)
    return whole.indices.to_numpy(zero_copy_only=False).astype(np.int64), whole.dictionary.to_pylist()


def _numbers(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = pc.cast(column, pa.int32()).to_numpy()
    return values


def night_of(row: Mapping[str, Any]) -> Night:
    """Returns the night that a row of ``runs`` tells of."""
    return Night(
        run_id=row["run_id"],
        started=row["started"],
        release=row["release"],
        suite=row["suite"],
        verdict=VerdictKind(row["verdict"]),
        excluded=row["excluded"],
        excluded_why=row["excluded_why"],
        why=row["why"],
        checks=row["checks"],
        passed=row["passed"],
        failed=row["failed"],
        counts={each.value: row[name] for each, name in CLASS_COUNTS.items()},
        components=json.loads(row["components"]),
        waivers=tuple(json.loads(row["waivers"])),
        causes=tuple(json.loads(row["causes"])),
        rehearsal=row["rehearsal"],
        next_action=row["next_action"],
    )
