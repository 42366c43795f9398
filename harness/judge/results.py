"""How do the results of two sides differ? Any baseline or run with any other: classes, rates, latency, components.

A comparison tells and does not decide: what a difference is worth is for criteria and verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.judge.baseline import COUNTS, case_of
from harness.judge.classes import CLASSES, Counts, classify
from harness.judge.compare import compare
from harness.judge.latency import Bootstrap, compare_latency
from harness.judge.matching import match
from harness.judge.rates import Repeats, newcombe
from harness.judge.shown import Shown
from harness.model.outcome import ComparisonClass, Outcome

__all__ = ["DIFFERENCES", "RESULTS_COLUMNS", "ResultsComparison", "compare_results"]

RESULTS_COLUMNS: Final = (
    "check", "class", "moved_from", "definition_changed",
    *(f"{side}_{name}" for side in ("before", "after") for name in ("runs", *COUNTS)),
    "rise_low", "rise_high", "kind", "case", "step", "component", "operation", "message",
)  # fmt: skip
DIFFERENCES: Final = (
    ComparisonClass.REGRESSED,
    ComparisonClass.NEW_FAIL,
    ComparisonClass.MISSING,
    ComparisonClass.REMOVED,
    ComparisonClass.FLAKY,
    ComparisonClass.HOLLOW,
    ComparisonClass.UNKNOWN,
    ComparisonClass.FIXED,
    ComparisonClass.NEW_PASS,
)
"""The classes in which the sides can differ, the weightiest first."""
_LIKE_BEFORE: Final = (ComparisonClass.FLAKY, ComparisonClass.HOLLOW, ComparisonClass.UNKNOWN)
"""Of these, classes that a check may be in though nothing changed: it was so before."""
_NAMES: Final = ("runs", *COUNTS)
_REPEATS: Final = Repeats()
_BOOTSTRAP: Final = Bootstrap()


@final
@dataclass(frozen=True, slots=True, eq=False)
class ResultsComparison:
    """Two sides, compared.

    ``table`` holds ``RESULTS_COLUMNS``, sorted by check; each check of either side is in one row, a moved one in that
    of its id after. ``rise_*`` are Newcombe's limits of by how much the rate of failures rose, where both sides have
    enough runs for a rate. ``latency`` holds ``LATENCY_COLUMNS``.
    """

    before: Shown
    after: Shown
    table: pd.DataFrame
    latency: pd.DataFrame
    components: Mapping[str, tuple[str, str]]
    """Version before and after of each component whose version is not the same; empty where it is not known."""
    notes: tuple[str, ...]
    """What to bear in mind when reading it."""

    def counts(self) -> dict[str, int]:
        """Returns the number of rows per class; every class is present."""
        codes = self.table["class"].cat.codes.to_numpy()
        return dict(zip(CLASSES, np.bincount(codes, minlength=len(CLASSES)).tolist(), strict=True))

    def different(self, kind: ComparisonClass) -> pd.DataFrame:
        """Returns the rows of one class in which the sides show something different, sorted by check."""
        rows = self.table[self.table["class"] == kind.value]
        if kind not in DIFFERENCES:
            return rows.iloc[:0]
        return rows[_unlike(rows)] if kind in _LIKE_BEFORE else rows

    @property
    def moved(self) -> pd.DataFrame:
        """The rows of checks that have another id after, sorted by check."""
        return self.table[self.table["moved_from"] != ""]

    @property
    def differs(self) -> bool:
        """Whether the sides show anything different of any check."""
        return any(len(self.different(kind)) for kind in DIFFERENCES)


def _unlike(rows: pd.DataFrame) -> pd.Series[bool]:
    """Which checks passed or failed in another share of their runs than before. A row for a case always counts."""
    before, after = rows["before_runs"], rows["after_runs"]
    unlike = (rows["kind"] == "case") | ((before == 0) != (after == 0))
    for name in ("passed", "failed"):
        unlike |= rows[f"before_{name}"] * after != rows[f"after_{name}"] * before
    return unlike


def compare_results(
    before: Shown, after: Shown, *, repeats: Repeats = _REPEATS, bootstrap: Bootstrap = _BOOTSTRAP
) -> ResultsComparison:
    """Returns how ``after`` differs from ``before``: every check of either side in exactly one class.

    Without a plan to ask, what ``after`` lacks is *missing* where both sides are of one suite and release, and
    *removed* otherwise.
    """
    table = _against_plan(before, after) if after.evidence is not None else _against_results(before, after, repeats)
    enough = repeats.runs_for_a_rate
    told = [table[f"{side}_passed"] + table[f"{side}_failed"] for side in ("before", "after")]
    rated = np.flatnonzero(((told[0] >= enough) & (told[1] >= enough)).to_numpy())
    limits = newcombe(
        table["after_failed"].to_numpy()[rated],
        told[1].to_numpy()[rated],
        table["before_failed"].to_numpy()[rated],
        told[0].to_numpy()[rated],
        repeats.confidence,
    )
    for name, found in zip(("rise_low", "rise_high"), limits, strict=True):
        column = np.full(len(table), np.nan)
        column[rated] = found
        table[name] = column
    table = table[list(RESULTS_COLUMNS)]
    order = sorted(range(len(table)), key=table["check"].tolist().__getitem__)
    return ResultsComparison(
        before=before,
        after=after,
        table=table.take(order).reset_index(drop=True),
        latency=compare_latency(before.times, after.times, bootstrap),
        components=_components(before, after),
        notes=tuple(_notes(before, after)),
    )


def _against_plan(before: Shown, after: Shown) -> pd.DataFrame:
    """The judge's own comparison of a run, with what the run showed as counts."""
    assert after.evidence is not None
    table = compare(after.evidence, before).table
    table = table.rename(columns={f"baseline_{name}": f"before_{name}" for name in _NAMES})
    outcome = table["outcome"].to_numpy()
    is_check = (table["kind"] == "check").to_numpy()
    table["after_runs"] = (is_check & (outcome != "")).astype(np.int64)
    for name in COUNTS:
        table[f"after_{name}"] = (is_check & (outcome == name)).astype(np.int64)
    return table


def _against_results(before: Shown, after: Shown, repeats: Repeats) -> pd.DataFrame:
    old, new = before.results, after.results
    own, now = old["check"].to_numpy(dtype=object), new["check"].to_numpy(dtype=object)
    at, same_suite = _places(before, after, own, now)
    only_old = np.flatnonzero(at < 0)
    # The union: what the side after has, then what only the side before has.
    at_old = np.full(len(now), -1)
    at_old[at[at >= 0]] = np.flatnonzero(at >= 0)
    at_old = np.concatenate([at_old, only_old])
    at_new = np.concatenate([np.arange(len(now)), np.full(len(only_old), -1)])
    check = np.concatenate([now, own[only_old]])
    rows: dict[str, Any] = {"check": check}
    for side, frame, place in (("before", old, at_old), ("after", new, at_new)):
        rows |= {f"{side}_{name}": np.append(frame[name].to_numpy(), 0)[place] for name in _NAMES}

    def text(name: str) -> npt.NDArray[np.object_]:
        known = [np.append(frame[name].to_numpy(dtype=object), "") for frame in (new, old)]
        return np.asarray(np.where(at_new >= 0, known[0][at_new], known[1][at_old]))

    for name in ("component", "operation"):
        rows[name] = text(name)
    marks = [
        np.append(frame["fingerprint"].to_numpy(dtype=object), "")[at] for frame, at in ((old, at_old), (new, at_new))
    ]
    both = (at_old >= 0) & (at_new >= 0)
    rows["definition_changed"] = both & (marks[0] != marks[1])
    was = np.append(own, "")[at_old]
    rows["moved_from"] = np.where(both & (was != check), was, "")
    rows["case"] = [case_of(each) for each in check]
    rows["step"] = [each.rsplit("::", 1)[0] for each in check]
    rows["kind"], rows["message"] = "check", ""
    rows["class"] = classify(
        Counts.of({Outcome(name): rows[f"before_{name}"] for name in COUNTS}),
        Counts.of({Outcome(name): rows[f"after_{name}"] for name in COUNTS}),
        absent=((at_new < 0, ComparisonClass.MISSING if same_suite else ComparisonClass.REMOVED),),
        same_definition=~rows["definition_changed"],
        repeats=repeats,
    )
    return pd.DataFrame(rows)


def _places(
    before: Shown, after: Shown, own: npt.NDArray[np.object_], now: npt.NDArray[np.object_]
) -> tuple[npt.NDArray[np.int64], bool]:
    """Where each check of before is in after, or -1; and whether both are results of one and the same suite."""
    if before.suite_digest and before.suite_digest == after.suite_digest:
        at = pd.Index(now, dtype=object).get_indexer(pd.Index(own, dtype=object)).astype(np.int64)
        return at, (before.product, before.release) == (after.product, after.release)
    marks = [side.results["fingerprint"].to_numpy(dtype=object) for side in (before, after)]
    found = match(own, marks[0], now, marks[1], renames=before.renames or after.renames)
    return found.at, False


def _components(before: Shown, after: Shown) -> dict[str, tuple[str, str]]:
    versions = {
        name: (before.components.get(name, ""), after.components.get(name, ""))
        for name in sorted({*before.components, *after.components})
    }
    return {name: pair for name, pair in versions.items() if pair[0].removeprefix("v") != pair[1].removeprefix("v")}


def _notes(before: Shown, after: Shown) -> Iterator[str]:
    for what, one, other in (
        ("products", before.product, after.product),
        ("releases", before.release, after.release),
    ):
        if one != other:
            yield f"They are of different {what}: {one or 'unknown'} and {other or 'unknown'}"
    if not before.suite_digest or not after.suite_digest:
        yield "It is not known of both with which suite they were made; checks are found by name and by what they ask"
    elif before.suite_digest != after.suite_digest:
        yield "They were made with different suites; checks are found by name and by what they ask"
    for word, side in (("before", before), ("after", after)):
        yield from (f"{word}: {limit}" for limit in side.limits)
