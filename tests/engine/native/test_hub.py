"""The hub is called in steps, set up in silence, and known for how its release speaks."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from harness.engine.native.hub import ENDPOINTS
from harness.engine.native.step import Voice
from harness.errors import ProvisioningError
from tests.engine.native.support import hub_of


@pytest.mark.parametrize(
    ("release", "voice"),
    [
        ("v15.1.0", Voice("switch", ("1.0", "1.1"))),
        ("v16.0.0", Voice("switch", ("1.0", "1.1"))),
        ("v17.0.0", Voice("Hub", ("1.0", "1.1", "2.0"))),
        ("v17.1.0", Voice("Hub", ("1.0", "1.1", "2.0"))),
    ],
)
def test_a_release_speaks_in_its_own_voice(release: str, voice: Voice) -> None:
    hub, *_ = hub_of(release=release)
    assert hub.voice == voice


def test_a_call_is_a_step_and_set_up_is_none() -> None:
    hub, exchanger, _, recorder = hub_of(lambda request: (200, {"status": "OK"}))
    hub.prepare("GET", "/participants")
    assert recorder.steps == []
    assert hub.health("quoting-service").response("status") == "OK"
    assert [step.label for step in recorder.steps] == ["GET /health of quoting-service"]
    assert [step.component for step in recorder.steps] == ["quoting-service"]
    assert len(exchanger.requests) == 2


def test_an_admin_api_belongs_to_its_service() -> None:
    hub, _, _, recorder = hub_of()
    hub.target.services["account-lookup-service-admin"] = "http://admin.test"  # type: ignore[index]
    hub.call("account-lookup-service-admin", "GET", "/oracles")
    assert recorder.steps[0].component == "account-lookup-service"


def test_set_up_that_is_refused_says_what_and_why() -> None:
    hub, *_ = hub_of(lambda request: (400, {"errorInformation": {"errorCode": "3100"}}))
    with pytest.raises(ProvisioningError, match=r"POST http://central-ledger.test/participants: HTTP 400 .*3100"):
        hub.prepare("POST", "/participants", {})
    assert hub.prepare("POST", "/participants", {}, ok=(400,)) == {"errorInformation": {"errorCode": "3100"}}


def test_a_new_participant_gets_account_limit_and_every_endpoint() -> None:
    hub, exchanger, _, _ = hub_of(lambda request: (200, []))
    hub.onboard("payer", net_debit_cap=Decimal("12.5"), funds=Decimal(0))
    bodies = [request.body for request in exchanger.requests if isinstance(request.body, dict)]
    assert {"name": "payer", "currency": "USD"} in bodies
    limit = next(body for body in bodies if "limit" in body)
    assert limit["limit"] == {"type": "NET_DEBIT_CAP", "value": 12.5}
    endpoints = {body["type"]: body["value"] for body in bodies if body.get("type", "").startswith("FSPIOP")}
    assert endpoints.keys() == ENDPOINTS.keys()
    assert all(value.startswith("http://us.test/dfsp/payer") for value in endpoints.values())


def test_what_never_happens_is_said_after_the_time_allowed() -> None:
    hub, *_ = hub_of()
    with pytest.raises(ProvisioningError, match=r"waited 0.01 s for rain in vain"):
        hub.wait_until(lambda: False, "rain", timeout_s=0.01)


def test_a_bearer_token_goes_with_every_call() -> None:
    hub, exchanger, _, _ = hub_of()
    hub.target = replace(hub.target, bearer_token="secret")
    hub.health("quoting-service")
    assert exchanger.requests[0].headers["Authorization"] == "Bearer secret"
