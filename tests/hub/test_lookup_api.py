"""Look-up over HTTP: parties, participants, sub-ids, the oracle and what happens when nobody is there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hub.world import World, world

ALS = "account-lookup-service"


@pytest.fixture(scope="module")
def w() -> Iterator[World]:
    with world() as one:
        one.fspiop("POST", ALS, "/participants/MSISDN/222", "participants", "payee", {"fspId": "payee"})
        one.fspiop("POST", ALS, "/participants/MSISDN/222/30", "participants", "payee", {"fspId": "payee"})
        one.receiver.wait("payee", "PUT", "/participants/MSISDN/222/30")
        yield one


def ask(w: World, path: str, **more: str) -> int:
    return w.fspiop("GET", ALS, path, path.split("/")[1], "payer", **more).status_code  # type: ignore[arg-type]


def test_an_unknown_party_is_answered_with_3204(w: World) -> None:
    assert ask(w, "/parties/MSISDN/999") == 202
    assert w.error("payer", "/parties/MSISDN/999") == {"errorCode": "3204", "errorDescription": "Party not found"}
    callback = w.receiver.wait("payer", "PUT", "/parties/MSISDN/999/error")
    assert (callback.headers["fspiop-source"], callback.headers["fspiop-destination"]) == ("Hub", "payer")
    assert callback.headers["content-type"] == "application/vnd.interoperability.parties+json;version=2.0"
    assert "accept" not in callback.headers


def test_a_sub_id_travels_through_and_an_unknown_one_is_answered_with_3200(w: World) -> None:
    ask(w, "/parties/MSISDN/222/30")
    w.receiver.wait("payee", "GET", "/parties/MSISDN/222/30")
    ask(w, "/parties/MSISDN/222/31")
    assert w.error("payer", "/parties/MSISDN/222/31")["errorCode"] == "3200"


def test_a_named_destination_is_asked_without_the_oracle(w: World) -> None:
    ask(w, "/parties/MSISDN/777", destination="payee")
    assert w.receiver.wait("payee", "GET", "/parties/MSISDN/777").headers["fspiop-destination"] == "payee"


def test_an_unknown_destination_is_answered_as_the_release_does(w: World) -> None:
    ask(w, "/parties/MSISDN/778", destination="nobody")
    assert w.error("payer", "/parties/MSISDN/778")["errorCode"] == "3204"
    with world(version="v15.1.0") as old:
        ask(old, "/parties/MSISDN/778", destination="nobody")
        text = "Generic ID not found - Destination FSP not found"
        assert old.error("payer", "/parties/MSISDN/778") == {"errorCode": "3200", "errorDescription": text}


def test_a_payee_that_cannot_be_reached_is_answered_with_1001(w: World) -> None:
    w.receiver.refusing.add("payee")
    try:
        ask(w, "/parties/MSISDN/779", destination="payee")
        error = w.error("payer", "/parties/MSISDN/779")
    finally:
        w.receiver.refusing.clear()
    assert error["errorCode"] == "1001"
    assert error["extensionList"] == {"extension": [{"key": "status", "value": "503"}]}


def test_the_payees_error_reaches_the_payer(w: World) -> None:
    said = {"errorInformation": {"errorCode": "3204", "errorDescription": "Party not found"}}
    path = "/parties/MSISDN/780/error"
    assert w.fspiop("PUT", ALS, path, "parties", "payee", said, destination="payer").status_code == 200
    assert w.receiver.wait("payer", "PUT", path).headers["fspiop-source"] == "payee"


def test_participants_are_found_registered_once_and_removed(w: World) -> None:
    path = "/participants/MSISDN/333"
    ask(w, path)
    assert w.error("payer", path)["errorCode"] == "3204"
    body = {"fspId": "payee", "currency": "XXX"}
    w.fspiop("POST", ALS, path, "participants", "payer", body)
    told = w.receiver.wait("payee", "PUT", path)
    party = {"partyIdType": "MSISDN", "partyIdentifier": "333", "fspId": "payee"}
    assert told.body == {"partyList": [party], "currency": "XXX"}
    assert (told.headers["fspiop-source"], told.headers["fspiop-destination"]) == ("Hub", "payee")
    ask(w, path)
    assert w.receiver.wait("payer", "PUT", path).body == {"fspId": "payee"}
    w.fspiop("POST", ALS, path, "participants", "payee", body)
    assert w.error("payee", path)["errorCode"] == "1001"
    assert w.fspiop("DELETE", ALS, path, "participants", "payee").status_code == 202
    w.receiver.calls.clear()
    ask(w, "/parties/MSISDN/333")
    assert w.error("payer", "/parties/MSISDN/333")["errorCode"] == "3204"


def test_a_type_without_an_oracle_is_answered_with_3003(w: World) -> None:
    ask(w, "/parties/IBAN/1")
    text = "Add Party information error - Oracle type:IBAN not found"
    assert w.error("payer", "/parties/IBAN/1") == {"errorCode": "3003", "errorDescription": text}
    w.admin("POST", "/oracles", {"oracleIdType": "IBAN"}, service="account-lookup-service-admin")
    listed = w.admin("GET", "/oracles?type=IBAN", service="account-lookup-service-admin").json()
    assert [row["oracleIdType"] for row in listed] == ["IBAN"]
    ask(w, "/parties/IBAN/2")
    assert w.error("payer", "/parties/IBAN/2")["errorCode"] == "3204"


def test_a_type_that_fspiop_does_not_have_is_refused_at_once(w: World) -> None:
    assert ask(w, "/parties/SHOE_SIZE/42") == 400
    refused = w.admin("POST", "/oracles", {"oracleIdType": "SHOE_SIZE"}, service="account-lookup-service-admin")
    assert refused.status_code == 400


def test_an_identifier_is_handed_on_as_it_is_written(w: World) -> None:
    ask(w, "/parties/MSISDN/%2B44%20555", destination="payee")
    w.receiver.wait("payee", "GET", "/parties/MSISDN/+44%20555")
