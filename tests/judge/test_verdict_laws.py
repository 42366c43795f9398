"""Nothing that takes evidence away, and nothing that makes it worse, ever brings a release nearer to approval."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.judge.baseline import Baseline
from harness.judge.criteria import Criteria
from harness.judge.document import verdict_to_json
from harness.judge.verdict import JudgedRun
from harness.judge.waivers import Waivers
from harness.model.outcome import GateStatus, Outcome, VerdictKind
from harness.model.records import CaseFinished, CheckRecorded, Interrupted, Record, RunFinished, WorkerLost
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
    waiver,
    waivers,
)  # fmt: skip

LENIENT = criteria(
    CRITERIA
    + """\
  - {id: lenient, kind: class-at-most, classes: [hollow, unknown, removed, flaky], at_most: 2,
     severity: major, title: t, rationale: r}
"""
)
BASELINES = (baseline(), baseline(SOUND, (case("pays", P, F), *SOUND[1:])), baseline((case("pays", F, P), *SOUND[1:])))

slow = settings(max_examples=40, deadline=None)
outcomes = st.sampled_from([P, P, P, P, P, F, H, S, E])
shape = st.builds(
    lambda name, results: case(name, *results),
    st.sampled_from(["pays", "aborts", "new"]),
    st.lists(outcomes, min_size=0, max_size=3),
)
runs = st.one_of(
    st.just(list(SOUND)),
    st.lists(shape, max_size=3, unique_by=lambda each: each.name).map(lambda some: [*some, SOUND[2]]),
)
DEMANDING = criteria(
    CRITERIA
    + """\
  - {id: rate, kind: pass-rate, at_least: 0.9, severity: major, title: t, rationale: r}
  - {id: skipped, kind: outcome-at-most, outcomes: [skipped, hollow], share_at_most: 0.2,
     severity: major, title: t, rationale: r}
  - {id: enough, kind: minimum-executed, what: cases, at_least: 2, severity: major, title: t, rationale: r}
  - {id: money, kind: required-cases, labels: [p2p], severity: minor, title: t, rationale: r}
  - {id: one, kind: required-checks, checks: ["transfers/test_expiry.py::expires::send::c1"],
     severity: major, title: t, rationale: r}
"""
)
rules = st.sampled_from([criteria(), LENIENT, DEMANDING])
WAIVERS = waivers(
    waiver(id="by-id", checks=[check_id("pays", "c2"), check_id("aborts", "c1")], at_most=2),
    waiver(id="by-label", checks=None, label="p2p", at_most=None, rate_at_most=0.4),
)
agreed = st.sampled_from([None, WAIVERS])
befores = st.sampled_from(BASELINES)


def nearness(found: JudgedRun) -> int:
    """How near to approval: the two verdicts that let nothing through are equally far."""
    return {VerdictKind.APPROVED: 2, VerdictKind.APPROVED_WITH_KNOWN_ISSUES: 1}.get(found.verdict.kind, 0)


@slow
@given(runs, befores, rules, agreed, st.data())
def test_taking_away_or_worsening_a_passed_check_never_helps(
    shapes: list[Shape], before: Baseline, bounds: Criteria, given_: Waivers | None, data: st.DataObject
) -> None:
    whole = run(shapes)
    passed = [r.check for r in whole.records if isinstance(r, CheckRecorded) and r.outcome is P]
    if not passed:
        return
    victim = data.draw(st.sampled_from(passed))
    what = data.draw(st.sampled_from(["removed", F, H, S, E]))

    def worsen(record: Record) -> Record:
        if isinstance(record, CheckRecorded) and record.check == victim and isinstance(what, Outcome):
            return replace(record, outcome=what)
        if isinstance(record, CaseFinished) and victim.startswith(record.case + "::") and what in (F, E):
            return replace(record, outcome=F)
        return record

    worse = whole.without(lambda r: what == "removed" and isinstance(r, CheckRecorded) and r.check == victim)
    after = judged(worse.each(worsen), before, rules=bounds, waivers=given_)
    assert nearness(after) <= nearness(judged(whole, before, rules=bounds, waivers=given_))


@slow
@given(runs, befores, rules, st.data())
def test_dropping_the_tail_of_the_journal_never_approves(
    shapes: list[Shape], before: Baseline, bounds: Criteria, data: st.DataObject
) -> None:
    whole = run(shapes).records
    kept = data.draw(st.integers(0, len(whole) - 1))
    assert nearness(judged(Run(whole[:kept]), before, rules=bounds)) == 0


@slow
@given(runs, befores, rules, st.data())
def test_dropping_any_records_never_helps_even_if_the_counts_are_made_to_agree(
    shapes: list[Shape], before: Baseline, bounds: Criteria, data: st.DataObject
) -> None:
    whole = run(shapes)
    good = [r for r in whole.records if not (isinstance(r, CheckRecorded | CaseFinished) and r.outcome is not P)]
    dropped = data.draw(st.lists(st.sampled_from(good), min_size=1, max_size=3, unique_by=id))
    less = whole.without(lambda record: any(record is one for one in dropped))
    assert nearness(judged(less, before, rules=bounds)) <= nearness(judged(whole, before, rules=bounds))


@slow
@given(runs, befores, rules, st.data())
def test_telling_one_thing_twice_never_helps(
    shapes: list[Shape], before: Baseline, bounds: Criteria, data: st.DataObject
) -> None:
    whole = run(shapes)
    at = data.draw(st.integers(0, len(whole.records) - 1))
    again = whole.records[at]
    if isinstance(again, CheckRecorded | CaseFinished):
        again = replace(again, outcome=P)
    twice = Run((*whole.records[: at + 1], again, *whole.records[at + 1 :])).closed()
    assert nearness(judged(twice, before, rules=bounds)) <= nearness(judged(whole, before, rules=bounds))


@slow
@given(runs, befores, rules, st.integers(0, 100), st.sampled_from(["interrupted", "lost", "problem", "unselected"]))
def test_whatever_cuts_a_run_short_never_approves(
    shapes: list[Shape], before: Baseline, bounds: Criteria, place: int, what: str
) -> None:
    whole = run(shapes)
    at = 1 + place % (len(whole.records) - 1)
    told: dict[str, Record] = {
        "interrupted": Interrupted(reason="SIGTERM"),
        "lost": WorkerLost(worker="gw0", case=None, message="killed"),
    }
    if what in told:
        cut = Run((*whole.records[:at], told[what], *whole.records[at:]))
    elif what == "problem":
        cut = whole.changed(RunFinished, problems=["the inbound server ended"])
    else:
        cut = run([replace(shapes[place % len(shapes)], selected=False), case("other", P)])
    assert nearness(judged(cut, before, rules=bounds)) == 0


@slow
@given(runs, befores, rules)
def test_an_approval_rests_on_a_result_for_every_check_that_was_expected(
    shapes: list[Shape], before: Baseline, bounds: Criteria
) -> None:
    found = judged(run(shapes), before, rules=bounds)
    if nearness(found) == 0:
        return
    table = found.comparison.table
    assert not set(table["class"]) & {"regressed", "new-fail", "missing"}
    assert (table["outcome"] == "passed").any()
    failing = table[table["outcome"] == "failed"]
    assert (failing["baseline_failed"] > 0).all()
    blind = table["class"].isin(["hollow", "unknown", "removed"])
    assert int(blind.sum()) <= (2 if bounds is LENIENT else 0)
    if found.verdict.kind is VerdictKind.APPROVED:
        assert (table["outcome"] == "passed").all()
        assert found.verdict.reasons == ()
    else:
        assert {reason.status for reason in found.verdict.reasons} == {GateStatus.PASS}


@slow
@given(runs, befores, rules, agreed, st.randoms(use_true_random=False))
def test_judging_twice_gives_the_same_bytes_and_the_order_of_cases_does_not_matter(
    shapes: list[Shape], before: Baseline, bounds: Criteria, given_: Waivers | None, chance: random.Random
) -> None:
    first = verdict_to_json(judged(run(shapes), before, rules=bounds, waivers=given_))
    assert verdict_to_json(judged(run(shapes), before, rules=bounds, waivers=given_)) == first
    shuffled = chance.sample(shapes, len(shapes))
    assert verdict_to_json(judged(run(shuffled), before, rules=bounds, waivers=given_)) == first


@slow
@given(runs, befores, rules)
def test_every_reason_that_stands_in_the_way_says_what_would_change_it(
    shapes: list[Shape], before: Baseline, bounds: Criteria
) -> None:
    found = judged(run(shapes), before, rules=bounds).verdict
    for reason in found.reasons:
        assert reason.text
        assert reason.remedy or reason.status is GateStatus.PASS
    assert sum(found.counts.values()) > 0
    assert found.next_action


@slow
@given(runs, befores, rules)
def test_adding_a_waiver_changes_the_class_of_no_check(shapes: list[Shape], before: Baseline, bounds: Criteria) -> None:
    without = judged(run(shapes), before, rules=bounds)
    found = judged(run(shapes), before, rules=bounds, waivers=WAIVERS)
    assert found.comparison.table.equals(without.comparison.table)
    assert found.counts == without.counts
    covered = {check for one in found.waivers for check in one.checks}
    for reason in without.verdict.reasons:
        if reason.code in ("regressed", "new-fail", "missing", "unknown"):
            kept = {check for other in found.verdict.reasons for check in other.checks}
            assert set(reason.checks) <= kept | covered


@slow
@given(runs, befores, rules, st.sampled_from(["2026-04-30", "2026-06-02", "", "?"]))
def test_a_waiver_that_does_not_hold_is_as_good_as_none(
    shapes: list[Shape], before: Baseline, bounds: Criteria, day: str
) -> None:
    what = replace(run(shapes), ended_at=day)
    found = judged(what, before, rules=bounds, waivers=WAIVERS).verdict
    without = judged(what, before, rules=bounds).verdict
    assert (found.kind, found.gates, found.reasons) == (without.kind, without.gates, without.reasons)
    assert (found.counts, found.suspects, found.next_action) == (without.counts, without.suspects, without.next_action)


@slow
@given(runs, befores, rules)
def test_a_waiver_never_approves_without_known_issues_what_failed_and_never_what_gave_no_result(
    shapes: list[Shape], before: Baseline, bounds: Criteria
) -> None:
    found = judged(run(shapes), before, rules=bounds, waivers=WAIVERS)
    table = found.comparison.table
    if (table["outcome"] == "failed").any():
        assert found.verdict.kind is not VerdictKind.APPROVED
    if table["class"].eq("missing").any():
        assert nearness(found) == 0
    if not (table["outcome"] == "passed").any():
        assert nearness(found) == 0
