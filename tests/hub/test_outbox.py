"""The outbox: in order per resource and participant, side by side otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from harness.hub.ledger import AccountType, Ledger
from harness.hub.messages import Outgoing
from harness.hub.outbox import Outbox
from harness.hub.participants import Callback, Participants
from tests.hub.world import Receiver, until

PATH = Callback(("TYPE",), "/things/{{id}}")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.close()


def participants(receiver: Receiver) -> Participants:
    registry = Participants(Ledger())
    for kind in (AccountType.HUB_MULTILATERAL_SETTLEMENT, AccountType.HUB_RECONCILIATION):
        registry.open_hub_account("XXX", kind)
    for name in ("alpha", "beta"):
        registry.create(name, "XXX").endpoints["TYPE"] = f"{receiver.url}/{name}/things/{{{{id}}}}"
    return registry


def send(receiver: Receiver, calls: list[Outgoing], done: Callable[[], bool]) -> list[tuple[Outgoing, str]]:
    """Sends ``calls`` and returns those that failed, with the reason."""
    failed: list[tuple[Outgoing, str]] = []

    async def run() -> None:
        outbox = Outbox(participants(receiver), timeout_s=2)
        for call in calls:
            outbox.send(call, lambda call, problem: failed.append((call, problem)))
        await asyncio.to_thread(until, lambda: done() or len(failed) == len(calls))
        await outbox.close()

    asyncio.run(run())
    return failed


def call(to: str, number: int, order: str) -> Outgoing:
    return Outgoing(to, "PUT", PATH, {"id": str(number)}, {"x-order": order}, b"{}", order)


def test_calls_about_one_resource_keep_their_order(receiver: Receiver) -> None:
    orders = ("one", "two", "three")
    calls = [call("alpha", number, orders[number % 3]) for number in range(90)]
    assert send(receiver, calls, lambda: len(receiver.of("alpha")) == 90) == []
    for order in orders:
        came = [int(c.path.rpartition("/")[2]) for c in receiver.of("alpha") if c.headers["x-order"] == order]
        assert came == sorted(came)
        assert len(came) == 30


def test_a_call_that_is_refused_or_has_no_address_is_reported(receiver: Receiver) -> None:
    receiver.refusing.add("beta")
    failed = send(receiver, [call("beta", 1, "one"), call("nobody", 2, "two")], lambda: False)
    assert sorted((one.to, problem) for one, problem in failed) == [("beta", "503"), ("nobody", "no endpoint")]


def test_a_call_carries_no_headers_but_its_own(receiver: Receiver) -> None:
    send(receiver, [call("alpha", 1, "one")], lambda: bool(receiver.of("alpha")))
    assert set(receiver.of("alpha")[0].headers) == {"host", "connection", "content-length", "x-order"}
