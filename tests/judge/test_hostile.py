"""Whoever wants an approval out of inputs that do not bear one gets none: each attempt that came to mind, by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.errors import BaselineError, CriteriaError
from harness.judge.baseline_store import load_baseline, write_baseline
from harness.judge.criteria import Criteria
from harness.judge.verdict import JudgedRun
from harness.judge.waiving import WaiverStatus
from harness.model.outcome import VerdictKind
from harness.model.records import RunStarted
from harness.run.journal import JOURNAL
from harness.validation import judge_folder
from harness.workspace import Workspace
from tests.cli.test_compare import write_run
from tests.judge.build import (
    SOUND,
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
    one_rule,
    run,
    waiver,
    waivers,
)  # fmt: skip

REGRESSED = (case("pays", P, F), *SOUND[1:])
LOST = check_id("pays", "c2")
APPROVED, KNOWN = VerdictKind.APPROVED, VerdictKind.APPROVED_WITH_KNOWN_ISSUES
LETS_THROUGH = (APPROVED, KNOWN)


def codes(found: JudgedRun) -> set[str]:
    return {reason.code for reason in found.verdict.reasons}


# --- waivers ---------------------------------------------------------------------------------------------------------

POINTLESS: dict[str, dict[str, Any]] = {
    "expired the day before": {"expires": "2026-05-31"},
    "of tomorrow": {"approved_on": "2026-06-02", "expires": "2026-06-30"},
    "wildcards in an id": {"checks": ["transfers/test_transfers.py::pays::send::*"]},
    "wildcards all over": {"checks": ["transfers/*::*::*::*"]},
    "the id of its step": {"checks": ["transfers/test_transfers.py::pays::send"]},
    "the id of its case": {"checks": ["transfers/test_transfers.py::pays"]},
    "an id in other case": {"checks": [LOST.upper()]},
    "an id with room around it": {"checks": [f" {LOST} "]},
    "a label with a wildcard": {"checks": None, "label": "p2p*"},
    "a label in other case": {"checks": None, "label": "P2P"},
    "a criterion": {"checks": None, "label": "no-regressions"},
    "a criterion as if it were a check": {"checks": ["criteria.yaml::no-regressions::no-regressions::no-regressions"]},
    "a share of one check": {"at_most": None, "rate_at_most": 0.99},
}  # fmt: skip


@pytest.mark.parametrize("changes", POINTLESS.values(), ids=POINTLESS)
def test_a_waiver_that_does_not_quite_name_what_failed_covers_nothing(changes: dict[str, Any]) -> None:
    found = judged(run(REGRESSED), waivers=waivers(waiver(**changes)))
    assert found.verdict.kind is VerdictKind.REJECTED
    assert any(note.startswith("waiver agreed covers nothing") for note in found.verdict.notes)


def test_on_its_last_day_a_waiver_holds_and_the_issue_is_still_told() -> None:
    found = judged(run(REGRESSED), waivers=waivers(waiver(expires="2026-06-01")))
    assert (found.verdict.kind, codes(found)) == (KNOWN, {"waived"})


def test_waivers_do_not_add_up_to_what_none_of_them_covers() -> None:
    """Two failures, two waivers of one each for the same label: both are exceeded."""
    both = (case("pays", P, F), case("aborts", F, P, P), SOUND[2])
    agreed = waivers(*(waiver(id=name, checks=None, label="p2p", at_most=1) for name in ("one", "two")))
    found = judged(run(both), waivers=agreed)
    assert found.verdict.kind is VerdictKind.REJECTED
    assert {each.status for each in found.waivers} == {WaiverStatus.EXCEEDED}


def test_a_check_that_two_waivers_name_is_waived_once_and_told_of_each() -> None:
    agreed = waivers(waiver(id="one"), waiver(id="two"))
    found = judged(run(REGRESSED), waivers=agreed)
    assert found.verdict.kind is KNOWN
    told = [reason.text for reason in found.verdict.reasons if reason.code == "waived"]
    assert len(told) == 2
    more = (case("pays", F, F), *SOUND[1:])
    assert judged(run(more), waivers=agreed).verdict.kind is VerdictKind.REJECTED


def test_one_id_twice_in_a_file_or_a_waiver_wins_nothing() -> None:
    with pytest.raises(CriteriaError, match="two waivers have the id 'agreed'"):
        waivers(waiver(), waiver())
    repeated = waiver(checks=[LOST, LOST], at_most=None, rate_at_most=0.5)
    assert judged(run(REGRESSED), waivers=waivers(repeated)).verdict.kind is VerdictKind.REJECTED


@pytest.mark.parametrize(
    "shape",
    [
        case("pays", P, planned_checks=(check_id("pays", "c1"), LOST)),
        case("pays", P),
        case("pays", P, S),
        Shape("pays", {"send": {}}),
    ],
    ids=["missing of the plan", "missing of the baseline", "skipped", "no check at all"],
)
def test_what_gave_no_result_is_not_waived(shape: Shape) -> None:
    every = [check_id("pays", "c1"), LOST, shape.case]
    agreed = waivers(waiver(checks=every, at_most=3), waiver(id="label", checks=None, label="p2p", at_most=99))
    assert judged(run((shape, *SOUND[1:])), waivers=agreed).verdict.kind not in LETS_THROUGH


# --- criteria --------------------------------------------------------------------------------------------------------

SETTLEMENT = case("settles", P, P, feature="settlement", labels=("settlement",))
ACCEPTING = "{id: accepted, kind: class-at-most, classes: [unknown, removed, hollow], at_most: 9, severity: minor, title: t, rationale: r}"  # noqa: E501


def rules(*texts: str) -> Criteria:
    return criteria("scheme: example\ntitle: t\nrules:\n" + "".join(f"  - {text}\n" for text in texts))


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "class-at-most", "classes": "[regressed]", "at_most": 0, "labels": "[nosuch]"},
        {"kind": "class-at-most", "classes": "[regressed]", "at_most": 0, "path": "nosuch/*"},
        {"kind": "outcome-at-most", "outcomes": "[failed]", "at_most": 0, "operation": "POST /nosuch"},
        {"kind": "outcome-at-most", "outcomes": "[failed]", "at_most": 0, "currency": "XTS"},
        {"kind": "pass-rate", "at_least": 0.01, "path": "nosuch/*"},
        {"kind": "minimum-executed", "what": "cases", "at_least": 1, "labels": "[nosuch]"},
        {"kind": "required-cases", "cases": "['x.py::nosuch']"},
        {"kind": "required-cases", "labels": "[nosuch]"},
        {"kind": "required-checks", "checks": "['x.py::nosuch::send::c1']"},
        {"kind": "required-folders", "folders": "[scheme_rules/example/nosuch]"},
        {"kind": "required-folders", "folders": "['/', '.', './']"},
        {"kind": "required-suites", "suites": "[nosuch]"},
        {"kind": "required-products", "products": "[nosuch]"},
        {"kind": "latency-p95", "operation": "POST /nosuch", "measure": "response", "at_most_ms": 1},
        {"kind": "target-facts", "facts": "{nosuch: true}"},
        {"kind": "component-versions", "components": "[nosuch]"},
        {"kind": "expected-failures", "when": "{nosuch: true}", "checks": "['x.py::nosuch::send::c1']"},
    ],
    ids=lambda rule: f"{rule['kind']} {next(reversed(rule))}",
)
@pytest.mark.parametrize("severity", ["blocker", "minor"])
def test_a_rule_that_matches_nothing_does_not_let_a_sound_run_through(rule: dict[str, Any], severity: str) -> None:
    found = judged(run(SOUND), rules=one_rule(**rule, severity=severity))
    assert found.verdict.kind is VerdictKind.INCONCLUSIVE


@pytest.mark.parametrize("kind", ["class-at-most", "outcome-at-most"])
@pytest.mark.parametrize("fate", ["skipped", "hollow", "removed"])
def test_a_bound_on_failures_is_not_kept_by_what_told_nothing(kind: str, fate: str) -> None:
    """The Scheme lives with gaps, but demands that no settlement fails: and not one of them said anything."""
    of_what = "classes: [regressed]" if kind == "class-at-most" else "outcomes: [failed]"
    demand = (
        f"{{id: none-fails, kind: {kind}, {of_what}, at_most: 0, path: '*/test_settlement.py', severity: blocker, "
        "title: t, rationale: r}"
    )
    sound = (*SOUND, SETTLEMENT)
    told = {"skipped": (case("settles", S, S, feature="settlement", labels=("settlement",)),),
            "hollow": (case("settles", H, H, feature="settlement", labels=("settlement",)),),
            "removed": ()}[fate]  # fmt: skip
    demanded = rules(demand, ACCEPTING)
    assert judged(run(sound), baseline(sound), rules=demanded).verdict.kind is APPROVED
    found = judged(run((*SOUND, *told)), baseline(sound), rules=demanded)
    assert found.verdict.kind is VerdictKind.INCONCLUSIVE
    (finding,) = [each for each in found.findings if each.rule.id == "none-fails"]
    assert "told nothing" in finding.text


def test_what_a_scheme_accepts_to_be_gone_is_no_demand_that_met_nothing() -> None:
    """A bound on *removed* looks at what was removed: it needs no result."""
    sound = (*SOUND, SETTLEMENT)
    accept = (
        "{id: gone, kind: class-at-most, classes: [removed], at_most: 2, path: '*/test_settlement.py', "
        "severity: major, title: t, rationale: r}"
    )
    assert judged(run(SOUND), baseline(sound), rules=rules(accept, ACCEPTING)).verdict.kind is KNOWN


@pytest.mark.parametrize(
    "bound",
    [
        {"kind": "class-at-most", "classes": "[regressed]"},
        {"kind": "outcome-at-most", "outcomes": "[failed]"},
    ],
)
def test_a_bound_on_what_is_waived_as_a_whole_is_kept(bound: dict[str, Any]) -> None:
    rule = one_rule(**bound, at_most=0, path="'*/test_settlement.py'")
    sound = (*SOUND, SETTLEMENT)
    told = case("settles", F, F, feature="settlement", labels=("settlement",))
    given = waivers(waiver(checks=[check_id("settles", one, "settlement") for one in ("c1", "c2")], at_most=2))
    found = judged(run((*SOUND, told)), baseline(sound), rules=rule, waivers=given)
    assert (found.verdict.kind, codes(found)) == (KNOWN, {"waived"})


def test_criteria_of_which_nothing_applies_to_the_target_demand_nothing_and_approve_nothing() -> None:
    expectation = one_rule(kind="expected-failures", when="{closed: true}", checks=f"['{LOST}']")
    other = run(SOUND).changed(RunStarted, target={"facts": {"closed": False}})
    found = judged(other, rules=expectation)
    assert found.verdict.kind is VerdictKind.INCONCLUSIVE
    assert codes(found) == {"criteria-idle"}


def test_criteria_of_another_scheme_than_the_runs_approve_nothing() -> None:
    lenient = one_rule(kind="class-at-most", classes="[regressed]", at_most=0)
    other = lenient.model_copy(update={"scheme": "lenient"})
    found = judged(run(SOUND), rules=other)
    assert found.verdict.kind is VerdictKind.INCONCLUSIVE
    (told,) = found.verdict.reasons
    assert (told.code, told.text) == (
        "criteria-of-another", "judged by the criteria of scheme lenient; the run is for scheme example",
    )  # fmt: skip
    assert judged(run(SOUND).changed(RunStarted, scheme=None), rules=other).verdict.kind is APPROVED


# --- baselines -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "suite",
    [
        {"digest": "6" * 64, "pinned_digest": "6" * 64},
        {"digest": "6" * 64},
        {"pinned_digest": "6" * 64},
        {"digest": None, "pinned_digest": None},
        {"pin": True},
    ],
)
def test_a_run_of_another_suite_or_pin_is_not_approved_even_by_a_baseline_of_it(suite: dict[str, Any]) -> None:
    what = run(SOUND).changed(RunStarted, suite=suite)
    assert judged(what).verdict.kind is VerdictKind.INCONCLUSIVE
    if suite.get("digest") != suite.get("pinned_digest", "5" * 64):
        alike = replace(baseline(), suite_digest=str(suite.get("digest")))
        assert judged(what, alike).verdict.kind is VerdictKind.INCONCLUSIVE


@pytest.mark.parametrize("figure", [".nan", ".inf", "-1.0"])
def test_a_figure_that_nothing_can_exceed_is_refused(tmp_path: Path, figure: str) -> None:
    write_baseline(baseline(), tmp_path)
    file = tmp_path / "baseline.yaml"
    text = file.read_text()
    assert "    p95_ms: 10.0\n" in text
    file.write_text(text.replace("    p95_ms: 10.0\n", f"    p95_ms: {figure}\n"))
    with pytest.raises(BaselineError, match=r"p95_ms"):
        load_baseline(tmp_path)


def test_times_without_an_end_are_refused(tmp_path: Path) -> None:
    write_baseline(baseline(), tmp_path)
    file = tmp_path / "baseline.yaml"
    text = file.read_text()
    assert "10.0]" in text
    file.write_text(text.replace("10.0]", ".inf]"))
    with pytest.raises(BaselineError, match="samples"):
        load_baseline(tmp_path)


# --- the journal's file ----------------------------------------------------------------------------------------------


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """One in which the run ``r1`` is approved."""
    workspace = Workspace(tmp_path)
    write_baseline(baseline(), tmp_path / "baselines/mojaloop/v17.1.0")
    own = tmp_path / "scheme_rules/example/criteria.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(
        "scheme: example\ntitle: t\nrules:\n  - {id: none, kind: class-at-most, classes: [regressed], at_most: 0, "
        "severity: blocker, title: t, rationale: r}\n"
    )
    write_run(workspace.runs / "r1", of_release(run(SOUND)))
    return workspace


def of_release(what: Run) -> Run:
    components = {"account-lookup-service": "v17.12.0", "quoting-service": "v17.8.0", "ml-api-adapter": "v16.5.0"}
    manifest = {"product": "mojaloop", "version": "v17.1.0", "components": components, "source": "notes"}
    return what.changed(RunStarted, release_manifest=manifest)


def verdict_on(workspace: Workspace, lines: list[str]) -> VerdictKind:
    (workspace.runs / "r1" / JOURNAL).write_text("".join(lines))
    return judge_folder(workspace, workspace.runs / "r1").judged.verdict.kind


def lines_of(workspace: Workspace) -> list[str]:
    return (workspace.runs / "r1" / JOURNAL).read_text().splitlines(keepends=True)


Spoil = Callable[[list[str], int], list[str]]
SPOILT: dict[str, Spoil] = {
    "removed": lambda lines, at: [*lines[:at], *lines[at + 1 :]],
    "doubled": lambda lines, at: [*lines[: at + 1], lines[at], *lines[at + 1 :]],
    "moved to the end": lambda lines, at: [*lines[:at], *lines[at + 1 :], lines[at]],
    "cut short": lambda lines, at: [*lines[:at], lines[at][: len(lines[at]) // 2]],
    "emptied": lambda lines, at: [*lines[:at], "\n", *lines[at + 1 :]],
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_a_journal_with_a_line_spoilt_approves_nothing_whichever_it_is(workspace: Workspace, spoil: Spoil) -> None:
    lines = lines_of(workspace)
    assert verdict_on(workspace, lines) is APPROVED
    for at in range(len(lines)):
        spoilt = spoil(lines, at)
        if spoilt != lines:
            assert verdict_on(workspace, spoilt) not in LETS_THROUGH, lines[at]


def renumbered(lines: list[str]) -> list[str]:
    return [json.dumps(json.loads(line) | {"seq": at}) + "\n" for at, line in enumerate(lines, 1)]


def test_renumbering_what_is_left_does_not_help(workspace: Workspace) -> None:
    """Whoever takes a line out and counts anew is found by what the baseline and the end of the journal hold."""
    lines = lines_of(workspace)
    for at, line in enumerate(lines):
        if json.loads(line)["type"] in ("case-started", "step"):
            continue  # these two illustrate: no check rests on them
        assert verdict_on(workspace, renumbered([*lines[:at], *lines[at + 1 :]])) not in LETS_THROUGH, line


def test_two_journals_make_no_whole_run(workspace: Workspace) -> None:
    """The good half of one run with the good half of another."""
    lines = lines_of(workspace)
    write_run(workspace.runs / "r2", of_release(run(SOUND, run_id="r2")))
    others = (workspace.runs / "r2" / JOURNAL).read_text().splitlines(keepends=True)
    assert verdict_on(workspace, [*lines, *others]) not in LETS_THROUGH
    assert verdict_on(workspace, renumbered([*lines, *others])) not in LETS_THROUGH
