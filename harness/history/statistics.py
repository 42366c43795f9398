"""What do many nights say of each check: does it regress, is it flaky, did it recover? Pure functions over ``Nights``.

Each night is read once, in order; ``_Course.night`` is what happens in one. Nights kept out of the statistics (mass
failures, cut-off runs, a target that was not ready) change nothing. Rules and sources: ``docs/history.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt

from harness.errors import UsageError
from harness.history.nights import BLIND, FAILED, PASSED, Nights
from harness.history.references import Reference, best_reference
from harness.judge.baseline import RUNS_FOR_A_RATE
from harness.judge.rates import Repeats, fisher_greater
from harness.judge.rates import wilson as wilson_limits
from harness.model.release import ReleaseVersion

__all__ = [
    "CLEAN_NIGHTS",
    "DEFAULT_RULES",
    "NIGHTS_FOR_A_RATE",
    "Change",
    "Episode",
    "HistoryRules",
    "Rates",
    "Told",
    "rates",
    "tell",
]

NIGHTS_FOR_A_RATE: Final = 14
"""With fewer nights of a release that say something of a check, it is compared exactly; with more, as a rate."""

CLEAN_NIGHTS: Final = 3
"""So many nights in a row must a check pass before its regression is closed."""

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@final
@dataclass(frozen=True, slots=True)
class HistoryRules:
    """When a regression is opened and closed. Raises ``UsageError`` for senseless values."""

    nights_for_a_rate: int = NIGHTS_FOR_A_RATE
    clean_nights: int = CLEAN_NIGHTS
    repeats: Repeats = field(default_factory=Repeats)
    """Confidence of the test, and how few failures are never a regression by their rate."""

    def __post_init__(self) -> None:
        if self.nights_for_a_rate < RUNS_FOR_A_RATE:
            raise UsageError(
                f"{self.nights_for_a_rate} nights are too few for a rate", remedy=f"Give {RUNS_FOR_A_RATE} or more"
            )
        if self.clean_nights < 1:
            raise UsageError("a regression that no clean night closes is never closed", remedy="Give 1 or more")


DEFAULT_RULES: Final = HistoryRules()


@final
@dataclass(frozen=True, slots=True)
class Episode:
    """One regression of one check, from its opening to its closing. Nights are numbers into ``Nights.nights``."""

    check: int
    since: int
    """The night of its first failure."""
    opened: int
    """The night that opened it."""
    exact: bool
    """Opened by exact comparison; else by Fisher's test."""
    failed: int
    told: int
    """So many failures in so many nights stood against the reference."""
    reference: str
    """``the baseline``, ``v17.0.0`` (an earlier release) or ``the nights of v17.1.0 before``."""
    reference_passed: int
    reference_told: int
    chance: float | None
    """How probable so many failures would be if nothing had changed (one-sided, 0 to 1); ``None`` where exact."""
    closed: int | None = None
    flaky: bool = False
    """It passed and failed again while it was open."""


@final
@dataclass(frozen=True, slots=True)
class Change:
    """What one night changed for some checks (numbers of rows, ascending)."""

    night: int
    kind: str
    """``opened``, ``closed``, ``flaky``, ``failing`` (newly, and not called a regression) or ``recovered`` (a failure
    that was none, closed like one)."""
    checks: tuple[int, ...]


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


def rates(nights: Nights, last: int | None = None, confidence: float = 0.95) -> Rates:
    """Returns the counts of the last ``last`` nights that count; of all where ``None``."""
    chosen = np.flatnonzero(nights.counted)
    shown = nights.showed[:, chosen if last is None else chosen[len(chosen) - min(last, len(chosen)) :]]
    passed, failed, blind = ((shown == each).sum(axis=1).astype(np.int64) for each in (PASSED, FAILED, BLIND))
    low, high = wilson_limits(passed, passed + failed + blind, confidence)
    return Rates(passed, failed, blind, shown.shape[1] - passed - failed - blind, low, high)


def tell(nights: Nights, rules: HistoryRules = DEFAULT_RULES) -> Told:
    """Returns what the nights say. The same nights give the same answer, in whatever order they were recorded."""
    course = _Course.of(nights, rules)
    for number, counts in enumerate(nights.counted):
        if counts:
            course.night(number)
    seen = nights.showed != 0
    there = seen.any(axis=1)
    width = seen.shape[1]
    first = np.where(there, np.argmax(seen, axis=1) if width else 0, -1)
    last = np.where(there, width - 1 - (np.argmax(seen[:, ::-1], axis=1) if width else 0), -1)
    return Told(
        changes=tuple(course.changes),
        episodes=tuple(sorted(course.episodes, key=lambda each: (each.opened, each.check))),
        flaky_since=course.flaky_since,
        flakes=course.flakes,
        last_flake=course.last_flake,
        failing_since=np.where(course.streak > 0, course.streak_from, -1),
        first_seen=first.astype(np.int64),
        last_seen=last.astype(np.int64),
        last_change=course.last_change,
    )


@dataclass(slots=True)
class Tally:
    """What one release showed of each check outside its regressions, and in all."""

    passed: Ints
    failed: Ints
    told: Ints
    """Nights that passed or failed, regressions included."""
    failures: Ints


@dataclass(slots=True, eq=False)
class _Course:
    """Where every check stands after the nights so far."""

    nights: Nights
    rules: HistoryRules
    streak: Ints
    """Failures since it last passed."""
    streak_from: Ints
    clean: Ints
    """Passes since it last did anything else."""
    recent: npt.NDArray[np.int8]
    """The last nights that passed or failed (1 failed), newest at ``recent_told % width``, since the last closing."""
    recent_night: npt.NDArray[np.int32]
    recent_told: Ints
    question: npt.NDArray[np.int32]
    opened: Ints
    """Number of the open episode, or -1."""
    known: Mask
    """Fails, and was never known to do anything else for long: no regression, but news when it passes."""
    flaky_since: Ints
    flakes: Ints
    last_flake: Ints
    last_change: Ints
    showed_last: npt.NDArray[np.int8]
    by_release: dict[str, Tally] = field(default_factory=dict)
    episodes: list[Episode] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    @classmethod
    def of(cls, nights: Nights, rules: HistoryRules) -> _Course:
        count, width = len(nights.checks), rules.nights_for_a_rate

        def ints(value: int = 0) -> Ints:
            return np.full(count, value, dtype=np.int64)

        return cls(
            nights=nights,
            rules=rules,
            streak=ints(),
            streak_from=ints(-1),
            clean=ints(),
            recent=np.zeros((count, width), dtype=np.int8),
            recent_night=np.zeros((count, width), dtype=np.int32),
            recent_told=ints(),
            question=np.full(count, -1, dtype=np.int32),
            opened=ints(-1),
            known=np.zeros(count, dtype=bool),
            flaky_since=ints(-1),
            flakes=ints(),
            last_flake=ints(-1),
            last_change=ints(-1),
            showed_last=np.zeros(count, dtype=np.int8),
        )

    def night(self, number: int) -> None:
        """Takes in one night that counts."""
        release = self.nights.nights[number].release
        tally = self.by_release.setdefault(release, self._tally())
        self._meanings(number)
        showed = self.nights.showed[:, number]
        passing, failing, blind = showed == PASSED, showed == FAILED, showed == BLIND
        self.last_change[(showed != 0) & (self.showed_last != 0) & (showed != self.showed_last)] = number
        self.showed_last = np.where(showed != 0, showed, self.showed_last)
        after_failures, after_passes = passing & (self.streak > 0), failing & (self.clean > 0)
        self._count(number, tally, passing, failing, blind)
        was_open = self.opened >= 0
        self._flakes_inside(number, after_passes & was_open)
        self._close(number, was_open & passing & (self.clean >= self.rules.clean_nights))
        opening = self._open(number, release, tally, failing & ~was_open)
        self._settle(number, tally, failing & ~was_open & ~opening, after_failures & ~was_open)
        self.streak[passing] = 0

    def _tally(self) -> Tally:
        return Tally(*(np.zeros(len(self.nights.checks), dtype=np.int64) for _ in range(4)))

    def _meanings(self, number: int) -> None:
        """Where a check asks something else than before, what it showed before says nothing of it."""
        asks = self.nights.asked[:, number]
        changed = np.flatnonzero((asks >= 0) & (self.question >= 0) & (asks != self.question))
        self.question = np.where(asks >= 0, asks, self.question)
        for tally in self.by_release.values():
            for counts in (tally.passed, tally.failed, tally.told, tally.failures):
                counts[changed] = 0
        self.recent_told[changed] = 0
        self.known[changed] = False
        fresh = changed[self.opened[changed] < 0]
        self.streak[fresh] = 0

    def _count(self, number: int, tally: Tally, passing: Mask, failing: Mask, blind: Mask) -> None:
        telling = passing | failing
        self.streak_from[failing & (self.streak == 0)] = number
        self.streak[failing] += 1
        self.clean[passing] += 1
        self.clean[failing | blind] = 0
        tally.told[telling] += 1
        tally.failures[failing] += 1
        free = self.opened < 0
        tally.passed[passing & free] += 1
        tally.failed[failing & free] += 1
        rows = np.flatnonzero(telling & free)
        place = self.recent_told[rows] % self.rules.nights_for_a_rate
        self.recent[rows, place] = failing[rows]
        self.recent_night[rows, place] = number
        self.recent_told[rows] += 1

    def _flakes_inside(self, number: int, rows: Mask) -> None:
        for row in np.flatnonzero(rows):
            at = int(self.opened[row])
            self.episodes[at] = _changed(self.episodes[at], flaky=True)
        self._flaky(number, rows)

    def _close(self, number: int, rows: Mask) -> None:
        closing = np.flatnonzero(rows)
        for row in closing:
            at = int(self.opened[row])
            self.episodes[at] = _changed(self.episodes[at], closed=number)
        self.opened[closing] = -1
        # What comes next is told by what comes next: the failures of a closed regression are not counted again.
        self.recent_told[closing] = 0
        self._note(number, "closed", closing)

    def _open(self, number: int, release: str, tally: Tally, candidates: Mask) -> Mask:
        opening = np.zeros(len(candidates), dtype=bool)
        rows = np.flatnonzero(candidates)
        if not len(rows):
            return opening
        for found in self._exactly(number, release, tally, rows[tally.told[rows] < self.rules.nights_for_a_rate]):
            self._begin(found, tally)
            opening[found.check] = True
        for found in self._by_rate(number, release, tally, rows[tally.told[rows] >= self.rules.nights_for_a_rate]):
            self._begin(found, tally)
            opening[found.check] = True
        self._note(number, "opened", np.flatnonzero(opening))
        return opening

    def _exactly(self, number: int, release: str, tally: Tally, rows: Ints) -> list[Episode]:
        """It always passed before, and has only failed since: from the first failure on where it never failed in this
        release, else from so many in a row on as are never chance."""
        if not len(rows):
            return []
        streak = self.streak[rows]
        own = (tally.passed[rows], tally.failed[rows] - streak)
        best = best_reference(self._references(number, release, rows, own, same_question=False))
        sole = tally.failures[rows] == streak
        lasting = streak >= self.rules.repeats.minimum_failures
        holds = (best.passed > 0) & (best.failed == 0) & (sole | lasting)
        return [
            Episode(
                check=int(row), since=int(self.streak_from[row]), opened=number, exact=True,
                failed=int(self.streak[row]), told=int(self.streak[row]), chance=None, **best.told(at),
            )
            for at, row in enumerate(rows)
            if holds[at]
        ]  # fmt: skip

    def _by_rate(self, number: int, release: str, tally: Tally, rows: Ints) -> list[Episode]:
        """Fisher's exact test says that the last failures in a row, or those of the last nights, are not chance."""
        if not len(rows):
            return []
        found: dict[int, Episode] = {}
        width = self.rules.nights_for_a_rate
        filled = np.minimum(self.recent_told[rows], width)
        at_all = np.arange(width)[None, :] < filled[:, None]
        recent_failed = (self.recent[rows] * at_all).sum(axis=1).astype(np.int64)
        streak = self.streak[rows]
        for all_failed, all_told in ((streak, streak), (recent_failed, filled)):
            enough = (all_failed >= self.rules.repeats.minimum_failures) & ~np.isin(rows, list(found))
            few, failed, told = rows[enough], all_failed[enough], all_told[enough]
            if not len(few):
                continue
            own = np.maximum(tally.passed[few] - (told - failed), 0), np.maximum(tally.failed[few] - failed, 0)
            best = best_reference(self._references(number, release, few, own, same_question=True))
            chance = fisher_greater(failed, told, best.failed, best.passed + best.failed)
            # What is exactly at the bound has not passed it, however it was rounded.
            significant = chance < 1 - self.rules.repeats.confidence - 1e-9
            for at in np.flatnonzero(significant & (best.passed > 0)):
                row = int(few[at])
                found[row] = Episode(
                    check=row, since=self._first_failure(row, int(told[at])), opened=number, exact=False,
                    failed=int(failed[at]), told=int(told[at]), chance=float(chance[at]), **best.told(int(at)),
                )  # fmt: skip
        return [found[row] for row in sorted(found)]

    def _first_failure(self, row: int, told: int) -> int:
        if told == self.streak[row]:
            return int(self.streak_from[row])
        width = self.rules.nights_for_a_rate
        filled = min(int(self.recent_told[row]), width)
        failed = self.recent_night[row, :filled][self.recent[row, :filled] == 1]
        return int(failed.min(initial=int(self.streak_from[row])))

    def _references(
        self, number: int, release: str, rows: Ints, own: tuple[Ints, Ints], *, same_question: bool
    ) -> list[Reference]:
        passed, failed = (
            matrix[rows, number].astype(np.int64)
            for matrix in (self.nights.baseline_passed, self.nights.baseline_failed)
        )
        if same_question:
            usable = self.nights.baseline_asks_same[rows, number]
            passed, failed = np.where(usable, passed, 0), np.where(usable, failed, 0)
        earlier = [
            Reference(name, tally.passed[rows], tally.failed[rows])
            for name, tally in self.by_release.items()
            if _earlier(name, release)
        ]
        return [
            Reference("the baseline", passed, failed),
            *earlier,
            Reference(f"the nights of {release} before", *own),
        ]

    def _begin(self, found: Episode, tally: Tally) -> None:
        row = found.check
        self.opened[row] = len(self.episodes)
        self.episodes.append(found)
        # What opened it belongs to it, not to what the release does otherwise.
        tally.failed[row] = max(0, tally.failed[row] - found.failed)
        self.known[row] = False

    def _settle(self, number: int, tally: Tally, failing: Mask, recovering: Mask) -> None:
        """What fails and is no regression, and what passes again that was none."""
        self.flakes[failing] += 1
        self.last_flake[failing] = number
        baseline_fails = (self.nights.baseline_failed[:, number] > 0) & (self.nights.baseline_passed[:, number] == 0)
        new = failing & (self.streak == 1) & ~self.known & (self.flaky_since < 0) & ~baseline_fails
        self._note(number, "failing", np.flatnonzero(new))
        never_passed = tally.passed == 0
        self.known |= failing & (never_passed | baseline_fails)
        self._flaky(number, recovering & ~self.known)
        recovered = self.known & (self.nights.showed[:, number] == PASSED) & (self.clean >= self.rules.clean_nights)
        self.known &= ~recovered
        self._note(number, "recovered", np.flatnonzero(recovered))

    def _flaky(self, number: int, rows: Mask) -> None:
        fresh = np.flatnonzero(rows & (self.flaky_since < 0))
        self.flaky_since[fresh] = number
        self._note(number, "flaky", fresh)

    def _note(self, number: int, kind: str, rows: Sequence[int] | Ints) -> None:
        if len(rows):
            self.changes.append(Change(number, kind, tuple(int(row) for row in rows)))


def _changed(episode: Episode, **values: Any) -> Episode:
    return replace(episode, **values)


def _earlier(one: str, other: str) -> bool:
    try:
        return ReleaseVersion.parse(one) < ReleaseVersion.parse(other)
    except ValueError:
        return False
