"""How would the Testing Toolkit count this run? For comparing with published totals, and for nothing else.

It counts as passed what executed no expectation and what never ran; no verdict rests on such a figure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.model.outcome import Outcome
from harness.model.records import CaseFinished, CheckRecorded, Record, StepFinished

__all__ = ["TtkTotals", "ttk_totals"]

_PASSES = frozenset({Outcome.PASSED, Outcome.HOLLOW, Outcome.SKIPPED})


@dataclass(frozen=True, slots=True)
class TtkTotals:
    """The figures that a release's page gives of its suite."""

    cases: int
    requests: int
    assertions: int
    passed: int
    asserted: int
    """Of those passed, the ones that asserted something."""

    def __str__(self) -> str:
        counted = f"{self.passed:,} of {self.assertions:,} assertions passed, {self.requests:,} requests"
        return (
            f"as the Testing Toolkit counts: {counted}, {self.cases:,} cases "
            f"({self.passed - self.asserted:,} of the passed asserted nothing; no verdict rests on these)"
        )


def ttk_totals(records: Iterable[Record]) -> TtkTotals:
    """Returns the totals of a journal's records."""
    cases = requests = 0
    outcomes: list[Outcome] = []
    for record in records:
        if isinstance(record, CaseFinished):
            cases += 1
        elif isinstance(record, StepFinished):
            requests += 1
        elif isinstance(record, CheckRecorded):
            outcomes.append(record.outcome)
    return TtkTotals(
        cases=cases,
        requests=requests,
        assertions=len(outcomes),
        passed=sum(outcome in _PASSES for outcome in outcomes),
        asserted=outcomes.count(Outcome.PASSED),
    )
