"""What participants owe and hold is read before and after, and every difference is told."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from harness.errors import HarnessError
from harness.nightly.funds import after, balances, differences
from harness.target.model import ExpectedParticipant, Target

TARGET = Target(
    name="t", kind="environment", services={"central-ledger": "http://ledger"},
    participants=(ExpectedParticipant("payer", "USD"),),
)  # fmt: skip


def ledger(*positions: str, status: int = 200) -> httpx.MockTransport:
    left = list(positions)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/participants":
            return httpx.Response(200, json=[{"name": "Hub"}, {"name": "payer"}])
        value = left.pop(0) if len(left) > 1 else left[0]
        rows: list[dict[str, Any]] = [
            {"ledgerAccountType": "POSITION", "currency": "USD", "value": value, "reservedValue": 0},
            {"ledgerAccountType": "SETTLEMENT", "currency": "USD", "value": "-5000"},
        ]
        return httpx.Response(status, json=rows)

    return httpx.MockTransport(answer)


def test_balances_are_read_of_those_listed_or_of_all_but_the_hub() -> None:
    expected = {"payer POSITION USD": "10", "payer POSITION USD reserved": "0", "payer SETTLEMENT USD": "-5000"}
    assert balances(TARGET, transport=ledger("10")) == expected
    everybody = Target(name="t", kind="environment", services=TARGET.services)
    assert balances(everybody, transport=ledger("10")) == expected


def test_what_is_in_flight_may_still_come_back() -> None:
    before, slept = {"payer POSITION USD": "0"}, list[float]()
    late = ledger("30", "30", "0")
    assert after(TARGET, before, patience_s=60, sleep=slept.append, transport=late) == []
    assert len(slept) == 2


def test_what_does_not_come_back_is_told_after_a_bounded_time() -> None:
    now = iter(range(100))
    found = after(
        TARGET, {"payer POSITION USD": "0"}, patience_s=5, sleep=lambda _: None, clock=lambda: float(next(now)),
        transport=ledger("30"),
    )  # fmt: skip
    assert found == ["payer POSITION USD: 0 before, 30 after"]


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        ({"a": "10"}, {"a": "10.00"}, []),
        ({"a": "10"}, {"a": "10", "b": "5"}, []),
        ({"a": "10"}, {}, ["a: 10 before, no such account after"]),
        ({"a": "10"}, {"a": "10.0001"}, ["a: 10 before, 10.0001 after"]),
        ({"a": "None"}, {"a": "None"}, []),
    ],
)
def test_differences(before: dict[str, str], now: dict[str, str], found: list[str]) -> None:
    assert differences(before, now) == found


def test_a_ledger_that_does_not_say_is_an_error_not_an_empty_answer() -> None:
    with pytest.raises(HarnessError, match="HTTP 500"):
        balances(TARGET, transport=ledger("0", status=500))
