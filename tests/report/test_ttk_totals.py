"""The reference engine's counting is told beside ours, and says what it hides."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.model.outcome import Outcome
from harness.model.records import CaseFinished, CheckRecorded, Record, StepFinished
from harness.report.ttk_totals import ttk_totals


def step(number: int, *outcomes: Outcome) -> list[Record]:
    name = f"f.json::c::s{number}"
    step = StepFinished(
        case="f.json::c", step=name, label="s", operation="POST /quotes", url="", component="", status=202, latency_ms=1
    )
    return [
        step,
        *(
            CheckRecorded(check=f"{name}::{n}", case="f.json::c", step=name, label=str(n), outcome=outcome)
            for n, outcome in enumerate(outcomes)
        ),
    ]


END = CaseFinished(case="f.json::c", outcome=Outcome.FAILED, duration_ms=1, worker="main", started_at="")


@given(st.lists(st.sampled_from(Outcome), max_size=20))
def test_what_never_asserted_counts_as_passed_and_is_told(outcomes: list[Outcome]) -> None:
    found = ttk_totals([*step(1, *outcomes), *step(2), END])
    bad = outcomes.count(Outcome.FAILED) + outcomes.count(Outcome.ERROR)
    assert (found.cases, found.requests, found.assertions) == (1, 2, len(outcomes))
    assert (found.passed, found.asserted) == (len(outcomes) - bad, outcomes.count(Outcome.PASSED))


def test_the_line_names_what_asserted_nothing() -> None:
    found = ttk_totals([*step(1, Outcome.PASSED, Outcome.HOLLOW, Outcome.SKIPPED, Outcome.FAILED), END])
    assert str(found) == (
        "as the Testing Toolkit counts: 3 of 4 assertions passed, 1 requests, 1 cases "
        "(2 of the passed asserted nothing; no verdict rests on these)"
    )
