"""What do many nights say of each check: how often it passes, whether it regresses, is flaky, or recovered?

Pure functions over what the nights showed. Nights kept out of the statistics (mass failures, cut-off runs, a target
that was not ready) change nothing. Rules and sources: ``docs/history.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias, final

import numpy as np
import numpy.typing as npt

from harness.history.course import Change, Episode, walked
from harness.history.nights import ABSENT, BLIND, FAILED, PASSED, Shown
from harness.history.rules import DEFAULT_RULES, HistoryRules
from harness.judge.rates import wilson as wilson_limits

__all__ = ["Change", "Episode", "Rates", "Told", "only", "rates", "tell"]

Mask: TypeAlias = npt.NDArray[np.bool_]
Ints: TypeAlias = npt.NDArray[np.int64]


@final
@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What the nights say, check by check (arrays have one entry per check; nights are numbers, -1 for none)."""

    changes: tuple[Change, ...]
    episodes: tuple[Episode, ...]
    """In the order of their opening."""
    flaky_since: Ints
    """The night on which a check was first seen to fail and pass with nothing to tell it by. Never forgotten."""
    flakes: Ints
    """Failures outside any regression, in nights that count."""
    last_flake: Ints
    failing_since: Ints
    """The first night of the failures that go on until now; -1 where the check passed last."""
    first_seen: Ints
    last_seen: Ints
    last_change: Ints
    """The last night that counts and showed something else than the one before it."""

    @property
    def open(self) -> tuple[Episode, ...]:
        """The regressions that are not closed."""
        return tuple(each for each in self.episodes if each.closed is None)


@final
@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """Counts over nights that count, one entry per check; ``passed + failed + blind + absent`` are all of those."""

    passed: Ints
    failed: Ints
    blind: Ints
    """Ran and said nothing: hollow, skipped, broken. Not a pass."""
    absent: Ints
    """Not part of these nights."""
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    """Wilson's 95 % interval of the pass rate."""

    @property
    def expected(self) -> Ints:
        """In how many nights a pass was possible."""
        return self.passed + self.failed + self.blind

    @property
    def pass_rate(self) -> npt.NDArray[np.float64]:
        """Passed of expected, 0 to 1; not a number where it was never expected."""
        with np.errstate(invalid="ignore", divide="ignore"):
            share: npt.NDArray[np.float64] = np.where(self.expected > 0, self.passed / self.expected, np.nan)
        return share


def rates(nights: Shown, last: int | None = None, confidence: float = 0.95) -> Rates:
    """Returns the counts of the last ``last`` nights that count; of all where ``None``."""
    chosen = np.flatnonzero(nights.counted)
    shown = nights.showed[:, chosen if last is None else chosen[len(chosen) - min(last, len(chosen)) :]]
    passed, failed, blind = ((shown == each).sum(axis=1).astype(np.int64) for each in (PASSED, FAILED, BLIND))
    low, high = wilson_limits(passed, passed + failed + blind, confidence)
    return Rates(passed, failed, blind, shown.shape[1] - passed - failed - blind, low, high)


def tell(nights: Shown, rules: HistoryRules = DEFAULT_RULES) -> Told:
    """Returns what the nights say. The same nights give the same answer, in whatever order they were recorded."""
    failed = ((nights.showed == FAILED) & nights.counted).any(axis=1)
    # Checks do not depend on one another, and of one that never failed there is nothing to tell: most are so.
    rows = np.flatnonzero(failed)
    course = walked(only(nights, rows), rules)

    def of_all(values: Ints, otherwise: int) -> Ints:
        spread = np.full(len(nights.checks), otherwise, dtype=np.int64)
        spread[rows] = values
        return spread

    seen = nights.showed != ABSENT
    there = seen.any(axis=1)
    width = seen.shape[1]
    first = np.where(there, np.argmax(seen, axis=1) if width else 0, -1)
    last = np.where(there, width - 1 - (np.argmax(seen[:, ::-1], axis=1) if width else 0), -1)
    return Told(
        changes=tuple(replace(each, checks=tuple(rows[list(each.checks)].tolist())) for each in course.changes),
        episodes=tuple(
            sorted(
                (replace(each, check=int(rows[each.check])) for each in course.episodes),
                key=lambda each: (each.opened, each.check),
            )
        ),
        flaky_since=of_all(course.flaky_since, -1),
        flakes=of_all(course.flakes, 0),
        last_flake=of_all(course.last_flake, -1),
        failing_since=of_all(np.where(course.streak > 0, course.streak_from, -1), -1),
        first_seen=first.astype(np.int64),
        last_seen=last.astype(np.int64),
        last_change=_last_change(nights),
    )


def only(nights: Shown, rows: Ints) -> Shown:
    """Returns the same nights, with these checks only."""
    taken: dict[str, Any] = {}
    for each in fields(Shown):
        value = getattr(nights, each.name)
        if each.name not in ("nights", "formerly"):
            taken[each.name] = (
                np.asfortranarray(value[rows]) if isinstance(value, np.ndarray) else tuple(value[row] for row in rows)
            )
    return replace(nights, **taken)


def _last_change(nights: Shown) -> Ints:
    """Per check the last night that counts and showed something else than the one before it; -1 where none did."""
    numbers = np.flatnonzero(nights.counted)
    found = np.full(len(nights.checks), -1, dtype=np.int64)
    if len(numbers) < 2:
        return found
    shown = nights.showed[:, numbers]
    seen = shown != ABSENT
    most, least = shown.max(axis=1, initial=ABSENT), np.where(seen, shown, np.int8(BLIND)).min(axis=1)
    rows = np.flatnonzero((most != ABSENT) & (most != least))
    shown, seen = shown[rows], seen[rows]
    before = np.maximum.accumulate(np.where(seen, np.arange(len(numbers)), -1), axis=1)[:, :-1]
    changed = seen[:, 1:] & (before >= 0) & (shown[:, 1:] != np.take_along_axis(shown, before, axis=1))
    at = changed.shape[1] - np.argmax(changed[:, ::-1], axis=1)
    found[rows] = np.where(changed.any(axis=1), numbers[at], -1)
    return found
