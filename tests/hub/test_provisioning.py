"""What provisioning calls beyond participants: settlement models, the first window, further currencies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hub.settling import DEFAULT, DEFERRED, settle, told
from tests.hub.world import World, world


@pytest.fixture
def w() -> Iterator[World]:
    with world() as one:
        assert one.admin("POST", "/settlementModels", DEFERRED).status_code == 201
        assert one.admin("POST", "/settlementModels", DEFAULT).status_code == 201
        yield one


def test_models_are_shown_as_the_ledger_shows_them_with_a_null_currency_for_the_default(w: World) -> None:
    models = w.admin("GET", "/settlementModels").json()
    assert models[0] == {
        "settlementModelId": 1,
        "name": "DEFERREDNETXXX",
        "isActive": True,
        "settlementGranularity": "NET",
        "settlementInterchange": "MULTILATERAL",
        "settlementDelay": "DEFERRED",
        "currency": "XXX",
        "requireLiquidityCheck": True,
        "ledgerAccountTypeId": "POSITION",
        "autoPositionReset": True,
    }
    assert (models[1]["name"], models[1]["currency"]) == ("DEFAULTDEFERREDNET", None)


def test_the_service_is_healthy_below_its_version_too(w: World) -> None:
    status, body = settle(w, "GET", "/health")
    assert (status, body["status"], body["versionNumber"]) == (200, "OK", "17.2.2")


def test_a_hub_starts_with_one_open_window_that_is_empty_and_cannot_be_closed(w: World) -> None:
    status, windows = settle(w, "GET", "/settlementWindows?state=OPEN")
    assert status == 200
    assert [(each["settlementWindowId"], each["state"], each["content"]) for each in windows] == [(1, "OPEN", [])]
    status, body = settle(w, "POST", "/settlementWindows/1", {"state": "CLOSED", "reason": "string"})
    assert (status, told(body)) == (400, ("3100", "Generic validation error - Window 1 is empty"))


def test_questions_about_windows_are_refused_in_the_services_words(w: World) -> None:
    status, body = settle(w, "GET", "/settlementWindows?state=open")
    words = 'Malformed syntax - "state" must be one of [OPEN, CLOSED, PENDING_SETTLEMENT, SETTLED, ABORTED]'
    assert (status, told(body)) == (400, ("3101", words))
    assert settle(w, "GET", "/settlementWindows?state=CLOSED")[0] == 400
    assert settle(w, "GET", "/settlementWindows")[0] == 400
    assert settle(w, "GET", "/settlementWindows/7")[0] == 500
    status, body = settle(w, "GET", "/settlements/{$environment.id}")
    assert (status, told(body)) == (400, ("3100", "Generic validation error - 'id' URI path parameter"))


def test_a_participant_can_have_several_currencies_with_a_limit_each(w: World) -> None:
    for kind in ("HUB_MULTILATERAL_SETTLEMENT", "HUB_RECONCILIATION"):
        assert w.admin("POST", "/participants/Hub/accounts", {"type": kind, "currency": "XTS"}).status_code == 201
    assert w.admin("POST", "/participants", {"name": "payer", "currency": "XTS"}).status_code == 201
    body = {"currency": "XTS", "limit": {"type": "NET_DEBIT_CAP", "value": 1_000_000}, "initialPosition": 0}
    assert w.admin("POST", "/participants/payer/initialPositionAndLimits", body).status_code == 201
    lowered = {"currency": "XTS", "limit": {"type": "NET_DEBIT_CAP", "value": 50_000, "alarmPercentage": 0}}
    assert w.admin("PUT", "/participants/payer/limits", lowered).json() == lowered
    limits = w.admin("GET", "/participants/limits").json()
    values = {(each["name"], each["currency"]): each["limit"]["value"] for each in limits}
    assert values == {("payer", "XXX"): 10_000, ("payee", "XXX"): 10_000, ("payer", "XTS"): 50_000}


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"settlementDelay": "SOMETIME"}, 400, "3101"),
        ({"requireLiquidityCheck": "yes"}, 400, "3101"),
        ({"currency": "A#"}, 400, "3101"),
        ({"ledgerAccountType": "SAVINGS"}, 400, "3003"),
        ({"name": "DEFERREDNETXXX"}, 400, "3000"),
    ],
)
def test_a_model_that_makes_no_sense_is_refused(w: World, change: dict[str, object], status: int, code: str) -> None:
    response = w.admin("POST", "/settlementModels", {**DEFAULT, "name": "OTHER", **change})
    assert (response.status_code, told(response.json())[0]) == (status, code)
    incomplete = {name: value for name, value in DEFAULT.items() if name != "settlementDelay"}
    assert told(w.admin("POST", "/settlementModels", incomplete).json())[0] == "3102"


def test_a_model_can_be_asked_for_and_switched_off(w: World) -> None:
    assert w.admin("GET", "/settlementModels/DEFAULTDEFERREDNET").json()["isActive"] is True
    assert w.admin("PUT", "/settlementModels/DEFAULTDEFERREDNET", {"isActive": False}).json()["isActive"] is False
    assert told(w.admin("GET", "/settlementModels/NONE").json())[0] == "3200"
    assert w.admin("PUT", "/settlementModels/NONE", {"isActive": False}).status_code == 500
    assert told(w.admin("PUT", "/settlementModels/DEFAULTDEFERREDNET", {}).json())[0] == "3101"
