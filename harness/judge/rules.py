"""Does a run keep to a Scheme's rules? One finding per rule: kept, broken, or not to be told.

A rule that finds nothing to look at is not kept: it is not to be told, and says so.
"""

from __future__ import annotations

from typing import assert_never

from harness.judge import rules_bounds, rules_required, rules_target
from harness.judge.criteria import Criteria
from harness.judge.expectations import judge_expectation
from harness.judge.grounds import UNKNOWN, Grounds, NothingToLookAtError, RuleFinding
from harness.judge.vocabulary import (
    ClassAtMost,
    ComponentVersions,
    ExpectedFailures,
    LatencyP95,
    MinimumExecuted,
    OutcomeAtMost,
    PassRate,
    RequiredCases,
    RequiredChecks,
    RequiredFolders,
    RequiredProducts,
    RequiredSuites,
    Rule,
    TargetFacts,
)

__all__ = ["Grounds", "RuleFinding", "judge_rules"]


def judge_rules(criteria: Criteria, grounds: Grounds) -> tuple[RuleFinding, ...]:
    """Returns one finding per rule, in the order of the criteria."""
    return tuple(_finding(rule, grounds, criteria.places.get(rule.id, "")) for rule in criteria.rules)


def _finding(rule: Rule, grounds: Grounds, place: str) -> RuleFinding:
    try:
        return _judge(rule, grounds)
    except NothingToLookAtError as nothing:
        # Only a run shows that a rule looks at nothing, so it is here that a person learns where it stands.
        return RuleFinding(rule, UNKNOWN, f"{nothing} ({place})" if place else str(nothing))


def _judge(rule: Rule, grounds: Grounds) -> RuleFinding:
    match rule:
        case ClassAtMost():
            return rules_bounds.class_at_most(rule, grounds)
        case OutcomeAtMost():
            return rules_bounds.outcome_at_most(rule, grounds)
        case PassRate():
            return rules_bounds.pass_rate(rule, grounds)
        case MinimumExecuted():
            return rules_bounds.minimum_executed(rule, grounds)
        case RequiredCases():
            return rules_required.required_cases(rule, grounds)
        case RequiredChecks():
            return rules_required.required_checks(rule, grounds)
        case RequiredFolders():
            return rules_required.required_folders(rule, grounds)
        case RequiredSuites():
            return rules_required.required_suites(rule, grounds)
        case RequiredProducts():
            return rules_required.required_products(rule, grounds)
        case ExpectedFailures():
            return judge_expectation(rule, grounds)
        case LatencyP95():
            return rules_target.latency(rule, grounds)
        case TargetFacts():
            return rules_target.target_facts(rule, grounds)
        case ComponentVersions():
            return rules_target.component_versions(rule, grounds)
    assert_never(rule)
