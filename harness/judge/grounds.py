"""On what is a rule judged, what part of it does a rule look at, and what does a rule answer?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate

import numpy as np
import pandas as pd

from harness.judge.baseline import Baseline
from harness.judge.compare import Comparison, Mask
from harness.judge.evidence import Evidence
from harness.judge.vocabulary import Rule, Scoped
from harness.model.outcome import GateStatus, Outcome
from harness.model.release import Release

__all__ = [
    "FAIL",
    "PASS",
    "UNKNOWN",
    "Grounds",
    "NothingToLookAtError",
    "RuleFinding",
    "cases_labelled",
    "scope_of",
    "told_in",
]

PASS, FAIL, UNKNOWN = GateStatus.PASS, GateStatus.FAIL, GateStatus.UNKNOWN


@dataclass(frozen=True, slots=True)
class Grounds:
    """What rules are judged on. Masks are over the rows of the comparison."""

    evidence: Evidence
    comparison: Comparison
    baseline: Baseline | None
    release: Release | None
    proven: Mask
    """The failures that stand in spite of the flaws of the inputs."""
    excused: Mask
    """What a waiver in force names, or an expectation that the target's facts put in force."""
    suite_pinned: bool
    products: frozenset[str] = frozenset()
    """The products that took part: whose run came to a verdict, for or against."""


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """What one rule found. ``checks`` are the ids of the checks or cases it found at fault."""

    rule: Rule
    status: GateStatus
    text: str
    checks: tuple[str, ...] = ()
    applies: bool = True
    """Whether it demands anything of this run."""


class NothingToLookAtError(Exception):
    """A rule meets nothing that it is about. It is then not to be told, and says why."""


def cases_labelled(labels: Iterable[str], planned: pd.DataFrame) -> set[str]:
    """Returns the planned cases that carry one of ``labels``, as a label or as their feature.

    Raises ``NothingToLookAtError`` where any of them is carried by none.
    """
    found: dict[str, list[str]] = {label: [] for label in labels}
    for case, feature, own in zip(*(planned[name].tolist() for name in ("case", "feature", "labels")), strict=True):
        for label in {feature, *own} & found.keys():
            found[label].append(case)
    if empty := [label for label, cases in found.items() if not cases]:
        raise NothingToLookAtError(f"no case carries the label {', '.join(empty)}")
    return {case for cases in found.values() for case in cases}


def scope_of(rule: Scoped, grounds: Grounds) -> Mask:
    """Returns the rows that a rule looks at. Raises ``NothingToLookAtError`` where there are none."""
    table = grounds.comparison.table
    inside: Mask = np.ones(len(table), dtype=bool)
    if rule.labels is not None:
        inside &= table["case"].isin(cases_labelled(rule.labels, grounds.evidence.planned)).to_numpy()
    if rule.path is not None:
        inside &= table["check"].str.split("::", n=1).str[0].str.fullmatch(translate(rule.path)).to_numpy(dtype=bool)
    if rule.operation is not None:
        inside &= (table["operation"] == rule.operation).to_numpy()
    if rule.currency is not None:
        steps = grounds.evidence.steps
        about = [rule.currency in named for named in steps["currencies"]]
        inside &= table["case"].isin(set(steps.loc[about, "case"])).to_numpy()
    if not inside.any():
        raise NothingToLookAtError("the rule matches no check")
    return inside


def told_in(inside: Mask, grounds: Grounds) -> bool:
    """Returns whether any of these rows passed or failed: what none of them did, no bound on it can show."""
    outcome = grounds.comparison.table["outcome"].to_numpy()
    return bool((inside & np.isin(outcome, [Outcome.PASSED.value, Outcome.FAILED.value])).any())
