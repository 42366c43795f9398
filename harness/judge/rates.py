"""Did a check fail more often than before, or was it chance? Fisher's exact test and Newcombe's interval, vectorised.

Fisher: one-sided, hypergeometric tail. Newcombe (1998), method 10: hybrid of two Wilson score intervals, no correction.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Any, TypeAlias, final

import numpy as np
import numpy.typing as npt

from harness.errors import UsageError
from harness.judge.baseline import RUNS_FOR_A_RATE

__all__ = ["Repeats", "fisher_greater", "newcombe", "wilson"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

_FEW = 100
"""So many counts are sooner worked out than sorted."""


@final
@dataclass(frozen=True, slots=True)
class Repeats:
    """When outcomes are compared as rates, and what then is worse. Raises ``UsageError`` for senseless values."""

    runs_for_a_rate: int = RUNS_FOR_A_RATE
    """From so many passes and failures on each side on; below, classes are exact."""
    confidence: float = 0.95
    """Of the one-sided test, and of the interval that is shown (two-sided)."""
    minimum_failures: int = 3
    """Fewer failures than this are never called a regression by their rate."""

    def __post_init__(self) -> None:
        if self.runs_for_a_rate < 2:
            raise UsageError("a rate from fewer than two runs says nothing", remedy="Give runs_for_a_rate of 2 or more")
        if not 0.5 <= self.confidence < 1:
            raise UsageError(f"the confidence {self.confidence} is not in 0.5 to 1", remedy="Give 0.95, for instance")
        if self.minimum_failures < 1:
            raise UsageError("no failure at all is no regression", remedy="Give minimum_failures of 1 or more")


def fisher_greater(failed: Any, runs: Any, failed_before: Any, runs_before: Any) -> Floats:
    """Returns, element by element, how probable ``failed`` or more of ``runs`` would be if nothing had changed.

    One-sided Fisher's exact test: the tail of the hypergeometric distribution with all margins fixed. 1 where a side
    has no run.
    """
    counts = np.broadcast_arrays(
        *(np.asarray(each, dtype=np.int64) for each in (failed, runs, failed_before, runs_before))
    )
    shape = counts[0].shape
    if counts[0].size <= _FEW:
        return _tail(*(each.ravel() for each in counts)).reshape(shape)
    # Of a million checks few have counts that no other has.
    distinct, where = np.unique(np.stack([each.ravel() for each in counts]), axis=1, return_inverse=True)
    return _tail(*distinct)[where.reshape(-1)].reshape(shape)


def _tail(failed: Ints, runs: Ints, failed_before: Ints, runs_before: Ints) -> Floats:
    total, bad = runs + runs_before, failed + failed_before
    logs = _log_factorials(int(total.max(initial=0)))

    def choose(n: Ints, k: Ints) -> Floats:
        chosen: Floats = logs[n] - logs[k] - logs[n - k]
        return chosen

    most = np.minimum(bad, runs)
    tail = np.zeros(len(failed))
    whole = choose(total, runs)
    for step in range(int((most - failed).max(initial=0)) + 1):
        some = np.flatnonzero(failed + step <= most)
        k = (failed + step)[some]
        tail[some] += np.exp(choose(bad[some], k) + choose((total - bad)[some], runs[some] - k) - whole[some])
    return np.minimum(tail, 1.0)


def _log_factorials(most: int) -> Floats:
    """The logarithms of 0! to ``most``! at the least."""
    return _log_factorials_of_size(max(64, 1 << most.bit_length()))


@lru_cache(maxsize=2)
def _log_factorials_of_size(size: int) -> Floats:
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, size, dtype=np.float64)))])
    logs.flags.writeable = False
    return logs


def wilson(hits: Any, runs: Any, confidence: float) -> tuple[Floats, Floats]:
    """Returns the lower and upper limits of the rate ``hits / runs``: Wilson's score interval; 0 to 1 without a run."""
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    x, n = np.asarray(hits, dtype=np.float64), np.asarray(runs, dtype=np.float64)
    counted = np.maximum(n, 1)
    centre = x + z * z / 2
    spread = z * np.sqrt(x * (counted - x) / counted + z * z / 4)
    known = n > 0
    low = np.where(known, (centre - spread) / (counted + z * z), 0.0)
    high = np.where(known, (centre + spread) / (counted + z * z), 1.0)
    # At the ends the limits are 0 and 1 exactly; rounding must not say otherwise.
    return np.where(x == 0, 0.0, low), np.where(x == n, 1.0, high)


def newcombe(
    failed: Any, runs: Any, failed_before: Any, runs_before: Any, confidence: float = 0.95
) -> tuple[Floats, Floats]:
    """Returns the limits of by how much the rate of failures rose, from -1 to 1. Not a number without a run."""
    (low, high), (low_before, high_before) = (
        wilson(failed, runs, confidence),
        wilson(failed_before, runs_before, confidence),
    )
    n, n_before = np.asarray(runs, dtype=np.float64), np.asarray(runs_before, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate, rate_before = np.asarray(failed) / n, np.asarray(failed_before) / n_before
        rise = rate - rate_before
        return (
            rise - np.sqrt((rate - low) ** 2 + (high_before - rate_before) ** 2),
            rise + np.sqrt((high - rate) ** 2 + (rate_before - low_before) ** 2),
        )
