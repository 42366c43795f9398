"""Conditions compare as the reference engine's operators do; the first rule that fits decides."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.engine.rules.model import Condition, Conditions, Event, EventType, Facts, Operator, Rule, first
from harness.engine.rules.placeholders import fill

FACTS = Facts(
    operation_path="/transfers",
    method="post",
    headers={"fspiop-source": "payerfsp", "accept": "application/vnd.interoperability.iso20022.transfers+json"},
    body={
        "amount": {"amount": "15.0", "currency": "XXX"},
        "count": 15,
        "flag": True,
        "list": [{"a": 1}],
        "infinite": "inf",
        "blank": " ",
        "huge": 10**400,
    },
    path_params={"Type": "ALIAS", "ID": "5"},
)


@pytest.mark.parametrize(
    ("fact", "path", "operator", "value", "holds"),
    [
        ("operationPath", None, "equal", "/transfers", True),
        ("method", None, "equal", "get", False),
        ("headers", "FSPIOP-Source", "equal", "payerfsp", True),
        ("headers", "FSPIOP-Destination", "equal", "payerfsp", False),
        ("headers", "Accept", "includesString", "iso20022", True),
        ("headers", "Date", "includesString", "2026", False),
        ("pathParams", "Type", "in", "BUSINESS,ALIAS,DEVICE", True),
        ("pathParams", "Type", "in", "BUSINESS,DEVICE", False),
        ("pathParams", "Type", "in", ["ALIAS"], True),
        ("pathParams", "ID", "equal", "5", True),
        ("pathParams", "ID", "equal", 5, False),
        ("body", "amount.amount", "numericEqual", "15", True),
        ("body", "amount.amount", "equal", "15", False),
        ("body", "amount.nothing", "numericEqual", "0", False),
        ("body", "amount", "numericEqual", "15", False),
        ("body", "count", "numericGreaterThan", "14.9", True),
        ("body", "count", "numericGreaterThan", 15, False),
        ("body", "amount.currency", "numericGreaterThan", "1", False),
        ("body", "infinite", "numericGreaterThan", "0", False),
        ("body", "blank", "numericEqual", "0", True),
        ("body", "huge", "numericGreaterThan", "1e9", True),
        ("body", "flag", "equal", True, True),
        ("body", "flag", "equal", 1, False),
        ("body", "list[0].a", "equal", 1, True),
        ("body", "count", "includesString", "1", False),
    ],
)
def test_a_condition_compares_as_its_operator_says(
    fact: str, path: str | None, operator: str, value: Any, holds: bool
) -> None:
    assert Condition(fact, Operator(operator), value, path).holds(FACTS) is holds


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(JSON, JSON, st.sampled_from(list(Operator)))
def test_no_value_whatsoever_breaks_a_condition(body: Any, value: Any, operator: Operator) -> None:
    facts = Facts("/x", "post", {}, body, {})
    assert Condition("body", operator, value).holds(facts) in (True, False)
    assert Condition("body", operator, value, "a.b[0]").holds(facts) in (True, False)


@given(st.lists(st.booleans(), max_size=4), st.lists(st.booleans(), max_size=4))
def test_all_must_hold_and_of_any_at_least_one(every: list[bool], some: list[bool]) -> None:
    def condition(holds: bool) -> Condition:
        return Condition("method", Operator.EQUAL, "post" if holds else "get")

    group = Conditions(all=tuple(map(condition, every)), any=tuple(map(condition, some)))
    assert group.holds(FACTS) is (all(every) and (any(some) or not some))
    assert Conditions(any=(group,)).holds(FACTS) is group.holds(FACTS)


def test_the_first_rule_that_fits_decides_whatever_comes_after_it() -> None:
    always = Conditions(all=(Condition("method", Operator.EQUAL, "post"),))
    never = Conditions(all=(Condition("method", Operator.EQUAL, "get"),))
    event = Event(EventType.NO_CALLBACK)
    rules = tuple(Rule(name, "", when, event) for name, when in (("a", never), ("b", always), ("c", always)))
    found = first(rules, FACTS)
    assert found is not None
    assert found.id == "b"
    assert first(rules[:1], FACTS) is None


def test_placeholders_are_filled_in_text_keys_and_depth() -> None:
    sources = {"request": {"body": {"amount": 5, "who": {"a": 1}}, "headers": {"x-y": "z"}}, "config": {"FSPID": "me"}}
    functions = {"generic.generateID": iter(["one", "two"]).__next__}
    document = {
        "a": "{$request.body.amount}",
        "b": ["{$config.FSPID}/{$request.headers.x-y}", None, 7],
        "c": "{$function.generic.generateID} {$function.generic.generateID}",
        "d": "{$request.body.who}",
        "e": "{$request.body.nothing}",
        "f": "{$other.thing} {$function.generic.unknown}",
    }
    assert fill(document, sources, functions) == {
        "a": "5",
        "b": ["me/z", None, 7],
        "c": "one two",
        "d": {"a": 1},
        "e": "undefined",
        "f": "{$other.thing} {$function.generic.unknown}",
    }
