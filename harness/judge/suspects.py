"""Which failures belong together, and which component stands behind them?

A suspect says where to look, a group what to look for. Neither changes what a check showed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from harness.judge.cause import CaseCause
from harness.judge.compare import Comparison
from harness.judge.evidence import Evidence
from harness.model.outcome import Cause, ComparisonClass, Outcome
from harness.model.release import KnownIssue
from harness.model.verdict import Suspect

__all__ = ["FailureGroup", "failure_groups", "suspects"]

_FAILING: Final = (ComparisonClass.REGRESSED, ComparisonClass.NEW_FAIL, ComparisonClass.MISSING)
# Nobody's code is suspected where the environment, its provisioning or the harness failed.
_NOT_OF_A_COMPONENT: Final = frozenset({Cause.ENVIRONMENT, Cause.PROVISIONING, Cause.HARNESS})


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failing cases with one cause, component and shape of what was seen. ``checks`` did not pass in them."""

    cause: Cause
    component: str
    """Empty where the exchanges point at none."""
    text: str
    checks: tuple[str, ...]
    cases: tuple[str, ...]
    may_explain: tuple[KnownIssue, ...] = ()
    """Known issues of the release about the same component or operation. They excuse nothing."""


def failure_groups(
    comparison: Comparison, found: Iterable[CaseCause], known: Iterable[KnownIssue] = ()
) -> tuple[FailureGroup, ...]:
    """Returns the failing cases in groups, most checks first. Each case is in one; each check with its case.

    The checks are those that regressed, are new and fail, are missing, fail as before, broke or were skipped.
    """
    by_case = {one.case: one for one in found}
    table = comparison.table
    concerned = comparison.mask(*_FAILING, ComparisonClass.UNCHANGED_FAIL, ComparisonClass.FLAKY)
    concerned |= table["outcome"].isin([Outcome.ERROR.value, Outcome.SKIPPED.value]).to_numpy()
    concerned &= (table["outcome"] != Outcome.PASSED.value).to_numpy()
    concerned &= table["case"].isin(by_case.keys()).to_numpy()
    checks: dict[tuple[Cause, str, str], list[str]] = {}
    cases: dict[tuple[Cause, str, str], list[str]] = {}
    for one in by_case.values():
        cases.setdefault((one.cause, one.component, one.text), []).append(one.case)
    for check, case in zip(table.loc[concerned, "check"], table.loc[concerned, "case"], strict=True):
        one = by_case[case]
        checks.setdefault((one.cause, one.component, one.text), []).append(check)
    operations: dict[str, set[str]] = {}
    for case, operation in zip(table.loc[concerned, "case"], table.loc[concerned, "operation"], strict=True):
        operations.setdefault(case, set()).add(operation)
    issues = tuple(known)
    groups = [
        FailureGroup(
            *key,
            checks=tuple(checks.get(key, ())),
            cases=tuple(sorted(members)),
            may_explain=tuple(
                issue
                for issue in issues
                if key[1] in issue.components
                or any(operations.get(case, set()) & set(issue.operations) for case in members)
            ),
        )
        for key, members in cases.items()
    ]
    return tuple(sorted(groups, key=lambda group: (-len(group.checks), group.cause, group.component, group.text)))


def suspects(
    evidence: Evidence,
    comparison: Comparison,
    found: Iterable[CaseCause],
    now: Mapping[str, str],
    before: Mapping[str, str],
) -> tuple[Suspect, ...]:
    """Returns the components behind regressed, missing and new-fail checks, most checks first.

    Within a case only the step that failed first counts: what fails or is absent after it is taken to follow from it.
    A case with a cause outside the product, or that follows from another case, counts for no component. Of equals, a
    component whose version changed comes first. ``now`` and ``before`` are versions by component.
    """
    excused = {one.case for one in found if one.cause in _NOT_OF_A_COMPONENT or one.follows}
    bad = comparison.of(*_FAILING)
    bad = bad[~bad["case"].isin(excused).to_numpy()]
    has_result = (bad["outcome"] != "").to_numpy()
    failed = bad[has_result]
    order = pd.Index(evidence.checks["check"], dtype=object).get_indexer(pd.Index(failed["check"], dtype=object))
    # A row for a whole case has no place among the checks: it failed after all of them.
    failed = failed.iloc[np.argsort(np.where(order < 0, len(evidence.checks), order), kind="stable")]
    first_steps = set(failed.drop_duplicates("case")["step"])
    rooted = failed[failed["step"].isin(first_steps)]
    # What is absent because its case never came to an end says nothing of a component.
    ended = bad["case"].isin(set(evidence.cases["case"])).to_numpy()
    no_result = ~has_result & ended & (bad["kind"] == "check").to_numpy()
    absent = bad[no_result & ~bad["case"].isin(set(failed["case"])).to_numpy()]
    counts = Counter(part for part in (*rooted["component"], *absent["component"]) if part)

    def weight(part: str) -> tuple[int, bool, str]:
        return -counts[part], now.get(part) == before.get(part), part

    return tuple(
        Suspect(component=part, checks=counts[part], version=now.get(part), baseline_version=before.get(part))
        for part in sorted(counts, key=weight)
    )
