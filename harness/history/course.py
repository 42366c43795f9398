"""How does each check fare from night to night: when does it regress, when has it recovered, when is it flaky?

Each night that counts is taken in once, in order; ``Course.night`` is what happens in one. Rules and sources:
``docs/history.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, final

import numpy as np
import numpy.typing as npt

from harness.history.nights import BLIND, FAILED, PASSED, Shown
from harness.history.references import Reference, best_reference
from harness.history.rules import HistoryRules
from harness.judge.rates import fisher_greater
from harness.model.release import ReleaseVersion

__all__ = ["Change", "Course", "Episode", "walked"]

Mask: TypeAlias = npt.NDArray[np.bool_]
Ints: TypeAlias = npt.NDArray[np.int64]


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


def walked(nights: Shown, rules: HistoryRules) -> Course:
    """Returns where every check stands after all nights that count."""
    course = Course.of(nights, rules)
    numbers = np.flatnonzero(nights.counted)
    loud = _loud(nights, numbers)
    at = 0
    while at < len(numbers):
        if loud[at] or not course.settled:
            course.night(int(numbers[at]))
            at += 1
            continue
        end, release = at + 1, nights.nights[numbers[at]].release
        while end < len(numbers) and not loud[end] and nights.nights[numbers[end]].release == release:
            end += 1
        course.quiet_nights(numbers[at:end], release)
        at = end
    return course


def _loud(nights: Shown, numbers: Ints) -> Mask:
    """In which of these nights a check did anything but pass, or asked something else than before."""
    showed, asked = nights.showed[:, numbers], nights.asked[:, numbers]
    there = np.where(asked >= 0, np.arange(len(numbers)), -1)
    before = np.maximum.accumulate(there, axis=1)[:, :-1]
    changed = np.zeros(asked.shape, dtype=bool)
    changed[:, 1:] = (asked[:, 1:] >= 0) & (before >= 0) & (asked[:, 1:] != np.take_along_axis(asked, before, axis=1))
    loud: Mask = (((showed == FAILED) | (showed == BLIND)) | changed).any(axis=0)
    return loud


@dataclass(slots=True)
class Tally:
    """What one release showed of each check outside its regressions, and in all."""

    passed: Ints
    failed: Ints
    told: Ints
    """Nights that passed or failed, regressions included."""
    failures: Ints


@dataclass(slots=True, eq=False)
class Course:
    """Where every check stands after the nights so far."""

    nights: Shown
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
    by_release: dict[str, Tally] = field(default_factory=dict)
    episodes: list[Episode] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    @classmethod
    def of(cls, nights: Shown, rules: HistoryRules) -> Course:
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
        )

    def night(self, number: int) -> None:
        """Takes in one night that counts."""
        release = self.nights.nights[number].release
        tally = self._tally(release)
        self._meanings(number)
        showed = self.nights.showed[:, number]
        passing, failing, blind = showed == PASSED, showed == FAILED, showed == BLIND
        after_failures, after_passes = passing & (self.streak > 0), failing & (self.clean > 0)
        self._count(number, tally, passing, failing, blind)
        was_open = self.opened >= 0
        self._flakes_inside(number, after_passes & was_open)
        self._close(number, was_open & passing & (self.clean >= self.rules.clean_nights))
        opening = self._open(number, release, tally, failing & ~was_open)
        self._settle(number, tally, failing & ~was_open & ~opening, after_failures & ~was_open)
        self.streak[passing] = 0

    @property
    def settled(self) -> bool:
        """Whether a night in which nothing fails would change no more than counts."""
        return not (self.streak.any() or self.known.any() or (self.opened >= 0).any())

    def quiet_nights(self, numbers: Ints, release: str) -> None:
        """Takes in nights of one release, in which every check passes or is absent and asks what it asked before.

        They follow one another, and ``settled`` holds: as ``night`` would, one after the other.
        """
        tally = self._tally(release)
        passes = (self.nights.showed[:, numbers] == PASSED).sum(axis=1).astype(np.int64)
        self.question = np.maximum(self.question, self.nights.asked[:, numbers].max(axis=1))
        self.clean += passes
        tally.told += passes
        tally.passed += passes
        self.recent_told += passes
        width = self.rules.nights_for_a_rate
        for back in range(1, min(width, int(passes.max(initial=0))) + 1):
            rows = np.flatnonzero(passes >= back)
            self.recent[rows, (self.recent_told[rows] - back) % width] = 0

    def _tally(self, release: str) -> Tally:
        if release not in self.by_release:
            self.by_release[release] = Tally(*(np.zeros(len(self.nights.checks), dtype=np.int64) for _ in range(4)))
        return self.by_release[release]

    def _meanings(self, number: int) -> None:
        """Where a check asks something else than before, what it showed before says nothing of it."""
        asks = self.nights.asked[:, number]
        changed = np.flatnonzero((asks >= 0) & (self.question >= 0) & (asks != self.question))
        self.question = np.where(asks >= 0, asks, self.question)
        if not len(changed):
            return
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
        opening = np.zeros(len(rows), dtype=bool)
        for all_failed, all_told in ((streak, streak), (recent_failed, filled)):
            enough = (all_failed >= self.rules.repeats.minimum_failures) & ~opening
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
            opening = np.isin(rows, list(found))
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
