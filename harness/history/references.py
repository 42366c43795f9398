"""What stood before? Of baseline, earlier releases and earlier nights the one that showed a check at its best.

Otherwise a check that got worse release by release, a little each time, would never be seen to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt

from harness.judge.baseline import RUNS_FOR_A_RATE

__all__ = ["Best", "Reference", "best_reference"]

Ints = npt.NDArray[np.int64]


@final
@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """How often each check passed and failed there."""

    name: str
    passed: Ints
    failed: Ints


@final
@dataclass(frozen=True, slots=True, eq=False)
class Best:
    """The reference of each check: which one it is, and its counts; 0 and 0 where nothing is known."""

    names: tuple[str, ...]
    which: Ints
    passed: Ints
    failed: Ints

    def told(self, at: int) -> dict[str, Any]:
        """Returns the reference of one check as an ``Episode`` names it."""
        passed = int(self.passed[at])
        return {
            "reference": self.names[int(self.which[at])],
            "reference_passed": passed,
            "reference_told": passed + int(self.failed[at]),
        }


def best_reference(references: Sequence[Reference]) -> Best:
    """Returns for each check the reference with the highest pass rate; of equals the one with more runs.

    The first is preferred: another takes its place only where it has runs enough for a rate, or the first has none.
    """
    first, *others = references
    passed, failed = first.passed.copy(), first.failed.copy()
    which = np.zeros(len(passed), dtype=np.int64)
    for number, other in enumerate(others, start=1):
        told, best_told = other.passed + other.failed, passed + failed
        enough = (told >= RUNS_FOR_A_RATE) | ((best_told == 0) & (told > 0))
        # Products, not quotients: no rounding decides which of two equal rates is higher.
        here, there = other.passed * best_told, passed * told
        better = enough & ((best_told == 0) | (here > there) | ((here == there) & (told > best_told)))
        passed, failed = np.where(better, other.passed, passed), np.where(better, other.failed, failed)
        which = np.where(better, number, which)
    return Best(tuple(each.name for each in references), which, passed, failed)
