"""With repeats on either side: exact for a few runs, by rate for many, and never kinder than what was seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.judge.classes import Counts, classify
from harness.judge.rates import Repeats
from harness.model.outcome import ComparisonClass, Outcome


def counts(passed: int = 0, failed: int = 0, hollow: int = 0, skipped: int = 0, error: int = 0) -> Counts:
    given_ = {"passed": passed, "failed": failed, "hollow": hollow, "skipped": skipped, "error": error}
    return Counts.of({Outcome(name): [count] for name, count in given_.items()})


def class_of(before: Counts, after: Counts, *, same: bool = True, **repeats: Any) -> str:
    found = classify(before, after, absent=(), same_definition=np.array([same]), repeats=Repeats(**repeats))
    assert len(found) == 1
    return str(found[0])


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # up to five runs a side, exact
        (counts(5), counts(5), "unchanged-pass"),
        (counts(5), counts(0, 5), "regressed"),
        (counts(0, 5), counts(5), "fixed"),
        (counts(0, 2), counts(0, 5), "unchanged-fail"),
        (counts(5), counts(4, 1), "flaky"),
        (counts(1, 4), counts(5), "flaky"),
        (counts(0), counts(4, 1), "flaky"),
        (counts(0), counts(4), "new-pass"),
        (counts(0), counts(0, 1), "new-fail"),
        # many runs on one side only: still exact
        (counts(100), counts(0, 1), "regressed"),
        (counts(99, 1), counts(0, 1), "flaky"),
        (counts(1), counts(50, 50), "flaky"),
        # six and more on both: 3 of 6 may be chance, 4 of 6 are not
        (counts(6), counts(3, 3), "flaky"),
        (counts(6), counts(2, 4), "regressed"),
        (counts(100), counts(98, 2), "flaky"),
        (counts(98, 2), counts(80, 20), "regressed"),
        (counts(99, 1), counts(0, 6), "regressed"),
        (counts(80, 20), counts(100), "fixed"),
        (counts(80, 20), counts(99, 1), "flaky"),
        (counts(97, 3), counts(100), "flaky"),
        (counts(0, 100), counts(0, 100), "unchanged-fail"),
        # what did not always assert is never a pass
        (counts(3), counts(2, 0, 1), "hollow"),
        (counts(3), counts(2, 0, 0, 1), "unknown"),
        (counts(3), counts(2, 0, 0, 0, 1), "unknown"),
        (counts(3), counts(0, 2, 1), "regressed"),
        (counts(3), counts(1, 1, 1), "flaky"),
    ],
)
def test_a_class_follows_from_the_counts(before: Counts, after: Counts, expected: str) -> None:
    assert class_of(before, after) == expected


def test_the_demands_of_a_rate_can_be_set() -> None:
    assert class_of(counts(6), counts(2, 4), runs_for_a_rate=7) == "flaky"
    assert class_of(counts(6), counts(2, 4), minimum_failures=5) == "flaky"
    assert class_of(counts(6), counts(2, 4), confidence=0.99) == "flaky"
    assert class_of(counts(6), counts(3, 3), confidence=0.9) == "regressed"


def test_another_definition_has_no_rate_and_no_history_of_flakiness() -> None:
    assert class_of(counts(98, 2), counts(0, 100), same=False) == "new-fail"
    assert class_of(counts(98, 2), counts(80, 20), same=False) == "flaky"
    assert class_of(counts(3), counts(0, 3), same=False) == "regressed"


number = st.integers(0, 12)
sides = st.builds(counts, number, number, st.integers(0, 2), st.integers(0, 2), st.integers(0, 2))
_ORDER = [each.value for each in ComparisonClass]
BAD = {"regressed", "new-fail", "unchanged-fail", "flaky", "hollow", "unknown"}


@settings(max_examples=300, deadline=None)
@given(sides, sides, st.booleans())
def test_a_check_that_failed_or_told_nothing_is_never_called_good(before: Counts, after: Counts, same: bool) -> None:
    found = class_of(before, after, same=same)
    assert found in _ORDER
    if int(after.failed[0]) or int(after.hollow[0]) or int(after.blind[0]) or not int(after.passed[0]):
        assert found in BAD
    if found in ("unchanged-pass", "fixed"):
        assert int(after.passed[0]) == int(after.told[0])
        assert int(before.told[0])


@settings(max_examples=200, deadline=None)
@given(sides)
def test_a_side_compared_with_itself_shows_no_difference(side: Counts) -> None:
    expected = {"unchanged-pass", "unchanged-fail", "hollow", "unknown"} | ({"flaky"} if side.mixed[0] else set())
    assert class_of(side, side) in expected
