"""A failing case says whom to ask, a suspect where to look."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.judge.cause import BROKER, causes, environment_share
from harness.judge.compare import compare
from harness.judge.suspects import suspects
from harness.model.outcome import Cause, ComparisonClass, VerdictKind
from harness.model.records import CaseFinished, CheckRecorded, Record, StepFinished
from harness.model.release import KnownIssue
from tests.judge.build import CRITERIA, RELEASE, SOUND, E, F, P, Run, Shape, baseline, case, criteria, judged, run


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


def test_the_share_is_of_the_failing_cases_that_are_asked_about() -> None:
    evidence = run([*SOUND, case("x", F, status=503), case("y", F), case("z", F)]).evidence()
    every = {one.case for one in causes(evidence)}
    assert environment_share(causes(evidence), every) == pytest.approx(1 / 3)
    assert environment_share(causes(evidence), {case_ for case_ in every if not case_.endswith("::y")}) == 0.5
    assert environment_share(causes(evidence), set()) == 0


def test_what_failed_for_the_environment_in_the_baseline_too_does_not_leave_a_run_in_doubt() -> None:
    shapes = (*SOUND, case("down", F, status=503, labels=()))
    known = judged(run(shapes), baseline(shapes))
    assert known.verdict.kind is VerdictKind.APPROVED_WITH_KNOWN_ISSUES
    assert [one.cause for one in known.causes] == [Cause.ENVIRONMENT]
    assert judged(run(shapes)).verdict.kind is VerdictKind.INCONCLUSIVE


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


# --- what an exchange tells ------------------------------------------------------------------------------------------


def stepped(
    name: str, steps: dict[str, tuple[str, Any, dict[str, Any]]], messages: dict[str, str] | None = None
) -> Run:
    """A run of the sound cases and one whose steps are given as ``label: (operation, outcome, changes)``."""
    shape = Shape(name, {label: {f"check of {label}": outcome} for label, (_, outcome, _) in steps.items()})

    def change(record: Record) -> Record:
        if isinstance(record, StepFinished) and record.case == shape.case:
            operation, _, changes = steps[record.label]
            return replace(record, operation=operation, **changes)
        if isinstance(record, CheckRecorded) and record.case == shape.case and record.outcome is F:
            return replace(record, message=(messages or {}).get(record.step.rsplit("::", 1)[1], record.message))
        return record

    return run([*SOUND, shape]).each(change)


def told(what: Run) -> list[tuple[Cause, str, str]]:
    return [(one.cause, one.component, one.text) for one in causes(what.evidence())]


SILENT = {"callback_ms": None, "callback_received": False, "error_kind": "callback-timeout"}
REFUSED = {"status": 400, "callback_ms": None, "callback_received": False, "callback_awaited": False}


def test_an_error_that_nobody_asked_for_is_named_with_its_code_and_words() -> None:
    refused = REFUSED | {"error_code": "3100", "error_text": "Generic validation error - amount 12.50 is not allowed"}
    found = told(stepped("x", {"send": ("POST /transfers", F, refused)}))
    text = "POST /transfers: answered 3100 Generic validation error - amount <n> is not allowed"
    assert found == [(Cause.PRODUCT, "ml-api-adapter", text)]


@pytest.mark.parametrize("code", ["3200", "3204", "4001"])
def test_missing_parties_and_funds_are_provisioning_only_where_the_operation_never_worked(code: str) -> None:
    answer = {"error_code": code, "error_text": "Generic ID not found"}
    never = told(stepped("x", {"send": ("GET /parties/{Type}/{ID}", F, answer)}))
    assert never[0][0] is Cause.PROVISIONING
    # POST /transfers is carried out in the sound cases: that it is refused here is the product's doing.
    elsewhere = told(stepped("x", {"send": ("POST /transfers", F, answer)}))
    assert elsewhere[0][0] is Cause.PRODUCT


def test_a_wrong_code_where_an_error_was_asked_for_is_the_products() -> None:
    shape = Shape("x", {"send": {"error code is 3208": F}})

    def change(record: Record) -> Record:
        if isinstance(record, StepFinished) and record.case == shape.case:
            return replace(
                record, operation="GET /transfers/{ID}", error_code="3200", error_text="Generic ID not found"
            )
        return record

    assert told(run([*SOUND, shape]).each(change))[0][0] is Cause.PRODUCT


def test_silence_of_one_service_is_timing_whether_others_of_the_kind_were_answered_or_not() -> None:
    some = told(stepped("x", {"send": ("POST /transfers", F, SILENT)}))
    assert (some[0][0], some[0][1]) == (Cause.TIMING, "ml-api-adapter")
    assert "as it did for others" in some[0][2]
    none = told(stepped("x", {"send": ("POST /bulkTransfers", F, SILENT)}))
    assert (none[0][0], none[0][2]) == (
        Cause.TIMING, "POST /bulkTransfers: not one that was accepted was followed by its callback",
    )  # fmt: skip


def test_what_was_accepted_and_is_unknown_later_was_lost() -> None:
    steps = {
        "send": ("POST /bulkTransfers", F, SILENT),
        "ask": ("GET /bulkTransfers/{ID}", F, {"error_code": "3208", "error_text": "Transfer ID not found"}),
    }
    assert told(stepped("x", steps))[0][2] == "POST /bulkTransfers: accepted, and unknown or unanswered later"


def both_silent(second: dict[str, Any]) -> Run:
    steps = {"send": ("POST /transfers", F, SILENT)}
    shape = Shape("y", {"quote": {"callback": F}})

    def change(record: Record) -> Record:
        if isinstance(record, StepFinished) and record.case == shape.case:
            return replace(record, component="quoting-service", **second)
        return record

    first = stepped("x", steps)
    other = run([shape]).each(change)
    kept = [r for r in other.records if getattr(r, "case", None) == shape.case]
    planned = [r for r in kept if r.type == "case-planned"]
    rest = [r for r in kept if r.type != "case-planned"]
    at = next(i for i, r in enumerate(first.records) if r.type == "plan-complete")
    records = (*first.records[:at], *planned, *first.records[at:-1], *rest, first.records[-1])
    return replace(first, records=records).closed()


def test_silence_that_comes_and_goes_in_two_services_is_what_they_share() -> None:
    found = told(both_silent(SILENT | {"operation": "POST /transfers"}))
    assert {(cause, component) for cause, component, _ in found} == {(Cause.ENVIRONMENT, BROKER)}
    # Where the other one never answers at all, that is its own affair.
    found = told(both_silent(SILENT | {"operation": "POST /quotes"}))
    assert {(cause, component) for cause, component, _ in found} == {
        (Cause.TIMING, "ml-api-adapter"), (Cause.TIMING, "quoting-service"),
    }  # fmt: skip


def test_an_assertion_that_opens_what_never_came_is_silence_and_one_that_misses_an_element_is_not() -> None:
    bare = {"callback_awaited": False, "callback_ms": None, "callback_received": False}
    nothing = {"send": "Cannot read properties of null (reading 'headers')"}
    assert told(stepped("x", {"send": ("POST /quotes", F, bare)}, nothing))[0][0] is Cause.TIMING
    element = {"send": "Cannot read properties of undefined (reading 'fspId')"}
    assert told(stepped("x", {"send": ("POST /quotes", F, bare)}, element))[0][0] is Cause.PRODUCT


# --- groups ----------------------------------------------------------------------------------------------------------


def grouped(what: Run, before: Any = None, **more: Any) -> Any:
    return judged(what, before, **more).groups


def test_alike_failures_make_one_group_whatever_their_ids_amounts_and_times() -> None:
    def words(record: Record) -> Record:
        if isinstance(record, CheckRecorded) and record.outcome is F:
            name = record.case.rsplit("::", 1)[1]
            ident = {"pays": "01M814VS2HY3118SD0P1TMJC8F", "aborts": "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"}[name]
            amount = {"pays": "12.50", "aborts": "7"}[name]
            return replace(record, message=f"transfer {ident}: expected {amount} at 2026-11-22T08:11:54.000Z")
        return record

    groups = grouped(run([case("pays", P, F), case("aborts", P, F, P), SOUND[2]]).each(words))
    assert [(len(group.checks), len(group.cases)) for group in groups] == [(2, 2)]
    assert groups[0].text == "POST /transfers: transfer <id>: expected <n> at <time>"


def test_every_failing_case_is_in_one_group_and_the_larger_comes_first() -> None:
    what = run([case("pays", F, F), case("aborts", F, P, P, status=503), SOUND[2]])
    groups = grouped(what)
    assert [(group.cause, len(group.checks)) for group in groups] == [(Cause.PRODUCT, 2), (Cause.ENVIRONMENT, 1)]
    assert sorted(case for group in groups for case in group.cases) == sorted(shape.case for shape in SOUND[:2])


def test_no_component_is_suspected_where_the_environment_failed() -> None:
    found = judged(
        run([case("pays", F, F), case("aborts", F, P, P, status=503, component="quoting-service"), SOUND[2]])
    )
    assert [one.component for one in found.verdict.suspects] == ["ml-api-adapter"]


def test_a_known_issue_is_shown_beside_what_it_may_explain_and_excuses_nothing() -> None:
    failing = run([case("pays", P, F), *SOUND[1:]])
    about = KnownIssue("Rounding", "https://github.com/mojaloop/project/issues/1", operations=("POST /transfers",))
    of = KnownIssue("Slow", "release notes, section 5", components=("ml-api-adapter",))
    other = KnownIssue("Other", "release notes", components=("quoting-service",), operations=("POST /quotes",))
    with_them = judged(failing, release=replace(RELEASE, known_issues=(about, of, other)))
    assert with_them.groups[0].may_explain == (about, of)
    assert [note.rsplit(": ", 1)[1] for note in with_them.verdict.notes] == [
        "Rounding (https://github.com/mojaloop/project/issues/1)", "Slow (release notes, section 5)",
    ]  # fmt: skip
    assert with_them.verdict.kind is judged(failing).verdict.kind
    assert with_them.verdict.reasons == judged(failing).verdict.reasons


def test_a_later_case_of_a_collection_that_only_reads_follows_the_first_failure_in_its_file() -> None:
    def renamed(record: Record) -> Record:
        text = {key: value.replace("test_transfers.py", "mixed.json") if isinstance(value, str) else value
                for key, value in record.to_json().items() if key != "type"}  # fmt: skip
        return type(record).from_json(text)

    def change(record: Record) -> Record:
        reading = isinstance(record, StepFinished) and "aborts" in record.case
        return replace(record, operation="GET /participants/{name}/accounts", status=200) if reading else record

    shapes = [case("pays", F, P), case("aborts", F, P, P, component="central-ledger"), SOUND[2]]
    apart = causes(run(shapes).each(change).evidence())
    assert [one.follows for one in apart] == ["", ""]
    found = {one.case.rsplit("::", 1)[1]: one for one in causes(run(shapes).each(change).each(renamed).evidence())}
    assert found["aborts"].follows == found["pays"].case
    assert (found["aborts"].component, found["aborts"].text) == (found["pays"].component, found["pays"].text)


@pytest.mark.parametrize(("share", "kind"), [(0.5, VerdictKind.INCONCLUSIVE), (0.6, VerdictKind.REJECTED)])
def test_a_scheme_may_say_from_which_share_on_the_environment_is_to_blame(share: float, kind: VerdictKind) -> None:
    half = run([case("pays", F, F), case("aborts", F, P, P, status=503), SOUND[2]])
    rules = criteria(CRITERIA.replace("title: Example", f"title: Example\nenvironment_share: {share}", 1))
    assert judged(half, rules=rules).verdict.kind is kind
    if kind is VerdictKind.REJECTED:
        assert "Support team: 1 check failed for the environment" in judged(half, rules=rules).verdict.next_action
