"""Why did a case not pass, and which component stands behind it? What the exchanges tell, first cut.

A cause says whom to ask; a suspect says where to look. Neither changes what a check showed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from harness.judge.compare import Comparison
from harness.judge.evidence import Evidence
from harness.model.outcome import Cause, ComparisonClass, Outcome
from harness.model.verdict import Suspect

__all__ = ["ENVIRONMENT_SHARE", "CaseCause", "causes", "environment_share", "suspects"]

ENVIRONMENT_SHARE: Final = 0.5
"""From this share of executed cases on, causes outside the product make a run say nothing about the product."""

_UNAVAILABLE: Final = frozenset({502.0, 503.0, 504.0})
"""A gateway or service that says it cannot serve (RFC 9110, sections 15.6.3 to 15.6.5)."""


@dataclass(frozen=True, slots=True)
class CaseCause:
    """Why one case did not pass. ``text`` is what was seen."""

    case: str
    cause: Cause
    text: str


def causes(evidence: Evidence) -> tuple[CaseCause, ...]:
    """Returns the cause of each selected case that failed, broke or never finished, sorted by case."""
    failing = evidence.checks["outcome"].isin([Outcome.FAILED.value, Outcome.ERROR.value])
    bad_checks = set(evidence.checks.loc[failing, "case"])
    finished: dict[str, tuple[str, str]] = {
        case: (outcome, cause)
        for case, outcome, cause in evidence.cases[["case", "outcome", "cause"]].itertuples(index=False, name=None)
    }
    ended_badly = {case for case, (outcome, _) in finished.items() if outcome in (Outcome.FAILED, Outcome.ERROR)}
    selected = evidence.planned.loc[evidence.planned["selected"], "case"]
    unfinished = set(selected) - finished.keys()
    concerned = bad_checks | ended_badly | unfinished
    steps = evidence.steps[evidence.steps["case"].isin(concerned)]
    kinds: dict[str, set[str]] = {}
    unavailable: Counter[str] = Counter()
    for case, kind, status in steps[["case", "error_kind", "status"]].itertuples(index=False, name=None):
        kinds.setdefault(case, set()).add(kind)
        unavailable[case] += status in _UNAVAILABLE
    return tuple(
        CaseCause(
            case, *_cause(kinds.get(case, set()), unavailable[case], case in finished, finished.get(case, ("", ""))[1])
        )
        for case in sorted(concerned)
    )


def _cause(kinds: set[str], unavailable: int, finished: bool, given: str) -> tuple[Cause, str]:
    known = given in set(Cause)
    table: tuple[tuple[bool, Cause, str], ...] = (
        (known, Cause(given) if known else Cause.HARNESS, "recorded with the case"),
        (not finished, Cause.HARNESS, "the case never finished"),
        ("connection" in kinds, Cause.ENVIRONMENT, "a service could not be reached"),
        (unavailable > 0, Cause.ENVIRONMENT, "a service said that it is unavailable"),
        (bool(kinds & {"script", "harness"}), Cause.HARNESS, "a script or the harness itself broke"),
        ("timeout" in kinds, Cause.TIMING, "no response came in time"),
        ("callback-timeout" in kinds, Cause.TIMING, "no callback came in time"),
        (True, Cause.PRODUCT, "the exchanges took place and showed something else than expected"),
    )
    return next((cause, text) for holds, cause, text in table if holds)


def environment_share(found: tuple[CaseCause, ...], evidence: Evidence) -> float:
    """Returns which share (0 to 1) of the cases that came to an end has a cause in environment or provisioning."""
    ended = set(evidence.cases["case"])
    outside = sum(one.cause in (Cause.ENVIRONMENT, Cause.PROVISIONING) and one.case in ended for one in found)
    return outside / len(ended) if ended else 0.0


def suspects(
    evidence: Evidence, comparison: Comparison, now: Mapping[str, str], before: Mapping[str, str]
) -> tuple[Suspect, ...]:
    """Returns the components behind regressed, missing and new-fail checks, most checks first.

    Within a case only the step that failed first counts: what fails or is absent after it is taken to follow from it.
    Of equals, a component whose version changed comes first. ``now`` and ``before`` are versions by component.
    """
    bad = comparison.of(ComparisonClass.REGRESSED, ComparisonClass.NEW_FAIL, ComparisonClass.MISSING)
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
