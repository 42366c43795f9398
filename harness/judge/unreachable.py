"""Is there a rule that can never decide anything, because another one always decides before it or forbids its case?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from harness.judge.vocabulary import (
    ClassAtMost,
    ExpectedFailures,
    Fact,
    MinimumExecuted,
    OutcomeAtMost,
    PassRate,
    Rule,
    TargetFacts,
)
from harness.model.outcome import Severity

__all__ = ["unreachable"]

_WEIGHT: Final = {Severity.BLOCKER: 2, Severity.MAJOR: 2, Severity.MINOR: 1}


def unreachable(rules: Sequence[Rule]) -> tuple[int, str] | None:
    """Returns the index of the first rule that cannot decide anything, and why; ``None`` where each one can."""
    for index, rule in enumerate(rules):
        for other_index, other in enumerate(rules):
            if index == other_index:
                continue
            if _shadowed(rule, other) and not (index < other_index and _shadowed(other, rule)):
                return index, f"whatever breaks it breaks {other.id!r} too, which weighs as much"
            if isinstance(other, TargetFacts) and (clash := _clash(rule, other.facts)) is not None:
                name, here, there = clash
                return index, f"it is about {name} = {here}, and {other.id!r} demands {name} = {there}"
    return None


def _shadowed(rule: Rule, other: Rule) -> bool:
    if _WEIGHT[rule.severity] > _WEIGHT[other.severity]:
        return False
    match rule, other:
        case ClassAtMost(), ClassAtMost():
            return rule.scope == other.scope and _within(rule.classes, other.classes) and other.at_most <= rule.at_most
        case OutcomeAtMost(at_most=int(mine)), OutcomeAtMost(at_most=int(theirs)):
            return rule.scope == other.scope and _within(rule.outcomes, other.outcomes) and theirs <= mine
        case OutcomeAtMost(share_at_most=float(mine)), OutcomeAtMost(share_at_most=float(theirs)):
            return rule.scope == other.scope and _within(rule.outcomes, other.outcomes) and theirs <= mine
        case PassRate(), PassRate():
            return rule.scope == other.scope and other.at_least >= rule.at_least
        case MinimumExecuted(), MinimumExecuted():
            return (rule.what, rule.labels) == (other.what, other.labels) and other.at_least >= rule.at_least
    return False


def _within(some: Sequence[object], others: Sequence[object]) -> bool:
    return set(some) <= set(others)


def _clash(rule: Rule, demanded: Mapping[str, Fact]) -> tuple[str, Fact, Fact] | None:
    if isinstance(rule, ExpectedFailures):
        assumed = rule.when
    elif isinstance(rule, TargetFacts):
        assumed = rule.facts
    else:
        return None
    for name, value in assumed.items():
        if name in demanded and demanded[name] != value:
            return name, value, demanded[name]
    return None
