"""The official rule files run as they are, scripts included, and every official request has its callback routes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.engine.rules.load import load_rules
from harness.engine.rules.model import EventType, Facts, RuleBook, Script
from harness.engine.rules.responder import RuleResponder
from harness.engine.rules.scripts import V8RuleScripts
from harness.engine.ttk.messages import callback_routes
from harness.engine.ttk.script import Limits
from harness.fspiop import ilp
from harness.fspiop.resources import find_operation
from tests.engine.rules.support import HUB, NOW, OFFICIAL, call, quote_request, transfer_request

RULES = OFFICIAL / "v17.1.0" / "rules" / "hub"
absent = pytest.mark.skipif(not OFFICIAL.is_dir(), reason="the official collections are not beside this repository")


@pytest.fixture(scope="module")
def scripts() -> Iterator[V8RuleScripts]:
    runner = V8RuleScripts()
    try:
        yield runner
    finally:
        runner.close()


@pytest.fixture(scope="module")
def book() -> RuleBook:
    return load_rules(RULES)


@absent
def test_every_official_rule_is_read(book: RuleBook) -> None:
    assert (len(book.validation), len(book.callback), len(book.response)) == (44, 73, 4)
    assert {rule.event.type for rule in book.validation} == {EventType.FIXED_ERROR_CALLBACK}
    assert book.scripted


@absent
def test_the_official_rules_quote_with_their_script_and_fulfil_what_they_quoted(
    book: RuleBook, scripts: V8RuleScripts
) -> None:
    responder = RuleResponder("ttkpayeefsp", HUB, book, scripts=scripts)
    (quote,) = responder.respond(call("POST", "/quotes", quote_request("100", "RECEIVE")), NOW).sends
    assert quote.body["transferAmount"] == {"currency": "XXX", "amount": "100.5"}
    assert quote.body["payeeFspFee"]["amount"] == "0.2"
    (told,) = responder.respond(call("POST", "/transfers", transfer_request(quote.body, "100.5")), NOW).sends
    assert ilp.fulfils(told.body["fulfilment"], quote.body["condition"])


@absent
@pytest.mark.parametrize(
    ("amount", "state", "destination"),
    [("101", "RESERVED", "testingtoolkitdfsp"), ("102", "RESERVED", "doesnotexistfsp"), ("15", "COMMITTED", None)],
)
def test_the_official_rules_know_the_magic_amounts(
    book: RuleBook, scripts: V8RuleScripts, amount: str, state: str, destination: str | None
) -> None:
    responder = RuleResponder("ttkpayeefsp", HUB, book, scripts=scripts)
    (quote,) = responder.respond(call("POST", "/quotes", quote_request(amount)), NOW).sends
    (told,) = responder.respond(call("POST", "/transfers", transfer_request(quote.body, amount)), NOW).sends
    assert told.body["transferState"] == state
    assert told.headers["FSPIOP-Destination"] == (destination or "testingtoolkitdfsp")
    assert ilp.fulfils(told.body["fulfilment"], quote.body["condition"]) is (amount != "15")


@absent
def test_the_silent_dfsp_of_the_official_rules_is_silent(book: RuleBook, scripts: V8RuleScripts) -> None:
    responder = RuleResponder("noresponsepayeefsp", HUB, book, scripts=scripts)
    reaction = responder.respond(call("POST", "/quotes", quote_request(), destination="noresponsepayeefsp"), NOW)
    assert reaction.taken
    assert not reaction.sends


def test_a_script_sees_the_body_as_text_and_is_stopped_where_it_does_not_end(scripts: V8RuleScripts) -> None:
    facts = Facts("/quotes", "post", {"date": "now"}, {"amount": {"amount": "5"}}, {}, path="/quotes")
    source = "environment.amount = JSON.parse(request.body).amount.amount; environment.date = request.headers.date"
    told = scripts.run(Script(source, "javascript"), facts, {"kept": 1})
    assert dict(told.environment) == {"kept": 1, "amount": "5", "date": "now"}
    assert not told.error
    broken = scripts.run(Script("environment.a = 1; nothing.at.all", "javascript"), facts, {})
    assert "nothing" in broken.error
    bounded = V8RuleScripts(Limits(script_s=0.3, step_s=0.2))
    try:
        assert "was stopped" in bounded.run(Script("while (true);", "javascript"), facts, {}).error
        again = bounded.run(Script("environment.a = 1", "javascript"), facts, {})
        assert (dict(again.environment), again.error) == ({"a": 1}, "")
    finally:
        bounded.close()


def requests(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every request of every collection, with its file."""
    for file in sorted(folder.rglob("*.json")):
        document = json.loads(file.read_text("utf-8")) if file.name != "master.json" else {}
        for case in document.get("test_cases") or ():
            for request in case["requests"]:
                yield file.name, request


@absent
@pytest.mark.parametrize("release", ["v15.1.0", "v17.1.0"])
def test_every_asynchronous_request_of_the_official_collections_finds_its_callback_routes(release: str) -> None:
    asked = answers = 0
    for file, request in requests(OFFICIAL / release / "collections"):
        api = request.get("apiVersion") or {}
        if api.get("type") != "fspiop":
            continue
        method, path = request["method"].upper(), request["operationPath"]
        found = find_operation(method, path)
        assert found is not None, (file, method, path)
        if method in ("PUT", "PATCH"):
            assert found[0].callback is None
            answers += 1
            continue
        ident = dict.fromkeys(("transferId", "quoteId", "transactionRequestId", "requestId"), "5")
        fx = dict.fromkeys(("conversionRequestId", "commitRequestId"), "5")
        document = {"method": method, "path": path, "headers": {"fspiop-source": "me"}, "body": {**ident, **fx}}
        routes = callback_routes("fspiop", document)
        assert routes is not None, (file, method, path)
        (_, success), (_, error) = routes.routes
        assert error == f"{success}/error"
        asked += 1
    assert asked > 100
    assert answers > 20
