"""Terms of a conversion over HTTP: handing on, refusing, repeating."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from harness.fspiop.ids import new_uuid
from tests.hub.fx_world import QS, TARGET, Fx, fx_answer, fx_quote, fx_world
from tests.hub.world import until


@pytest.fixture(scope="module")
def fx() -> Iterator[Fx]:
    with fx_world() as one:
        yield one


def ask(fx: Fx, body: dict[str, Any], destination: str | None = "fxp", source: str = "payer") -> httpx.Response:
    return fx.say("POST", QS, "/fxQuotes", source, body, destination=destination)


def asked(fx: Fx, body: dict[str, Any]) -> int:
    calls = fx.w.receiver.of("fxp", "POST", "/fxQuotes")
    return sum(call.body["conversionRequestId"] == body["conversionRequestId"] for call in calls)


def path_of(body: dict[str, Any]) -> str:
    return f"/fxQuotes/{body['conversionRequestId']}"


def test_a_question_reaches_the_fxp_and_its_terms_the_payer_as_they_were_given(fx: Fx) -> None:
    body = fx_quote()
    assert ask(fx, body).status_code == 202
    until(lambda: asked(fx, body) == 1)
    terms = fx_answer(body)
    assert fx.say("PUT", QS, path_of(body), "fxp", terms, destination="payer").status_code == 200
    callback = fx.w.receiver.wait("payer", "PUT", path_of(body))
    assert callback.body == terms
    assert (callback.headers["fspiop-source"], callback.headers["fspiop-destination"]) == ("fxp", "payer")
    assert callback.headers["content-type"] == "application/vnd.interoperability.fxQuotes+json;version=2.0"


def test_a_refusal_reaches_the_payer(fx: Fx) -> None:
    body = fx_quote()
    said = {"errorInformation": {"errorCode": "2000", "errorDescription": "No rate today"}}
    fx.say("PUT", QS, f"{path_of(body)}/error", "fxp", said, destination="payer")
    assert fx.w.error("payer", path_of(body)) == said["errorInformation"]


def test_a_question_about_a_quote_is_handed_to_the_fxp_which_keeps_it(fx: Fx) -> None:
    path = f"/fxQuotes/{new_uuid()}"
    assert fx.say("GET", QS, path, "payer", destination="fxp").status_code == 202
    assert fx.w.receiver.wait("fxp", "GET", path).headers["fspiop-source"] == "payer"


def test_a_repeated_question_is_handed_on_again_and_a_modified_one_refused(fx: Fx) -> None:
    body = fx_quote()
    for _ in range(2):
        ask(fx, body)
    until(lambda: asked(fx, body) == 2)
    terms = {**body["conversionTerms"], "amountType": "RECEIVE"}
    ask(fx, {**body, "conversionTerms": terms})
    error = fx.w.error("payer", path_of(body))
    assert error["errorCode"] == "3106"
    assert error["errorDescription"].startswith("Modified request - Quote ")
    assert asked(fx, body) == 2


def test_terms_that_are_changed_afterwards_are_refused(fx: Fx) -> None:
    body = fx_quote()
    for target in ("500", "501"):
        fx.say("PUT", QS, path_of(body), "fxp", fx_answer(body, target), destination="payer")
    assert fx.w.error("fxp", path_of(body))["errorCode"] == "3106"
    assert fx.w.receiver.count("payer", "PUT", path_of(body)) == 1


@pytest.mark.parametrize("destination", ["nobody", "payee"])
def test_an_fxp_that_does_not_deal_in_both_currencies_is_answered_with_3100(fx: Fx, destination: str) -> None:
    body = fx_quote()
    if destination == "payee":
        body["conversionTerms"]["sourceAmount"]["currency"] = "INR"
    assert ask(fx, body, destination).status_code == 202
    text = f"Generic validation error - Unsupported participant '{destination}'"
    assert fx.w.error("payer", path_of(body)) == {"errorCode": "3100", "errorDescription": text}


def test_an_fxp_that_cannot_be_reached_or_has_no_endpoint_is_reported(fx: Fx) -> None:
    body = fx_quote()
    fx.w.receiver.refusing.add("fxp")
    ask(fx, body)
    assert fx.w.error("payer", path_of(body))["errorCode"] == "1001"
    fx.w.receiver.refusing.clear()
    fx.w.onboard("mute")
    limit = {"currency": TARGET, "limit": {"type": "NET_DEBIT_CAP", "value": 9}, "initialPosition": 0}
    fx.w.admin("POST", "/participants", {"name": "mute", "currency": TARGET})
    fx.w.admin("POST", "/participants/mute/initialPositionAndLimits", limit)
    body = fx_quote()
    ask(fx, body, "mute")
    error = fx.w.error("payer", path_of(body))
    assert error["errorCode"] == "3201"
    text = "Destination FSP Error - No FSPIOP_CALLBACK_URL_FX_QUOTES endpoint found for FSP 'mute'"
    assert error["errorDescription"].startswith(text)


@pytest.mark.parametrize(
    ("place", "changes", "detail"),
    [
        ("terms", {"amountType": "INVALID"}, "/requestBody/conversionTerms/amountType must be equal to one of"),
        ("body", {"conversionRequestId": "invalid"}, "/requestBody/conversionRequestId must match pattern"),
        (
            "terms",
            {"targetAmount": {"currency": "ABC"}},
            "/requestBody/conversionTerms/targetAmount/currency must be equal to one of the allowed values",
        ),
    ],
)
def test_a_malformed_question_is_refused_at_once(fx: Fx, place: str, changes: dict[str, Any], detail: str) -> None:
    body = fx_quote()
    (body if place == "body" else body["conversionTerms"]).update(changes)
    response = ask(fx, body)
    assert response.status_code == 400
    error = response.json()["errorInformation"]
    assert error["errorCode"] == "3100"
    assert error["errorDescription"].startswith(f"Generic validation error - {detail}")
