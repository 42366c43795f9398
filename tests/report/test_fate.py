"""A case stands as its worst part does, whichever of the journal and the judge says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.model.outcome import ComparisonClass, Outcome
from harness.model.records import CaseFinished, Record
from harness.report.allure_results import case_result
from harness.report.fate import Fate, case_fate, check_fate, failure_message
from harness.report.stories import CheckStory, JudgedCheck, RunStory, tell
from tests.report import scenarios

CASE = scenarios.cases(1)[0]
CHECKS = [f"{CASE.step}::{check.label}" for check in CASE.checks]
UNSHOWN = [outcome for outcome in Outcome if outcome is not Outcome.PASSED]


def judged(comparison: ComparisonClass, check: str = CHECKS[0], outcome: str = "") -> JudgedCheck:
    return JudgedCheck(check, comparison, outcome, "", CASE.id, CASE.step)


def fate_of(story: RunStory) -> Fate:
    (case,) = story.cases
    return case_fate(case, story)


def ending(outcome: Outcome, **changes: str) -> list[Record]:
    """A whole run of one case whose checks all passed, but which ended otherwise."""
    return [
        replace(record, outcome=outcome, **changes) if isinstance(record, CaseFinished) else record
        for record in scenarios.whole_run([CASE])
    ]


def test_a_run_that_was_not_compared_is_told_by_its_outcomes() -> None:
    assert fate_of(tell(scenarios.whole_run([CASE]), [])).standing.word == "passed"
    assert fate_of(tell(scenarios.whole_run([scenarios.failing(CASE)]), [])).message.startswith("failed: not compared")


@pytest.mark.parametrize("outcome", UNSHOWN)
def test_no_outcome_but_passed_is_passed_even_where_the_judge_is_silent(outcome: Outcome) -> None:
    case = replace(CASE, checks=(replace(CASE.checks[0], outcome=outcome), *CASE.checks[1:]))
    records = [
        replace(record, outcome=Outcome.PASSED) if isinstance(record, CaseFinished) else record
        for record in scenarios.whole_run([case])
    ]
    expected = {Outcome.FAILED: "failed", Outcome.ERROR: "broken"}.get(outcome, "skipped")
    assert fate_of(tell(records, [])).standing.word == expected


@pytest.mark.parametrize("outcome", UNSHOWN)
def test_a_case_that_ended_badly_is_not_saved_by_its_checks(outcome: Outcome) -> None:
    expected = {Outcome.FAILED: "failed", Outcome.ERROR: "broken"}.get(outcome, "skipped")
    assert fate_of(tell(ending(outcome), [])).standing.word == expected


@pytest.mark.parametrize("order", [(Outcome.PASSED, Outcome.FAILED), (Outcome.FAILED, Outcome.PASSED)])
def test_of_two_endings_the_worse_is_told(order: tuple[Outcome, Outcome]) -> None:
    first, second = (ending(outcome) for outcome in order)
    ends = [record for record in second if isinstance(record, CaseFinished)]
    assert fate_of(tell([*first, *ends], [])).standing.word == "failed"


@pytest.mark.parametrize(
    ("comparison", "word"),
    [
        (ComparisonClass.REGRESSED, "failed"),
        (ComparisonClass.NEW_FAIL, "failed"),
        (ComparisonClass.UNCHANGED_FAIL, "failed"),
        (ComparisonClass.HOLLOW, "skipped"),
        (ComparisonClass.UNKNOWN, "skipped"),
        (ComparisonClass.UNCHANGED_PASS, "passed"),
    ],
)
def test_what_the_judge_says_of_one_check_counts_for_the_case(comparison: ComparisonClass, word: str) -> None:
    assert fate_of(tell(scenarios.whole_run([CASE]), [judged(comparison)])).standing.word == word


def test_a_missing_check_breaks_a_case_that_came_to_its_end() -> None:
    missing = judged(ComparisonClass.MISSING, f"{CASE.step}::never made")
    story = tell(scenarios.whole_run([CASE]), [missing])
    fate = fate_of(story)
    assert fate.standing.word == "broken"
    assert fate.message.splitlines() == [
        "missing: 1 of 4 checks",
        "- never made: missing: expected in this run, no result",
    ]


def test_a_case_that_the_judge_found_at_fault_as_a_whole_says_what_the_judge_said() -> None:
    whole = JudgedCheck(CASE.id, ComparisonClass.REGRESSED, "failed", "the case failed outside any check", CASE.id, "")
    fate = fate_of(tell(scenarios.whole_run([CASE]), [whole]))
    assert fate.standing.word == "failed"
    assert fate.message == "regressed: the case as a whole\nthe case failed outside any check"


def test_a_case_that_never_ended_is_broken_however_well_it_went() -> None:
    records = [record for record in scenarios.whole_run([CASE]) if not isinstance(record, CaseFinished)]
    fate = fate_of(tell(records, []))
    assert fate.standing.word == "broken"
    assert fate.message == "missing: started but never finished; the run ended without it"


def test_what_kept_a_case_from_running_is_told_before_what_it_did_not_show() -> None:
    fate = fate_of(tell(ending(Outcome.ERROR), [], {CASE.id: "environment (a service could not be reached)"}))
    assert fate.message.startswith("environment: ")
    assert "a service could not be reached" in fate.message


def test_a_regression_is_not_hidden_behind_its_cause() -> None:
    story = tell(
        scenarios.whole_run([scenarios.failing(CASE)]),
        [judged(ComparisonClass.REGRESSED, CHECKS[2], "failed")],
        {CASE.id: "environment (a service could not be reached)"},
    )
    assert fate_of(story).message.startswith("regressed: 1 of 3 checks; cause: environment")


def test_a_check_that_asks_something_else_now_says_so() -> None:
    row = replace(judged(ComparisonClass.REGRESSED, CHECKS[2]), definition_changed=True)
    story = tell(scenarios.whole_run([scenarios.failing(CASE)]), [row])
    assert (
        "regressed (asks something else than in the baseline): expected" in check_fate(story.cases[0].checks[2]).message
    )


def test_a_message_that_shows_both_values_is_not_told_twice() -> None:
    def message(said: str) -> str:
        records = scenarios.whole_run(
            [replace(CASE, checks=(replace(scenarios.failing(CASE).checks[2], message=said),))]
        )
        check: CheckStory = tell(records, []).cases[0].checks[0]
        return failure_message(check)

    assert message("state ABORTED instead of COMMITTED") == "state ABORTED instead of COMMITTED"
    assert message("the state") == 'expected "COMMITTED", got "ABORTED" (the state)'
    assert message("") == 'expected "COMMITTED", got "ABORTED"'


@pytest.mark.parametrize("began", ["2026-01-02T03:00:00Z", "2026-01-02T03:04:00.510Z", "2026-01-02T04:00:00Z", "never"])
def test_a_step_is_placed_within_its_case_whenever_its_exchange_says_it_began(began: str) -> None:
    story = tell(scenarios.whole_run([CASE]), [])
    result = case_result(story.cases[0], story, {"x0": {"started_at": began, "request": {}}}).result
    (step,) = result.steps
    assert result.stop - result.start == 80
    assert result.start <= step.start <= step.stop <= result.stop
    if began.endswith(".510Z"):
        assert (step.start - result.start, step.stop - step.start) == (10, 40)
