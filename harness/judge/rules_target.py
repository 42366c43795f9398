"""Is the target what a Scheme demands: its facts, the versions of its components, how fast it answers?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.judge import baseline as reported
from harness.judge.baseline import percentile
from harness.judge.grounds import FAIL, PASS, UNKNOWN, Grounds, NothingToLookAtError, RuleFinding, cases_labelled
from harness.judge.vocabulary import ComponentVersions, Fact, LatencyP95, TargetFacts
from harness.judge.words import counted

__all__ = ["component_versions", "facts_of", "latency", "same_fact", "target_facts"]


def facts_of(target: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the facts of a target as the journal holds it."""
    facts = target.get("facts")
    return dict(facts) if isinstance(facts, Mapping) else {}


def same_fact(one: Any, other: Fact) -> bool:
    """Returns whether two values of a fact are the same. ``true`` is not ``1``."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def target_facts(rule: TargetFacts, grounds: Grounds) -> RuleFinding:
    """Judges whether each fact has its value. A fact that the target does not state cannot be told."""
    started = grounds.evidence.started
    facts = facts_of(started.target) if started else {}
    wrong = [
        f"{name} is {facts[name]!r}, not {value!r}"
        for name, value in sorted(rule.facts.items())
        if name in facts and not same_fact(facts[name], value)
    ]
    if wrong:
        return RuleFinding(rule, FAIL, ", ".join(wrong))
    if absent := sorted(set(rule.facts) - set(facts)):
        return RuleFinding(rule, UNKNOWN, f"the target does not state {', '.join(absent)}")
    return RuleFinding(rule, PASS, ", ".join(f"{name} is {value!r}" for name, value in sorted(rule.facts.items())))


def component_versions(rule: ComponentVersions, grounds: Grounds) -> RuleFinding:
    """Judges whether components run in the versions that the release has."""
    if grounds.release is None:
        raise NothingToLookAtError("there is no manifest of the release to hold versions against")
    released = grounds.release.components
    running = reported.component_versions(grounds.evidence)
    named = sorted(set(rule.components) if rule.components is not None else released.keys() & running.keys())
    if not named:
        raise NothingToLookAtError("no component of the release reported its version")
    if unheard := [name for name in named if name not in released]:
        return RuleFinding(rule, UNKNOWN, f"not a component of the release: {', '.join(unheard)}")
    wrong = [
        f"{name} is {running[name]}, released {released[name]}"
        for name in named
        if name in running and running[name].removeprefix("v") != released[name].removeprefix("v")
    ]
    if wrong:
        return RuleFinding(rule, FAIL, ", ".join(wrong))
    if silent := [name for name in named if name not in running]:
        return RuleFinding(rule, UNKNOWN, f"did not report a version: {', '.join(silent)}")
    return RuleFinding(rule, PASS, f"{counted(len(named), 'component')} as released")


def latency(rule: LatencyP95, grounds: Grounds) -> RuleFinding:
    """Judges the 95th percentile of an operation's response or callback time."""
    steps = grounds.evidence.steps
    inside = (steps["operation"] == rule.operation).to_numpy(copy=True)
    if rule.labels is not None:
        inside &= steps["case"].isin(cases_labelled(rule.labels, grounds.evidence.planned)).to_numpy()
    column, key = ("callback_ms", "callback_p95_ms") if rule.measure == "callback" else ("latency_ms", "p95_ms")
    times = steps.loc[inside, column].dropna()
    what = f"p95 of the {rule.measure} of {rule.operation}"
    if times.empty:
        return RuleFinding(rule, UNKNOWN, f"{what}: nothing was measured")
    p95 = percentile(times, 95)
    text = f"{what} is {p95:.0f} ms over {len(times)} exchanges"
    if rule.at_most_ms is not None and p95 > rule.at_most_ms:
        return RuleFinding(rule, FAIL, f"{text}, at most {rule.at_most_ms:.0f} ms")
    if rule.ratio_to_baseline_at_most is not None:
        known = grounds.baseline.operations.get(rule.operation, {}).get(key) if grounds.baseline else None
        if not known:
            return RuleFinding(rule, UNKNOWN, f"{text}; the baseline does not know it")
        text += f", {p95 / known:.2f} times that of the baseline"
        if p95 > known * rule.ratio_to_baseline_at_most:
            return RuleFinding(rule, FAIL, f"{text}, at most {rule.ratio_to_baseline_at_most:g} times")
    return RuleFinding(rule, PASS, text)
