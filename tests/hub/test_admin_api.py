"""The admin API of central-ledger: participants, accounts, limits, funds, endpoints, health."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.hub.world import COMPONENTS, World, world


@pytest.fixture(scope="module")
def w() -> Iterator[World]:
    with world() as one:
        yield one


def refused(w: World, method: str, path: str, body: Any = None) -> tuple[int, str, str]:
    response = w.admin(method, path, body)
    information = response.json()["errorInformation"]
    return response.status_code, information["errorCode"], information["errorDescription"]


def test_each_service_reports_the_version_of_the_release(w: World) -> None:
    for service, url in w.services.items():
        health = w.client.get(f"{url}/health")
        assert health.status_code == 200
        body = health.json()
        assert set(body) == {"status", "uptime", "startTime", "versionNumber", "services"}
        assert body["versionNumber"] == COMPONENTS[service.removesuffix("-admin")]
        assert body["status"] == "OK"
        assert all(part["status"] == "OK" for part in body["services"])


def test_a_new_participant_has_two_inactive_accounts_until_its_limit_is_set(w: World) -> None:
    created = w.admin("POST", "/participants", {"name": "fresh", "currency": "XXX"})
    assert created.status_code == 201
    rows = created.json()["accounts"]
    assert [(row["ledgerAccountType"], row["isActive"]) for row in rows] == [("POSITION", 0), ("SETTLEMENT", 0)]
    body = {"currency": "XXX", "limit": {"type": "NET_DEBIT_CAP", "value": 10}, "initialPosition": 0}
    assert w.admin("POST", "/participants/fresh/initialPositionAndLimits", body).status_code == 201
    rows = w.admin("GET", "/participants/fresh/accounts").json()
    assert [(row["value"], row["reservedValue"], row["isActive"]) for row in rows] == [(0, 0, 1), (0, 0, 1)]
    again = refused(w, "POST", "/participants/fresh/initialPositionAndLimits", body)
    assert again[:2] == (500, "2001")


def test_registering_twice_or_without_hub_accounts_is_refused(w: World) -> None:
    assert refused(w, "POST", "/participants", {"name": "payer", "currency": "XXX"}) == (
        400, "3000", "Generic client error - Participant currency has already been registered",
    )  # fmt: skip
    assert refused(w, "POST", "/participants", {"name": "payer", "currency": "USD"}) == (
        400, "3003",
        "Add Party information error - Hub reconciliation account for the specified currency does not exist",
    )  # fmt: skip
    status, code, text = refused(w, "POST", "/participants", {"name": "payer", "currency": "A#"})
    assert (status, code) == (400, "3101")
    assert text.startswith('Malformed syntax - "currency" must be one of [AED, AFA, AFN, ALL')
    body = {"type": "HUB_RECONCILIATION", "currency": "XXX"}
    assert refused(w, "POST", "/participants/Hub/accounts", body) == (
        400, "3003", "Add Party information error - Hub account has already been registered.",
    )  # fmt: skip


def test_an_unknown_participant_is_answered_with_3200(w: World) -> None:
    assert refused(w, "GET", "/participants/nobody") == (
        400, "3200", "Generic ID not found - The requested resource could not be found.",
    )  # fmt: skip


def test_a_participant_is_switched_off_and_on(w: World) -> None:
    assert w.admin("PUT", "/participants/payee", {"isActive": False}).json()["isActive"] == 0
    assert w.admin("PUT", "/participants/payee", {"isActive": True}).json()["isActive"] == 1
    assert refused(w, "PUT", "/participants/payee", {})[:2] == (400, "3102")
    assert "payee" in [row["name"] for row in w.admin("GET", "/participants").json()]


def test_limits_are_shown_and_changed(w: World) -> None:
    body = {"currency": "XXX", "limit": {"type": "NET_DEBIT_CAP", "value": "50000", "alarmPercentage": 0}}
    changed = {"currency": "XXX", "limit": {"type": "NET_DEBIT_CAP", "value": 50000, "alarmPercentage": 0}}
    assert w.admin("PUT", "/participants/payee/limits", body).json() == changed
    assert w.admin("GET", "/participants/payee/limits").json() == [changed]
    assert {"name": "payee", **changed} in w.admin("GET", "/participants/limits").json()
    body["limit"] = {"type": "NET_DEBIT_CAP", "value": -1}
    assert refused(w, "PUT", "/participants/payee/limits", body)[:2] == (400, "3101")


def test_positions_are_shown_per_currency(w: World) -> None:
    rows = w.admin("GET", "/participants/payer/positions").json()
    assert [row["currency"] for row in rows] == ["XXX"]
    assert w.admin("GET", "/participants/payer/positions?currency=XXX").json()["value"] == rows[0]["value"]


def test_endpoints_are_kept_per_type(w: World) -> None:
    w.admin("POST", "/participants/payer/endpoints", {"type": "SOME_EMAIL", "value": "a@example.org"})
    w.admin("POST", "/participants/payer/endpoints", {"type": "SOME_EMAIL", "value": "b@example.org"})
    rows = w.admin("GET", "/participants/payer/endpoints?type=SOME_EMAIL").json()
    assert rows == [{"type": "SOME_EMAIL", "value": "b@example.org"}]


def test_funds_in_lower_the_settlement_account_and_raise_the_hubs(w: World) -> None:
    dfsp, hub = w.balance("payer", "SETTLEMENT"), w.balance("Hub", "HUB_RECONCILIATION")
    transfer_id, response = w.funds("payer", "recordFundsIn", "10.5")
    assert (response.status_code, response.content) == (202, b"")
    assert w.balance("payer", "SETTLEMENT") == dfsp - Decimal("10.5")
    assert w.balance("Hub", "HUB_RECONCILIATION") == hub + Decimal("10.5")
    assert w.state(transfer_id)["transferState"] == "COMMITTED"


@pytest.mark.parametrize(
    ("action", "state", "kept", "left"),
    [("recordFundsOutCommit", "COMMITTED", 0, 10), ("recordFundsOutAbort", "ABORTED", 10, 0)],
)
def test_funds_out_are_reserved_then_committed_or_given_back(
    w: World, action: str, state: str, kept: int, left: int
) -> None:
    dfsp, hub = w.balance("payer", "SETTLEMENT"), w.balance("Hub", "HUB_RECONCILIATION")
    transfer_id, response = w.funds("payer", "recordFundsOutPrepareReserve", "10")
    assert response.status_code == 202
    assert w.balance("payer", "SETTLEMENT") == dfsp + 10
    reserved = w.state(transfer_id)
    assert reserved["transferState"] == "RESERVED"
    pairs = [(pair["key"], pair["value"]) for pair in reserved["extensionList"]["extension"]]
    assert pairs == [("externalReference", "ref"), ("k", "v")]
    path = f"/participants/payer/accounts/{w.accounts['payer', 'SETTLEMENT']}/transfers/{transfer_id}"
    assert w.admin("PUT", path, {"action": action, "reason": "test"}).status_code == 202
    assert w.balance("payer", "SETTLEMENT") == dfsp + 10 - kept
    assert w.balance("Hub", "HUB_RECONCILIATION") == hub - left
    assert w.state(transfer_id)["transferState"] == state
    other = "recordFundsOutAbort" if action == "recordFundsOutCommit" else "recordFundsOutCommit"
    assert w.admin("PUT", path, {"action": other, "reason": "too late"}).status_code == 202
    assert w.state(transfer_id)["transferState"] == state
    assert w.balance("payer", "SETTLEMENT") == dfsp + 10 - kept


def test_funds_out_beyond_the_balance_end_aborted(w: World) -> None:
    before = w.balance("payer", "SETTLEMENT")
    transfer_id, response = w.funds("payer", "recordFundsOutPrepareReserve", "1000000")
    assert response.status_code == 202
    assert w.balance("payer", "SETTLEMENT") == before
    assert w.state(transfer_id)["transferState"] == "ABORTED"


def test_funds_move_only_on_a_settlement_account_of_the_participant(w: World) -> None:
    body = {
        "transferId": "01M815M6GRF5X6V6622Z585F8D", "externalReference": "x", "action": "recordFundsIn", "reason": "x",
        "amount": {"amount": "1", "currency": "XXX"},
    }  # fmt: skip
    position, other = w.accounts["payer", "POSITION"], w.accounts["payee", "SETTLEMENT"]
    for number, text in ((position, "Account is not SETTLEMENT type"), (other, "Account not found")):
        answer = refused(w, "POST", f"/participants/payer/accounts/{number}", body)
        assert answer == (500, "2001", f"Internal server error - {text}")
    path = f"/participants/payer/accounts/{w.accounts['payer', 'SETTLEMENT']}"
    assert refused(w, "POST", path, {**body, "action": "recordMagic"})[:2] == (400, "3101")
    assert refused(w, "POST", path, {**body, "transferId": "1"})[:2] == (400, "3101")
    for amount in ("1.00001", "0", "-1", "NaN", "Infinity", "x", None, True):
        asked = {**body, "amount": {"amount": amount, "currency": "XXX"}}
        assert refused(w, "POST", path, asked)[:2] == (400, "3101")
    assert refused(w, "PUT", path, {"isActive": False})[:2] == (500, "2001")


def test_funds_with_a_known_id_move_once(w: World) -> None:
    before = w.balance("payer", "SETTLEMENT")
    body = {
        "transferId": "01M815M6GRF5X6V6622Z585F8E", "externalReference": "x", "action": "recordFundsIn", "reason": "x",
        "amount": {"amount": "1", "currency": "XXX"},
    }  # fmt: skip
    path = f"/participants/payer/accounts/{w.accounts['payer', 'SETTLEMENT']}"
    for reason in ("first", "first", "another"):
        assert w.admin("POST", path, {**body, "reason": reason}).status_code == 202
    assert w.balance("payer", "SETTLEMENT") == before - 1


def test_funds_may_be_written_as_a_number(w: World) -> None:
    before = w.balance("payer", "SETTLEMENT")
    body = {
        "transferId": "01M815M6GRF5X6V6622Z585F8F", "externalReference": "x", "action": "recordFundsIn", "reason": "x",
        "amount": {"amount": 2.25, "currency": "XXX"},
    }  # fmt: skip
    path = f"/participants/payer/accounts/{w.accounts['payer', 'SETTLEMENT']}"
    assert w.admin("POST", path, body).status_code == 202
    assert w.balance("payer", "SETTLEMENT") == before - Decimal("2.25")


def test_a_settlement_model_without_liquidity_check_lets_a_dfsp_owe_more_than_it_has_paid_in() -> None:
    with world() as w:
        model = {
            "name": "DEFERREDNET", "settlementGranularity": "NET", "settlementInterchange": "MULTILATERAL",
            "settlementDelay": "DEFERRED", "requireLiquidityCheck": False, "ledgerAccountType": "POSITION",
            "currency": "XXX", "settlementAccountType": "SETTLEMENT", "autoPositionReset": True,
        }  # fmt: skip
        assert w.admin("POST", "/settlementModels", model).status_code == 201
        assert refused(w, "POST", "/settlementModels", model)[0] == 400
        assert w.admin("GET", "/settlementModels").json()[0]["name"] == "DEFERREDNET"
        w.committed("6000")
