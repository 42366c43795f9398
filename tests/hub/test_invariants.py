"""The hub's laws: what breaks one is told with its history, once, and nothing is told of a sound hub."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from harness.errors import InternalError
from harness.fspiop.dates import iso_ms
from harness.hub.core import Core
from harness.hub.defects import Defects
from harness.hub.funds import Funds
from harness.hub.invariants import Invariants, watching
from harness.hub.ledger import Account, AccountType, Ledger, Limit
from harness.hub.messages import Message
from harness.hub.participants import Participants
from harness.hub.process import HubProcess
from harness.hub.settlement import Models, Windows, WindowState
from harness.hub.settlements import Settlements, SettlementState
from harness.hub.transfer_states import State, Transfer
from harness.hub.transfers import Transfers
from tests.hub.settling import DEFERRED, close_window, paid, settle, started, step
from tests.hub.world import World, in_seconds, release, until, world

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Hub:
    """A hub without services: payer and payee, and what watches them."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        participants = Participants(self.ledger)
        for kind in (AccountType.HUB_MULTILATERAL_SETTLEMENT, AccountType.HUB_RECONCILIATION):
            participants.open_hub_account("XXX", kind)
        for name in ("payer", "payee"):
            for account in participants.create(name, "XXX").accounts:
                account.active = True
        models = Models()
        models.add(DEFERRED)
        self.windows = Windows(self.ledger, models)
        self.settlements = Settlements(self.ledger, participants, self.windows, models)
        self.transfers = Transfers(self.ledger, participants, Defects(), self.windows)
        self.transfers.unchecked_liquidity.add("XXX")
        self.laws = watching(self.ledger, self.transfers, self.windows, self.settlements)
        self.payer, self.payee = self.account("payer"), self.account("payee")
        self.ledger.set_limit(self.payer, Limit(1000))

    def account(self, name: str, kind: AccountType = AccountType.POSITION) -> Account:
        found = self.ledger.account(name, "XXX", kind)
        assert found is not None
        return found

    def reserved(self, name: str = "T1") -> Transfer:
        """A transfer of 100 that waits for its payee, for 30 seconds from ``NOW`` on."""
        body = {
            "transferId": name, "payerFsp": "payer", "payeeFsp": "payee", "ilpPacket": "packet", "condition": "c",
            "amount": {"amount": "0.01", "currency": "XXX"}, "expiration": iso_ms(NOW + timedelta(seconds=30)),
        }  # fmt: skip
        self.transfers.prepare(Message("payer", "payee", "transfers", "1.1", {}, b"", body), NOW)
        found = self.transfers.find(name)
        assert found is not None
        assert found.state is State.RESERVED
        return found


@pytest.fixture
def hub() -> Hub:
    return Hub()


def test_nothing_is_told_of_a_hub_that_keeps_its_laws(hub: Hub) -> None:
    hub.reserved()
    for second in (0, 10, 29):
        assert hub.laws.check(NOW + timedelta(seconds=second)) == []
    assert (hub.laws.violations, hub.laws.checks) == ([], 3)


def test_a_sum_that_does_not_balance_is_told_with_what_changed_before(hub: Hub) -> None:
    hub.reserved("old")
    hub.laws.check(NOW)
    new = hub.reserved("new")
    hub.payer.move(-1)
    (violation,) = hub.laws.check(NOW)
    assert (violation.rule, violation.subject) == ("sums", "XXX positions")
    assert violation.detail == "positions add up to 199, in flight 200"
    assert violation.histories == {"transfer new": tuple(new.history)}
    assert [state for state, _ in new.history] == ["RECEIVED_PREPARE", "RESERVED"]
    assert hub.laws.check(NOW) == []  # told once


def test_money_that_leaves_no_trace_in_the_hubs_account_is_told(hub: Hub) -> None:
    hub.account("payee", AccountType.SETTLEMENT).move(-5)
    (violation,) = hub.laws.check(NOW)
    assert (violation.subject, violation.detail) == ("XXX settlement", "settlement accounts are off by -5")


def test_a_transfer_that_outlives_its_expiration_is_told_when_the_hub_has_had_its_turn(hub: Hub) -> None:
    transfer = hub.reserved()
    late = NOW + timedelta(seconds=31)
    assert hub.laws.check(late, timedelta(seconds=2)) == []
    assert hub.laws.check(late) == []  # its turn to look for expired transfers comes first
    (violation,) = hub.laws.check(late)
    assert (violation.rule, violation.subject) == ("expiry", "transfer T1")
    assert violation.detail == "RESERVED since it should have ended at 2026-01-01T00:00:30.000Z"
    assert violation.histories == {"transfer T1": tuple(transfer.history)}
    assert violation.to_json()["histories"]["transfer T1"][1] == {
        "state": "RESERVED", "since": "2026-01-01T00:00:00.000Z",
    }  # fmt: skip


def test_a_transfer_that_ends_meanwhile_is_not_told(hub: Hub) -> None:
    hub.reserved()
    late = NOW + timedelta(seconds=31)
    hub.laws.check(late)
    hub.transfers.expire_due(late)
    assert hub.laws.check(late) == []
    assert hub.laws.check(late) == []


def test_a_state_that_goes_back_is_told(hub: Hub) -> None:
    transfer = hub.reserved()
    hub.transfers.expire_due(NOW + timedelta(seconds=31))
    hub.laws.check(NOW)
    transfer.state = State.RESERVED
    (violation,) = hub.laws.check(NOW)
    assert (violation.rule, violation.detail) == ("states", "it is RESERVED without having taken that step")


def test_a_history_that_does_not_lead_there_is_told(hub: Hub) -> None:
    transfer = hub.reserved()
    hub.transfers.expire_due(NOW + timedelta(seconds=31))
    transfer.state = State.COMMITTED
    transfer.history.append((State.COMMITTED, NOW))
    (violation,) = hub.laws.check(NOW)
    assert violation.detail == "from EXPIRED_RESERVED to COMMITTED"


def test_a_history_that_was_written_again_is_told(hub: Hub) -> None:
    transfer = hub.reserved()
    hub.laws.check(NOW)
    transfer.state = State.RECEIVED_PREPARE
    del transfer.history[1]
    (violation,) = hub.laws.check(NOW)
    assert violation.detail == "it was RESERVED and is RECEIVED_PREPARE, and its history has changed"


@pytest.mark.parametrize("kind", ["window", "settlement"])
def test_windows_and_settlements_are_watched_too(hub: Hub, kind: str) -> None:
    hub.windows.record(hub.payer, hub.payee, 100)
    window = hub.windows.open
    hub.windows.process(window, "test")
    hub.windows.close(window)
    settlement = hub.settlements.create("DEFERREDNETXXX", "test", [window.id])
    assert hub.laws.check(NOW) == []
    if kind == "window":
        window.state = WindowState.CLOSED
    else:
        settlement.state = SettlementState.SETTLED
    (violation,) = hub.laws.check(NOW)
    assert (violation.rule, violation.subject) == ("states", f"{kind} 1")


def test_a_step_that_no_table_has_is_our_own_fault(hub: Hub) -> None:
    with pytest.raises(InternalError, match="window 1: SETTLED in state OPEN"):
        hub.windows.open.step(WindowState.SETTLED)


@pytest.fixture(scope="module")
def w() -> Iterator[World]:
    with world(check_invariants=True) as one:
        yield one


def told(w: World) -> dict[str, object]:
    found: dict[str, object] = w.admin("GET", "/harness/invariants").json()
    return found


def laws_of(w: World) -> tuple[Core, Invariants]:
    assert w.core is not None
    assert w.core.invariants is not None
    return w.core, w.core.invariants


def test_a_hub_that_pays_expires_and_settles_keeps_its_laws(w: World) -> None:
    w.admin("POST", "/settlementModels", DEFERRED)
    paid(w, "10")
    w.abort(w.reserve())
    expired = w.reserve(expiration=in_seconds(0.3))
    w.error("payer", f"/transfers/{expired['transferId']}")
    w.funds("payer", "recordFundsOutPrepareReserve", "1")
    settlement = started(w, close_window(w))
    for state in ("PS_TRANSFERS_RECORDED", "PS_TRANSFERS_RESERVED", "PS_TRANSFERS_COMMITTED", "SETTLED"):
        step(w, settlement, state)
    assert settle(w, "GET", f"/settlements/{settlement['id']}")[1]["state"] == "SETTLED"
    _, laws = laws_of(w)
    before = laws.checks
    until(lambda: laws.checks > before)
    said = told(w)
    assert (said["checking"], said["violations"]) == (True, [])


def test_a_hub_tells_what_it_broke(w: World) -> None:
    core, _ = laws_of(w)
    account = core.ledger.account("payer", "XXX", AccountType.POSITION)
    assert account is not None
    account.move(1)
    violations = told(w)["violations"]
    account.move(-1)
    assert isinstance(violations, list)
    assert [each["subject"] for each in violations] == ["XXX positions"]


def test_a_defect_of_the_books_is_found_by_the_laws() -> None:
    with world("position-kept-on-abort", check_invariants=True) as w:
        body = w.reserve()
        w.abort(body)
        until(lambda: bool(told(w)["violations"]))
        violations = told(w)["violations"]
        assert isinstance(violations, list)
        (violation,) = violations
        assert violation["rule"] == "sums"


def test_a_hub_that_does_not_check_says_so() -> None:
    with world(onboarded=False) as w:
        assert told(w) == {"pid": os.getpid(), "checking": False, "checks": 0, "violations": []}


def test_the_starter_of_a_hub_hears_of_violations() -> None:
    with HubProcess.start(release(), check_invariants=True) as hub:
        assert hub.violations() == []
    with pytest.raises(InternalError, match="does not say"):
        hub.violations(timeout_s=1)
    with HubProcess.start(release()) as hub, pytest.raises(InternalError, match="without checking"):
        hub.violations()


def test_funds_leave_and_come_within_the_law(hub: Hub) -> None:
    funds = Funds(hub.ledger, hub.transfers)
    account = hub.account("payer", AccountType.SETTLEMENT)
    amount = {"amount": "5", "currency": "XXX"}
    first, second = "b51ec534-ee48-4575-b6a9-ead2955b8069", "b51ec534-ee48-4575-b6a9-ead2955b806a"
    funds.record(account, {"action": "recordFundsIn", "transferId": first, "amount": amount}, NOW)
    funds.record(account, {"action": "recordFundsOutPrepareReserve", "transferId": second, "amount": amount}, NOW)
    assert hub.laws.check(NOW) == []
    funds.finish(account, second, {"action": "recordFundsOutCommit"}, NOW)
    assert hub.laws.check(NOW) == []
