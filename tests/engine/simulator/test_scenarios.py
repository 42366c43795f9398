"""A scenario pays as a payer DFSP does, and says where a payment stopped."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from harness.engine.inbound.behaviour import SimulatedDfsp
from harness.engine.inbound.messages import Inbound
from harness.engine.inbound.responder import Reaction
from harness.engine.simulator.outbound import OutboundTransfers
from harness.engine.simulator.responder import SimulatorResponder
from harness.engine.simulator.scenarios import run_scenarios
from harness.fspiop.jws import body_text, fspiop_uri, new_key, signature_fault
from tests.engine.inbound.support import call
from tests.engine.rules.support import HUB, NOW
from tests.engine.simulator.support import ERROR, FULFILLED, AnsweringHub, good

PAY: dict[str, Any] = {
    "name": "scenario1",
    "operation": "postTransfers",
    "body": {
        "from": {"displayName": "Pay Er", "idType": "MSISDN", "idValue": "1"},
        "to": {"idType": "MSISDN", "idValue": "27713803912"},
        "amountType": "SEND",
        "currency": "XXX",
        "amount": "10",
        "transactionType": "TRANSFER",
        "note": "test",
    },
}
ACCEPT = {
    "name": "scenario2",
    "operation": "putTransfers",
    "params": {"transferId": "{{scenario1.result.transferId}}"},
    "body": {"acceptQuote": True},
}


def played(hub: AnsweringHub, steps: Any, *, api_version: str = "2.0", wait_s: float = 0.05) -> Reaction:
    payer = SimulatedDfsp("payerfsp", HUB, api_version=api_version)
    hub.transfers = OutboundTransfers(payer, lambda outgoing: outgoing, callback_s=wait_s)
    return asyncio.run(run_scenarios(steps, hub.transfers, hub.send))


def test_a_payment_is_looked_up_quoted_and_transferred() -> None:
    hub = AnsweringHub(good())
    said = played(hub, [PAY, ACCEPT])
    assert said.status == 200
    one, two = said.body["scenario1"]["result"], said.body["scenario2"]["result"]
    assert [(sent.method, fspiop_uri(sent.url)) for sent in hub.asked] == [
        ("GET", "/parties/MSISDN/27713803912"),
        ("POST", "/quotes"),
        ("POST", "/transfers"),
    ]
    assert one["to"] | {"fspId": "payeefsp", "firstName": "Pay", "dateOfBirth": "1984-01-01"} == one["to"]
    assert (one["currentState"], one["fulfil"]["body"]) == ("COMPLETED", FULFILLED)
    assert one["quoteResponse"]["body"]["transferAmount"]["amount"] == "10"
    assert (two["transferId"], two["acceptQuote"]) == (one["transferId"], True)
    quote, transfer = hub.asked[1].body, hub.asked[2].body
    assert quote["transactionId"] == transfer["transferId"] == one["transferId"]
    assert (transfer["payerFsp"], transfer["payeeFsp"], transfer["condition"]) == ("payerfsp", "payeefsp", "c")
    assert hub.asked[1].headers["FSPIOP-Destination"] == "payeefsp"
    assert len({sent.headers["traceparent"].split("-")[1] for sent in hub.asked}) == 1


def test_what_a_payer_says_of_its_account_reaches_the_payee() -> None:
    hub = AnsweringHub(good())
    body = {
        **PAY["body"],
        "from": {**PAY["body"]["from"], "extensionList": [{"key": "accountType", "value": "Wallet"}]},
    }
    played(hub, [{**PAY, "body": body}])
    told = hub.asked[1].body["payer"]["partyIdInfo"]["extensionList"]
    assert told == {"extension": [{"key": "accountType", "value": "Wallet"}]}


@pytest.mark.parametrize(("version", "length"), [("1.1", 36), ("2.0", 26)])
def test_ids_are_those_of_the_api_version(version: str, length: int) -> None:
    said = played(AnsweringHub(good()), [PAY], api_version=version)
    assert len(said.body["scenario1"]["result"]["transferId"]) == length


@pytest.mark.parametrize("resource", ["parties", "quotes", "transfers"])
def test_an_error_callback_ends_the_payment_where_it_came(resource: str) -> None:
    said = played(AnsweringHub({**good(), resource: ("/error", ERROR)}), [PAY, ACCEPT])
    assert said.status == 500
    result = said.body["scenario1"]["result"]
    assert "called back with an error" in result["message"]
    assert result["transferState"]["currentState"] == "ERROR_OCCURRED"
    assert result["transferState"]["lastError"]["mojaloopError"] == ERROR
    assert "scenario2" not in said.body


@pytest.mark.parametrize("resource", ["parties", "quotes", "transfers"])
def test_a_callback_that_never_comes_is_told(resource: str) -> None:
    said = played(AnsweringHub({**good(), resource: None}), [PAY])
    assert (said.status, said.body["scenario1"]["result"]["statusCode"]) == (500, "504")
    assert "no callback within" in said.body["scenario1"]["result"]["message"]


@pytest.mark.parametrize(("status", "why"), [(None, "refused"), (503, "HTTP 503")])
def test_a_hub_that_does_not_take_it_is_told(status: int | None, why: str) -> None:
    said = played(AnsweringHub(good(), status=status), [PAY])
    assert said.status == 500
    assert why in said.body["scenario1"]["result"]["message"]


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ({}, "list of scenarios"),
        ([], "list of scenarios"),
        ([{"operation": "postTransfers"}], "no name"),
        ([{**PAY, "operation": "postBulkTransfers"}], "not played"),
        ([{**PAY, "body": None}], "the request"),
        ([{**PAY, "body": {**PAY["body"], "amount": "much"}}], "the request"),  # type: ignore[dict-item]
        ([ACCEPT], "no transfer"),
    ],
)
def test_what_cannot_be_run_is_refused(steps: Any, why: str) -> None:
    said = played(AnsweringHub(good()), steps)
    assert said.status == 400
    assert why in str(said.body)


def test_a_call_that_no_payment_waits_for_is_left_to_others() -> None:
    transfers = OutboundTransfers(SimulatedDfsp("payerfsp", HUB), lambda outgoing: outgoing)
    assert not transfers.take(call("PUT", "/quotes/1", body={}))
    assert transfers.state("1") is None


def test_what_a_simulator_sends_is_signed() -> None:
    key = new_key()
    responder = SimulatorResponder(SimulatedDfsp("payeefsp", HUB, api_version="1.1"), key=key.private)
    asked: Inbound = call("GET", "/parties/MSISDN/1", fsp="payeefsp")
    (sent,) = responder.respond(asked, NOW).sends
    headers = {name.lower(): value for name, value in sent.headers.items()}
    assert headers["fspiop-uri"] == "/parties/MSISDN/1/error"
    assert signature_fault(headers, body_text(sent.body), key.public) == ""
    assert signature_fault(headers, body_text({**sent.body, "more": 1}), key.public) != ""
