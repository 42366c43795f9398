"""Transaction requests and authorizations over HTTP: checked, handed on, and answered where they cannot be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from harness.fspiop.headers import content_type
from harness.fspiop.ids import new_uuid
from harness.fspiop.jws import signature_fault
from harness.hub.messages import dump_json
from tests.hub.world import CURRENCY, World, transaction_request, world

TRS = "transaction-requests-service"
QUERY = {"authenticationType": "OTP", "retriesLeft": "2", "amount": "102", "currency": CURRENCY}
CONSENT = {"authenticationInfo": {"authentication": "OTP", "authenticationValue": "234567"}, "responseType": "ENTERED"}


@pytest.fixture(scope="module")
def w() -> Iterator[World]:
    with world() as one:
        yield one


def ask(w: World, body: Mapping[str, Any], **more: Any) -> httpx.Response:
    more = {"destination": "payer", **more}
    return w.fspiop("POST", TRS, "/transactionRequests", "transactionRequests", "payee", body, **more)


def ask_consent(w: World, query: Mapping[str, str], *, destination: str = "payer") -> tuple[str, httpx.Response]:
    path = f"/authorizations/{new_uuid()}"
    asked = f"{path}?{httpx.QueryParams(query)}"
    return path, w.fspiop("GET", TRS, asked, "authorizations", "payee", destination=destination)


def consent(w: World, body: Mapping[str, Any]) -> tuple[str, httpx.Response]:
    path = f"/authorizations/{new_uuid()}"
    return path, w.fspiop("PUT", TRS, path, "authorizations", "payer", body, destination="payee")


def fault(response: httpx.Response) -> tuple[int, str, str]:
    information = response.json()["errorInformation"]
    return response.status_code, information["errorCode"], information["errorDescription"]


def test_a_request_reaches_the_payer_as_it_was_sent(w: World) -> None:
    body = transaction_request()
    assert ask(w, body).status_code == 202
    call = w.receiver.wait("payer", "POST", "/transactionRequests")
    assert call.body == body
    assert call.headers["fspiop-source"] == "payee"
    assert call.headers["content-type"] == content_type("transactionRequests", "1.1")


@pytest.mark.parametrize("state", ["RECEIVED", "PENDING", "ACCEPTED", "REJECTED"])
def test_the_payers_answer_reaches_the_payee(w: World, state: str) -> None:
    path = f"/transactionRequests/{new_uuid()}"
    said = {"transactionId": new_uuid(), "transactionRequestState": state}
    answered = w.fspiop("PUT", TRS, path, "transactionRequests", "payer", said, destination="payee")
    assert answered.status_code == 200
    assert w.receiver.wait("payee", "PUT", path).body == said


@pytest.mark.parametrize(
    ("resource", "name"), [("transactionRequests", "/transactionRequests"), ("authorizations", "/authorizations")]
)
def test_an_error_reaches_the_other_side(w: World, resource: str, name: str) -> None:
    path = f"{name}/{new_uuid()}/error"
    said = {"errorInformation": {"errorCode": "4101", "errorDescription": "Payer rejected transaction request"}}
    assert w.fspiop("PUT", TRS, path, resource, "payer", said, destination="payee").status_code == 200
    assert w.receiver.wait("payee", "PUT", path).body == said


def test_a_question_for_a_request_is_handed_to_the_other_side(w: World) -> None:
    path = f"/transactionRequests/{new_uuid()}"
    assert w.fspiop("GET", TRS, path, "transactionRequests", "payee", destination="payer").status_code == 202
    w.receiver.wait("payer", "GET", path)


def test_an_authorization_is_asked_for_with_its_query_and_answered(w: World) -> None:
    path, response = ask_consent(w, QUERY)
    assert response.status_code == 202
    w.receiver.wait("payer", "GET", f"{path}?{httpx.QueryParams(QUERY)}")
    path, response = consent(w, CONSENT)
    assert response.status_code == 200
    assert w.receiver.wait("payee", "PUT", path).body == CONSENT


@pytest.mark.parametrize("destination", ["nobody", "mute"])
def test_a_request_to_a_dfsp_without_an_endpoint_comes_back_in_its_senders_name(w: World, destination: str) -> None:
    w.admin("POST", "/participants", {"name": "mute", "currency": CURRENCY})
    body = transaction_request()
    assert ask(w, body, destination=destination).status_code == 202
    path = f"/transactionRequests/{body['transactionRequestId']}/error"
    told = w.receiver.wait("payee", "PUT", path)
    assert told.body["errorInformation"]["errorCode"] == "3201"
    assert told.body["errorInformation"]["errorDescription"].startswith(
        "Destination FSP Error - No FSPIOP_CALLBACK_URL_TRX_REQ_SERVICE endpoint found for transactionRequest"
    )
    assert (told.headers["fspiop-source"], told.headers["fspiop-destination"]) == ("payee", destination)
    assert "fspiop-signature" not in told.headers  # the hub does not sign in another's name


def test_an_authorization_that_cannot_be_handed_on_is_answered_by_the_hub(w: World) -> None:
    w.receiver.refusing.add("payer")
    try:
        path, response = ask_consent(w, QUERY)
        assert response.status_code == 202
        told = w.receiver.wait("payee", "PUT", f"{path}/error")
    finally:
        w.receiver.refusing.clear()
    assert told.body["errorInformation"]["errorCode"] == "1001"
    assert (told.headers["fspiop-source"], told.headers["fspiop-destination"]) == ("Hub", "payee")
    assert w.core is not None
    assert signature_fault(told.headers, dump_json(told.body).decode(), w.core.key.public) == ""


@pytest.mark.parametrize("name", ["transactionRequestId", "payee", "payer", "amount", "transactionType"])
def test_a_request_that_lacks_an_element_is_refused(w: World, name: str) -> None:
    body = {key: value for key, value in transaction_request().items() if key != name}
    text = f"Missing mandatory element - /requestBody must have required property '{name}'"
    assert fault(ask(w, body)) == (400, "3102", text)


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"authenticationType": None}, "3102", "/query must have required property 'authenticationType'"),
        ({"retriesLeft": None}, "3102", "/query must have required property 'retriesLeft'"),
        ({"amount": None}, "3102", "/query must have required property 'amount'"),
        ({"currency": None}, "3102", "/query must have required property 'currency'"),
        ({"retriesLeft": "two"}, "3101", "/query/retriesLeft must be integer"),
        ({"retriesLeft": "2.5"}, "3101", "/query/retriesLeft must be integer"),
        ({"authenticationType": "PIN"}, "3100", "/query/authenticationType must be equal to one of the allowed values"),
    ],
)
def test_a_query_that_is_incomplete_or_malformed_is_refused(
    w: World, change: Mapping[str, str | None], code: str, text: str
) -> None:
    query = {name: value for name, value in {**QUERY, **change}.items() if value is not None}
    status, found, said = fault(ask_consent(w, query)[1])
    assert (status, found) == (400, code)
    assert said.endswith(f" - {text}")


def test_what_a_value_means_is_left_to_the_dfsps_and_its_shape_is_not(w: World) -> None:
    assert consent(w, {**CONSENT, "responseType": "WHAT"})[1].status_code == 200
    text = "Missing mandatory element - /requestBody/authenticationInfo must have required property 'authentication'"
    said = {**CONSENT, "authenticationInfo": {"authenticationValue": "1"}}
    assert fault(consent(w, said)[1]) == (400, "3102", text)


@pytest.mark.parametrize(
    ("headers", "status", "code", "text"),
    [
        ({"content-type": "application/vnd.interoperability.transactionRequests+xml;version=1.1"}, 400, "3101",
         "Malformed syntax - Unsupported Media Type"),
        ({"content-type": content_type("transactionRequests", "2.0")}, 406, "3001",
         "Unacceptable version requested - Client supplied a protocol version which is not supported by the server"),
        ({"accept": "*/*"}, 400, "3101", "Malformed syntax - Invalid accept header"),
        ({"date": None}, 400, "3102", "Missing mandatory element - Missing required date header"),
    ],
)  # fmt: skip
def test_headers_are_checked_first(w: World, headers: dict[str, str | None], status: int, code: str, text: str) -> None:
    assert fault(ask(w, {}, headers=headers)) == (status, code, text)


def test_it_is_well_and_says_its_version(w: World) -> None:
    health = w.client.get(f"{w.services[TRS]}/health").json()
    assert (health["status"], health["versionNumber"], health["services"]) == ("OK", "14.4.5", [])
