"""A demand is met by what it names and by nothing else, and says what it wanted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.engine.native.matchers import (
    ABSENT,
    Matcher,
    absent,
    amount,
    at_most,
    contains,
    equals,
    matches,
    one_of,
    pick,
    present,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(value=JSON)
def test_everything_equals_itself_and_is_not_absent(value: Any) -> None:
    assert equals(value).test(value)
    assert not absent().test(value)
    assert not equals(value).test(ABSENT)


@pytest.mark.parametrize(("expected", "actual"), [(1, True), (1, "1"), (0, False), ("", None), (1, 1.0)])
def test_equal_means_of_the_same_json_type(expected: Any, actual: Any) -> None:
    assert not equals(expected).test(actual)
    assert not one_of([expected]).test(actual)


@pytest.mark.parametrize(
    "demand",
    [equals("a"), amount(1), contains("a"), matches(".*"), one_of(["a"]), at_most(1), present()],
    ids=lambda demand: demand.relation,
)
def test_nothing_meets_no_demand_but_absence(demand: Matcher) -> None:
    assert not demand.test(ABSENT)
    assert absent().test(ABSENT)


@given(value=st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_an_amount_is_the_same_as_text_and_as_a_number(value: Decimal) -> None:
    assert amount(value).test(str(value))
    assert amount(value).test(value)
    assert not amount(value).test(str(value + Decimal("0.0001")))


@pytest.mark.parametrize("actual", [True, None, "", "ten", [100], {"amount": "100"}])
def test_what_is_no_amount_is_not_one(actual: Any) -> None:
    assert not amount(1).test(actual)


def test_a_pattern_must_fit_as_a_whole() -> None:
    assert matches(r"\d+").test("123")
    assert not matches(r"\d+").test("123a")
    assert not matches(r"\d+").test(123)


def test_at_most_takes_numbers_only() -> None:
    assert at_most(2).test(2)
    assert at_most(2).test(1.9)
    assert not at_most(2).test(2.1)
    assert not at_most(2).test(True)
    assert not at_most(2).test("1")


def test_null_is_there_but_is_nothing_to_count_on() -> None:
    assert not present().test(None)
    assert not absent().test(None)


def test_text_is_looked_for_in_text_only() -> None:
    assert contains("b").test("abc")
    assert not contains("b").test(["b"])


@pytest.mark.parametrize(
    ("path", "found"),
    [("a.b", 1), ("list.1.c", 2), ("a", {"b": 1}), ("a.x", ABSENT), ("list.7", ABSENT), ("a.b.c", ABSENT)],
)
def test_an_element_is_picked_by_its_path(path: str, found: Any) -> None:
    assert pick({"a": {"b": 1}, "list": [0, {"c": 2}]}, path) == found


@given(value=JSON, path=st.text(alphabet="ab01.", max_size=6))
def test_picking_never_breaks(value: Any, path: str) -> None:
    pick(value, path)


def test_a_demand_says_what_it_wanted() -> None:
    assert equals("COMMITTED").describe() == "to equal 'COMMITTED'"
    assert present().describe() == "to be present"
    assert repr(ABSENT) == "nothing"
    assert not ABSENT
