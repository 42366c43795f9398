"""Quotes over HTTP: handing on, refusing, repeating."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from harness.fspiop.ids import new_uuid
from tests.hub.world import World, quote, quote_answer, until, world

QS = "quoting-service"


@pytest.fixture(scope="module")
def w() -> Iterator[World]:
    with world() as one:
        yield one


def ask(w: World, body: dict[str, Any], destination: str | None = "payee") -> httpx.Response:
    return w.fspiop("POST", QS, "/quotes", "quotes", "payer", body, destination=destination)


def asked(w: World, body: dict[str, Any]) -> int:
    return sum(call.body["quoteId"] == body["quoteId"] for call in w.receiver.of("payee", "POST", "/quotes"))


def test_a_repeated_quote_is_handed_on_again_and_a_modified_one_refused(w: World) -> None:
    body = quote()
    ask(w, body)
    until(lambda: asked(w, body) == 1)
    ask(w, body)
    until(lambda: asked(w, body) == 2)
    ask(w, {**body, "note": "another"})
    error = w.error("payer", f"/quotes/{body['quoteId']}")
    assert error["errorCode"] == "3106"
    assert error["errorDescription"].startswith("Modified request - Quote ")
    assert asked(w, body) == 2


@pytest.mark.parametrize("destination", ["nobody", "Hub"])
def test_an_unknown_destination_is_answered_with_3201(w: World, destination: str) -> None:
    body = quote()
    assert ask(w, body, destination).status_code == 202
    text = f"Destination FSP Error - Unsupported participant '{destination}'"
    assert w.error("payer", f"/quotes/{body['quoteId']}") == {"errorCode": "3201", "errorDescription": text}


def test_an_inactive_payee_is_answered_with_3201(w: World) -> None:
    w.admin("PUT", "/participants/payee", {"isActive": False})
    body = quote()
    ask(w, body)
    error = w.error("payer", f"/quotes/{body['quoteId']}")
    w.admin("PUT", "/participants/payee", {"isActive": True})
    assert error["errorCode"] == "3201"


def test_the_payees_refusal_reaches_the_payer(w: World) -> None:
    path = f"/quotes/{new_uuid()}/error"
    said = {"errorInformation": {"errorCode": "5101", "errorDescription": "Payee rejected quote"}}
    assert w.fspiop("PUT", QS, path, "quotes", "payee", said, destination="payer").status_code == 200
    assert w.receiver.wait("payer", "PUT", path).body == said


def test_a_question_for_a_quote_is_handed_to_the_other_side(w: World) -> None:
    path = f"/quotes/{new_uuid()}"
    assert w.fspiop("GET", QS, path, "quotes", "payer", destination="payee").status_code == 202
    w.receiver.wait("payee", "GET", path)


def test_a_payee_that_cannot_be_reached_is_answered_with_1001(w: World) -> None:
    w.receiver.refusing.add("payee")
    body = quote()
    try:
        ask(w, body)
        error = w.error("payer", f"/quotes/{body['quoteId']}")
    finally:
        w.receiver.refusing.clear()
    assert error["errorCode"] == "1001"


def test_an_address_that_is_not_there_is_answered_with_3000(w: World) -> None:
    w.receiver.missing.add("payee")
    body = quote()
    try:
        ask(w, body)
        error = w.error("payer", f"/quotes/{body['quoteId']}")
    finally:
        w.receiver.missing.clear()
    assert error == {"errorCode": "3000", "errorDescription": "Generic client error - Not found"}


@pytest.mark.parametrize(
    ("version", "text"), [("v15.1.0", "Unsupported Media Type"), ("v17.1.0", "Invalid content-type header")]
)
def test_a_quote_in_xml_is_refused_in_the_words_of_the_release(version: str, text: str) -> None:
    xml = {"content-type": "application/vnd.interoperability.quotes+xml;version=1.0"}
    with world(version=version) as one:
        response = one.fspiop("POST", QS, "/quotes", "quotes", "payer", quote(), destination="payee", headers=xml)
    assert response.status_code == 400
    assert response.json()["errorInformation"]["errorDescription"] == f"Malformed syntax - {text}"


def test_an_answer_without_a_condition_is_refused_at_once(w: World) -> None:
    body = quote_answer()
    del body["condition"]
    response = w.fspiop("PUT", QS, f"/quotes/{new_uuid()}", "quotes", "payee", body, destination="payer")
    text = "Missing mandatory element - /requestBody must have required property 'condition'"
    assert response.status_code == 400
    assert response.json() == {"errorInformation": {"errorCode": "3102", "errorDescription": text}}


def test_a_path_without_an_id_is_unknown(w: World) -> None:
    response = w.fspiop("PUT", QS, "/quotes/", "quotes", "payee", quote_answer(), destination="payer")
    assert response.status_code == 404
    assert response.json() == {"errorInformation": {"errorCode": "3002", "errorDescription": "Unknown URI - Not Found"}}


def personal(name: str, birth: Any) -> dict[str, Any]:
    return {"personalInfo": {"complexName": {"firstName": name, "lastName": "Any"}, "dateOfBirth": birth}}


@pytest.mark.parametrize(
    ("name", "birth", "place"),
    [
        ("@#4768", "1984-01-01", "complexName/firstName"),
        ("   ", "1984-01-01", "complexName/firstName"),
        ("x" * 129, "1984-01-01", "complexName/firstName"),
        ("Mats", "1983-25-25", "dateOfBirth"),
        ("Mats", "1983-02-29", "dateOfBirth"),
        ("Mats", "1980/05/05", "dateOfBirth"),
        ("Mats", "", "dateOfBirth"),
    ],
)
def test_a_name_or_birthday_that_is_none_is_refused(w: World, name: str, birth: str, place: str) -> None:
    body = quote()
    body["payer"] |= personal(name, birth)
    response = ask(w, body)
    information = response.json()["errorInformation"]
    assert (response.status_code, information["errorCode"]) == (400, "3100")
    assert f"/requestBody/payer/personalInfo/{place} must match pattern" in information["errorDescription"]


@pytest.mark.parametrize("name", ["Mats", "Éloïse-Ñ O'Neil", "မြန်မာ", "李", "Mats_123", "क्‍ष"])
def test_a_name_may_be_of_any_script(w: World, name: str) -> None:
    body = quote()
    body["payer"] |= personal(name, "1984-02-29")
    assert ask(w, body).status_code == 202
