"""The fee for a transfer between wallets: who owes it, how much, and when there is none."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.hub.interchange_fees import NoFees, fee_of


def party(fsp: str, kind: str | None = "Wallet") -> dict[str, Any]:
    extensions = {"extensionList": {"extension": [{"key": "accountType", "value": kind}]}} if kind else {}
    return {"partyIdInfo": {"fspId": fsp, **extensions}}


def transaction(**changes: Any) -> dict[str, Any]:
    return {
        "payer": party("payer"), "payee": party("payee"), "amount": {"amount": "1000", "currency": "INR"},
        "transactionType": {"scenario": "TRANSFER", "initiator": "PAYER", "initiatorType": "CONSUMER"}, **changes,
    }  # fmt: skip


@pytest.mark.parametrize(("amount", "units"), [("1000", 60_000), ("15", 900), ("158.36", 9_500), ("0.01", 0)])
def test_the_fee_is_six_in_a_thousand_to_the_cent(amount: str, units: int) -> None:
    assert fee_of(transaction(amount={"amount": amount, "currency": "INR"})) == units


@given(st.decimals(min_value=0, max_value=10**12, places=4, allow_nan=False))
def test_the_fee_is_never_off_by_more_than_half_a_cent(amount: Decimal) -> None:
    units = fee_of(transaction(amount={"amount": str(amount), "currency": "INR"}))
    assert abs(Decimal(units) / 10_000 - amount * Decimal("0.006")) <= Decimal("0.005")


@pytest.mark.parametrize(
    "changes",
    [
        {"payee": party("payer")},
        {"payee": party("payee", "Bank")},
        {"payer": party("payer", None)},
        {"transactionType": {"scenario": "DEPOSIT", "initiator": "PAYER", "initiatorType": "CONSUMER"}},
        {"transactionType": {"scenario": "TRANSFER", "initiator": "PAYEE", "initiatorType": "CONSUMER"}},
        {"transactionType": {"scenario": "TRANSFER", "initiator": "PAYER", "initiatorType": "AGENT"}},
        {"payer": None},
        {"amount": {"amount": "much"}},
        {"transactionType": "TRANSFER"},
    ],
)
def test_there_is_no_fee_otherwise(changes: dict[str, Any]) -> None:
    assert fee_of(transaction(**changes)) == 0


def test_a_hub_without_fees_takes_no_note() -> None:
    NoFees().note({})
    NoFees().charge("T1")
