"""What does each waiver cover in this run? Nothing but what it names, and nothing where it does not hold.

What may be waived: a check that failed (regressed, new-fail, unchanged-fail, flaky), one that asserted nothing in a
case that showed something, and, by its id only, one that was removed. What gave no result (missing, unknown) cannot be
waived, nor can a case that showed nothing: the run has to be made again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

import numpy as np

from harness.judge.compare import Comparison, Mask
from harness.judge.evidence import Evidence
from harness.judge.waivers import Waiver, Waivers
from harness.judge.words import counted
from harness.model.outcome import ComparisonClass, Outcome

__all__ = ["WaiverFinding", "WaiverStatus", "apply_waivers"]

_FAILURES: Final = (
    ComparisonClass.REGRESSED, ComparisonClass.NEW_FAIL, ComparisonClass.UNCHANGED_FAIL, ComparisonClass.FLAKY,
)  # fmt: skip


class WaiverStatus(StrEnum):
    """What became of a waiver."""

    APPLIED = "applied"
    UNUSED = "unused"
    """What it names did not fail."""
    UNMATCHED = "unmatched"
    """Something that it names is not known to this run."""
    EXCEEDED = "exceeded"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    UNDATED = "undated"
    """The run does not say when it ended."""


@dataclass(frozen=True, slots=True, eq=False)
class WaiverFinding:
    """What became of one waiver. ``covered`` marks the rows that it excuses: none unless it was applied."""

    waiver: Waiver
    status: WaiverStatus
    text: str
    checks: tuple[str, ...]
    """The checks that it would excuse, whether it was applied or not."""
    covered: Mask


def apply_waivers(waivers: Waivers | None, evidence: Evidence, comparison: Comparison) -> tuple[WaiverFinding, ...]:
    """Returns what became of each waiver, in their order. What counts is the day on which the run ended, in UTC."""
    if waivers is None or not waivers.waivers:
        return ()
    today = _day(evidence.ended_at)
    waivable = _waivable(comparison)
    return tuple(_applied(waiver, today, waivable, evidence, comparison) for waiver in waivers.waivers)


def _applied(
    waiver: Waiver, today: date | None, waivable: Mask, evidence: Evidence, comparison: Comparison
) -> WaiverFinding:
    table = comparison.table
    named = _named(waiver, evidence, comparison)
    ids = waiver.checks or ()
    unknown: Sequence[str] = sorted(set(ids) - set(table.loc[named, "check"])) if ids else ()
    excused = named & waivable
    checks = tuple(table.loc[excused, "check"])
    total, count = int(named.sum()), len(checks)
    bound = waiver.at_most if waiver.at_most is not None else int((waiver.rate_at_most or 0.0) * total)
    decision: tuple[tuple[bool, WaiverStatus, str], ...] = (
        (today is None, WaiverStatus.UNDATED, "the run does not say when it ended, so whether it holds is not known"),
        (today is not None and today > waiver.expires, WaiverStatus.EXPIRED, f"expired on {waiver.expires}"),
        (
            today is not None and today < waiver.approved_on,
            WaiverStatus.NOT_YET_VALID,
            f"was approved on {waiver.approved_on}, after the run",
        ),
        (total == 0, WaiverStatus.UNMATCHED, "nothing in this run is what it names"),
        (count == 0, WaiverStatus.UNUSED, "nothing that it names failed"),
        (count > bound, WaiverStatus.EXCEEDED, f"{counted(count, 'check')}, at most {bound} of {total}: covers none"),
        (True, WaiverStatus.APPLIED, f"{counted(count, 'check')} of at most {bound}, until {waiver.expires}"),
    )
    status, text = next((status, text) for holds, status, text in decision if holds)
    if unknown and status in (WaiverStatus.UNUSED, WaiverStatus.APPLIED, WaiverStatus.EXCEEDED):
        text += f"; not known to this run: {', '.join(unknown)}"
    covered = excused if status is WaiverStatus.APPLIED else np.zeros(len(table), dtype=bool)
    return WaiverFinding(waiver, status, text, checks, covered)


def _named(waiver: Waiver, evidence: Evidence, comparison: Comparison) -> Mask:
    table = comparison.table
    if waiver.checks is not None:
        return table["check"].isin(waiver.checks).to_numpy()
    planned = evidence.planned
    carrying = [
        waiver.label == feature or waiver.label in own
        for feature, own in zip(planned["feature"], planned["labels"], strict=True)
    ]
    cases = set(planned.loc[carrying, "case"])
    # A check that was removed has to be named itself: its label went with it, or says nothing of why.
    return table["case"].isin(cases).to_numpy() & ~comparison.mask(ComparisonClass.REMOVED)


def _waivable(comparison: Comparison) -> Mask:
    table = comparison.table
    outcome = table["outcome"].to_numpy()
    failed: Mask = comparison.mask(*_FAILURES) & (outcome == Outcome.FAILED.value)
    is_check: Mask = (table["kind"] == "check").to_numpy()
    told = is_check & np.isin(outcome, [Outcome.PASSED.value, Outcome.FAILED.value])
    hollow: Mask = comparison.mask(ComparisonClass.HOLLOW) & is_check
    if hollow.any():
        hollow &= table["case"].isin(set(table.loc[told, "case"])).to_numpy()
    waivable: Mask = failed | hollow | (comparison.mask(ComparisonClass.REMOVED) & is_check)
    return waivable


def _day(moment: str) -> date | None:
    try:
        return date.fromisoformat(moment[:10])
    except ValueError:
        return None
