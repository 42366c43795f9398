"""Are there few enough checks of a kind, and enough of the others? The rules that count."""

from __future__ import annotations

from typing import Final

import numpy as np

from harness.judge.grounds import (
    FAIL,
    PASS,
    UNKNOWN,
    Grounds,
    NothingToLookAtError,
    RuleFinding,
    cases_labelled,
    scope_of,
    told_in,
)
from harness.judge.vocabulary import ClassAtMost, MinimumExecuted, OutcomeAtMost, PassRate
from harness.judge.words import some_of
from harness.model.ids import SCHEMES
from harness.model.outcome import ComparisonClass, Outcome

__all__ = ["CLASSES_WITHOUT_EVIDENCE", "class_at_most", "minimum_executed", "outcome_at_most", "pass_rate"]

CLASSES_WITHOUT_EVIDENCE: Final = frozenset(
    {ComparisonClass.HOLLOW, ComparisonClass.UNKNOWN, ComparisonClass.REMOVED, ComparisonClass.FLAKY}
)
"""Too many of these say that too little is known, not that the release is bad."""

_WITHOUT_RESULT: Final = frozenset({ComparisonClass.MISSING, ComparisonClass.REMOVED, ComparisonClass.UNKNOWN})
"""Of these it is seen without a result that a check is none of them."""

_DOUBTFUL: Final = (ComparisonClass.REGRESSED, ComparisonClass.NEW_FAIL, ComparisonClass.MISSING)
"""Only these depend on the inputs being sound; the others, once named by a Scheme, count as they stand."""


def class_at_most(rule: ClassAtMost, grounds: Grounds) -> RuleFinding:
    """Judges a bound on classes. What a waiver or an expectation in force names is not counted."""
    table, mask = grounds.comparison.table, grounds.comparison.mask
    scope = scope_of(rule, grounds)
    inside = scope & ~grounds.excused
    ids = tuple(table.loc[inside & mask(*rule.classes), "check"])
    text = f"{len(ids)} {' or '.join(rule.classes)}, at most {rule.at_most}"
    if not ids and not _WITHOUT_RESULT.issuperset(rule.classes) and not told_in(scope, grounds):
        raise NothingToLookAtError(f"{text}, and all that the rule looks at told nothing")
    if len(ids) <= rule.at_most:
        return RuleFinding(rule, PASS, text, ids)
    telling = [each for each in rule.classes if each not in CLASSES_WITHOUT_EVIDENCE]
    # What was shown without a doubt fails the rule; what is only not known leaves it open.
    shown = inside & mask(*telling) & (~mask(*_DOUBTFUL) | grounds.proven) if telling else inside & False
    status = FAIL if int(shown.sum()) > rule.at_most else UNKNOWN
    return RuleFinding(rule, status, f"{text}: {some_of(ids)}", ids)


def outcome_at_most(rule: OutcomeAtMost, grounds: Grounds) -> RuleFinding:
    """Judges a bound on what checks showed in this run, whatever they showed before."""
    table = grounds.comparison.table
    inside = scope_of(rule, grounds)
    outcome = table["outcome"].to_numpy()
    counted = inside & np.isin(outcome, [each.value for each in rule.outcomes]) & ~grounds.excused
    ids = tuple(table.loc[counted, "check"])
    ran = int((inside & (outcome != "")).sum())
    names = " or ".join(rule.outcomes)
    if not ids and not told_in(inside, grounds):
        raise NothingToLookAtError(f"0 {names}, and all that the rule looks at told nothing")
    if rule.at_most is not None:
        kept, text = len(ids) <= rule.at_most, f"{len(ids)} {names}, at most {rule.at_most}"
        most: float = rule.at_most
    else:
        most = (rule.share_at_most or 0.0) * ran
        kept = ran > 0 and len(ids) <= most
        text = f"{len(ids)} of {ran} {names}, at most {rule.share_at_most:.1%}"
    if kept:
        return RuleFinding(rule, PASS, text, ids)
    shown = counted & np.isin(outcome, [Outcome.FAILED.value, Outcome.PASSED.value])
    status = FAIL if int(shown.sum()) > most else UNKNOWN
    return RuleFinding(rule, status, f"{text}: {some_of(ids)}" if ids else text, ids)


def pass_rate(rule: PassRate, grounds: Grounds) -> RuleFinding:
    """Judges which share of what was expected passed. A waived failure has not passed; what was removed is expected."""
    table = grounds.comparison.table
    inside = scope_of(rule, grounds)
    outcome = table["outcome"].to_numpy()
    passed = inside & (outcome == Outcome.PASSED.value)
    failed = inside & (outcome == Outcome.FAILED.value)
    total, good, bad = (int(part.sum()) for part in (inside, passed, failed))
    text = f"{good} of {total} passed ({good / total:.2%}), at least {rule.at_least:.2%}"
    if good >= rule.at_least * total:
        return RuleFinding(rule, PASS, text)
    ids = tuple(table.loc[inside & ~passed, "check"])
    # Broken for sure only where not even all that is not known would mend it.
    status = FAIL if total - bad < rule.at_least * total and grounds.suite_pinned else UNKNOWN
    return RuleFinding(rule, status, f"{text}: {some_of(ids)}", ids)


def minimum_executed(rule: MinimumExecuted, grounds: Grounds) -> RuleFinding:
    """Judges whether enough of the product's suite was executed that told something."""
    told = [Outcome.PASSED.value, Outcome.FAILED.value]
    telling = grounds.evidence.checks[grounds.evidence.checks["outcome"].isin(told)]
    telling = telling[np.array([not case.startswith(SCHEMES) for case in telling["case"]], dtype=bool)]
    if rule.labels is not None:
        telling = telling[telling["case"].isin(cases_labelled(rule.labels, grounds.evidence.planned))]
    finished = telling[telling["case"].isin(grounds.evidence.cases["case"])]
    count = len(telling) if rule.what == "checks" else finished["case"].nunique()
    status = PASS if count >= rule.at_least else UNKNOWN
    return RuleFinding(rule, status, f"{count} {rule.what} told something, at least {rule.at_least}")
