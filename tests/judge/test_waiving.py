"""A waiver covers what it names, while it holds, up to its bound: and nothing else, ever."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.judge.verdict import JudgedRun
from harness.judge.waiving import WaiverStatus
from harness.model.outcome import GateStatus, VerdictKind
from harness.model.records import CaseFinished
from tests.judge.build import (
    CRITERIA,
    SOUND,
    E,
    F,
    H,
    P,
    Run,
    S,
    Shape,
    baseline,
    case,
    check_id,
    criteria,
    judged,
    run,
)
from tests.judge.build import waiver as entry
from tests.judge.build import waivers as agreed

KNOWN, REJECTED, INCONCLUSIVE = VerdictKind.APPROVED_WITH_KNOWN_ISSUES, VerdictKind.REJECTED, VerdictKind.INCONCLUSIVE
REGRESSED = (case("pays", P, F), *SOUND[1:])
STRICT = criteria(
    CRITERIA
    + """\
  - {id: money, kind: required-cases, labels: [p2p], severity: blocker, title: t, rationale: r}
"""
)


WAIVABLE = [
    "regressed", "new-fail", "unchanged-fail", "flaky", "hollow", "missing", "broken", "skipped", "hollow-case",
    "removed-by-label",
]  # fmt: skip


def waived(
    shapes: tuple[Shape, ...] = REGRESSED, before: Any = None, what: Run | None = None, **changes: Any
) -> JudgedRun:
    return judged(what or run(shapes), before, rules=STRICT, waivers=agreed(entry(**changes)))


def status(found: JudgedRun) -> WaiverStatus:
    return found.waivers[0].status


def test_a_waived_failure_is_a_known_issue_with_ticket_reason_approver_and_date() -> None:
    found = waived()
    assert judged(run(REGRESSED), rules=STRICT).verdict.kind is REJECTED
    assert (found.verdict.kind, status(found)) == (KNOWN, WaiverStatus.APPLIED)
    reason = found.verdict.reasons[0]
    assert (reason.code, reason.status, reason.checks) == ("waived", GateStatus.PASS, (check_id("pays", "c2"),))
    for word in ("agreed", "2026-06-01", "A. Person", "https://tracker.example/browse/HUB-1", "Rounded to cents"):
        assert word in reason.text
    assert found.counts["regressed"] == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"expires": "2026-05-31"}, WaiverStatus.EXPIRED),
        ({"approved_on": "2026-06-02", "expires": "2026-07-01"}, WaiverStatus.NOT_YET_VALID),
        ({"checks": [check_id("pays", "c9")]}, WaiverStatus.UNMATCHED),
        ({"checks": None, "label": "nosuch"}, WaiverStatus.UNMATCHED),
        ({"checks": [check_id("aborts", "c1")]}, WaiverStatus.UNUSED),
    ],
)
def test_a_waiver_that_does_not_hold_is_shown_and_changes_nothing(
    changes: dict[str, Any], expected: WaiverStatus
) -> None:
    found, without = waived(**changes), judged(run(REGRESSED), rules=STRICT)
    assert status(found) is expected
    assert found.verdict.kind is REJECTED
    assert (found.verdict.reasons, found.verdict.gates) == (without.verdict.reasons, without.verdict.gates)
    assert found.verdict.notes[0].startswith("waiver agreed covers nothing: ")


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-04-30T23:59:59.999Z", WaiverStatus.NOT_YET_VALID),
        ("2026-05-01T00:00:00.000Z", WaiverStatus.APPLIED),
        ("2026-06-01T23:59:59.999Z", WaiverStatus.APPLIED),
        ("2026-06-02T00:00:00.000Z", WaiverStatus.EXPIRED),
        ("", WaiverStatus.UNDATED),
        ("soon", WaiverStatus.UNDATED),
    ],
)
def test_what_counts_is_the_day_on_which_the_run_ended(day: str, expected: WaiverStatus) -> None:
    found = waived(what=replace(run(REGRESSED), ended_at=day))
    assert status(found) is expected
    assert found.verdict.kind is (KNOWN if expected is WaiverStatus.APPLIED else REJECTED)


def test_where_more_fails_than_was_agreed_nothing_is_covered() -> None:
    both = (case("pays", F, F), *SOUND[1:])
    ids = [check_id("pays", "c1"), check_id("pays", "c2")]
    assert status(waived(both, checks=ids, at_most=1)) is WaiverStatus.EXCEEDED
    assert waived(both, checks=ids, at_most=1).verdict.kind is REJECTED
    # All of a case waived leaves nothing that showed it to work.
    assert waived(both, checks=ids, at_most=2).verdict.kind is INCONCLUSIVE
    rated = {"checks": None, "label": "p2p", "at_most": None}
    assert status(waived(both, **rated, rate_at_most=0.4)) is WaiverStatus.APPLIED
    assert status(waived(both, **rated, rate_at_most=0.3)) is WaiverStatus.EXCEEDED


def test_what_a_waiver_does_not_name_still_counts() -> None:
    found = waived((case("pays", P, F), case("aborts", F, P, P), SOUND[2]))
    assert found.verdict.kind is REJECTED
    assert found.verdict.reasons[0].checks == (check_id("aborts", "c1"),)


def test_a_label_covers_the_checks_of_its_cases() -> None:
    assert waived(checks=None, label="p2p").verdict.kind is KNOWN
    assert waived(checks=None, label="transfers").verdict.kind is KNOWN
    assert waived(checks=None, label="expiry").verdict.kind is REJECTED


@pytest.mark.parametrize(
    ("shapes", "before", "expected"),
    [
        ((case("pays", P, F), *SOUND[1:]), None, KNOWN),
        ((*SOUND[1:], case("pays", P, P, F)), None, KNOWN),
        ((case("pays", P, F), *SOUND[1:]), baseline(REGRESSED), KNOWN),
        ((case("pays", P, F), *SOUND[1:]), baseline(SOUND, REGRESSED), KNOWN),
        ((case("pays", P, H), *SOUND[1:]), None, KNOWN),
        ((case("pays", P), *SOUND[1:]), None, REJECTED),
        ((case("pays", P, E), *SOUND[1:]), None, INCONCLUSIVE),
        ((case("pays", P, S), *SOUND[1:]), None, INCONCLUSIVE),
        ((case("pays", H, H), *SOUND[1:]), None, INCONCLUSIVE),
        (SOUND[1:], None, INCONCLUSIVE),
    ],
    ids=WAIVABLE,
)  # fmt: skip
def test_what_failed_or_asserted_nothing_can_be_waived_and_what_gave_no_result_cannot(
    shapes: tuple[Shape, ...], before: Any, expected: VerdictKind
) -> None:
    plain = criteria()
    found = judged(run(shapes), before, rules=plain, waivers=agreed(entry(checks=None, label="p2p", at_most=9)))
    assert found.verdict.kind is expected


def test_a_removed_check_is_waived_by_its_id_only() -> None:
    ids = [check_id("pays", "c1"), check_id("pays", "c2")]
    found = judged(run(SOUND[1:]), waivers=agreed(entry(checks=ids, at_most=2)))
    assert (found.verdict.kind, found.verdict.reasons[0].checks) == (KNOWN, tuple(ids))
    assert judged(run(SOUND[1:]), waivers=agreed(entry(checks=ids[:1]))).verdict.kind is INCONCLUSIVE


def test_a_case_that_failed_outside_any_check_is_waived_by_its_own_id() -> None:
    outside = (replace(SOUND[0], outcome=F), *SOUND[1:])
    assert judged(run(outside), waivers=agreed(entry(checks=[SOUND[0].case]))).verdict.kind is KNOWN
    unfinished = run(SOUND).without(lambda r: isinstance(r, CaseFinished) and "pays" in r.case)
    assert judged(unfinished, waivers=agreed(entry(checks=[SOUND[0].case]))).verdict.kind is REJECTED


def test_where_nothing_passed_no_waiver_helps() -> None:
    failing = tuple(Shape(s.name, {"send": dict.fromkeys(s.steps["send"], F)}) for s in SOUND)
    everything = entry(checks=None, label="transfers", at_most=99)
    found = judged(run(failing), waivers=agreed(everything))
    assert found.verdict.kind is INCONCLUSIVE
    for nothing in (run([]), Run(()), run([Shape("pays", {})])):
        assert judged(nothing, waivers=agreed(everything)).verdict.kind in (REJECTED, INCONCLUSIVE)


def test_a_flaw_of_the_inputs_is_not_waived_with_the_failure() -> None:
    off = replace(baseline(), release="v16.0.0")
    assert waived(before=off).verdict.kind is INCONCLUSIVE


def test_ids_that_this_run_does_not_know_are_named() -> None:
    found = waived(checks=[check_id("pays", "c2"), check_id("gone", "c1")], at_most=2)
    assert status(found) is WaiverStatus.APPLIED
    assert f"not known to this run: {check_id('gone', 'c1')}" in found.waivers[0].text


def test_the_inputs_name_the_waivers_with_their_digest() -> None:
    given = agreed(entry())
    inputs = judged(run(SOUND), waivers=given).verdict.inputs
    assert inputs["waivers"] == {"scheme": "example", "sha256": given.digest}
    assert judged(run(SOUND)).verdict.inputs["waivers"] is None


def test_a_required_case_whose_only_fault_is_waived_is_kept() -> None:
    assert waived().findings[1].status is GateStatus.PASS
    assert "but for what is excused" in waived().findings[1].text
