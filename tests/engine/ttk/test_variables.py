"""Placeholders become what the reference engine makes of them, and no value can break a request."""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.engine.ttk.values import ABSENT, get_path, is_falsy, js_text
from harness.engine.ttk.variables import FUNCTIONS, Sources, fill_early, fill_path, fill_values, unresolved
from harness.fspiop.ids import is_ulid, is_uuid

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def early(document: Any, inputs: dict[str, Any] | None = None, previous: dict[str, Any] | None = None) -> Any:
    return fill_early(document, Sources(inputs or {}, previous or {}))


class TestInputs:
    @pytest.mark.parametrize(
        ("value", "text"),
        [("a", "a"), (5, "5"), (1.50, "1.5"), (True, "true"), ({"a": 1}, "[object Object]"), ([1, None, [2]], "1,,2")],
    )
    def test_values_become_text(self, value: Any, text: str) -> None:
        assert early({"a": "<{$inputs.K}>"}, {"K": value}) == {"a": f"<{text}>"}

    @pytest.mark.parametrize("value", [None, False, 0, 0.0, ""])
    def test_a_falsy_value_leaves_the_placeholder(self, value: Any) -> None:
        assert early("{$inputs.K}", {"K": value}) == "{$inputs.K}"

    def test_a_misspelt_or_unknown_placeholder_goes_through_literally(self) -> None:
        text = "{$input.K} {$inputs.none} {$function.generic.none} {$what}"
        assert early(text, {"K": 1}) == text

    def test_the_key_is_a_key_not_a_path(self) -> None:
        assert early("{$inputs.a.b}", {"a.b": "x", "a": {"b": "y"}}) == "x"

    @given(st.text())
    def test_no_value_breaks_the_request(self, value: str) -> None:
        document = {"body": {"note": "{$inputs.K}", "list": ["{$inputs.K}!"]}, "n": 1}
        filled = early(document, {"K": value})
        wanted = value or "{$inputs.K}"
        assert filled == {"body": {"note": wanted, "list": [f"{wanted}!"]}, "n": 1}
        assert json.loads(json.dumps(filled)) == filled

    @given(JSON)
    def test_what_holds_no_placeholder_is_unchanged(self, document: Any) -> None:
        if not re.search(r"\{\$", json.dumps(document)):
            assert early(document) == document


class TestRequest:
    def test_it_sees_what_the_first_round_filled(self) -> None:
        found = early({"body": {"id": "{$function.generic.generateID}"}, "t": "{$request.body.id}"})
        assert found["t"] == found["body"]["id"]
        assert is_ulid(found["t"])

    def test_numbers_and_quoted_header_names_work(self) -> None:
        document = {
            "n": 5,
            "headers": {"FSPIOP-Source": "{$inputs.F}"},
            "t": "{$request.n} {$request.headers['FSPIOP-Source']}",
        }
        assert early(document, {"F": "dfsp"})["t"] == "5 dfsp"

    def test_each_function_call_gives_a_fresh_value(self) -> None:
        found = early(["{$function.generic.generateUUID}", "{$function.generic.generateUUID}"])
        assert found[0] != found[1]
        assert all(is_uuid(one) for one in found)

    def test_the_dates_are_those_of_http_and_iso(self) -> None:
        assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT", FUNCTIONS["generic.curDate"]())
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z", FUNCTIONS["generic.curDateISO"]())


class TestPrevious:
    PREVIOUS: ClassVar = {
        "Get-it": {"callback": {"body": {"a": [{"b": "x"}], "zero": 0}}, "request": {"headers": {"date": "d"}}}
    }

    def test_it_is_reached_by_id_and_path(self) -> None:
        found = early("{$prev.Get-it.callback.body.a[0].b}{$prev.Get-it.request.headers['date']}", {}, self.PREVIOUS)
        assert found == "xd"

    @pytest.mark.parametrize("path", ["Get-it.callback.body.zero", "Get-it.callback.body.none", "Other.a", "Get-it"])
    def test_what_is_falsy_or_absent_stays(self, path: str) -> None:
        assert early(f"{{$prev.{path}}}", {}, self.PREVIOUS) == f"{{$prev.{path}}}"


class TestEnvironment:
    @pytest.mark.parametrize(("value", "text"), [(None, "null"), (False, "false"), (0, "0"), ("", "")])
    def test_only_what_is_absent_stays(self, value: Any, text: str) -> None:
        found = fill_values("{$environment.a.b}|{$environment.c}", "environment", {"a": {"b": value}})
        assert found == f"{text}|{{$environment.c}}"

    def test_other_sources_are_left_alone(self) -> None:
        assert fill_values("{$inputs.a}", "environment", {"a": 1}) == "{$inputs.a}"

    @given(st.text(min_size=1), st.text())
    def test_replacing_is_not_repeated_on_what_went_in(self, first: str, second: str) -> None:
        values = {"a": f"{{$environment.b}}{first}", "b": second}
        assert fill_values("{$environment.a}", "environment", values) == values["a"]


def test_path_parameters_are_filled_and_absent_ones_stay() -> None:
    assert fill_path("/parties/{Type}/{ID}", {"Type": "MSISDN"}) == "/parties/MSISDN/{ID}"
    assert fill_path("/transfers/{ID}", {"ID": 7}) == "/transfers/7"
    assert fill_path("/transfers/{ID}", None) == "/transfers/{ID}"


def test_what_is_still_open_is_named_once() -> None:
    assert unresolved({"a": ["{$inputs.x}", "{$inputs.x}-{$prev.y.z}"]}) == ["{$inputs.x}", "{$prev.y.z}"]


class TestLodashPaths:
    @pytest.mark.parametrize(
        ("path", "found"),
        [
            ("a.b", 1), ("a['b']", 1), ('a["b"]', 1), ("l[1]", 3), ("l.1", 3), ("l.length", 2), ("x.y", "direct"),
            ("s[0]", "t"), ("a.none", ABSENT), ("none.b", ABSENT), ("l[9]", ABSENT), ("null.a", ABSENT), ("null", None),
            ("h['FSPIOP-Source']", "d"), ("h.FSPIOP-Source", "d"),
        ],
    )  # fmt: skip
    def test_they_lead_where_lodash_goes(self, path: str, found: Any) -> None:
        value = {
            "a": {"b": 1},
            "l": [2, 3],
            "x.y": "direct",
            "x": {"y": 0},
            "s": "text",
            "null": None,
            "h": {"FSPIOP-Source": "d"},
        }
        assert get_path(value, path) == found

    @given(JSON, st.text())
    def test_no_path_raises(self, value: Any, path: str) -> None:
        get_path(value, path)

    @given(st.dictionaries(st.text(), st.integers(), min_size=1))
    def test_a_key_is_found_whatever_it_looks_like(self, value: dict[str, int]) -> None:
        assert all(get_path(value, key) == item for key, item in value.items())


class TestJavaScriptText:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0.1, "0.1"), (1e21, "1e+21"), (1e20, "100000000000000000000"), (1e-6, "0.000001"), (1.5e-7, "1.5e-7"),
            (100.0, "100"), (-0.0, "0"), (2**53 + 1, "9007199254740992"),
            (12345678901234567890, "12345678901234567000"), (5e-324, "5e-324"),
            (None, "null"), (True, "true"), (ABSENT, "undefined"), (10**400, "Infinity"),
        ],
    )  # fmt: skip
    def test_known_values(self, value: Any, text: str) -> None:
        assert js_text(value) == text

    @given(st.floats(allow_nan=False, allow_infinity=False))
    def test_a_number_reads_back(self, number: float) -> None:
        assert float(js_text(number)) == number

    @given(JSON)
    def test_falsy_is_what_javascript_calls_falsy(self, value: Any) -> None:
        assert is_falsy(value) == (value in (None, False, 0, ""))
