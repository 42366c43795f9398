"""A failing case says whom to ask, a suspect where to look."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.judge.cause import causes, environment_share
from harness.judge.compare import compare
from harness.judge.suspects import suspects
from harness.model.outcome import Cause, ComparisonClass
from harness.model.records import CaseFinished, Record, StepFinished
from tests.judge.build import SOUND, E, F, P, Run, Shape, baseline, case, run


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (case("x", F), Cause.PRODUCT),
        (case("x", F, status=500), Cause.PRODUCT),
        (case("x", F, status=503), Cause.ENVIRONMENT),
        (case("x", E, status=None, error_kind="connection"), Cause.ENVIRONMENT),
        (case("x", F, error_kind="callback-timeout"), Cause.TIMING),
        (case("x", F, error_kind="timeout"), Cause.TIMING),
        (case("x", E, error_kind="script"), Cause.HARNESS),
        (case("x", E, error_kind="harness"), Cause.HARNESS),
        (case("x", E, cause="provisioning", error_kind="connection"), Cause.PROVISIONING),
        (case("x", E, cause="no such cause"), Cause.PRODUCT),
        (Shape("x", {}, outcome=E, cause="harness"), Cause.HARNESS),
    ],
)
def test_the_cause_follows_from_the_exchanges(shape: Shape, expected: Cause) -> None:
    assert [one.cause for one in causes(run([*SOUND, shape]).evidence())] == [expected]


def test_a_case_that_passed_has_no_cause_and_one_that_never_finished_has() -> None:
    assert causes(run(SOUND).evidence()) == ()
    cut = run(SOUND).without(lambda r: isinstance(r, CaseFinished) and "pays" in r.case)
    assert [(one.case, one.cause) for one in causes(cut.evidence())] == [(SOUND[0].case, Cause.HARNESS)]


def test_the_share_is_of_the_failing_cases_that_came_to_an_end() -> None:
    evidence = run([*SOUND, case("x", F, status=503), case("y", F), case("z", F)]).evidence()
    assert environment_share(causes(evidence), evidence) == pytest.approx(1 / 3)
    empty = run([]).evidence()
    assert environment_share(causes(empty), empty) == 0


def found(shapes: list[Shape], before: list[Shape] | None = None, now: dict[str, str] | None = None) -> Any:
    evidence = run(shapes).evidence()
    base = baseline(before or shapes)
    versions = {"quoting-service": "v17.8.0", "ml-api-adapter": "v16.5.0"} | (now or {})
    return suspects(evidence, compare(evidence, base), causes(evidence), versions, base.components)


def flow(name: str, quote: Any, transfer: Any) -> Shape:
    return Shape(name, {"quote": {"c": quote}, "transfer": dict.fromkeys("abc", transfer)})


def by_component(what: Run) -> Run:
    def change(record: Record) -> Record:
        if isinstance(record, StepFinished) and record.label == "quote":
            return replace(record, component="quoting-service", operation="POST /quotes")
        return record

    return what.each(change)


def test_what_fails_after_the_first_failing_step_is_taken_to_follow_from_it() -> None:
    evidence = by_component(run([flow("pays", F, F), case("other", P)])).evidence()
    base = baseline([flow("pays", P, P), case("other", P)])
    named = suspects(evidence, compare(evidence, base), causes(evidence), {}, {})
    assert [(one.component, one.checks) for one in named] == [("quoting-service", 1)]


def test_what_is_missing_after_a_failure_is_not_counted_against_the_next_component() -> None:
    evidence = by_component(run([Shape("pays", {"quote": {"c": F}})])).evidence()
    base = baseline([flow("pays", P, P)])
    named = suspects(evidence, compare(evidence, base), causes(evidence), {}, {})
    assert [(one.component, one.checks) for one in named] == [("quoting-service", 1)]


def test_more_failing_checks_come_first_and_of_equals_the_changed_version() -> None:
    def pair(first: Any, second: Any, extra: Any) -> list[Shape]:
        return [
            case("a", first, component="ml-api-adapter"),
            case("b", second, component="quoting-service"),
            *([case("c", extra, component="ml-api-adapter")]),
        ]

    before = pair(P, P, P)
    more = found(pair(F, F, F), before)
    assert [(one.component, one.checks) for one in more] == [("ml-api-adapter", 2), ("quoting-service", 1)]
    equal = found(pair(F, F, P), before, {"quoting-service": "v18.0.0"})
    assert [one.component for one in equal] == ["quoting-service", "ml-api-adapter"]
    assert (equal[0].version, equal[0].baseline_version) == ("v18.0.0", "v17.8.0")


def test_a_case_that_failed_outside_any_check_points_at_what_it_did_last() -> None:
    evidence = by_component(run([replace(flow("pays", P, P), outcome=F)])).evidence()
    base = baseline([flow("pays", P, P)])
    assert [one.component for one in suspects(evidence, compare(evidence, base), causes(evidence), {}, {})] == [
        "ml-api-adapter"
    ]


def test_a_sound_run_suspects_nobody() -> None:
    assert found(list(SOUND)) == ()


def test_a_run_that_was_cut_off_suspects_nobody_of_what_it_did_not_get_to() -> None:
    late = ("check", "step", "case-finished", "run-finished")
    evidence = run(list(SOUND)).without(lambda record: record.type in late).evidence()
    base = baseline(list(SOUND))
    assert not compare(evidence, base).of(ComparisonClass.MISSING).empty
    assert suspects(evidence, compare(evidence, base), causes(evidence), {}, {}) == ()
