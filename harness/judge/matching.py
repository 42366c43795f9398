"""Which check of one side is which of the other? By id, then by rename table, then by what it asks and where.

A second key decides only where it is unique on both sides, and a case moves only as a case: nothing is guessed.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, final

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.judge.renames import NO_RENAMES, Renames
from harness.model.ids import SEPARATOR

__all__ = ["Matching", "match"]

Codes: TypeAlias = npt.NDArray[np.int32]
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
        found = _Remainder.of((before, before_marks, rest), (after, after_marks, free), at).matched()
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

    codes: dict[str, Codes]
    marked: Mask
    totals: Ints
    """By case code: how many checks the case has, matched or not."""


@final
class _Remainder:
    """What neither id nor table settled. ``to`` and ``of_`` are the matches found so far, each side's view."""

    def __init__(self, before: _Side, after: _Side, namesakes: Ints) -> None:
        self.before, self.after = before, after
        self.to = np.full(len(before.marked), -1, dtype=np.int64)
        self.of_ = np.full(len(after.marked), -1, dtype=np.int64)
        self.namesakes = namesakes
        """For each check before, the one after with its id, or -1."""

    @classmethod
    def of(cls, before: tuple[Texts, Texts, Ints], after: tuple[Texts, Texts, Ints], at: Ints) -> _Remainder:
        """Returns the remainder of both sides, each given as its ids, fingerprints and the rows that are left.

        ``at`` is where after has each id of before, or -1.
        """
        (ids, marks, rest), (ids_after, marks_after, free) = before, after
        cut = len(rest)
        codes, cases = _coded(ids[rest], ids_after[free])
        codes["mark"] = pd.factorize(np.concatenate([marks[rest], marks_after[free]]))[0].astype(np.int32)
        one, other = ({part: each[side] for part, each in codes.items()} for side in (slice(cut), slice(cut, None)))
        place = np.full(len(ids_after) + 1, -1, dtype=np.int64)
        place[free] = np.arange(len(free))
        return cls(
            _Side(one, marks[rest] != "", _totals(ids, rest, one["case"], cases)),
            _Side(other, marks_after[free] != "", _totals(ids_after, free, other["case"], cases)),
            place[at[rest]],
        )

    def matched(self) -> Ints:
        """Returns for each check before its place in the remainder after, or -1."""
        self._take(*self._unique(_WITHIN[0], self._everything))
        self._keep_names()
        # A name that stayed, with another question: that is a changed definition, and no move.
        stayed = np.flatnonzero((self.to < 0) & (self.namesakes >= 0))
        self._take(stayed, self.namesakes[stayed])
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
        namesakes_after = np.full(len(self.of_), -1, dtype=np.int64)
        shared = np.flatnonzero(self.namesakes >= 0)
        namesakes_after[self.namesakes[shared]] = shared
        while True:
            linked = np.flatnonzero(self.to >= 0)
            other, back = self.namesakes[linked], namesakes_after[self.to[linked]]
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
        size = len(self.after.totals)
        both = came[0][linked].astype(np.int64) * size + came[1][self.to[linked]]
        distinct, inverse, counts = np.unique(both, return_inverse=True, return_counts=True)
        pairs = np.stack([distinct // size, distinct % size])
        from_old = 2 * counts > self.before.totals[pairs[0]]
        from_new = 2 * counts > self.after.totals[pairs[1]]
        stands = np.zeros(len(self.to), dtype=bool)
        # One case in place of one; or, where one was split or some were joined, more than a single check to say so.
        carried = (from_old & from_new) | ((from_old | from_new) & (counts > 1))
        stands[linked] = carried[inverse]
        refused = proposed[~stands[proposed]]
        self.of_[self.to[refused]] = -1
        self.to[refused] = -1
        whole = pairs[:, from_old & from_new & (pairs[0] != pairs[1])]
        self._pair(whole)
        for key in _WITHIN_PAIR:
            self._take(*self._unique(key, lambda side: side.codes["pair"] >= 0))
        return bool((self.to != to).any() or (self.of_ != of_).any())

    def _pair(self, pairs: Ints) -> None:
        """Numbers the cases that became one another: by majority on both sides, so each has one partner at most."""
        for side, cases in ((self.before, pairs[0]), (self.after, pairs[1])):
            number = np.full(len(side.totals), -1, dtype=np.int32)
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


def _coded(before: Texts, after: Texts) -> tuple[dict[str, Codes], Sequence[str]]:
    """Returns a number for each part by which an id may be found again, before's first, and the cases by number.

    ``*_base`` is without the number of a repeated label. Of a million ids few parts are distinct: only those are kept.
    """
    cases: dict[str, int] = {}
    steps: dict[str, int] = {}
    checks: dict[str, int] = {}

    def numbers() -> Iterator[tuple[int, int, int]]:
        for each in itertools.chain(before, after):
            case, step, check = each.rsplit(SEPARATOR, 2)
            yield (
                cases.setdefault(case, len(cases)),
                steps.setdefault(step, len(steps)),
                checks.setdefault(check, len(checks)),
            )

    kinds = [("case", np.int32), ("step", np.int32), ("check", np.int32)]
    found = np.fromiter(numbers(), dtype=kinds, count=len(before) + len(after))
    case, step, check = (np.ascontiguousarray(found[name]) for name, _ in kinds)
    paths = [name.partition(SEPARATOR)[0] for name in cases]
    codes = {
        "case": case,
        "step": step,
        "check": check,
        "path": _renumbered(case, paths),
        "place": _renumbered(case, ["/".join(path.split("/")[-2:]) for path in paths]),
        "file": _renumbered(case, [path.rpartition("/")[2] for path in paths]),
        "title": _renumbered(case, [name.partition(SEPARATOR)[2] for name in cases]),
        "step_base": _renumbered(step, [_NUMBER.sub("", label) for label in steps]),
        "check_base": _renumbered(check, [_NUMBER.sub("", label) for label in checks]),
    }
    return codes, list(cases)


def _renumbered(codes: Codes, texts: Sequence[str]) -> Codes:
    """Returns a number per row for what each of its codes stands for now: ``texts`` by code."""
    known: dict[str, int] = {}
    again = np.fromiter((known.setdefault(text, len(known)) for text in texts), dtype=np.int32, count=len(texts))
    return again[codes]


def _totals(ids: Texts, rows: Ints, codes: Codes, cases: Sequence[str]) -> Ints:
    """How many checks each of ``cases`` has on this side, in ``rows`` (of these ``codes``) or elsewhere."""
    totals = np.bincount(codes, minlength=len(cases)).astype(np.int64)
    elsewhere = np.ones(len(ids), dtype=bool)
    elsewhere[rows] = False
    number = {case: at for at, case in enumerate(cases)}
    for check in ids[elsewhere]:
        if (at := number.get(check.rsplit(SEPARATOR, 2)[0])) is not None:
            totals[at] += 1
    return totals
