"""A payment from look-up to notification goes through the hub."""

from __future__ import annotations

from decimal import Decimal

from tests.hub.world import quote, quote_answer, world


def test_a_payment_travels_from_look_up_to_committed_transfer() -> None:
    with world() as w:
        # The payee's identifier is registered, and its DFSP hears of it.
        registered = w.fspiop(
            "POST", "account-lookup-service", "/participants/MSISDN/222", "participants", "payee",
            {"fspId": "payee", "currency": "XXX"},
        )  # fmt: skip
        assert registered.status_code == 202
        told = w.receiver.wait("payee", "PUT", "/participants/MSISDN/222")
        assert told.body["partyList"] == [{"partyIdType": "MSISDN", "partyIdentifier": "222", "fspId": "payee"}]

        # Look-up.
        asked = w.fspiop("GET", "account-lookup-service", "/parties/MSISDN/222", "parties", "payer")
        assert (asked.status_code, asked.content) == (202, b"")
        assert w.receiver.wait("payee", "GET", "/parties/MSISDN/222").headers["fspiop-source"] == "payer"
        party = {"party": {"partyIdInfo": {"partyIdType": "MSISDN", "partyIdentifier": "222", "fspId": "payee"}}}
        answered = w.fspiop(
            "PUT", "account-lookup-service", "/parties/MSISDN/222", "parties", "payee", party, destination="payer"
        )
        assert answered.status_code == 200
        assert w.receiver.wait("payer", "PUT", "/parties/MSISDN/222").body == party

        # Quote.
        asked_for = quote()
        response = w.fspiop("POST", "quoting-service", "/quotes", "quotes", "payer", asked_for, destination="payee")
        assert (response.status_code, response.content) == (202, b"")
        assert w.receiver.wait("payee", "POST", "/quotes").body == asked_for
        offer, path = quote_answer(), f"/quotes/{asked_for['quoteId']}"
        response = w.fspiop("PUT", "quoting-service", path, "quotes", "payee", offer, destination="payer")
        assert response.status_code == 200
        assert w.receiver.wait("payer", "PUT", path).body == offer

        # Transfer.
        body = w.committed()
        assert w.receiver.wait("payee", "POST", "/transfers").body == body
        callback = w.receiver.wait("payer", "PUT", f"/transfers/{body['transferId']}")
        assert callback.body["transferState"] == "COMMITTED"
        assert callback.headers["fspiop-source"] == "payee"
        assert (w.balance("payer"), w.balance("payee")) == (Decimal(100), Decimal(-100))
