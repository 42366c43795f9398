"""The target's facts and versions are held against what a Scheme demands; what is not stated is not known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.judge.expectations import expected_failures
from harness.model.outcome import GateStatus, Outcome, VerdictKind
from harness.model.records import RunStarted, ServiceProbed
from tests.judge.build import RELEASE, SOUND, F, H, P, Run, baseline, case, check_id, judged, judging, on, one_rule, run

PASS, FAIL, UNKNOWN = GateStatus.PASS, GateStatus.FAIL, GateStatus.UNKNOWN
OFF = {"on_us_transfers_enabled": False}


def having(what: Run, **facts: Any) -> Run:
    return what.changed(RunStarted, target={"facts": facts})


@pytest.mark.parametrize(
    ("facts", "demanded", "expected"),
    [
        ({"srm": True}, "{srm: true}", PASS),
        ({"srm": False}, "{srm: true}", FAIL),
        ({"srm": 1}, "{srm: true}", FAIL),
        ({}, "{srm: true}", UNKNOWN),
        ({"srm": True}, "{srm: true, limit: 5}", UNKNOWN),
        ({"srm": False}, "{srm: true, limit: 5}", FAIL),
        ({"limit": 5, "mode": "a"}, "{limit: 5, mode: a}", PASS),
    ],
)
def test_target_facts(facts: dict[str, Any], demanded: str, expected: GateStatus) -> None:
    assert on(having(run(SOUND), **facts), kind="target-facts", facts=demanded).status is expected


@pytest.mark.parametrize(
    ("version", "keys", "expected"),
    [
        ("v17.8.0", {}, PASS),
        ("17.8.0", {}, PASS),
        ("v17.9.0", {}, FAIL),
        ("v17.9.0", {"components": "[ml-api-adapter]"}, PASS),
        (None, {"components": "[quoting-service]"}, UNKNOWN),
        ("v17.8.0", {"components": "[nosuch]"}, UNKNOWN),
    ],
)
def test_component_versions(version: str | None, keys: dict[str, Any], expected: GateStatus) -> None:
    what = run(SOUND).each(
        lambda r: replace(r, version=version) if isinstance(r, ServiceProbed) and r.service == "quoting-service" else r
    )
    assert on(what, kind="component-versions", **keys).status is expected


def test_without_a_manifest_or_a_version_nothing_is_as_released() -> None:
    rules = one_rule(kind="component-versions")
    assert judged(run(SOUND), rules=rules, release=None).findings[0].status is UNKNOWN
    silent = run(SOUND).changed(ServiceProbed, version=None)
    assert judged(silent, rules=rules, release=RELEASE).findings[0].status is UNKNOWN


EXPECTED = {
    "kind": "expected-failures",
    "when": "{on_us_transfers_enabled: false}",
    "checks": f'["{check_id("pays", "c2")}"]',
}
FAILING = run([case("pays", P, F), *SOUND[1:]])


@pytest.mark.parametrize(
    ("outcome", "facts", "status", "kind"),
    [
        (F, OFF, PASS, VerdictKind.APPROVED_WITH_KNOWN_ISSUES),
        (P, OFF, FAIL, VerdictKind.REJECTED),
        (H, OFF, UNKNOWN, VerdictKind.INCONCLUSIVE),
        (F, {"on_us_transfers_enabled": True}, PASS, VerdictKind.REJECTED),
        # kept, and yet these criteria, being of this rule alone, then demand nothing
        (P, {"on_us_transfers_enabled": True}, PASS, VerdictKind.INCONCLUSIVE),
        (F, {}, UNKNOWN, VerdictKind.REJECTED),
        (P, {}, UNKNOWN, VerdictKind.INCONCLUSIVE),
    ],
)
def test_what_is_expected_to_fail_is_excused_on_a_target_with_those_facts_only(
    outcome: Outcome, facts: dict[str, Any], status: GateStatus, kind: VerdictKind
) -> None:
    found = judging(having(run([case("pays", P, outcome), *SOUND[1:]]), **facts), **EXPECTED)
    assert (found.findings[0].status, found.verdict.kind) == (status, kind)


def test_an_expected_failure_is_told_as_such_and_excuses_nothing_beside_it() -> None:
    told = judging(having(FAILING, **OFF), **EXPECTED).verdict.reasons[0]
    assert (told.code, told.checks) == ("expected-failure", (check_id("pays", "c2"),))
    assert "on_us_transfers_enabled is False" in told.text
    both = having(run([case("pays", F, F), *SOUND[1:]]), **OFF)
    assert judging(both, **EXPECTED).verdict.kind is VerdictKind.REJECTED


def test_an_expectation_about_a_check_that_nobody_knows_is_not_kept() -> None:
    keys = EXPECTED | {"checks": f'["{check_id("nobody", "c1")}"]'}
    assert judging(having(run(SOUND), **OFF), **keys).findings[0].status is UNKNOWN


def test_an_expectation_in_force_takes_only_rows_that_failed() -> None:
    found = judging(having(FAILING, **OFF), baseline(), **EXPECTED)
    rules = one_rule(**EXPECTED)
    ((_, rows),) = expected_failures(rules, found.evidence, found.comparison)
    assert list(found.comparison.table.loc[rows, "check"]) == [check_id("pays", "c2")]
