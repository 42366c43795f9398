"""Does a run keep to a Scheme's rules? One finding per rule: kept, broken, or not to be told.

A rule that finds nothing to look at is not kept: it is not to be told, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate
from typing import Final, assert_never

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.judge.baseline import Baseline, percentile
from harness.judge.compare import Comparison
from harness.judge.criteria import ClassAtMost, Criteria, LatencyP95, MinimumExecuted, RequiredCases, Rule
from harness.judge.evidence import Evidence
from harness.model.outcome import ComparisonClass, GateStatus, Outcome

__all__ = ["CLASSES_WITHOUT_EVIDENCE", "Grounds", "RuleFinding", "counted", "judge_rules", "some_of"]

CLASSES_WITHOUT_EVIDENCE: Final = frozenset(
    {ComparisonClass.HOLLOW, ComparisonClass.UNKNOWN, ComparisonClass.REMOVED, ComparisonClass.FLAKY}
)
"""Too many of these say that too little is known, not that the release is bad."""

Mask = npt.NDArray[np.bool_]
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Grounds:
    """What rules are judged on. ``proven`` marks the failures that stand in spite of the flaws of the inputs."""

    evidence: Evidence
    comparison: Comparison
    baseline: Baseline | None
    proven: Mask
    suite_pinned: bool


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """What one rule found. ``checks`` are the ids of the checks or cases it found at fault."""

    rule: Rule
    status: GateStatus
    text: str
    checks: tuple[str, ...] = ()


def judge_rules(criteria: Criteria, grounds: Grounds) -> tuple[RuleFinding, ...]:
    """Returns one finding per rule, in the order of the criteria."""
    return tuple(_judge(rule, grounds) for rule in criteria.rules)


def counted(number: int, noun: str) -> str:
    """Returns ``1 check``, ``2 checks``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def some_of(ids: Iterable[str]) -> str:
    """Returns the first few of ``ids`` for a sentence, and how many more there are."""
    listed = list(ids)
    more = len(listed) - _SHOWN
    return ", ".join(listed[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _judge(rule: Rule, grounds: Grounds) -> RuleFinding:
    match rule:
        case ClassAtMost():
            return _class_at_most(rule, grounds)
        case RequiredCases():
            return _required_cases(rule, grounds)
        case LatencyP95():
            return _latency(rule, grounds)
        case MinimumExecuted():
            return _minimum_executed(rule, grounds)
    assert_never(rule)


def _cases_labelled(labels: Iterable[str], planned: pd.DataFrame) -> dict[str, list[str]]:
    """Returns, per label, the planned cases that carry it as a label or have it as their feature."""
    found: dict[str, list[str]] = {label: [] for label in labels}
    for case, feature, own in planned[["case", "feature", "labels"]].itertuples(index=False):
        for label in {feature, *own} & found.keys():
            found[label].append(case)
    return found


def _class_at_most(rule: ClassAtMost, grounds: Grounds) -> RuleFinding:
    table = grounds.comparison.table
    inside: Mask = np.ones(len(table), dtype=bool)
    if rule.labels is not None:
        cases = _cases_labelled(rule.labels, grounds.evidence.planned)
        if empty := [label for label, found in cases.items() if not found]:
            return RuleFinding(rule, GateStatus.UNKNOWN, f"no case carries the label {', '.join(empty)}")
        inside &= table["case"].isin({case for found in cases.values() for case in found}).to_numpy()
    if rule.path is not None:
        inside &= table["check"].str.split("::", n=1).str[0].str.fullmatch(translate(rule.path)).to_numpy(dtype=bool)
    if rule.operation is not None:
        inside &= (table["operation"] == rule.operation).to_numpy()
    if not inside.any():
        return RuleFinding(rule, GateStatus.UNKNOWN, "the rule matches no check")
    counted = inside & grounds.comparison.mask(*rule.classes)
    ids = tuple(table.loc[counted, "check"])
    text = f"{len(ids)} {' or '.join(rule.classes)}, at most {rule.at_most}"
    if len(ids) <= rule.at_most:
        return RuleFinding(rule, GateStatus.PASS, text, ids)
    telling = [each for each in rule.classes if each not in CLASSES_WITHOUT_EVIDENCE]
    # What was shown without a doubt fails the rule; what is only not known leaves it open. Only these three classes
    # depend on the inputs being sound; the others, once named by a Scheme, count as they stand.
    doubtful = grounds.comparison.mask(ComparisonClass.REGRESSED, ComparisonClass.NEW_FAIL, ComparisonClass.MISSING)
    shown = inside & grounds.comparison.mask(*telling) & (~doubtful | grounds.proven) if telling else inside & False
    status = GateStatus.FAIL if int(shown.sum()) > rule.at_most else GateStatus.UNKNOWN
    return RuleFinding(rule, status, f"{text}: {some_of(ids)}", ids)


def _required_cases(rule: RequiredCases, grounds: Grounds) -> RuleFinding:
    evidence, table = grounds.evidence, grounds.comparison.table
    labelled = _cases_labelled(rule.labels or (), evidence.planned)
    if empty := [label for label, found in labelled.items() if not found]:
        return RuleFinding(rule, GateStatus.UNKNOWN, f"no case carries the label {', '.join(empty)}")
    planned = set(evidence.planned["case"])
    if unplanned := sorted(set(rule.cases or ()) - planned):
        text = f"not in the suite of this run: {some_of(unplanned)}"
        return RuleFinding(rule, GateStatus.UNKNOWN, text, tuple(unplanned))
    wanted = sorted({*(rule.cases or ()), *(case for found in labelled.values() for case in found)})
    outcomes = dict(zip(evidence.cases["case"], evidence.cases["outcome"], strict=True))
    rows = table[table["case"].isin(wanted)]
    shown_bad = set(rows.loc[rows["outcome"] == Outcome.FAILED.value, "case"])
    shown_good = set(rows.loc[(rows["outcome"] == Outcome.PASSED.value) & (rows["kind"] == "check"), "case"])
    not_whole = set(rows.loc[(rows["outcome"] != Outcome.PASSED.value) | (rows["kind"] == "case"), "case"])
    failed = tuple(case for case in wanted if case in shown_bad or outcomes.get(case) == Outcome.FAILED.value)
    if failed:
        status = GateStatus.FAIL if grounds.suite_pinned else GateStatus.UNKNOWN
        return RuleFinding(rule, status, f"{len(failed)} of {len(wanted)} failed: {some_of(failed)}", failed)
    open_ = tuple(
        case
        for case in wanted
        if outcomes.get(case) != Outcome.PASSED.value or case not in shown_good or case in not_whole
    )
    if open_:
        text = f"{len(open_)} of {len(wanted)} did not run and pass wholly: {some_of(open_)}"
        return RuleFinding(rule, GateStatus.UNKNOWN, text, open_)
    return RuleFinding(rule, GateStatus.PASS, f"all {len(wanted)} ran and passed wholly")


def _latency(rule: LatencyP95, grounds: Grounds) -> RuleFinding:
    steps = grounds.evidence.steps
    inside = (steps["operation"] == rule.operation).to_numpy(copy=True)
    if rule.labels is not None:
        cases = _cases_labelled(rule.labels, grounds.evidence.planned)
        if empty := [label for label, found in cases.items() if not found]:
            return RuleFinding(rule, GateStatus.UNKNOWN, f"no case carries the label {', '.join(empty)}")
        inside &= steps["case"].isin({case for found in cases.values() for case in found}).to_numpy()
    column, key = ("callback_ms", "callback_p95_ms") if rule.measure == "callback" else ("latency_ms", "p95_ms")
    times = steps.loc[inside, column].dropna()
    what = f"p95 of the {rule.measure} of {rule.operation}"
    if times.empty:
        return RuleFinding(rule, GateStatus.UNKNOWN, f"{what}: nothing was measured")
    p95 = percentile(times, 95)
    text = f"{what} is {p95:.0f} ms over {len(times)} exchanges"
    if rule.at_most_ms is not None and p95 > rule.at_most_ms:
        return RuleFinding(rule, GateStatus.FAIL, f"{text}, at most {rule.at_most_ms:.0f} ms")
    if rule.ratio_to_baseline_at_most is not None:
        known = grounds.baseline.operations.get(rule.operation, {}).get(key) if grounds.baseline else None
        if not known:
            return RuleFinding(rule, GateStatus.UNKNOWN, f"{text}; the baseline does not know it")
        text += f", {p95 / known:.2f} times that of the baseline"
        if p95 > known * rule.ratio_to_baseline_at_most:
            return RuleFinding(rule, GateStatus.FAIL, f"{text}, at most {rule.ratio_to_baseline_at_most:g} times")
    return RuleFinding(rule, GateStatus.PASS, text)


def _minimum_executed(rule: MinimumExecuted, grounds: Grounds) -> RuleFinding:
    told = [Outcome.PASSED.value, Outcome.FAILED.value]
    telling = grounds.evidence.checks[grounds.evidence.checks["outcome"].isin(told)]
    finished = telling[telling["case"].isin(grounds.evidence.cases["case"])]
    count = len(telling) if rule.what == "checks" else finished["case"].nunique()
    status = GateStatus.PASS if count >= rule.at_least else GateStatus.UNKNOWN
    return RuleFinding(rule, status, f"{count} {rule.what} told something, at least {rule.at_least}")
