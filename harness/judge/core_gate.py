"""Is the core as good as OSS showed it to be, as far as this run can tell? Each reason against, and how sure it is.

Failures are weighed in ``proven``: only those that stand in spite of the flaws of the inputs reject a release.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from harness.judge.baseline import Baseline, BaselineSource
from harness.judge.cause import ENVIRONMENT_SHARE, OUTSIDE, environment_share
from harness.judge.compare import Comparison, Mask
from harness.judge.evidence import Evidence
from harness.judge.reasons import FAIL, KNOWN, UNKNOWN, Case, Code, reason_of, same_version
from harness.judge.waiving import WaiverStatus
from harness.judge.words import counted, some_of
from harness.model.outcome import ComparisonClass, GateName, Outcome
from harness.model.verdict import Reason

__all__ = ["baseline_reasons", "core", "proven", "suite_reasons"]


def core(case: Case) -> Iterator[Reason]:
    """Yields what keeps the core from a plain pass: cut-off evidence, unusable inputs, then what the checks show."""
    yield from _cut_off(case)
    yield from _emptiness(case)
    yield from case.baseline_reasons
    yield from case.suite_reasons
    yield from _partial(case.evidence)
    yield from _failures(case)
    yield from _gaps(case)
    yield from _excused(case)
    yield from _known(case)


def _cut_off(case: Case) -> Iterator[Reason]:
    evidence, gate, again = case.evidence, GateName.CORE, "Run again"
    if evidence.damage:
        text = f"the journal is damaged in {counted(len(evidence.damage), 'place')}: {some_of(evidence.damage)}"
        yield reason_of(
            Code.JOURNAL_DAMAGED, gate, UNKNOWN, text, "Run again; keep the damaged journal for its readers"
        )
    if evidence.started is None:
        yield reason_of(Code.NOT_STARTED, gate, UNKNOWN, "the journal does not say what was run", again)
    if evidence.plan_complete is None:
        text = "the plan of the run is not complete, so what is missing cannot be told"
        yield reason_of(Code.PLAN_ABSENT, gate, UNKNOWN, text, again)
    if evidence.finished is None:
        ended = set(evidence.cases["case"])
        left = sorted(set(evidence.planned.loc[evidence.planned["selected"], "case"]) - ended)
        flight = [one for one in dict.fromkeys(evidence.begun) if one not in ended]
        text = f"the run was cut off with {counted(len(left), 'case')} unfinished"
        text += f", in the middle of {some_of(flight)}" if flight else ""
        yield reason_of(Code.NOT_FINISHED, gate, UNKNOWN, text, again, left)
    for interruption in evidence.interruptions:
        yield reason_of(Code.INTERRUPTED, gate, UNKNOWN, f"the run was interrupted: {interruption.reason}", again)
    for lost in evidence.workers_lost:
        where = f" in the middle of {lost.case}" if lost.case else ""
        text = f"worker {lost.worker} was lost{where}: {lost.message}"
        yield reason_of(Code.WORKER_LOST, gate, UNKNOWN, text, again, (lost.case,) if lost.case else ())
    if evidence.finished is not None and evidence.finished.problems:
        text = f"the run met problems outside its cases: {some_of(evidence.finished.problems)}"
        yield reason_of(Code.RUN_PROBLEM, gate, UNKNOWN, text, "Remove the problem and run again")
    share = environment_share(case.causes, _weighing(case))
    if share >= (case.criteria.environment_share if case.criteria else ENVIRONMENT_SHARE):
        outside = [one for one in case.causes if one.cause in OUTSIDE]
        seen = sorted({f"{one.cause.value}, {one.text}" for one in outside})
        text = f"{share:.0%} of the failing cases failed for reasons outside the product: {some_of(seen)}"
        remedy = "Repair the environment or its provisioning and run again"
        yield reason_of(Code.ENVIRONMENT, gate, UNKNOWN, text, remedy, (one.case for one in outside))


def _weighing(case: Case) -> set[str]:
    """The cases that came to an end and weigh on the verdict: what failed as before, or is excused, does not."""
    rows = case.comparison.mask(
        ComparisonClass.REGRESSED, ComparisonClass.NEW_FAIL, ComparisonClass.MISSING, ComparisonClass.FLAKY,
        ComparisonClass.UNKNOWN,
    )  # fmt: skip
    return set(case.comparison.table.loc[rows & ~case.excused, "case"]) & set(case.evidence.cases["case"])


def _emptiness(case: Case) -> Iterator[Reason]:
    evidence, gate = case.evidence, GateName.CORE
    outcomes = evidence.checks["outcome"]
    selected = int(evidence.planned["selected"].sum())
    if selected == 0:
        text = f"none of {counted(len(evidence.planned), 'planned case')} was selected"
        yield reason_of(Code.NO_CASES, gate, UNKNOWN, text, "Select at least one case and run again")
    elif evidence.checks.empty:
        text = f"not a single check came of {counted(selected, 'case')}"
        yield reason_of(Code.NO_CHECKS, gate, UNKNOWN, text, "See why the cases check nothing, and run again")
    elif not (outcomes == Outcome.PASSED.value).any():
        text = f"none of {counted(len(outcomes), 'check')} passed"
        yield reason_of(Code.NOTHING_PASSED, gate, UNKNOWN, text, "See whether the target is the one that was meant")
    compared = case.comparison.mask(
        ComparisonClass.UNCHANGED_PASS, ComparisonClass.UNCHANGED_FAIL, ComparisonClass.REGRESSED,
        ComparisonClass.FIXED, ComparisonClass.FLAKY,
    )  # fmt: skip
    if case.baseline is not None and not evidence.checks.empty and not compared.any():
        text = "not one check of the run could be compared with the baseline"
        yield reason_of(Code.NOTHING_COMPARED, gate, UNKNOWN, text, "Judge with the baseline of this suite")


def baseline_reasons(evidence: Evidence, baseline: Baseline | None, problem: str) -> Iterator[Reason]:
    """Yields why the baseline cannot speak for this run; nothing where it can."""
    gate, started = GateName.CORE, evidence.started
    kind = started.target.get("kind") if started else None
    if started is not None and kind not in ("embedded", "environment"):
        text = f"the kind of the target is not known: {kind!r}"
        yield reason_of(Code.TARGET_UNKNOWN, gate, UNKNOWN, text, "Run against a target of a known kind")
    if baseline is None or problem:
        text = f"there is no usable baseline: {problem}" if problem else "there is no baseline for this release"
        yield reason_of(Code.BASELINE_ABSENT, gate, UNKNOWN, text, "Record or import the baseline, and judge again")
        return
    if baseline.results.empty:
        text = "the baseline holds no check"
        yield reason_of(Code.BASELINE_ABSENT, gate, UNKNOWN, text, "Record the baseline again, and judge again")
    if kind != "embedded" and baseline.source is not BaselineSource.OSS:
        text = f"the baseline was recorded from {baseline.source.value}: it is no evidence of what OSS shows"
        remedy = "Record a baseline from an OSS deployment of the release, and judge again"
        yield reason_of(Code.BASELINE_REHEARSAL, gate, UNKNOWN, text, remedy)
    if started is not None and (
        baseline.product != started.product or not same_version(baseline.release, started.release)
    ):
        text = (
            f"the baseline is of {baseline.product} {baseline.release}, the run of {started.product} {started.release}"
        )
        yield reason_of(
            Code.BASELINE_OTHER_RELEASE, gate, UNKNOWN, text, "Judge with the baseline of the run's release"
        )


def suite_reasons(evidence: Evidence, baseline: Baseline | None) -> Iterator[Reason]:
    """Yields why the suite of this run is not the one the release is pinned to and the baseline was recorded with."""
    gate = GateName.CORE
    suite = evidence.started.suite if evidence.started else {}
    pin, digest = suite.get("pin"), suite.get("digest")
    if pin == "differs" or (pin == "match" and (not digest or digest != suite.get("pinned_digest"))):
        listed = [str(difference) for difference in suite.get("pin_differences") or ()]
        text = "the suite is not the one pinned for this release" + (f": {some_of(listed)}" if listed else "")
        yield reason_of(Code.PIN_DIFFERS, gate, UNKNOWN, text, "Restore the pinned suite and run again", listed)
    elif pin != "match":
        text = "the suite has no pin for this release"
        yield reason_of(Code.PIN_ABSENT, gate, UNKNOWN, text, "Pin the suite for this release and run again")
    if baseline is not None and baseline.suite_digest != digest:
        text = "the baseline was recorded with another suite than this run's"
        yield reason_of(Code.BASELINE_OTHER_SUITE, gate, UNKNOWN, text, "Record the baseline with this suite")


def _partial(evidence: Evidence) -> Iterator[Reason]:
    left = evidence.planned.loc[~evidence.planned["selected"], "case"]
    whole = evidence.started is not None and evidence.started.selection.get("complete") is True
    if len(left) or not whole:
        text = f"the run is partial: {len(left)} of {counted(len(evidence.planned), 'case')} not selected"
        remedy = "Run the whole suite, without labels, keywords or paths"
        yield reason_of(Code.PARTIAL, GateName.CORE, UNKNOWN, text, remedy, sorted(left))


def proven(evidence: Evidence, comparison: Comparison, *, usable_baseline: bool, same_suite: bool) -> Mask:
    """Returns which regressed, new-fail and missing rows stand as failures in spite of the flaws of the inputs.

    ============================  ===============================  ================  ================
    inputs                        regressed                        new-fail          missing
    ============================  ===============================  ================  ================
    sound, or a part of the suite fail                             fail              fail
    suite off pin or baseline's   fail where its definition stands unknown           unknown
    baseline unusable             unknown                          unknown           unknown
    ============================  ===============================  ================  ================

    A check is *missing* by no doing of the release where its case broke or was skipped: then it is only not known.
    """
    table, mask = comparison.table, comparison.mask
    if not usable_baseline:
        return np.zeros(len(table), dtype=bool)
    cases = evidence.cases
    blind = set(cases.loc[cases["outcome"].isin([Outcome.ERROR.value, Outcome.SKIPPED.value]), "case"])
    explained = table["case"].isin(blind).to_numpy()
    regressed = mask(ComparisonClass.REGRESSED) & (same_suite | ~table["definition_changed"].to_numpy())
    if not same_suite:
        return regressed
    return regressed | mask(ComparisonClass.NEW_FAIL) | (mask(ComparisonClass.MISSING) & ~explained)


_FAILURES: Final = (
    (ComparisonClass.REGRESSED, Code.REGRESSED, "regressed", "Correct the component, or find the fault in the check"),
    (ComparisonClass.NEW_FAIL, Code.NEW_FAIL, "failing that the baseline does not know", "Correct what fails"),
    (ComparisonClass.MISSING, Code.MISSING, "expected without a result", "See why they gave none; run again"),
)


def _failures(case: Case) -> Iterator[Reason]:
    table, stands, excused = case.comparison.table, case.proven, case.excused
    for kind, code, words, remedy in _FAILURES:
        rows = case.comparison.mask(kind) & ~excused
        for status, part in ((FAIL, rows & stands), (UNKNOWN, rows & ~stands)):
            ids = tuple(table.loc[part, "check"])
            if ids:
                doubt = (
                    "" if status is FAIL else "; other faults of this run leave open whether the release is to blame"
                )
                text = f"{counted(len(ids), 'check')} {words}: {some_of(ids)}{doubt}"
                yield reason_of(code, GateName.CORE, status, text, remedy, ids)


def _gaps(case: Case) -> Iterator[Reason]:
    """What is not known, within or beyond the bounds that the Scheme accepts (none, where it names none)."""
    gate, table = GateName.CORE, case.comparison.table
    counted_ = ~case.excused
    for kind, code, words, remedy in (
        (ComparisonClass.UNKNOWN, Code.UNKNOWN, "telling nothing (broken, skipped or not selected)", "Make them run"),
        (
            ComparisonClass.HOLLOW,
            Code.HOLLOW,
            "that asserted nothing",
            "Make them assert, or bound them in criteria",
        ),
        (ComparisonClass.REMOVED, Code.REMOVED, "of the baseline no longer in the suite", "Restore them"),
    ):
        ids = tuple(table.loc[case.comparison.mask(kind) & counted_, "check"])
        if ids:
            yield _bounded(case, kind, code, ids, f"{counted(len(ids), 'check')} {words}: {some_of(ids)}", remedy)
    flaky = table[case.comparison.mask(ComparisonClass.FLAKY) & counted_]
    failing = tuple(flaky.loc[flaky["outcome"] == Outcome.FAILED.value, "check"])
    if failing:
        text = f"{counted(len(failing), 'check')} failing now as in some runs of the baseline: {some_of(failing)}"
        remedy = "Run again: one run cannot tell a flaky check from a regression"
        yield _bounded(case, ComparisonClass.FLAKY, Code.FLAKY, failing, text, remedy)
    changed = table[table["definition_changed"] & (table["outcome"] != "")]
    if len(changed):
        ids = tuple(changed["check"])
        text = f"{counted(len(ids), 'check')} with another definition than in the baseline: {some_of(ids)}"
        remedy = "Record the baseline with this suite, and judge again"
        yield reason_of(Code.DEFINITION_CHANGED, gate, UNKNOWN, text, remedy, ids)
    if unseen := _unchecked_steps(case.evidence):
        text = f"{counted(len(unseen), 'exchange')} without an answer, unseen by any check: {some_of(unseen)}"
        yield reason_of(Code.STEP_UNCHECKED, gate, UNKNOWN, text, "See why they broke, and run again", unseen)


def _bounded(case: Case, kind: ComparisonClass, code: Code, ids: tuple[str, ...], text: str, remedy: str) -> Reason:
    bound = case.criteria.bound(kind) if case.criteria else 0
    if int((case.comparison.mask(kind) & ~case.excused).sum()) <= bound:
        return reason_of(code, GateName.CORE, KNOWN, f"{text}; the Scheme accepts {bound}", remedy, ids)
    return reason_of(code, GateName.CORE, UNKNOWN, text, remedy, ids)


def _unchecked_steps(evidence: Evidence) -> tuple[str, ...]:
    """Steps that got no answer, in cases that passed, with no check upon them: a failure that nobody looked at."""
    broke = evidence.steps["error_kind"].isin(["connection", "timeout", "harness"])
    passed = evidence.steps["case"].isin(evidence.cases.loc[evidence.cases["outcome"] == Outcome.PASSED.value, "case"])
    checked = evidence.steps["step"].isin(evidence.checks["step"])
    return tuple(sorted(evidence.steps.loc[broke & passed & ~checked, "step"].unique()))


def _excused(case: Case) -> Iterator[Reason]:
    """What the Scheme has agreed to: each waiver and expectation in force that covers something is a known issue."""
    table = case.comparison.table
    for found in case.waivers:
        if found.status is WaiverStatus.APPLIED:
            waiver = found.waiver
            text = (
                f"{counted(len(found.checks), 'check')} waived by {waiver.id} until {waiver.expires} "
                f"({waiver.approved_by}, {waiver.ticket}): {waiver.reason.strip()}"
            )
            yield reason_of(Code.WAIVED, GateName.CORE, KNOWN, text, f"Resolve {waiver.ticket}", found.checks)
    for rule, rows in case.expected:
        if ids := tuple(table.loc[rows, "check"]):
            when = ", ".join(f"{name} is {value!r}" for name, value in sorted(rule.when.items()))
            text = f"{counted(len(ids), 'check')} failing as {rule.id} expects where {when}: {some_of(ids)}"
            remedy = "Judge a target with other facts"
            yield reason_of(Code.EXPECTED_FAILURE, GateName.CORE, KNOWN, text, remedy, ids)


def _known(case: Case) -> Iterator[Reason]:
    table = case.comparison.table
    failing = tuple(table.loc[case.comparison.mask(ComparisonClass.UNCHANGED_FAIL) & ~case.excused, "check"])
    if failing:
        text = f"{counted(len(failing), 'check')} failing as in the baseline: {some_of(failing)}"
        yield reason_of(Code.UNCHANGED_FAIL, GateName.CORE, KNOWN, text, "A release that corrects them", failing)
    flaky = table[case.comparison.mask(ComparisonClass.FLAKY)]
    passing = tuple(flaky.loc[flaky["outcome"] == Outcome.PASSED.value, "check"])
    if passing:
        text = f"{counted(len(passing), 'check')} passing that failed in some runs of the baseline: {some_of(passing)}"
        remedy = "Find what makes them flaky, and record the baseline again"
        yield reason_of(Code.FLAKY, GateName.CORE, KNOWN, text, remedy, passing)
