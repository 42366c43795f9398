"""Which check of one side is which of the other? By id, then by rename table, then by what it asks and where.

A second key decides only where it is unique on both sides, and a case moves only as a case: nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, final

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.judge.renames import NO_RENAMES, Renames
from harness.model.ids import SEPARATOR

__all__ = ["Matching", "match"]

Ints: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]
Texts: TypeAlias = npt.NDArray[np.object_]
_NUMBER: Final = re.compile(r"(?<!\\)#\d+$")
_ROUNDS: Final = 3
"""What one round settles may leave a key unique for the next; after three, little is left that could."""

# Within one case: a number moved on, a step was renamed, a description was reworded.
_WITHIN: Final = (
    ("case", "step_base", "check_base", "mark"),
    ("case", "check_base", "mark"),
    ("case", "step_base", "mark"),
)
# Across cases, the nearest place first: folder moved, file moved, case moved, case renamed.
_ACROSS: Final = (
    ("place", "title", "step", "check", "mark"),
    ("place", "step", "check", "mark"),
    ("file", "title", "step", "check", "mark"),
    ("file", "step", "check", "mark"),
    ("title", "step", "check", "mark"),
    ("path", "step", "check", "mark"),
    ("step", "check", "mark"),
    ("step_base", "check_base", "mark"),
    ("check_base", "mark"),
)
# Within a case that became another one: the same place, then as within one case.
_WITHIN_PAIR: Final = (
    ("pair", "step", "check"),
    ("pair", "step_base", "check_base", "mark"),
    ("pair", "check_base", "mark"),
    ("pair", "step_base", "mark"),
)


@final
@dataclass(frozen=True, slots=True, eq=False)
class Matching:
    """Where each check of the side before is on the side after."""

    at: Ints
    """Its position there, or -1."""
    name: Texts
    """Its id there: its own, unless it moved. One that the rename table moved has its new id, result or not."""


def match(
    before: Texts,
    before_marks: Texts,
    after: Texts,
    after_marks: Texts,
    *,
    renames: Renames = NO_RENAMES,
    expected: Iterable[str] = (),
) -> Matching:
    """Returns which check of ``before`` is which of ``after``; the ids of either side are distinct.

    ``*_marks`` are their fingerprints, empty where not known. ``expected`` are ids that the side after knows of without
    a result: a check of that name is where it was. The order of either side does not matter.
    """
    index, waiting = pd.Index(after, dtype=object), frozenset(expected)
    name = before.copy()
    at = index.get_indexer(pd.Index(before, dtype=object)).astype(np.int64)
    if renames:
        _by_table(before, name, at, index, waiting, renames)
    same_mark = (before_marks == np.append(after_marks, "")[at]) | (before_marks == "")
    stated = name != before
    settled = (at >= 0) & (same_mark | stated | (np.append(after_marks, "")[at] == ""))
    rest = np.flatnonzero(~settled & ((at >= 0) | _absent(name, waiting)))
    taken = np.zeros(len(after), dtype=bool)
    taken[at[settled]] = True
    free = np.flatnonzero(~taken)
    if len(rest) and len(free):
        found = _Remainder.of(before, before_marks, rest, after, after_marks, free).matched()
        at[rest] = np.where(found >= 0, free[found], -1)
        name[rest] = np.where(found >= 0, after[free[found]], name[rest])
    return Matching(at, name)


def _absent(name: Texts, waiting: frozenset[str]) -> Mask:
    if not waiting:
        return np.ones(len(name), dtype=bool)
    return np.fromiter((each not in waiting for each in name), dtype=bool, count=len(name))


def _by_table(
    before: Texts, name: Texts, at: Ints, index: pd.Index[str], waiting: frozenset[str], renames: Renames
) -> None:
    """Gives checks that are not there under their own name the first of their other names that is, if it is free."""
    own = frozenset(before)
    claims: dict[str, list[int]] = {}
    for n in np.flatnonzero(at < 0):
        check = str(before[n])
        if check not in waiting:
            there = (other for other in renames.forms(check) if other in waiting or other in index)
            if (found := next(there, None)) is not None and found not in own:
                claims.setdefault(found, []).append(int(n))
    for found, claimants in claims.items():
        if len(claimants) == 1:
            name[claimants[0]] = found
            at[claimants[0]] = index.get_indexer(pd.Index([found], dtype=object))[0]


@final
@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """One side's remainder. ``codes`` holds for each part of a check a number that is the same on both sides."""

    codes: dict[str, Ints]
    marked: Mask
    totals: Ints
    """By case code: how many checks the case has, matched or not."""


@final
class _Remainder:
    """What neither id nor table settled. ``to`` and ``of_`` are the matches found so far, each side's view."""

    def __init__(self, before: _Side, after: _Side) -> None:
        self.before, self.after = before, after
        self.to = np.full(len(before.marked), -1, dtype=np.int64)
        self.of_ = np.full(len(after.marked), -1, dtype=np.int64)

    @classmethod
    def of(
        cls, before: Texts, before_marks: Texts, rest: Ints, after: Texts, after_marks: Texts, free: Ints
    ) -> _Remainder:
        one, other = _parts(before[rest]), _parts(after[free])
        one["mark"], other["mark"] = list(before_marks[rest]), list(after_marks[free])
        codes: list[dict[str, Ints]] = [{}, {}]
        cases: Sequence[str] = ()
        for part in one:
            numbers, distinct = pd.factorize(np.array([*one[part], *other[part]], dtype=object))
            codes[0][part], codes[1][part] = numbers[: len(rest)], numbers[len(rest) :]
            if part == "case":
                cases = [str(case) for case in distinct]
        return cls(
            _Side(codes[0], before_marks[rest] != "", _totals(before, cases)),
            _Side(codes[1], after_marks[free] != "", _totals(after, cases)),
        )

    def matched(self) -> Ints:
        """Returns for each check before its place in the remainder after, or -1."""
        self._take(*self._unique(_WITHIN[0], self._everything))
        self._keep_names()
        # A name that stayed, with another question: that is a changed definition, and no move.
        self._take(*self._unique(("id",), self._everything))
        for key in _WITHIN[1:]:
            self._take(*self._unique(key, self._everything))
        for _ in range(_ROUNDS):
            if not self._cases():
                break
        return self.to

    def _keep_names(self) -> None:
        """Takes back each match that would leave a check whose id both sides have without a partner on either side.

        So numbers may change places within a case, and yet an id of both sides never stands for a removed check too.
        """
        size = 1 + int(max(self.before.codes["id"].max(), self.after.codes["id"].max()))
        there, here = np.full(size, -1, dtype=np.int64), np.full(size, -1, dtype=np.int64)
        there[self.after.codes["id"]] = np.arange(len(self.of_))
        here[self.before.codes["id"]] = np.arange(len(self.to))
        namesake, namesake_after = there[self.before.codes["id"]], here[self.after.codes["id"]]
        while True:
            linked = np.flatnonzero(self.to >= 0)
            other, back = namesake[linked], namesake_after[self.to[linked]]
            lost = linked[
                ((other >= 0) & (np.append(self.of_, 0)[other] < 0)) | ((back >= 0) & (np.append(self.to, 0)[back] < 0))
            ]
            if not len(lost):
                return
            self.of_[self.to[lost]] = -1
            self.to[lost] = -1

    def _everything(self, side: _Side) -> Mask:
        return np.ones(len(side.marked), dtype=bool)

    def _cases(self) -> bool:
        """Matches across cases, as far as whole cases moved; returns whether anything was found."""
        to, of_ = self.to.copy(), self.of_.copy()
        for key in _ACROSS:
            self._take(*self._unique(key, self._everything))
        proposed = np.flatnonzero((self.to >= 0) & (to < 0))
        came = self.before.codes["case"], self.after.codes["case"]
        linked = np.flatnonzero(self.to >= 0)
        pairs, inverse, counts = np.unique(
            np.stack([came[0][linked], came[1][self.to[linked]]]), axis=1, return_inverse=True, return_counts=True
        )
        from_old = 2 * counts > self.before.totals[pairs[0]]
        from_new = 2 * counts > self.after.totals[pairs[1]]
        stands = np.zeros(len(self.to), dtype=bool)
        # One case in place of one; or, where one was split or some were joined, more than a single check to say so.
        carried = (from_old & from_new) | ((from_old | from_new) & (counts > 1))
        stands[linked] = carried[inverse.reshape(-1)]
        refused = proposed[~stands[proposed]]
        self.of_[self.to[refused]] = -1
        self.to[refused] = -1
        whole = pairs[:, from_old & from_new & (pairs[0] != pairs[1])] if pairs.size else pairs
        self._pair(whole)
        for key in _WITHIN_PAIR:
            self._take(*self._unique(key, lambda side: side.codes["pair"] >= 0))
        return bool((self.to != to).any() or (self.of_ != of_).any())

    def _pair(self, pairs: npt.NDArray[np.int64]) -> None:
        """Numbers the cases that became one another: by majority on both sides, so each has one partner at most."""
        for side, cases in ((self.before, pairs[0]), (self.after, pairs[1])):
            number = np.full(len(side.totals), -1, dtype=np.int64)
            number[cases] = np.arange(len(cases))
            side.codes["pair"] = number[side.codes["case"]]

    def _unique(self, key: Sequence[str], eligible: Callable[[_Side], Mask]) -> tuple[Ints, Ints]:
        """Returns the pairs that ``key`` finds in what is left: unique on both sides, its fingerprint known."""
        sides = (self.before, self.to), (self.after, self.of_)
        left = [
            np.flatnonzero((found < 0) & eligible(side) & (side.marked if "mark" in key else True))
            for side, found in sides
        ]
        if not (len(left[0]) and len(left[1])):
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        both = np.zeros(len(left[0]) + len(left[1]), dtype=np.int64)
        for part in key:
            codes = np.concatenate([side.codes[part][rows] for (side, _), rows in zip(sides, left, strict=True)])
            both = pd.factorize(both * (int(codes.max()) + 1) + codes)[0]
        one, other = both[: len(left[0])], both[len(left[0]) :]
        size = int(both.max()) + 1
        single = (np.bincount(one, minlength=size) == 1) & (np.bincount(other, minlength=size) == 1)
        place = np.full(size, -1, dtype=np.int64)
        place[other] = np.arange(len(other))
        hits = np.flatnonzero(single[one])
        return left[0][hits], left[1][place[one[hits]]]

    def _take(self, before: Ints, after: Ints) -> None:
        self.to[before] = after
        self.of_[after] = before


def _parts(ids: Texts) -> dict[str, list[str]]:
    """The parts of each id by which it may be found again. ``*_base`` is without the number of a repeated label."""
    split = [check.split(SEPARATOR) for check in ids]
    path, title, step, check = ([each[n] for each in split] for n in range(4))
    return {
        "id": list(ids),
        "case": [SEPARATOR.join(each[:2]) for each in split],
        "path": path,
        "place": ["/".join(each.split("/")[-2:]) for each in path],
        "file": [each.rpartition("/")[2] for each in path],
        "title": title,
        "step": step,
        "check": check,
        "step_base": _bases(step),
        "check_base": _bases(check),
    }


def _bases(segments: list[str]) -> list[str]:
    return [_NUMBER.sub("", segment) if "#" in segment else segment for segment in segments]


def _totals(ids: Texts, cases: Sequence[str]) -> Ints:
    """How many checks each of ``cases`` has on this side, whether they are in the remainder or not."""
    counts = dict.fromkeys(cases, 0)
    for check in ids:
        case = check.rsplit(SEPARATOR, 2)[0]
        if case in counts:
            counts[case] += 1
    return np.fromiter(counts.values(), dtype=np.int64, count=len(counts))
