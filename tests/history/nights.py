"""Makes nights for tests: judged runs of a few checks, and matrices of what checks showed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from harness.history.nights import ABSENT, BLIND, FAILED, PASSED, Night, Nights
from harness.judge.verdict import JudgedRun
from harness.model.outcome import Outcome, VerdictKind
from harness.model.records import Record, RunStarted
from tests.judge.build import P, case, check_id, judged, run

FIRST = datetime(2026, 6, 1, 2, tzinfo=UTC)
PAYS = check_id("pays", "c2")
_LETTERS = {"p": PASSED, "f": FAILED, "b": BLIND, " ": ABSENT}


def judged_night(
    number: int,
    second: Outcome = P,
    *,
    target: str = "t",
    release: str = "v17.1.0",
    first: datetime = FIRST,
    **more: Any,
) -> JudgedRun:
    """Night ``number`` (from 0) with the sound cases of ``tests.judge.build``; ``second`` is what ``PAYS`` shows."""
    shapes = (case("pays", P, second, **more), case("aborts", P, P, P), case("expires", P, labels=(), feature="expiry"))
    made = run(shapes, run_id=f"r{number:03}")

    def moved(record: Record) -> Record:
        if not isinstance(record, RunStarted):
            return record
        return replace(record, target={**record.target, "name": target}, release=release)

    ended = first + timedelta(days=number)
    return judged(replace(made.each(moved), ended_at=ended.isoformat(timespec="milliseconds")))


def matrix(
    *shown: str, excluded: Sequence[int] = (), releases: Sequence[str] = (), baseline: tuple[int, int] = (3, 0)
) -> Nights:
    """Nights of checks ``c0``, ``c1``, … from texts such as ``ppfp b``: passed, failed, not part of it, blind."""
    showed = np.array([[_LETTERS[letter] for letter in text] for text in shown], dtype=np.int8)
    count, width = showed.shape
    nights = tuple(
        Night(
            run_id=f"r{number:03}",
            started=FIRST + timedelta(days=number),
            release=releases[number] if releases else "v17.1.0",
            suite="native",
            verdict=VerdictKind.REJECTED if (showed[:, number] == FAILED).any() else VerdictKind.APPROVED,
            excluded="mass-failure" if number in excluded else "",
            excluded_why="the network was down" if number in excluded else "",
            why="",
            checks=count,
            passed=int((showed[:, number] == PASSED).sum()),
            failed=int((showed[:, number] == FAILED).sum()),
            counts={},
            components={"central-ledger": "v19.8.3"},
            waivers=(),
            causes=(),
            rehearsal=False,
            next_action="",
        )
        for number in range(width)
    )
    shape = showed.shape
    return Nights(
        nights=nights,
        checks=tuple(f"a.py::case::step::c{number}" for number in range(count)),
        showed=showed,
        asked=np.where(showed == ABSENT, -1, 0).astype(np.int32),
        baseline_passed=np.full(shape, baseline[0], dtype=np.int32),
        baseline_failed=np.full(shape, baseline[1], dtype=np.int32),
        excused=np.zeros(shape, dtype=bool),
        component=("central-ledger",) * count,
        baseline_asks_same=np.ones(shape, dtype=bool),
    )
