"""Rule files are taken as they are, and what is not understood is refused with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.engine.rules.load import load_rules
from harness.engine.rules.model import Condition, Conditions, EventType, Operator
from harness.errors import CollectionError
from tests.engine.rules.support import condition, on, rule, rule_folder

SILENT = {"type": "NO_CALLBACK", "method": "put", "path": "/transfers/{ID}", "params": {"scripts": {}}}


def test_a_rule_is_read_with_its_conditions_and_all_that_its_event_says(tmp_path: Path) -> None:
    event = {
        "type": "FIXED_CALLBACK",
        "method": "put",
        "path": "/transfers/{ID}",
        "delay": "250",
        "params": {
            "body": {"transferState": "RESERVED"},
            "headers": {"FSPIOP-Source": "{$config.FSPID}"},
            "scripts": {"exec": ["environment.a = 1", "environment.b = 2"], "scriptingEngine": "javascript"},
            "statusCode": "200",
        },
    }
    amount = condition("body", "15", "numericEqual", "amount.amount")
    (found,) = load_rules(
        rule_folder(tmp_path, callback=[rule(event, *on("POST", "/transfers"), amount, name=7)])
    ).callback
    assert (found.id, found.description) == ("7", "a rule")
    assert found.conditions == Conditions(
        all=(
            Condition("operationPath", Operator.EQUAL, "/transfers"),
            Condition("method", Operator.EQUAL, "post"),
            Condition("body", Operator.NUMERIC_EQUAL, "15", "amount.amount"),
        )
    )
    told = found.event
    assert (told.type, told.delay_ms, told.status, told.path) == (
        EventType.FIXED_CALLBACK, 250, 200, "/transfers/{ID}",
    )  # fmt: skip
    assert told.body == {"transferState": "RESERVED"}
    assert dict(told.headers) == {"FSPIOP-Source": "{$config.FSPID}"}
    assert told.script is not None
    assert told.script.source == "environment.a = 1\nenvironment.b = 2"


def test_an_event_with_a_script_that_has_no_lines_has_no_script(tmp_path: Path) -> None:
    (found,) = load_rules(rule_folder(tmp_path, callback=[rule(SILENT, *on("post", "/transfers"))])).callback
    assert found.event.script is None


def test_each_kind_is_read_from_its_own_folder_and_one_that_is_absent_is_empty(tmp_path: Path) -> None:
    book = load_rules(
        rule_folder(
            tmp_path,
            validation=[rule({**SILENT, "type": "MOCK_ERROR_CALLBACK"}, *on("post", "/quotes"))],
            response=[rule({"type": "FIXED_RESPONSE", "params": {}}, *on("get", "/settlementWindows"))],
        )
    )
    assert (len(book.validation), len(book.callback), len(book.response)) == (1, 0, 1)
    assert not book.scripted


def test_the_active_rule_file_is_the_one_that_config_names(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path, callback=[]) / "rules_callback"
    (folder / "config.json").write_text('{"activeRulesFile": "mine.json"}', encoding="utf-8")
    (folder / "mine.json").write_text("[]", encoding="utf-8")
    (folder / "default.json").write_text("not json", encoding="utf-8")
    assert load_rules(tmp_path).callback == ()
    (folder / "config.json").write_text('{"activeRulesFile": "../mine.json"}', encoding="utf-8")
    with pytest.raises(CollectionError, match="a file beside it"):
        load_rules(tmp_path)


@pytest.mark.parametrize(
    ("broken", "place", "words"),
    [
        ({"conditions": {"all": [condition("weather", "fine")]}}, "conditions.all[0].fact", "must name a fact"),
        ({"conditions": {"all": [condition("method", "x", "like")]}}, "conditions.all[0].operator", "an operator"),
        ({"conditions": {"all": [{"fact": "method", "operator": "equal"}]}}, "conditions.all[0]", "must hold a value"),
        ({"conditions": {"not": []}}, "conditions.not", "all or any"),
        ({"conditions": {}}, "conditions", "would take every call"),
        ({"conditions": {"all": {}}}, "conditions.all", "must be a list"),
        ({"event": {"type": "SHRUG"}}, "event.type", "a type of event"),
        ({"event": {"type": "NO_CALLBACK", "params": []}}, "", ""),
        ({"event": {"type": "NO_CALLBACK", "delay": "soon"}}, "event.delay", "whole number"),
        ({"event": {"type": "NO_CALLBACK", "params": {"delay": 10**9}}}, "event.params.delay", "whole number"),
        ({"event": {"type": "FIXED_RESPONSE", "params": {"statusCode": True}}}, "statusCode", "whole number"),
        ({"event": {"type": "FORWARD"}}, "event.params", "dfspId"),
        (
            {"event": {"type": "NO_CALLBACK", "params": {"scripts": {"scriptingEngine": "lua", "exec": ["x"]}}}},
            "scriptingEngine",
            "javascript",
        ),
    ],
)
def test_what_is_not_understood_is_refused_with_file_line_and_place(
    tmp_path: Path, broken: dict[str, Any], place: str, words: str
) -> None:
    good = rule(SILENT, *on("post", "/transfers"))
    folder = rule_folder(tmp_path, callback=[good, {**good, **broken}])
    if not words:
        assert len(load_rules(folder).callback) == 2
        return
    with pytest.raises(CollectionError, match=words) as refused:
        load_rules(folder)
    assert str(refused.value.file).endswith("rules_callback/default.json")
    assert refused.value.place is not None
    assert refused.value.place.startswith("line ")
    assert f"$[1].{place}" in refused.value.place or refused.value.place.rstrip(")").endswith(place)


@pytest.mark.parametrize("text", ["{}", "[1]", "[{", '[{"conditions": 1}]'])
def test_a_file_that_is_no_list_of_rules_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(CollectionError):
        load_rules(rule_folder(tmp_path, callback=text))


def test_a_folder_without_rules_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match="holds none of rules_validation"):
        load_rules(tmp_path)
    (tmp_path / "rules_callback").mkdir()
    with pytest.raises(CollectionError, match="cannot be read"):
        load_rules(tmp_path)
