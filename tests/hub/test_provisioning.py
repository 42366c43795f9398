"""What provisioning and clean-up collections call: settlement models, windows, settlements, further currencies."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import InternalError
from harness.hub.faults import Fault
from harness.hub.ledger import AccountType, Ledger
from harness.hub.settlement import STEPS, Models, Settlements, Windows
from tests.hub.world import CURRENCY, World, world

DEFERRED = {
    "name": "DEFERREDNETXXX",
    "settlementGranularity": "NET",
    "settlementInterchange": "MULTILATERAL",
    "settlementDelay": "DEFERRED",
    "requireLiquidityCheck": True,
    "ledgerAccountType": "POSITION",
    "autoPositionReset": True,
    "currency": CURRENCY,
    "settlementAccountType": "SETTLEMENT",
}
DEFAULT = {name: value for name, value in DEFERRED.items() if name != "currency"} | {"name": "DEFAULTDEFERREDNET"}


@pytest.fixture
def w() -> Iterator[World]:
    with world() as one:
        assert one.admin("POST", "/settlementModels", DEFERRED).status_code == 201
        assert one.admin("POST", "/settlementModels", DEFAULT).status_code == 201
        yield one


def settle(w: World, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    response = w.admin(method, f"/v2{path}", body, service="central-settlement")
    return response.status_code, response.json()


def told(body: Any) -> tuple[str, str]:
    information = body["errorInformation"]
    return information["errorCode"], information["errorDescription"]


def close_window(w: World) -> int:
    _, (window,) = settle(w, "GET", "/settlementWindows?state=OPEN")
    number: int = window["settlementWindowId"]
    status, opened = settle(w, "POST", f"/settlementWindows/{number}", {"state": "CLOSED", "reason": "test"})
    assert status == 200, opened
    assert (opened["state"], opened["settlementWindowId"]) == ("OPEN", number + 1)
    assert "content" not in opened
    return number


def step(w: World, settlement: dict[str, Any], state: str) -> dict[str, Any]:
    participants = [
        {"id": each["id"], "accounts": [{"id": a["id"], "reason": "test", "state": state} for a in each["accounts"]]}
        for each in settlement["participants"]
    ]
    status, body = settle(w, "PUT", f"/settlements/{settlement['id']}", {"participants": participants})
    assert status == 200, body
    found: dict[str, Any] = body
    return found


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
    assert settle(w, "GET", "/settlementWindows/7")[0] == 400
    status, body = settle(w, "GET", "/settlements/{$environment.id}")
    assert (status, told(body)) == (400, ("3100", "Generic validation error - 'id' URI path parameter"))


def test_a_settlement_goes_step_by_step_and_moves_positions_once_all_have_committed(w: World) -> None:
    w.committed("100")
    w.committed("20.5")
    number = close_window(w)
    asked = {"settlementModel": "DEFERREDNETXXX", "reason": "TESTING", "settlementWindows": [{"id": str(number)}]}
    status, settlement = settle(w, "POST", "/settlements", asked)
    assert status == 200, settlement
    assert (settlement["state"], settlement["settlementModel"]) == (STEPS[0], "DEFERREDNETXXX")
    assert [(each["id"], each["state"]) for each in settlement["settlementWindows"]] == [(number, STEPS[0])]
    nets = [a["netSettlementAmount"] for each in settlement["participants"] for a in each["accounts"]]
    assert nets == [{"amount": "120.5000", "currency": "XXX"}, {"amount": "-120.5000", "currency": "XXX"}]
    funds = w.balance("payer", "SETTLEMENT"), w.balance("payee", "SETTLEMENT")
    for state in STEPS[1:]:
        settlement = step(w, settlement, state)
        assert settlement["state"] == state
        done = STEPS.index(state) >= STEPS.index("PS_TRANSFERS_COMMITTED")
        assert (w.balance("payer"), w.balance("payee")) == ((0, 0) if done else (Decimal("120.5"), Decimal("-120.5")))
        assert w.core is not None
        w.core.ledger.check_invariants()
    assert settlement["settlementWindows"][0]["state"] == "SETTLED"
    assert w.balance("payer", "SETTLEMENT") == funds[0] + Decimal("120.5")
    assert w.balance("payee", "SETTLEMENT") == funds[1] - Decimal("120.5")
    again = settle(w, "POST", "/settlements", asked)
    assert (again[0], told(again[1])[1]) == (400, f"Generic validation error - Inapplicable windows {number}")


def test_an_account_that_skips_a_step_stays_and_says_why(w: World) -> None:
    w.committed("10")
    number = close_window(w)
    asked = {"settlementModel": "DEFERREDNETXXX", "reason": "TESTING", "settlementWindows": [{"id": number}]}
    settlement = settle(w, "POST", "/settlements", asked)[1]
    after = step(w, settlement, "SETTLED")
    assert after["state"] == STEPS[0]
    for participant in after["participants"]:
        for account in participant["accounts"]:
            assert account["state"] == STEPS[0]
            assert account["errorInformation"]["errorCode"] == "3100"
    assert w.balance("payer") == 10


@pytest.mark.parametrize(
    ("model", "why"),
    [("NOSUCHMODEL", "Settlement model not found"), ("DEFAULTDEFERREDNET", "Inapplicable windows 1")],
)
def test_a_model_that_does_not_settle_the_currency_finds_no_window(w: World, model: str, why: str) -> None:
    w.committed("10")
    number = close_window(w)
    asked = {"settlementModel": model, "reason": "TESTING", "settlementWindows": [{"id": number}]}
    status, body = settle(w, "POST", "/settlements", asked)
    assert (status, told(body)) == (400, ("3100", f"Generic validation error - {why}"))


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


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 10**9)), min_size=1, max_size=30))
def test_whatever_is_transferred_settling_brings_positions_back_and_creates_no_money(
    transfers: list[tuple[int, int, int]],
) -> None:
    ledger, windows, models = Ledger(), Windows(), Models()
    accounts = [ledger.open(f"dfsp{n}", "XXX", AccountType.POSITION, active=True) for n in range(4)]
    for n in range(4):
        ledger.open(f"dfsp{n}", "XXX", AccountType.SETTLEMENT, active=True)
    models.add(DEFERRED)
    for payer, payee, units in transfers:
        accounts[payer].move(units)
        accounts[payee].move(-units)
        windows.record(accounts[payer], accounts[payee], units)
    windows.close(windows.open, "test")
    settlements = Settlements(ledger, windows, models)
    settlement = settlements.create("DEFERREDNETXXX", "test", [1])
    assert sum(obligation.units for obligation in settlement.obligations.values()) == 0
    for state in STEPS[1:]:
        for number in settlement.obligations:
            settlements.advance(settlement, number, state, "test")
    assert settlement.state == "SETTLED"
    assert {account.value for account in accounts} == {0}
    ledger.check_invariants()


def test_a_settlement_of_an_account_that_is_gone_is_our_own_fault() -> None:
    ledger, windows, models = Ledger(), Windows(), Models()
    elsewhere = Ledger()
    payer = elsewhere.open("payer", "XXX", AccountType.POSITION, active=True)
    payee = elsewhere.open("payee", "XXX", AccountType.POSITION, active=True)
    models.add(DEFERRED)
    windows.record(payer, payee, 1)
    windows.close(windows.open, "test")
    with pytest.raises(InternalError, match="not there"):
        Settlements(ledger, windows, models).create("DEFERREDNETXXX", "test", [1])
    with pytest.raises(Fault):
        models.add(DEFERRED)
