"""A simulated payee DFSP answers look-ups, quotes and transfers as FSPIOP asks, and misbehaves only when told to."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.engine.inbound.dfsp import (
    Behaviour,
    DfspResponder,
    OnParties,
    OnQuotes,
    OnTransfers,
    Party,
    SimulatedDfsp,
    quote_amounts,
    secret_of,
)
from harness.engine.inbound.responder import Outgoing, Reaction
from harness.fspiop import dates, ilp
from harness.fspiop.errors import FspiopError
from harness.fspiop.money import format_amount
from tests.engine.inbound.support import TRACE, call, traceparent

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
HUB = {
    "account-lookup-service": "http://als.test",
    "quoting-service": "http://quoting.test/",
    "ml-api-adapter": "http://ml.test",
}
QUOTE = "1b4b2ea2-13a5-4bb1-a6f0-d6a2f2b5a1a1"
TRANSFER = "b51ec534-ee48-4575-b6a9-ead2955b8069"
MONEY = st.integers(1, 10**10).map(lambda units: Decimal(units).scaleb(-4))
SMALL = st.integers(0, 10**4).map(lambda units: Decimal(units).scaleb(-4))


def payee(
    parties: OnParties | None = None, quotes: OnQuotes | None = None, transfers: OnTransfers | None = None
) -> DfspResponder:
    behaviour = Behaviour(
        parties=parties or OnParties(), quotes=quotes or OnQuotes(), transfers=transfers or OnTransfers()
    )
    known = (
        Party(id_type="MSISDN", identifier="27713803912", name="Ana"),
        Party(id_type="BUSINESS", identifier="a/b", sub_id="HR"),
    )
    return DfspResponder(SimulatedDfsp("payeefsp", HUB, behaviour, parties=known))


def quote_request(amount_type: str = "SEND", amount: str = "100", **more: Any) -> dict[str, Any]:
    return {
        "quoteId": QUOTE,
        "transactionId": "d3a1b2c3-0000-4000-8000-000000000001",
        "payee": {"partyIdInfo": {"partyIdType": "MSISDN", "partyIdentifier": "27713803912", "fspId": "payeefsp"}},
        "payer": {"partyIdInfo": {"partyIdType": "MSISDN", "partyIdentifier": "44123456789", "fspId": "payerfsp"}},
        "amountType": amount_type,
        "amount": {"currency": "XXX", "amount": amount},
        "transactionType": {"scenario": "TRANSFER", "initiator": "PAYER", "initiatorType": "CONSUMER"},
        **more,
    }


def transfer_request(responder: DfspResponder, **other: Any) -> dict[str, Any]:
    terms = only(responder.respond(call("POST", "/quotes", body=quote_request()), NOW)).body
    return {
        "transferId": TRANSFER,
        "payerFsp": "payerfsp",
        "payeeFsp": "payeefsp",
        "amount": terms["transferAmount"],
        "ilpPacket": terms["ilpPacket"],
        "condition": terms["condition"],
        "expiration": terms["expiration"],
        **other,
    }


def only(reaction: Reaction) -> Outgoing:
    assert reaction.taken
    assert reaction.status is None
    (outgoing,) = reaction.sends
    assert outgoing.method == "PUT"
    return outgoing


def code(outgoing: Outgoing) -> str:
    return str(outgoing.body["errorInformation"]["errorCode"])


def test_a_known_party_is_answered_to_whom_asked() -> None:
    path = "/parties/MSISDN/27713803912"
    answer = only(payee().respond(call("GET", path, headers=traceparent()), NOW))
    assert answer.url == "http://als.test/parties/MSISDN/27713803912"
    assert answer.body["party"]["partyIdInfo"]["fspId"] == "payeefsp"
    assert answer.body["party"]["name"] == "Ana"
    assert answer.headers["FSPIOP-Source"] == "payeefsp"
    assert answer.headers["FSPIOP-Destination"] == "payerfsp"
    assert answer.headers["Content-Type"] == "application/vnd.interoperability.parties+json;version=1.1"
    assert answer.headers["traceparent"].split("-")[1] == TRACE
    assert answer.headers["traceparent"] != traceparent()["traceparent"], "a span of its own"


def test_a_party_with_a_sub_id_is_another_party() -> None:
    answer = only(payee().respond(call("GET", "/parties/BUSINESS/a%2Fb/HR"), NOW))
    assert answer.url == "http://als.test/parties/BUSINESS/a%2Fb/HR"
    assert answer.body["party"]["partyIdInfo"]["partyIdentifier"] == "a/b"
    assert answer.body["party"]["partyIdInfo"]["partySubIdOrType"] == "HR"
    assert code(only(payee().respond(call("GET", "/parties/BUSINESS/a%2Fb"), NOW))) == "3204"


def test_an_unknown_party_is_refused_until_it_is_added() -> None:
    responder = payee()
    refusal = only(responder.respond(call("GET", "/parties/MSISDN/1"), NOW))
    assert (refusal.url, code(refusal)) == ("http://als.test/parties/MSISDN/1/error", "3204")
    responder.add_party(Party(id_type="MSISDN", identifier="1"))
    assert "party" in only(responder.respond(call("GET", "/parties/MSISDN/1"), NOW)).body


def test_a_look_up_can_be_refused_or_left_unanswered() -> None:
    get = call("GET", "/parties/MSISDN/27713803912")
    refused = only(payee(OnParties(kind="error", error=FspiopError.PAYEE_LIMIT, delay_ms=70)).respond(get, NOW))
    assert (code(refused), refused.delay_ms) == ("5200", 70)
    assert payee(OnParties(kind="silent")).respond(get, NOW) == Reaction(taken=True)


def test_a_quote_carries_a_packet_and_the_condition_that_belongs_to_it() -> None:
    on = OnQuotes(fee=Decimal("1.5"), commission=Decimal("0.25"), expires_s=90)
    answer = only(payee(quotes=on).respond(call("POST", "/quotes", body=quote_request("RECEIVE")), NOW))
    assert answer.url == f"http://quoting.test/quotes/{QUOTE}"
    assert answer.body["transferAmount"] == {"currency": "XXX", "amount": "101.25"}
    assert answer.body["payeeReceiveAmount"] == {"currency": "XXX", "amount": "100"}
    assert answer.body["payeeFspFee"]["amount"] == "1.5"
    assert answer.body["payeeFspCommission"]["amount"] == "0.25"
    assert dates.parse_iso(answer.body["expiration"]) == datetime(2026, 11, 22, 8, 1, 30, tzinfo=UTC)
    packet = ilp.parse_packet(answer.body["ilpPacket"])
    assert packet.amount == 1_012_500
    assert packet.address == "g.payeefsp.MSISDN.27713803912"
    assert packet.transaction["quoteId"] == QUOTE
    assert packet.transaction["amount"] == answer.body["transferAmount"]
    fulfilment = ilp.fulfilment_for(answer.body["ilpPacket"], secret_of("payeefsp"))
    assert ilp.fulfils(fulfilment, answer.body["condition"])


# FSPIOP API 1.1, section 5.1: Listings 7 to 10 for the transfer amount, Listing 11 for what the payee receives.
@pytest.mark.parametrize(
    ("amount_type", "amount", "fee", "commission", "payer_fee", "transfer", "receive"),
    [
        ("RECEIVE", "100", "1", "0", None, "101", "100"),
        ("SEND", "99", "1", "0", None, "99", "98"),
        ("RECEIVE", "100", "0", "1", "1", "99", "100"),
        ("SEND", "100", "1", "0", "1", "99", "98"),
        ("SEND", "100", "0", "3", "1", "100", "103"),
        ("SEND", "100", "0", "2", None, "98", "100"),
    ],
)
def test_amounts_follow_the_equations_of_the_api_definition(
    amount_type: str, amount: str, fee: str, commission: str, payer_fee: str | None, transfer: str, receive: str
) -> None:
    disclosed = None if payer_fee is None else Decimal(payer_fee)
    got = quote_amounts(amount_type, Decimal(amount), Decimal(fee), Decimal(commission), disclosed)
    assert got == (Decimal(transfer), Decimal(receive))


@settings(deadline=None)
@given(st.sampled_from(["SEND", "RECEIVE"]), MONEY, SMALL, SMALL)
def test_a_quote_that_is_given_adds_up(amount_type: str, amount: Decimal, fee: Decimal, commission: Decimal) -> None:
    responder = payee(quotes=OnQuotes(fee=fee, commission=commission))
    answer = only(
        responder.respond(call("POST", "/quotes", body=quote_request(amount_type, format_amount(amount))), NOW)
    )
    if "errorInformation" in answer.body:
        assert code(answer) == "5103"
        assert amount <= fee + commission
        return
    transfer, receive = (Decimal(answer.body[name]["amount"]) for name in ("transferAmount", "payeeReceiveAmount"))
    assert receive == transfer - fee + commission
    assert transfer == amount - commission if amount_type == "SEND" else receive == amount


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"amountType": "KEEP"}, "3100"),
        ({"amount": {"currency": "XXX", "amount": "1e3"}}, "3100"),
        ({"amount": None}, "3100"),
        ({"amount": ["100"]}, "3100"),
        ({"payee": {}}, "3100"),
        ({"fees": "1"}, "3100"),
        ({"amount": {"currency": "XXX", "amount": "0"}}, "5103"),
        ({"amount": {"currency": "XXX", "amount": "999999999999999999"}}, "5103"),
        ({"note": "\ud800"}, "5103"),
    ],
)
def test_a_quote_request_that_cannot_be_answered_is_refused(change: dict[str, Any], error: str) -> None:
    refusal = only(payee().respond(call("POST", "/quotes", body=quote_request() | change), NOW))
    assert refusal.url == f"http://quoting.test/quotes/{QUOTE}/error"
    assert code(refusal) == error


@pytest.mark.parametrize("body", [None, [], "text", {}, {"quoteId": 7, "transferId": 7}])
def test_a_request_without_an_id_cannot_be_answered_and_is_left_to_be_noted(body: Any) -> None:
    for path in ("/quotes", "/transfers"):
        assert payee().respond(call("POST", path, body=body), NOW) == Reaction()


def test_a_quote_can_be_refused_or_left_unanswered() -> None:
    post = call("POST", "/quotes", body=quote_request())
    assert code(only(payee(quotes=OnQuotes(kind="error", error=FspiopError.PAYEE_LIMIT)).respond(post, NOW))) == "5200"
    assert payee(quotes=OnQuotes(kind="silent")).respond(post, NOW) == Reaction(taken=True)


@pytest.mark.parametrize(("kind", "state"), [("commit", "COMMITTED"), ("reserve", "RESERVED")])
def test_a_transfer_on_quoted_terms_is_fulfilled(kind: Any, state: str) -> None:
    responder = payee(transfers=OnTransfers(kind=kind, delay_ms=1500))
    request = transfer_request(responder)
    answer = only(responder.respond(call("POST", "/transfers", body=request), NOW))
    assert answer.url == f"http://ml.test/transfers/{TRANSFER}"
    assert ilp.fulfils(answer.body["fulfilment"], request["condition"])
    assert answer.body["transferState"] == state
    assert answer.body["completedTimestamp"] == "2026-11-22T08:00:01.500Z"
    assert answer.delay_ms == 1500


def test_a_wrong_fulfilment_is_well_formed_and_does_not_fulfil() -> None:
    responder = payee(transfers=OnTransfers(kind="wrong-fulfilment"))
    request = transfer_request(responder)
    answer = only(responder.respond(call("POST", "/transfers", body=request), NOW))
    assert not ilp.fulfils(answer.body["fulfilment"], request["condition"])
    assert ilp.fulfils(answer.body["fulfilment"], ilp.condition_of(answer.body["fulfilment"]))


def test_a_transfer_can_be_aborted_or_left_unanswered() -> None:
    for on, error in (
        (OnTransfers(kind="abort"), "5104"),
        (OnTransfers(kind="abort", error=FspiopError.PAYEE), "5000"),
    ):
        responder = payee(transfers=on)
        refusal = only(responder.respond(call("POST", "/transfers", body=transfer_request(responder)), NOW))
        assert (refusal.url, code(refusal)) == (f"http://ml.test/transfers/{TRANSFER}/error", error)
    responder = payee(transfers=OnTransfers(kind="silent"))
    assert responder.respond(call("POST", "/transfers", body=transfer_request(responder)), NOW) == Reaction(taken=True)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"condition": "A" * 43}, "5105"),
        ({"amount": {"currency": "XXX", "amount": "99.99"}}, "5105"),
        ({"ilpPacket": "AQ"}, "3100"),
        ({"ilpPacket": "é"}, "3100"),
        ({"amount": 7}, "3100"),
    ],
)
def test_a_transfer_whose_terms_the_payee_never_gave_is_refused(change: dict[str, Any], error: str) -> None:
    responder = payee()
    request = transfer_request(responder) | change
    assert code(only(responder.respond(call("POST", "/transfers", body=request), NOW))) == error


def test_the_quote_of_one_dfsp_is_not_fulfilled_by_another() -> None:
    request = transfer_request(payee())
    other = DfspResponder(SimulatedDfsp("otherfsp", HUB))
    assert code(only(other.respond(call("POST", "/transfers", fsp="otherfsp", body=request), NOW))) == "5105"


@pytest.mark.parametrize(
    ("kind", "method", "path", "taken"),
    [
        ("reserve", "PATCH", "", True),
        ("commit", "PATCH", "", False),
        ("commit", "PUT", "/error", True),
        ("silent", "PUT", "/error", True),
        ("commit", "PUT", "", False),
    ],
)
def test_news_of_a_transfer_is_expected_once_and_only_where_the_api_sends_it(
    kind: Any, method: str, path: str, taken: bool
) -> None:
    responder = payee(transfers=OnTransfers(kind=kind))
    news = call(method, f"/transfers/{TRANSFER}{path}", body={})
    assert not responder.respond(news, NOW).taken, "not of a transfer it never saw"
    responder.respond(call("POST", "/transfers", body=transfer_request(responder)), NOW)
    assert [responder.respond(news, NOW).taken for _ in range(2)] == [taken, False]


@pytest.mark.parametrize(
    "path", ["/", "/health", "/parties", "/parties/MSISDN/1/error", "/bulkTransfers", "/../quotes"]
)
def test_other_calls_are_left_to_others(path: str) -> None:
    for method in ("GET", "POST", "PUT"):
        assert payee().respond(call(method, path, body={"quoteId": "1"}), NOW) == Reaction()
