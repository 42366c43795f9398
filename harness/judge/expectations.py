"""What is expected to fail on a target with these facts? Read before anything is weighed, judged like any rule."""

from __future__ import annotations

from collections.abc import Iterator

from harness.judge.compare import Comparison, Mask
from harness.judge.criteria import Criteria
from harness.judge.evidence import Evidence
from harness.judge.grounds import FAIL, PASS, UNKNOWN, Grounds, RuleFinding
from harness.judge.rules_target import facts_of, same_fact
from harness.judge.vocabulary import ExpectedFailures
from harness.judge.words import some_of
from harness.model.outcome import Outcome

__all__ = ["expected_failures", "judge_expectation"]


def expected_failures(
    criteria: Criteria | None, evidence: Evidence, comparison: Comparison
) -> Iterator[tuple[ExpectedFailures, Mask]]:
    """Yields each expectation that the target's facts put in force, with the rows that fail as it expects."""
    table = comparison.table
    for rule in criteria.rules if criteria else ():
        if isinstance(rule, ExpectedFailures) and _in_force(rule, evidence) is True:
            failing = (table["outcome"] == Outcome.FAILED.value).to_numpy()
            yield rule, table["check"].isin(rule.checks).to_numpy() & failing


def _in_force(rule: ExpectedFailures, evidence: Evidence) -> bool | None:
    """Whether the facts are those of the rule; ``None`` where one of them is not stated and none differs."""
    facts = facts_of(evidence.started.target) if evidence.started else {}
    if any(name in facts and not same_fact(facts[name], value) for name, value in rule.when.items()):
        return False
    return True if all(name in facts for name in rule.when) else None


def judge_expectation(rule: ExpectedFailures, grounds: Grounds) -> RuleFinding:
    """Judges whether what is expected to fail on this target did."""
    in_force = _in_force(rule, grounds.evidence)
    when = ", ".join(f"{name} is {value!r}" for name, value in sorted(rule.when.items()))
    if in_force is None:
        return RuleFinding(rule, UNKNOWN, f"the target does not state whether {when}")
    if not in_force:
        return RuleFinding(rule, PASS, f"does not apply: it is for a target where {when}", applies=False)
    table = grounds.comparison.table
    named = table[table["check"].isin(rule.checks).to_numpy()]
    outcome = dict(zip(named["check"], named["outcome"], strict=True))
    wanted = sorted(set(rule.checks))
    if absent := tuple(one for one in wanted if one not in outcome):
        return RuleFinding(rule, UNKNOWN, f"not known to this run: {some_of(absent)}", absent)
    passed = tuple(one for one in wanted if outcome[one] == Outcome.PASSED.value)
    if passed:
        return RuleFinding(rule, FAIL, f"{len(passed)} passed though {when}: {some_of(passed)}", passed)
    if open_ := tuple(one for one in wanted if outcome[one] != Outcome.FAILED.value):
        return RuleFinding(rule, UNKNOWN, f"{len(open_)} of {len(wanted)} told nothing: {some_of(open_)}", open_)
    return RuleFinding(rule, PASS, f"all {len(wanted)} failed as expected, for {when}", tuple(wanted))
