"""A rule is kept, broken, or not to be told; one that finds nothing to look at is never kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.judge.criteria import parse_criteria
from harness.model.outcome import GateStatus, VerdictKind
from harness.model.records import CaseFinished, RunStarted
from tests.judge.build import SOUND, E, F, H, P, Shape, baseline, case, judged, judging, on, run

PASS, FAIL, UNKNOWN = GateStatus.PASS, GateStatus.FAIL, GateStatus.UNKNOWN


REGRESSED = run([case("pays", P, F), *SOUND[1:]])
AT_MOST = {"kind": "class-at-most", "classes": "[regressed]", "at_most": 0}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, FAIL),
        ({"at_most": 1}, PASS),
        ({"labels": "[p2p]"}, FAIL),
        ({"labels": "[transfers]"}, FAIL),
        ({"labels": "[expiry]"}, PASS),
        ({"labels": "[nosuch]"}, UNKNOWN),
        ({"labels": "[p2p, nosuch]"}, UNKNOWN),
        ({"path": '"transfers/*"'}, FAIL),
        ({"path": '"transfers/test_expiry.py"'}, PASS),
        ({"path": '"quotes/*"'}, UNKNOWN),
        ({"operation": "POST /transfers"}, FAIL),
        ({"operation": "POST /quotes"}, UNKNOWN),
        ({"classes": "[regressed, hollow]"}, FAIL),
        ({"classes": "[unchanged-pass]", "at_most": 4}, FAIL),
        ({"classes": "[unchanged-pass]", "at_most": 5}, PASS),
    ],
)
def test_class_at_most(keys: dict[str, Any], expected: GateStatus) -> None:
    assert on(REGRESSED, **(AT_MOST | keys)).status is expected


@pytest.mark.parametrize(("kind", "now"), [("hollow", H), ("unknown", E)])
def test_too_many_checks_without_evidence_leave_the_gate_open(kind: str, now: Any) -> None:
    found = judging(run([case("pays", P, now), *SOUND[1:]]), **(AT_MOST | {"classes": f"[{kind}]"}))
    assert found.findings[0].status is UNKNOWN
    assert found.verdict.kind is VerdictKind.INCONCLUSIVE


def test_what_a_flawed_input_leaves_in_doubt_does_not_break_a_rule() -> None:
    assert on(REGRESSED, replace(baseline(), release="v16.0.0"), **AT_MOST).status is UNKNOWN


REQUIRED = {"kind": "required-cases"}


@pytest.mark.parametrize(
    ("shapes", "keys", "expected"),
    [
        (SOUND, {"labels": "[p2p]"}, PASS),
        (SOUND, {"labels": "[p2p, expiry]"}, PASS),
        (SOUND, {"labels": "[health]"}, UNKNOWN),
        (SOUND, {"labels": "[p2p, health]"}, UNKNOWN),
        (SOUND, {"cases": f"['{SOUND[0].case}']"}, PASS),
        (SOUND, {"cases": f"['{SOUND[0].case}', 'a::b']"}, UNKNOWN),
        ((case("pays", P, F), *SOUND[1:]), {"labels": "[p2p]"}, FAIL),
        ((replace(SOUND[0], outcome=F), *SOUND[1:]), {"labels": "[p2p]"}, FAIL),
        ((case("pays", P, F), *SOUND[1:]), {"labels": "[expiry]"}, PASS),
        ((case("pays", P, H), *SOUND[1:]), {"labels": "[p2p]"}, UNKNOWN),
        ((case("pays", P, E), *SOUND[1:]), {"labels": "[p2p]"}, UNKNOWN),
        ((case("pays", P), *SOUND[1:]), {"labels": "[p2p]"}, UNKNOWN),
        ((replace(SOUND[0], selected=False), *SOUND[1:]), {"labels": "[p2p]"}, UNKNOWN),
        ((*SOUND, Shape("empty", {})), {"labels": "[p2p]"}, UNKNOWN),
    ],
)
def test_required_cases(shapes: tuple[Shape, ...], keys: dict[str, Any], expected: GateStatus) -> None:
    assert on(run(shapes), **(REQUIRED | keys)).status is expected


def test_a_required_case_that_never_finished_did_not_pass() -> None:
    cut = run(SOUND).without(lambda r: isinstance(r, CaseFinished) and "pays" in r.case)
    assert on(cut, **REQUIRED, labels="[p2p]").status is UNKNOWN


def test_a_required_case_may_not_fail_even_where_it_failed_in_oss() -> None:
    failing = (case("pays", P, F), *SOUND[1:])
    found = judging(run(failing), baseline(failing), **REQUIRED, labels="[p2p]")
    assert (found.findings[0].status, found.verdict.kind) == (FAIL, VerdictKind.REJECTED)


def test_a_required_case_failing_in_another_suite_proves_nothing() -> None:
    off = REGRESSED.changed(RunStarted, suite={"pin": "differs"})
    assert on(off, **REQUIRED, labels="[p2p]").status is UNKNOWN


LATENCY = {"kind": "latency-p95", "operation": "POST /transfers", "measure": "callback", "at_most_ms": 100}


@pytest.mark.parametrize(
    ("times", "keys", "expected"),
    [
        ((40, 40, 40), {}, PASS),
        ((40, 40, 100), {}, PASS),
        ((40, 40, 2540), {}, FAIL),
        ((40, 40, None), {}, PASS),
        ((None, None, None), {}, UNKNOWN),
        ((40, 40, 2540), {"measure": "response"}, PASS),
        ((40, 40, 40), {"operation": "POST /quotes"}, UNKNOWN),
        ((40, 40, 2540), {"labels": "[p2p]"}, PASS),
        ((40, 40, 40), {"labels": "[nosuch]"}, UNKNOWN),
        ((40, 40, 80), {"ratio_to_baseline_at_most": 2}, PASS),
        ((40, 40, 81), {"ratio_to_baseline_at_most": 2}, FAIL),
        ((40, 40, 81), {"ratio_to_baseline_at_most": 3}, PASS),
    ],
)
def test_latency(times: tuple[float | None, ...], keys: dict[str, Any], expected: GateStatus) -> None:
    timed = [replace(shape, callback_ms=time) for shape, time in zip(SOUND, times, strict=True)]
    assert on(run(timed), **(LATENCY | keys)).status is expected


def test_a_ratio_to_a_baseline_that_does_not_know_the_operation_cannot_be_told() -> None:
    bare = replace(baseline(), operations={})
    assert on(run(SOUND), bare, **LATENCY, ratio_to_baseline_at_most=2).status is UNKNOWN


def test_a_slow_release_is_rejected_by_its_scheme_alone() -> None:
    slow = run([replace(shape, callback_ms=2540.0) for shape in SOUND])
    found = judging(slow, **LATENCY)
    assert found.verdict.kind is VerdictKind.REJECTED
    assert "Scheme" in found.verdict.next_action
    assert "2540 ms" in found.verdict.reasons[0].text


@pytest.mark.parametrize(
    ("of", "least", "expected"),
    [("cases", 3, PASS), ("cases", 4, UNKNOWN), ("checks", 6, PASS), ("checks", 7, UNKNOWN)],
)
def test_minimum_executed(of: str, least: int, expected: GateStatus) -> None:
    shapes = (*SOUND, Shape("empty", {}), case("hollow", H))
    assert (
        judging(run(shapes), rule={"kind": "minimum-executed", "what": of, "at_least": least}).findings[0].status
        is expected
    )


@pytest.mark.parametrize(
    ("severity", "expected"),
    [
        ("blocker", VerdictKind.REJECTED),
        ("major", VerdictKind.REJECTED),
        ("minor", VerdictKind.APPROVED_WITH_KNOWN_ISSUES),
    ],
)
def test_severity_says_what_a_broken_rule_does(severity: str, expected: VerdictKind) -> None:
    keys = AT_MOST | {"classes": "[unchanged-pass]", "severity": severity}
    assert judging(run(SOUND), **keys).verdict.kind is expected


def test_a_minor_rule_that_cannot_be_told_is_not_waved_through() -> None:
    keys = AT_MOST | {"labels": "[nosuch]", "severity": "minor"}
    assert judging(run(SOUND), **keys).verdict.kind is VerdictKind.INCONCLUSIVE


def test_a_rule_that_matches_no_check_is_named_with_file_and_line() -> None:
    rules = parse_criteria(
        "scheme: example\ntitle: t\nrules:\n"
        "  - {id: all, kind: class-at-most, classes: [missing], at_most: 0, severity: minor, title: t, rationale: r}\n"
        "  - {id: none, kind: class-at-most, classes: [regressed], at_most: 0, path: no/such, severity: minor,\n"
        "     title: t, rationale: r}\n",
        Path("/somewhere/else/criteria.yaml"),
    )
    found = judged(run(SOUND), rules=rules)
    assert found.findings[1].text == "the rule matches no check (criteria.yaml, line 5)"
    assert found.verdict.kind is VerdictKind.INCONCLUSIVE
