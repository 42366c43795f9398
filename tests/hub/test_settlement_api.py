"""Settling over HTTP: what central-settlement answers, and what it does to windows, positions and balances."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from harness.hub.settlements import ACCOUNT_STEPS, SettlementState
from tests.hub.settling import (
    DEFAULT,
    DEFERRED,
    FEES,
    GROSS,
    SECOND,
    close_window,
    open_currency,
    paid,
    paid_between_wallets,
    settle,
    started,
    step,
    told,
)
from tests.hub.world import World, world

STEPS = ("PENDING_SETTLEMENT", "PS_TRANSFERS_RECORDED", "PS_TRANSFERS_RESERVED", "PS_TRANSFERS_COMMITTED", "SETTLED")


@pytest.fixture
def w() -> Iterator[World]:
    with world() as one:
        assert one.admin("POST", "/settlementModels", DEFERRED).status_code == 201
        assert one.admin("POST", "/settlementModels", DEFAULT).status_code == 201
        yield one
        assert one.core is not None
        one.core.ledger.check_invariants()


def account_of(settlement: dict[str, Any], owes: bool) -> tuple[int, dict[str, Any]]:
    """The participant and account that owe, or are owed."""
    for participant in settlement["participants"]:
        for account in participant["accounts"]:
            if (Decimal(account["netSettlementAmount"]["amount"]) > 0) is owes:
                return participant["id"], account
    raise AssertionError(f"no such account: {settlement}")


def put_account(w: World, settlement: dict[str, Any], owes: bool, state: str) -> tuple[int, Any]:
    participant, account = account_of(settlement, owes)
    path = f"/settlements/{settlement['id']}/participants/{participant}/accounts/{account['id']}"
    return settle(w, "PUT", path, {"state": state, "reason": "one by one", "externalReference": "ref"})


def test_a_settlement_resets_who_is_owed_when_reserved_and_who_owes_when_committed(w: World) -> None:
    paid(w, "100")
    paid(w, "20.5")
    number = close_window(w)
    settlement = started(w, number)
    assert (settlement["state"], settlement["settlementModel"]) == (STEPS[0], "DEFERREDNETXXX")
    (window,) = settlement["settlementWindows"]
    assert (window["id"], window["state"], len(window["content"])) == (number, STEPS[0], 1)
    nets = [a["netSettlementAmount"] for each in settlement["participants"] for a in each["accounts"]]
    assert nets == [{"amount": "120.5000", "currency": "XXX"}, {"amount": "-120.5000", "currency": "XXX"}]
    funds = w.balance("payer", "SETTLEMENT"), w.balance("payee", "SETTLEMENT")
    owes = Decimal("120.5")
    expected = {
        "PS_TRANSFERS_RECORDED": (owes, -owes, 0),
        "PS_TRANSFERS_RESERVED": (owes, 0, -owes),
        "PS_TRANSFERS_COMMITTED": (0, 0, 0),
        "SETTLED": (0, 0, 0),
    }
    for state, balances in expected.items():
        answered = step(w, settlement, state)
        assert answered["state"] == state
        assert {a["state"] for each in answered["participants"] for a in each["accounts"]} == {state}
        hub = w.balance("Hub", "HUB_MULTILATERAL_SETTLEMENT")
        assert (w.balance("payer"), w.balance("payee"), hub) == balances
        shown = settle(w, "GET", f"/settlements/{settlement['id']}")[1]
        assert (shown["state"], shown["reason"]) == (state, f"All settlement accounts are {state}")
    assert shown["settlementWindows"][0]["state"] == "SETTLED"
    assert shown["settlementWindows"][0]["reason"] == "All settlement window content is SETTLED"
    assert (w.balance("payer", "SETTLEMENT"), w.balance("payee", "SETTLEMENT")) == funds
    assert told(settle(w, "PUT", f"/settlements/{settlement['id']}", {"state": "ABORTED", "reason": "no"})[1]) == (
        "3100", "Generic validation error - State change is not allowed",
    )  # fmt: skip


def test_an_account_goes_by_itself_and_the_settlement_follows_the_last(w: World) -> None:
    paid(w, "10")
    settlement = started(w, close_window(w))
    for state in STEPS[1:]:
        before = settle(w, "GET", f"/settlements/{settlement['id']}")[1]["state"]
        status, first = put_account(w, settlement, True, state)
        between = {"SETTLED": "SETTLING"}.get(state, before)
        assert (status, first["state"]) == (200, between)
        (account,) = first["participants"][0]["accounts"]
        assert (account["state"], account["reason"], account["externalReference"]) == (state, "one by one", "ref")
        assert [each["id"] for each in first["settlementWindows"]] == [1]
        assert put_account(w, settlement, False, state)[1]["state"] == state


def test_an_account_that_skips_a_step_stays_and_says_why(w: World) -> None:
    paid(w, "10")
    settlement = started(w, close_window(w))
    after = step(w, settlement, "SETTLED")
    assert after["state"] == STEPS[0]
    for participant in after["participants"]:
        for account in participant["accounts"]:
            assert account["state"] == STEPS[0]
            assert told(account) == ("3000", "Generic client error - State change not allowed")
    assert w.balance("payer") == 10


def test_an_update_names_accounts_of_the_settlement_and_each_once(w: World) -> None:
    paid(w, "10")
    settlement = started(w, close_window(w))
    participant, account = account_of(settlement, True)
    asked = {"id": account["id"], "state": "PS_TRANSFERS_RECORDED", "reason": "x"}
    other = next(each["id"] for each in settlement["participants"] if each["id"] != participant)
    for who, accounts, said in (
        (participant, [{**asked, "id": 4711}], ["Account not found"]),
        (other, [asked], ["Participant and account mismatch"]),
        (participant, [asked, asked], [None, "Account already processed once"]),
    ):
        body = {"participants": [{"id": who, "accounts": accounts}]}
        status, answered = settle(w, "PUT", f"/settlements/{settlement['id']}", body)
        rows = answered["participants"][0]["accounts"]
        words = [told(row)[1].partition(" - ")[2] if "errorInformation" in row else None for row in rows]
        assert (status, words) == (200, said)


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        ({"participants": [], "state": "ABORTED"}, "3100",
         "No other properties are allowed when participants is provided"),
        ({"state": "ABORTED"}, "3102", "State and reason are mandatory"),
        ({"reason": "x"}, "3102", "State and reason are mandatory"),
        ({"state": "INVALID", "reason": "x"}, "3100", "Invalid request payload input"),
        ({"state": "SETTLED", "reason": "x"}, "3101", '"state" must be one of [ABORTED, INVALID]'),
        ({"participants": {}}, "3101", '"participants" must be an array'),
        ({"participants": [{"id": "x"}]}, "3101", '"accounts" must be an array'),
        ({"participants": [{"accounts": [{"id": 1}]}]}, "3102", '"id" is required'),
        ({}, "3100", "Invalid request payload input"),
    ],
)  # fmt: skip
def test_an_update_that_makes_no_sense_is_refused(w: World, body: dict[str, Any], code: str, text: str) -> None:
    paid(w, "10")
    settlement = started(w, close_window(w))
    status, answered = settle(w, "PUT", f"/settlements/{settlement['id']}", body)
    assert (status, told(answered)[0]) == (400, code)
    assert told(answered)[1].endswith(text)


def test_an_aborted_settlement_gives_back_what_it_reset_and_aborts_its_windows(w: World) -> None:
    paid(w, "10")
    number = close_window(w)
    settlement = started(w, number)
    for state in STEPS[1:3]:
        step(w, settlement, state)
    assert (w.balance("payer"), w.balance("payee")) == (10, 0)
    path = f"/settlements/{settlement['id']}"
    status, answered = settle(w, "PUT", path, {"state": "ABORTED", "reason": "wrong day"})
    assert (status, answered) == (200, {"id": settlement["id"], "state": "ABORTED", "reason": "wrong day"})
    assert (w.balance("payer"), w.balance("payee")) == (10, -10)
    shown = settle(w, "GET", path)[1]
    assert {a["state"] for each in shown["participants"] for a in each["accounts"]} == {"ABORTED"}
    assert settle(w, "GET", f"/settlementWindows/{number}")[1]["state"] == "ABORTED"
    assert settle(w, "PUT", path, {"state": "ABORTED", "reason": "again"})[1]["reason"] == "again"
    refused = step(w, settlement, "PS_TRANSFERS_RECORDED")["participants"][0]["accounts"][0]
    assert told(refused)[1].endswith("State change not allowed")


def test_a_settlement_cannot_be_aborted_once_an_account_has_committed(w: World) -> None:
    paid(w, "10")
    settlement = started(w, close_window(w))
    for state in STEPS[1:3]:
        step(w, settlement, state)
    put_account(w, settlement, True, "PS_TRANSFERS_COMMITTED")
    status, body = settle(w, "PUT", f"/settlements/{settlement['id']}", {"state": "ABORTED", "reason": "late"})
    assert (status, told(body)[1]) == (400, "Generic validation error - At least one settlement transfer is committed")


def test_each_model_settles_its_own_currencies_of_a_window(w: World) -> None:
    open_currency(w)
    paid(w, "10")
    paid(w, "7", SECOND)
    number = close_window(w)
    first, second = started(w, number), started(w, number, model="DEFAULTDEFERREDNET")
    for settlement, currency in ((first, "XXX"), (second, SECOND)):
        accounts = [a for each in settlement["participants"] for a in each["accounts"]]
        assert {a["netSettlementAmount"]["currency"] for a in accounts} == {currency}
        assert [c["currencyId"] for c in settlement["settlementWindows"][0]["content"]] == [currency]
    for state in STEPS[1:]:
        step(w, first, state)
    window = settle(w, "GET", f"/settlementWindows/{number}")[1]
    assert window["state"] == "PENDING_SETTLEMENT"
    held = {each["currencyId"]: (each["state"], each["settlementId"]) for each in window["content"]}
    assert held == {"XXX": ("SETTLED", first["id"]), SECOND: ("PENDING_SETTLEMENT", second["id"])}
    for state in STEPS[1:]:
        step(w, second, state)
    assert settle(w, "GET", f"/settlementWindows/{number}")[1]["state"] == "SETTLED"


def test_a_gross_model_settles_each_transfer_at_once_and_leaves_its_window_without_content(w: World) -> None:
    open_currency(w)
    assert w.admin("POST", "/settlementModels", {**GROSS, "currency": SECOND}).status_code == 201
    paid(w, "7", SECOND)
    values = {
        (dfsp, row["ledgerAccountType"]): row["value"]
        for dfsp in ("payer", "payee")
        for row in w.admin("GET", f"/participants/{dfsp}/accounts?currency={SECOND}").json()
    }
    assert values == {
        ("payer", "POSITION"): 0, ("payer", "SETTLEMENT"): -4993,
        ("payee", "POSITION"): 0, ("payee", "SETTLEMENT"): -5007,
    }  # fmt: skip
    number = close_window(w)
    assert settle(w, "GET", f"/settlementWindows/{number}")[1]["content"] == []
    for model, why in (("CGS", "Settlement can not be created for GROSS or IMMEDIATE models"),
                       ("DEFAULTDEFERREDNET", f"Inapplicable windows {number}")):  # fmt: skip
        asked = {"settlementModel": model, "reason": "x", "settlementWindows": [{"id": number}]}
        assert told(settle(w, "POST", "/settlements", asked)[1]) == ("3100", f"Generic validation error - {why}")


@pytest.mark.parametrize(
    ("change", "code", "why"),
    [
        ({"settlementModel": "NONE"}, "3100", "Generic validation error - Settlement model not found"),
        ({"settlementWindows": [{"id": 1}, {"id": 2}, {"id": 9}]}, "3100",
         "Generic validation error - Inapplicable windows 2, 9"),
        ({"settlementWindows": []}, "3101", 'Malformed syntax - "settlementWindows" must be an array'),
        ({"settlementWindows": [{"id": "first"}]}, "3101", 'Malformed syntax - "id" must be a number'),
        ({"settlementModel": 1}, "3101", 'Malformed syntax - "settlementModel" must be a string'),
    ],
)  # fmt: skip
def test_a_settlement_needs_a_model_and_closed_windows(w: World, change: dict[str, Any], code: str, why: str) -> None:
    paid(w, "10")
    assert close_window(w) == 1
    asked = {"settlementModel": "DEFERREDNETXXX", "reason": "x", "settlementWindows": [{"id": 1}], **change}
    status, body = settle(w, "POST", "/settlements", asked)
    assert (status, told(body)) == (400, (code, why))


def test_a_window_that_the_default_model_cannot_use_gives_a_settlement_without_accounts(w: World) -> None:
    paid(w, "10")
    number = close_window(w)
    empty = started(w, number, model="DEFAULTDEFERREDNET")
    assert empty["participants"] == []
    assert started(w, number)["participants"] != []


def test_windows_are_found_by_state_participant_currency_and_time(w: World) -> None:
    paid(w, "10")
    number = close_window(w)
    for query in (
        "state=CLOSED",
        "participantId=2",
        "currency=XXX&state=CLOSED",
        "fromDateTime=2020-01-01T00:00:00.000Z",
    ):
        status, found = settle(w, "GET", f"/settlementWindows?{query}")
        assert (status, number in [each["settlementWindowId"] for each in found]) == (200, True), query
    status, found = settle(w, "GET", "/settlementWindows?participantId=1")
    words = "Generic validation error - settlementWindow by filters: {participantId:1} not found"
    assert (status, told(found)[1]) == (400, words)
    assert told(settle(w, "GET", "/settlementWindows?participantId=x")[1])[0] == "3101"
    assert told(settle(w, "GET", "/settlementWindows?fromDateTime=x")[1])[0] == "3101"
    status, found = settle(w, "POST", f"/settlementWindows/{number}", {"state": "CLOSED", "reason": "again"})
    assert (status, told(found)[1]) == (400, f"Generic validation error - Window {number} is not open")
    assert told(settle(w, "POST", "/settlementWindows/9", {"state": "CLOSED", "reason": "x"})[1])[0] == "3100"
    assert told(settle(w, "POST", "/settlementWindows/2", {"state": "OPEN", "reason": "x"})[1]) == (
        "3101", 'Malformed syntax - "state" must be [CLOSED]',
    )  # fmt: skip


def test_settlements_are_found_by_what_they_are_about(w: World) -> None:
    paid(w, "10")
    number = close_window(w)
    settlement = started(w, number)
    participant, account = account_of(settlement, True)
    for query in (
        "state=PENDING_SETTLEMENT", f"participantId={participant}", f"accountId={account['id']}", "currency=XXX",
        f"settlementWindowId={number}", "toDateTime=2099-01-01T00:00:00.000Z",
    ):  # fmt: skip
        status, found = settle(w, "GET", f"/settlements?{query}")
        assert (status, [each["id"] for each in found]) == (200, [settlement["id"]]), query
    one = settle(w, "GET", f"/settlements?accountId={account['id']}")[1][0]["participants"]
    assert [(each["id"], len(each["accounts"])) for each in one] == [(participant, 1)]
    for query in ("state=SETTLED", "currency=XTS", "settlementWindowId=9", "fromDateTime=2099-01-01T00:00:00.000Z"):
        status, found = settle(w, "GET", f"/settlements?{query}")
        assert (status, told(found)[1]) == (400, "Generic validation error - Settlements not found"), query
    assert told(settle(w, "GET", "/settlements")[1])[1].startswith("Generic validation error - Use at least one")
    assert told(settle(w, "GET", "/settlements?state=DONE")[1])[0] == "3101"
    assert told(settle(w, "GET", "/settlements/9")[1])[1] == "Generic validation error - Settlement not found"


def test_a_part_of_a_settlement_is_shown_and_taken_on(w: World) -> None:
    paid(w, "10")
    settlement = started(w, close_window(w))
    participant, account = account_of(settlement, True)
    base = f"/settlements/{settlement['id']}/participants"
    for path in (f"{base}/{participant}", f"{base}/{participant}/accounts/{account['id']}"):
        shown = settle(w, "GET", path)[1]
        assert [each["id"] for each in shown["participants"]] == [participant]
        assert [each["id"] for each in shown["settlementWindows"]] == [1]
    body = {"accounts": [{"id": account["id"], "state": "PS_TRANSFERS_RECORDED", "reason": "x"}]}
    status, answered = settle(w, "PUT", f"{base}/{participant}", body)
    assert (status, answered["participants"][0]["accounts"][0]["state"]) == (200, "PS_TRANSFERS_RECORDED")
    funds = w.accounts["payer", "SETTLEMENT"]
    for path, why in (
        (f"{base}/1", "Participant not in settlement"),
        (f"{base}/{participant}/accounts/1", "Provided account does not match any participant position account"),
        (f"{base}/{participant}/accounts/{funds}", "Account not in settlement"),
    ):
        assert told(settle(w, "GET", path)[1]) == ("3100", f"Generic validation error - {why}")


def test_every_state_of_the_api_is_on_the_way_of_an_account_or_of_its_settlement() -> None:
    on_the_way = {*ACCOUNT_STEPS, *ACCOUNT_STEPS.values()}
    assert on_the_way == set(SettlementState) - {SettlementState.ABORTED}


def test_a_fee_between_wallets_is_owed_and_settled_by_its_own_model(w: World) -> None:
    assert w.admin("POST", "/settlementModels", {**GROSS, "currency": SECOND}).status_code == 201
    assert w.admin("POST", "/settlementModels", {**FEES, "currency": SECOND}).status_code == 201
    open_currency(w)
    paid_between_wallets(w, "158.36", SECOND)
    paid_between_wallets(w, "100", SECOND, payee="Bank")
    kinds = ("POSITION", "SETTLEMENT", "INTERCHANGE_FEE", "INTERCHANGE_FEE_SETTLEMENT")
    rows = {
        dfsp: {r["ledgerAccountType"]: Decimal(str(r["value"])) for r in w.admin("GET", path).json()}
        for dfsp in ("payer", "payee")
        for path in [f"/participants/{dfsp}/accounts?currency={SECOND}"]
    }
    assert rows == {
        "payer": dict(zip(kinds, (Decimal(0), Decimal("-4741.64"), Decimal("0.95"), Decimal(0)), strict=True)),
        "payee": dict(zip(kinds, (Decimal(0), Decimal("-5258.36"), Decimal("-0.95"), Decimal(0)), strict=True)),
    }
    settlement = started(w, close_window(w), model="InterchangeFee")
    (content,) = settlement["settlementWindows"][0]["content"]
    assert (content["ledgerAccountType"], content["currencyId"]) == ("INTERCHANGE_FEE", SECOND)
    for state in STEPS[1:]:
        step(w, settlement, state)
    row = next(
        r
        for r in w.admin("GET", f"/participants/payer/accounts?currency={SECOND}").json()
        if r["ledgerAccountType"] == "INTERCHANGE_FEE"
    )
    assert row["value"] == 0


def test_amounts_are_numbers_up_to_v16_and_text_since() -> None:
    with world(version="v15.1.0") as w:
        assert w.admin("POST", "/settlementModels", DEFERRED).status_code == 201
        w.version = "1.1"
        paid(w, "10.5")
        settlement = started(w, close_window(w))
        nets = [a["netSettlementAmount"]["amount"] for each in settlement["participants"] for a in each["accounts"]]
        assert nets == [10.5, -10.5]
