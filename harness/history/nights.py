"""What did each check show, night after night? The history of one product, target and suite as a matrix.

A night is a run. Its facts are a row; what its checks showed is a column of the matrix.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, TypeAlias, TypeVar

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
    "BRIEFLY",
    "FAILED",
    "PASSED",
    "Brief",
    "Night",
    "Nights",
    "Shown",
    "brief_of",
    "night_of",
    "nights_of",
    "shown_in",
    "suites_of",
]

Codes: TypeAlias = npt.NDArray[np.int32]
Mask: TypeAlias = npt.NDArray[np.bool_]
Kind = TypeVar("Kind", bound="Shown")

ABSENT, PASSED, FAILED, BLIND = 0, 1, 2, 3
"""What a night says of a check: nothing (not part of it), passed, failed or missing, ran without saying anything."""

_COLUMNS: Final = (
    "check", "kind", "run_id", "outcome", "class", "excused", "fingerprint", "baseline_passed", "baseline_failed",
    "component", "moved_from",
)  # fmt: skip


BRIEFLY: Final = ("run_id", "started", "release", "suite", "excluded")
"""The columns of ``runs`` that a ``Brief`` is made from."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What the statistics ask of one run."""

    run_id: str
    started: datetime
    release: str
    suite: str
    excluded: str
    """``mass-failure``, ``cut-off`` or ``not-ready`` where it is kept out of the statistics; else empty."""

    @property
    def day(self) -> date:
        """The day it started on, in UTC."""
        return self.started.date()


@dataclass(frozen=True, slots=True)
class Night(Brief):
    """The facts of one run."""

    verdict: VerdictKind
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
    def approved(self) -> bool:
        """Whether the release could have gone."""
        return self.verdict in (VerdictKind.APPROVED, VerdictKind.APPROVED_WITH_KNOWN_ISSUES)


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """Per check (row) and night (column), in the order of the nights' start, what was shown."""

    nights: tuple[Brief, ...]
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
    formerly: Mapping[str, str] = field(default_factory=dict)
    """Of a check that was renamed the id before; its earlier nights are here under the one it has now."""

    @property
    def counted(self) -> npt.NDArray[np.bool_]:
        """Which nights count."""
        return np.array([not night.excluded for night in self.nights], dtype=bool)


@dataclass(frozen=True, slots=True, eq=False)
class Nights(Shown):
    """What was shown, with all the facts of each night."""

    nights: tuple[Night, ...]


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
    at_night = {night.run_id: number for number, night in enumerate(nights)}
    columns = [*_COLUMNS, "definition_changed"]
    # File by file: all rows at once would take several times the memory of what is kept of them.
    return _whole(Nights, nights, history.parts(CHECKS, columns, wanted, known, lambda rows: _part(at_night, rows)))


def shown_in(nights: tuple[Brief, ...], rows: pa.Table) -> Shown:
    """Returns what ``rows`` (of the dataset ``checks``) tell of ``nights``; rows of other runs are left."""
    return _whole(Shown, nights, [_part({night.run_id: number for number, night in enumerate(nights)}, rows)])


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What the rows of one file tell, in as little memory as they can be kept in until all are there."""

    check: pa.ChunkedArray
    fingerprint: pa.ChunkedArray
    component: pa.ChunkedArray
    """Dictionaries still: they are brought together for all files at once."""
    night: Codes
    """-1 where the row is of none of the nights."""
    showed: npt.NDArray[np.int8]
    of_case: Mask
    baseline_passed: npt.NDArray[np.int32]
    baseline_failed: npt.NDArray[np.int32]
    excused: Mask
    baseline_asks_same: Mask
    moved: frozenset[tuple[str, str]]
    """Ids with the one that the baseline has for the same check."""


def _part(at_night: Mapping[str, int], rows: pa.Table) -> _Part:
    by_outcome = _meant(rows["outcome"], lambda name: _BY_OUTCOME.get(name, ABSENT), np.int8)
    is_missing = _meant(rows["class"], lambda name: name == ComparisonClass.MISSING.value, np.bool_)
    night = _meant(rows["run_id"], lambda run: at_night.get(run, -1), np.int32)
    return _Part(
        check=rows["check"],
        fingerprint=rows["fingerprint"],
        component=rows["component"],
        night=night,
        showed=np.where(is_missing, np.int8(FAILED), by_outcome),
        of_case=_meant(rows["kind"], lambda name: name == "case", np.bool_),
        baseline_passed=_numbers(rows["baseline_passed"]),
        baseline_failed=_numbers(rows["baseline_failed"]),
        excused=_numbers(rows["excused"]).astype(np.bool_),
        baseline_asks_same=~_numbers(rows["definition_changed"]).astype(np.bool_),
        moved=_moved(rows, night),
    )


def _moved(rows: pa.Table, night: Codes) -> frozenset[tuple[str, str]]:
    old, olds = _coded([rows["moved_from"]])
    if not any(olds):
        return frozenset()
    new, news = _coded([rows["check"]])
    there = (night >= 0) & np.array([bool(text) for text in olds])[old]
    pairs = np.unique(new[there].astype(np.int64) * len(olds) + old[there])
    return frozenset((news[each // len(olds)], olds[each % len(olds)]) for each in pairs.tolist())


def _whole(kind: type[Kind], nights: tuple[Brief, ...], parts: Sequence[_Part]) -> Kind:
    night = _joined([part.night for part in parts])
    mine: Any = slice(None) if (night >= 0).all() else night >= 0
    code, texts = _coded([part.check for part in parts])
    code, night = code[mine], night[mine]
    known = sorted(np.unique(code).tolist(), key=texts.__getitem__)
    checks = tuple(texts[each] for each in known)
    row_of = np.zeros(max(len(texts), 1), dtype=np.int64)
    row_of[known] = np.arange(len(known))
    row = row_of[code]
    # Night by night they are told from: what belongs to one lies together.
    cell = night.astype(np.int64) * len(checks) + row

    def spread(values: npt.NDArray[Any], number: Any, empty: Any) -> npt.NDArray[Any]:
        matrix = np.full(len(nights) * len(checks), empty, dtype=number)
        matrix[cell] = values[mine]
        return matrix.reshape(len(nights), len(checks)).T

    def of_texts(columns: Sequence[pa.ChunkedArray]) -> tuple[npt.NDArray[Any], list[str]]:
        codes, names = _coded(columns)
        number = np.array([at if name else -1 for at, name in enumerate(names)] or [-1], dtype=np.int32)
        return spread(number[codes], np.int32, -1), names

    of_case = np.zeros(len(checks), dtype=np.bool_)
    of_case[row[_joined([part.of_case for part in parts])[mine]]] = True
    showed = spread(_joined([part.showed for part in parts]), np.int8, ABSENT)
    _cases_that_ran(np.array(checks, dtype=object), of_case, showed)
    named, components = of_texts([part.component for part in parts])
    matrices = {
        "showed": showed,
        "asked": of_texts([part.fingerprint for part in parts])[0],
        "baseline_passed": spread(_joined([part.baseline_passed for part in parts]), np.int32, 0),
        "baseline_failed": spread(_joined([part.baseline_failed for part in parts]), np.int32, 0),
        "excused": spread(_joined([part.excused for part in parts]), np.bool_, False),
        "baseline_asks_same": spread(_joined([part.baseline_asks_same for part in parts]), np.bool_, True),
    }
    moved = frozenset().union(*(part.moved for part in parts))
    formerly = _followed(checks, moved, [*matrices.values(), named])
    if formerly:
        kept = np.array([check not in formerly.values() for check in checks])
        checks, named = tuple(check for check, keep in zip(checks, kept, strict=True) if keep), named[kept]
        matrices = {name: matrix[kept] for name, matrix in matrices.items()}
    return kind(
        nights=nights,
        checks=checks,
        component=tuple(components[each] if each >= 0 else "" for each in _last(named)),
        formerly=formerly,
        **matrices,
    )


def _followed(
    checks: Sequence[str], moved: Iterable[tuple[str, str]], matrices: Sequence[npt.NDArray[Any]]
) -> dict[str, str]:
    """Gives renamed checks the nights under their id before, and returns that id of each.

    Only where the old id is not there any more from the night on in which the new one came: else they are two.
    ``matrices`` begin with what was shown.
    """
    row_of = {check: row for row, check in enumerate(checks)}
    showed = matrices[0]
    came = sorted(
        (int(np.argmax(showed[row_of[new]] != ABSENT)), new, old)
        for new, old in moved
        if old in row_of and (showed[row_of[new]] != ABSENT).any()
    )
    formerly: dict[str, str] = {}
    later: dict[str, str] = {}
    # The first to come first: where one was renamed twice, the second takes over what the first has taken over.
    for first, new, old in came:
        while old in later:
            old = later[old]
        if new == old or new in formerly or (showed[row_of[old], first:] != ABSENT).any():
            continue
        for matrix in matrices:
            matrix[row_of[new], :first] = matrix[row_of[old], :first]
        formerly[new], later[old] = old, new
    return formerly


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


def _joined(arrays: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return np.concatenate(arrays) if arrays else np.zeros(0, dtype=np.int8)


def _coded(columns: Sequence[pa.ChunkedArray]) -> tuple[Codes, list[str]]:
    """Returns the codes of dictionary columns, one after the other, and the texts that they stand for."""
    chunks = [chunk for column in columns for chunk in column.chunks]
    if not chunks:
        return np.zeros(0, dtype=np.int32), []
    unified = pa.chunked_array(chunks).unify_dictionaries()
    codes = np.concatenate([chunk.indices.to_numpy(zero_copy_only=False) for chunk in unified.chunks])
    return codes, unified.chunk(0).dictionary.to_pylist()


def _meant(column: pa.ChunkedArray, meaning: Callable[[str], Any], kind: Any) -> npt.NDArray[Any]:
    """Returns what each text of a dictionary column means."""
    codes, texts = _coded([column])
    values: npt.NDArray[Any] = np.array([meaning(text) for text in texts] or [meaning("")], dtype=kind)[codes]
    return values


def _numbers(column: pa.ChunkedArray) -> npt.NDArray[np.int32]:
    values: npt.NDArray[np.int32] = pc.cast(column, pa.int32()).to_numpy()
    return values


def brief_of(row: Mapping[str, Any]) -> Brief:
    """Returns what the statistics ask of the night that a row of ``runs`` tells of; it needs ``BRIEFLY`` only."""
    return Brief(**{name: row[name] for name in BRIEFLY})


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
