"""Where does every check stand against the baseline? Each one in the union of both sides in exactly one class.

What makes a class is the table in ``harness/judge/classes.py``; here both sides are brought together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.judge.baseline import COUNTS, case_of, empty_results
from harness.judge.classes import CLASSES, Counts, Mask, classify, counts_of_outcomes
from harness.judge.evidence import Evidence
from harness.judge.matching import match
from harness.judge.rates import Repeats
from harness.judge.renames import Renames
from harness.model.ids import SCHEMES
from harness.model.outcome import ComparisonClass, Outcome

__all__ = ["COMPARISON_COLUMNS", "Comparison", "Known", "Mask", "compare"]

COMPARISON_COLUMNS: Final = (
    "check", "class", "outcome", "baseline_runs", *(f"baseline_{name}" for name in COUNTS), "message",
    "definition_changed", "case", "step", "component", "operation", "kind", "moved_from",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The comparison as a table of ``COMPARISON_COLUMNS``, sorted by check.

    ``outcome`` is empty where the run gave no result; ``baseline_*`` are 0 where the baseline knows nothing. ``kind``
    is ``check``, or ``case`` for a row that stands for a whole case because no check of it carries what happened: a
    selected case that never finished, gave no check, broke, was skipped, or failed although no check of it did.
    ``moved_from`` is the id that the baseline has for a check which is found under another one now, else empty.
    """

    table: pd.DataFrame

    def counts(self) -> dict[str, int]:
        """Returns the number of rows per class; every class is present."""
        codes = self.table["class"].cat.codes.to_numpy()
        return dict(zip(CLASSES, np.bincount(codes, minlength=len(CLASSES)).tolist(), strict=True))

    def of(self, *classes: ComparisonClass) -> pd.DataFrame:
        """Returns the rows of these classes, sorted by check."""
        return self.table[self.mask(*classes)]

    def mask(self, *classes: ComparisonClass) -> Mask:
        """Returns which rows are of these classes."""
        codes = self.table["class"].cat.codes.to_numpy()
        return np.isin(codes, [CLASSES.index(each.value) for each in classes])


class Known(Protocol):
    """What was shown before: a baseline, or whatever has the same three things."""

    @property
    def results(self) -> pd.DataFrame: ...

    @property
    def suite_digest(self) -> str: ...

    @property
    def renames(self) -> Renames: ...


def compare(evidence: Evidence, baseline: Known | None) -> Comparison:
    """Returns the class of every check that the run gave, the plan expects or ``baseline`` holds.

    Expected of a selected case are the checks its plan names or, where it names none, those the baseline holds of it.
    Without a baseline nothing is known of before: what ran is new.
    """
    checks = _check_rows(evidence, baseline)
    return Comparison(_finished(checks, _case_rows(evidence, checks)))


def _check_rows(evidence: Evidence, baseline: Known | None) -> pd.DataFrame:
    run, plan = evidence.checks, evidence.planned
    base = empty_results() if baseline is None else baseline.results
    planned_ids = [check for checks in plan["checks"] if checks is not None for check in checks]
    own_ids = base["check"].to_numpy(dtype=object)
    base_ids = own_ids if baseline is None else _names_now(evidence, baseline, planned_ids)
    # The union: the run's checks, then what only the baseline holds, then what only the plan names.
    run_index, base_index = pd.Index(run["check"], dtype=object), pd.Index(base_ids, dtype=object)
    in_run = run_index.get_indexer(base_index) >= 0
    base_only = np.flatnonzero(~in_run)
    planned_index = pd.Index(planned_ids, dtype=object).unique()
    plan_only = planned_index[
        (run_index.get_indexer(planned_index) < 0) & (base_index.get_indexer(planned_index) < 0)
    ].to_numpy()
    at_base = np.concatenate([base_index.get_indexer(run_index), base_only, np.full(len(plan_only), -1)])
    ran = np.arange(len(at_base)) < len(run)
    absent, absent_ids = base.iloc[base_only], base_ids[base_only]

    def column(name: str, from_base: Any, from_plan: Any) -> npt.NDArray[np.object_]:
        parts = [run[name].to_numpy(dtype=object), np.asarray(from_base, dtype=object)]
        return np.concatenate([*parts, np.asarray(from_plan, dtype=object)])

    def blank(count: int) -> npt.NDArray[np.object_]:
        return np.full(count, "", dtype=object)

    rows = {
        "check": column("check", absent_ids, plan_only),
        "outcome": column("outcome", blank(len(absent)), blank(len(plan_only))),
        "message": column("message", blank(len(absent)), blank(len(plan_only))),
        "case": column("case", list(map(case_of, absent_ids)), list(map(case_of, plan_only))),
        "step": column("step", list(map(_step_of, absent_ids)), list(map(_step_of, plan_only))),
        "component": column("component", absent["component"], blank(len(plan_only))),
        "operation": column("operation", absent["operation"], blank(len(plan_only))),
    }
    for name in ("runs", *COUNTS):
        rows[f"baseline_{name}"] = np.where(at_base >= 0, np.append(base[name].to_numpy(), 0)[at_base], 0)
    before = np.append(base["fingerprint"].to_numpy(dtype=object), "")[at_base]
    now = column("fingerprint", absent["fingerprint"], blank(len(plan_only)))
    rows["definition_changed"] = (at_base >= 0) & (now != before)
    moved = np.flatnonzero(base_ids != own_ids)
    rows["moved_from"] = blank(len(at_base))
    rows["moved_from"][np.isin(at_base, moved)] = own_ids[at_base[np.isin(at_base, moved)]]
    frame = pd.DataFrame(rows)
    frame["class"] = _classes(frame, evidence, ran, set(planned_ids))
    frame["kind"] = "check"
    return frame


def _names_now(evidence: Evidence, baseline: Known, planned: Sequence[str]) -> npt.NDArray[np.object_]:
    """Returns under which id this run has each check of the baseline, or would have it."""
    base, run = baseline.results, evidence.checks
    own = base["check"].to_numpy(dtype=object)
    suite = evidence.started.suite if evidence.started else {}
    # In one and the same suite nothing can have moved: what is not there is missing, whatever looks like it.
    if baseline.suite_digest and suite.get("digest") == baseline.suite_digest:
        return own
    ended = set(evidence.cases["case"])
    unfinished = set(evidence.planned["case"]) - ended
    pending = [check for check in own if case_of(check) in unfinished] if unfinished else []
    now = run["check"].to_numpy(dtype=object)
    # A Scheme's own check is none of the product's that moved, however alike they are.
    of_product = np.fromiter((not check.startswith(SCHEMES) for check in now), dtype=bool, count=len(now))
    found = match(
        own,
        base["fingerprint"].to_numpy(dtype=object),
        now[of_product],
        run["fingerprint"].to_numpy(dtype=object)[of_product],
        renames=baseline.renames,
        expected=(*planned, *pending),
    )
    return found.name


def _step_of(check: str) -> str:
    return check.rsplit("::", 1)[0]


def _classes(frame: pd.DataFrame, evidence: Evidence, ran: Mask, planned_ids: set[str]) -> pd.Categorical[str]:
    plan = evidence.planned
    at_plan = pd.Index(plan["case"], dtype=object).get_indexer(pd.Index(frame["case"], dtype=object))
    planned = at_plan >= 0
    selected = planned & np.append(plan["selected"].to_numpy(dtype=bool), False)[at_plan]
    itemised = planned & np.append(plan["checks"].notna().to_numpy(dtype=bool), False)[at_plan]
    struck = itemised & ~frame["check"].isin(planned_ids).to_numpy() if itemised.any() else itemised
    # Only a closed plan can say that something is no longer there.
    closed = evidence.plan_complete is not None
    return classify(
        Counts.of({name: frame[f"baseline_{name}"].to_numpy() for name in COUNTS}),
        counts_of_outcomes(frame["outcome"].to_numpy()),
        absent=(
            (~ran & closed & (~planned | struck), ComparisonClass.REMOVED),
            (~ran & planned & ~selected, ComparisonClass.UNKNOWN),
            (~ran, ComparisonClass.MISSING),
        ),
        same_definition=~frame["definition_changed"].to_numpy(),
        repeats=Repeats(),
    )


def _case_rows(evidence: Evidence, checks: pd.DataFrame) -> pd.DataFrame:
    """One row for each selected case whose fate no check of it shows."""
    plan = evidence.planned
    cases = pd.Index(plan.loc[plan["selected"], "case"], dtype=object)
    at = pd.Index(evidence.cases["case"], dtype=object).get_indexer(cases)
    outcome = np.append(evidence.cases["outcome"].to_numpy(dtype=object), "")[at]
    message = np.append(evidence.cases["message"].to_numpy(dtype=object), "")[at]

    at_case = cases.get_indexer(pd.Index(checks["case"], dtype=object))

    def some(holds: Any) -> Mask:
        """Which cases have a check for which this holds."""
        found = at_case[np.asarray(holds) & (at_case >= 0)]
        return np.bincount(found, minlength=len(cases))[: len(cases)] > 0

    checked = checks["outcome"].to_numpy()
    anything = some(checked != "")
    is_missing = some((checks["class"] == ComparisonClass.MISSING.value).to_numpy())
    failed, hollow = some(checked == Outcome.FAILED.value), some(checked == Outcome.HOLLOW.value)
    blind = some(np.isin(checked, [Outcome.ERROR.value, Outcome.SKIPPED.value]))
    passed_before = some(checks["baseline_passed"] > 0) & ~some(checks["baseline_failed"] > 0)

    def ended(*outcomes: Outcome) -> Mask:
        return np.isin(outcome, [each.value for each in outcomes])

    table: tuple[tuple[Mask, ComparisonClass, str], ...] = (
        ((at < 0) & ~is_missing, ComparisonClass.MISSING, "the case never finished"),
        (ended(Outcome.ERROR) & ~blind, ComparisonClass.UNKNOWN, "the case broke"),
        (ended(Outcome.SKIPPED) & ~blind, ComparisonClass.UNKNOWN, "the case was skipped"),
        (
            ended(Outcome.FAILED) & ~failed & passed_before,
            ComparisonClass.REGRESSED,
            "the case failed outside any check",
        ),
        (ended(Outcome.FAILED) & ~failed, ComparisonClass.NEW_FAIL, "the case failed outside any check"),
        (ended(Outcome.PASSED) & ~anything, ComparisonClass.HOLLOW, "the case passed without a single check"),
        (ended(Outcome.HOLLOW) & ~hollow, ComparisonClass.HOLLOW, "the case asserted nothing"),
    )
    which = np.select([holds for holds, _, _ in table], range(len(table)), default=-1)
    shown = np.flatnonzero(which >= 0)
    frame = pd.DataFrame({"check": cases[shown], "case": cases[shown], "outcome": outcome[shown]})
    frame["message"] = [f"{table[which[n]][2]}: {message[n]}" if message[n] else table[which[n]][2] for n in shown]
    frame["class"] = pd.Categorical([table[which[n]][1].value for n in shown], categories=CLASSES)
    for name in ("runs", *COUNTS):
        frame[f"baseline_{name}"] = 0
    frame["definition_changed"], frame["moved_from"] = False, ""
    # What the case did last is the best that is known of where it failed.
    last = evidence.steps.drop_duplicates("case", keep="last").set_index("case")
    for name in ("step", "component", "operation"):
        frame[name] = last[name].reindex(cases[shown]).fillna("").to_numpy(dtype=object)
    frame["kind"] = "case"
    return frame


def _finished(checks: pd.DataFrame, cases: pd.DataFrame) -> pd.DataFrame:
    columns = list(COMPARISON_COLUMNS)
    both = pd.concat([checks[columns], cases[columns]], ignore_index=True) if len(cases) else checks[columns]
    ids = both["check"].tolist()
    order = sorted(range(len(ids)), key=ids.__getitem__)
    return both if order == list(range(len(ids))) else both.take(order).reset_index(drop=True)
