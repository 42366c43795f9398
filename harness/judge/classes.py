"""In which class is a check, given what each side showed of it? One table, read from top to bottom.

Every check lands in exactly one class: the first line that holds decides, and the last one holds for what is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, final

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.judge.rates import Repeats, fisher_greater
from harness.model.outcome import ComparisonClass, Outcome

__all__ = ["CLASSES", "Counts", "Mask", "classify", "counts_of_outcomes"]

Mask: TypeAlias = npt.NDArray[np.bool_]
Ints: TypeAlias = npt.NDArray[np.int64]
CLASSES: Final = [each.value for each in ComparisonClass]


@final
@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Per check, how often one side saw each outcome; all 0 where it knows nothing."""

    passed: Ints
    failed: Ints
    hollow: Ints
    blind: Ints
    """Errors and skips: it ran, and nothing is known."""

    @classmethod
    def of(cls, columns: Mapping[str, Any]) -> Counts:
        """Returns the counts in ``columns``, which are named as the outcomes are."""
        passed, failed, hollow, skipped, error = (
            np.asarray(columns[each], dtype=np.int64)
            for each in (Outcome.PASSED, Outcome.FAILED, Outcome.HOLLOW, Outcome.SKIPPED, Outcome.ERROR)
        )
        return cls(passed, failed, hollow, skipped + error)

    @property
    def told(self) -> Ints:
        """How often it passed or failed."""
        return self.passed + self.failed

    @property
    def always_passed(self) -> Mask:
        """Whether it passed, and never failed."""
        return np.asarray((self.passed > 0) & (self.failed == 0))

    @property
    def always_failed(self) -> Mask:
        """Whether it failed, and never passed."""
        return np.asarray((self.failed > 0) & (self.passed == 0))

    @property
    def mixed(self) -> Mask:
        """Whether it both passed and failed."""
        return np.asarray((self.passed > 0) & (self.failed > 0))


def counts_of_outcomes(outcomes: npt.NDArray[np.object_]) -> Counts:
    """Returns the counts of single results; an empty text is no result."""
    passed, failed, hollow, skipped, error = (
        (outcomes == each.value).astype(np.int64)
        for each in (Outcome.PASSED, Outcome.FAILED, Outcome.HOLLOW, Outcome.SKIPPED, Outcome.ERROR)
    )
    return Counts(passed, failed, hollow, skipped + error)


def classify(
    before: Counts,
    after: Counts,
    *,
    absent: Sequence[tuple[Mask, ComparisonClass]],
    same_definition: Mask,
    repeats: Repeats,
) -> pd.Categorical[str]:
    """Returns the class of every check.

    ``absent`` are the checks without a result after, with the class that says why. ``same_definition`` is whether both
    sides asked the same: outcomes of another question neither make a check flaky nor are compared as rates.
    """
    rated = (before.told >= repeats.runs_for_a_rate) & (after.told >= repeats.runs_for_a_rate) & same_definition
    worse, better = _significant(after, before, rated, repeats), _significant(before, after, rated, repeats)
    # What did not fail, but did not always say something, is never a pass.
    silent = after.failed == 0
    table: tuple[tuple[Mask, ComparisonClass], ...] = (
        *absent,
        (silent & (after.blind > 0), ComparisonClass.UNKNOWN),
        (silent & (after.hollow > 0), ComparisonClass.HOLLOW),
        (before.always_passed & after.always_failed, ComparisonClass.REGRESSED),
        (before.always_failed & after.always_passed, ComparisonClass.FIXED),
        (worse, ComparisonClass.REGRESSED),
        (better & after.always_passed, ComparisonClass.FIXED),
        (after.mixed, ComparisonClass.FLAKY),
        (before.mixed & same_definition & (after.told > 0), ComparisonClass.FLAKY),
        (before.always_passed & after.always_passed, ComparisonClass.UNCHANGED_PASS),
        (before.always_failed & after.always_failed, ComparisonClass.UNCHANGED_FAIL),
        (after.always_passed, ComparisonClass.NEW_PASS),
        (after.always_failed, ComparisonClass.NEW_FAIL),
    )
    codes = np.select(
        [holds for holds, _ in table],
        [CLASSES.index(each.value) for _, each in table],
        default=CLASSES.index(ComparisonClass.UNKNOWN.value),
    )
    return pd.Categorical.from_codes(codes.astype("int8"), categories=pd.Index(CLASSES))


def _significant(more: Counts, less: Counts, rated: Mask, repeats: Repeats) -> Mask:
    """Whether ``more`` failed so much more often than ``less`` that chance is no explanation."""
    found = np.zeros(len(rated), dtype=bool)
    rows = np.flatnonzero(rated & (more.failed >= repeats.minimum_failures))
    if len(rows):
        chance = fisher_greater(more.failed[rows], more.told[rows], less.failed[rows], less.told[rows])
        found[rows] = chance < 1 - repeats.confidence
    return found
