"""Quotes: the payee's terms reach the payer as the payee gave them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from harness.engine.inbound.behaviour import Behaviour, OnQuotes
from harness.engine.native.dfsp import Dfsp
from harness.engine.native.matchers import amount, matches
from harness.fspiop.errors import FspiopError
from harness.fspiop.ilp import condition_of
from harness.run.fixtures import Onboard
from harness.suite.native import case

COSTLY = Behaviour(quotes=OnQuotes(fee=Decimal("2.5"), commission=Decimal("0.75")))


@case("The payee's terms reach the payer", labels=["p2p", "smoke"], severity="blocker")
def test_terms(payer: Dfsp, payee: Dfsp) -> None:
    quote = payer.quote(payee, payee.has_party(), "100")
    quote.accepted()
    quote.answered(by=payee.name)
    quote.calls_back("transferAmount.amount", amount(100))
    quote.calls_back("transferAmount.currency", payer.hub.target.currency)
    quote.calls_back("payeeReceiveAmount.amount", amount(100))
    quote.calls_back("condition", matches(r"[A-Za-z0-9_-]{43}"))
    quote.callback_within(2000)


@case("Fee and commission are the payee's, to the last digit", severity="major")
def test_fees(payer: Dfsp, onboard: Onboard) -> None:
    costly = onboard("payee", behaviour=COSTLY)

    quote = payer.quote(costly, costly.has_party(registered=False), "100.25")
    quote.answered(by=costly.name)
    quote.calls_back("payeeFspFee.amount", amount("2.5"))
    quote.calls_back("payeeFspCommission.amount", amount("0.75"))
    quote.calls_back("transferAmount.amount", amount("99.5"))
    quote.calls_back("payeeReceiveAmount.amount", amount("97.75"))


@case("A quote for an amount to be received adds the payee's fee", severity="major")
def test_receive(payer: Dfsp, onboard: Onboard) -> None:
    costly = onboard("payee", behaviour=COSTLY)

    quote = payer.quote(costly, costly.has_party(registered=False), "100", kind="RECEIVE")
    quote.answered(by=costly.name)
    quote.calls_back("transferAmount.amount", amount("101.75"))
    quote.calls_back("payeeReceiveAmount.amount", amount("100"))


@case("The payee is asked with what the payer said, word for word", severity="blocker")
def test_request_is_handed_on(payer: Dfsp, onboard: Onboard) -> None:
    payee = onboard("payee")

    quote = payer.quote(payee, payee.has_party(registered=False), "100")
    quote.accepted()
    quote.check("request at the payee", payee.news("POST", "/quotes"), dict(quote.sent))
    asked = payee.saw("POST", "/quotes")
    quote.check("source of the request at the payee", asked and asked.source, payer.name)


@case("Packet and condition reach the payer as the payee made them", severity="blocker")
def test_packet_and_condition(payer: Dfsp, payee: Dfsp) -> None:
    quote = payer.quote(payee, payee.has_party(registered=False), "100")
    quote.calls_back("ilpPacket", matches(r"[A-Za-z0-9_-]{40,}"))
    # The payee's fulfilment depends on every character of the packet, the condition on the fulfilment.
    packet = str(quote.callback("ilpPacket"))
    quote.calls_back("condition", condition_of(payee.fulfilment(packet)))


@case("A quote that the payee rejects is rejected to the payer", severity="major")
def test_rejected(payer: Dfsp, onboard: Onboard) -> None:
    unwilling = onboard(
        "payee", behaviour=Behaviour(quotes=OnQuotes(kind="error", error=FspiopError.PAYEE_REJECTED_QUOTE))
    )

    quote = payer.quote(unwilling, unwilling.has_party(registered=False), "100")
    quote.accepted()
    quote.answered_with_error("5101", by=unwilling.name)


@case("A quote from a DFSP that does not exist is declined", severity="major")
def test_unknown_payee(payer: Dfsp, payee: Dfsp) -> None:
    quote = payer.quote(payee, payee.has_party(registered=False), "100", to="nosuchdfsp")
    quote.accepted()
    quote.declined_by_hub("3201")


@case("A question about a quote is handed to the DFSP that gave it", severity="minor")
def test_query(payer: Dfsp, payee: Dfsp) -> None:
    quote = payer.quote(payee, payee.has_party(registered=False), "100")
    quote.answered(by=payee.name)

    path = f"/quotes/{quote.sent['quoteId']}"
    query = payer.get_quote(str(quote.sent["quoteId"]), to=payee.name, awaits=False)
    query.accepted()
    asked = payee.saw("GET", path)
    query.check("source of the question at the payee", asked and asked.source, payer.name)


MALFORMED: dict[str, tuple[dict[str, Any], str]] = {
    "trailing zero": ({"amount.amount": "1.50"}, "3100"),
    "leading zero": ({"amount.amount": "01"}, "3100"),
    "negative": ({"amount.amount": "-1"}, "3100"),
    "five decimals": ({"amount.amount": "1.00001"}, "3100"),
    "nineteen digits": ({"amount.amount": "1000000000000000000"}, "3100"),
    "an object, not text": ({"amount.amount": {"value": "100"}}, "3101"),
    "unknown currency": ({"amount.currency": "ABC"}, "3100"),
    "no amount": ({"amount": None}, "3102"),
    "no payee": ({"payee": None}, "3102"),
    "quoteId is no UUID": ({"quoteId": "12345"}, "3100"),
    "unknown amountType": ({"amountType": "GIVE"}, "3100"),
}


@pytest.mark.parametrize(("changes", "code"), MALFORMED.values(), ids=MALFORMED.keys())
@case("A malformed quote request is refused", labels=["protocol"], severity="major")
def test_malformed(payer: Dfsp, payee: Dfsp, changes: dict[str, Any], code: str) -> None:
    party = payee.has_party(registered=False)
    payer.quote(payee, party, "100", changes=changes, awaits=False).refused(400, code)
