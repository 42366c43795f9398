"""The ledger: whatever happens in whatever order, the sums hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from harness.errors import InternalError
from harness.fspiop.dates import iso_ms
from harness.fspiop.errors import FspiopError
from harness.fspiop.ids import new_uuid
from harness.fspiop.ilp import condition_of, fulfilment_for
from harness.fspiop.money import format_amount
from harness.hub.defects import Defects
from harness.hub.faults import Fault
from harness.hub.funds import Funds
from harness.hub.ledger import AccountType, Ledger, Limit, to_number, to_units
from harness.hub.messages import Message
from harness.hub.participants import Participants
from harness.hub.transfer_states import TRANSITIONS, Event, State
from harness.hub.transfers import Transfers

DFSPS = ("alpha", "beta", "gamma")
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
FULFILMENT = fulfilment_for("packet", b"secret")
UNITS = st.integers(min_value=1, max_value=30_000_000)


@given(st.decimals(min_value=0, max_value=10**14, places=4, allow_nan=False))
def test_units_and_numbers_are_inverse(amount: Decimal) -> None:
    assert Decimal(to_number(to_units(amount))) == amount


def test_a_fifth_decimal_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 4 decimals"):
        to_units("0.00001")


def test_an_imbalance_is_our_own_fault() -> None:
    ledger = Ledger()
    ledger.open("alpha", "XXX", AccountType.POSITION, active=True).move(1)
    with pytest.raises(InternalError, match="XXX: positions add up to 1, in flight 0"):
        ledger.check_invariants()


def small_world(defects: Defects | None = None) -> tuple[Ledger, Participants, Transfers, Funds]:
    ledger = Ledger(defects)
    participants = Participants(ledger)
    for kind in (AccountType.HUB_MULTILATERAL_SETTLEMENT, AccountType.HUB_RECONCILIATION):
        participants.open_hub_account("XXX", kind)
    for name in DFSPS:
        for account in participants.create(name, "XXX").accounts:
            account.active = True
            if account.type is AccountType.POSITION:
                ledger.set_limit(account, Limit(50_000_000))
    transfers = Transfers(ledger, participants, defects or Defects())
    return ledger, participants, transfers, Funds(ledger, transfers)


def message(source: str, destination: str | None, body: Any) -> Message:
    return Message(source, destination, "transfers", "1.1", {}, b"", body)


class Payments(RuleBasedStateMachine):
    """Random prepares, fulfils, aborts, time and funds movements; the sums hold after every step."""

    @initialize()
    def begin(self) -> None:
        self.ledger, _, self.transfers, self.funds = small_world()
        self.now = EPOCH
        self.sent: list[str] = []
        self.leaving: list[tuple[str, str]] = []
        self.seen: dict[str, list[State]] = {}

    @rule(payer=st.sampled_from(DFSPS), payee=st.sampled_from(DFSPS), units=UNITS, seconds=st.integers(-1, 30))
    def prepare(self, payer: str, payee: str, units: int, seconds: int) -> None:
        transfer_id = new_uuid()
        body = {
            "transferId": transfer_id, "payerFsp": payer, "payeeFsp": payee, "ilpPacket": "packet",
            "amount": {"amount": format_amount(Decimal(units).scaleb(-4)), "currency": "XXX"},
            "condition": condition_of(FULFILMENT), "expiration": iso_ms(self.now + timedelta(seconds=seconds)),
        }  # fmt: skip
        assert self.transfers.prepare(message(payer, payee, body), self.now)
        self.sent.append(transfer_id)

    @rule(data=st.data(), state=st.sampled_from(["COMMITTED", "RESERVED"]), good=st.booleans(), right=st.booleans())
    def fulfil(self, data: st.DataObject, state: str, good: bool, right: bool) -> None:
        if self.sent:
            transfer = self.transfers.find(data.draw(st.sampled_from(self.sent)))
            assert transfer is not None
            body = {"transferState": state, "fulfilment": FULFILMENT if good else "A" * 43}
            source = transfer.payee if right else transfer.payer
            self.transfers.fulfil(transfer.id, message(source, transfer.payer, body), self.now)

    @rule(data=st.data())
    def abort(self, data: st.DataObject) -> None:
        if self.sent:
            transfer = self.transfers.find(data.draw(st.sampled_from(self.sent)))
            assert transfer is not None
            body = {"errorInformation": {"errorCode": "5104", "errorDescription": "no"}}
            self.transfers.reject(transfer.id, message(transfer.payee, transfer.payer, body), self.now)

    @rule(seconds=st.integers(0, 20))
    def pass_time(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.transfers.expire_due(self.now)
        for transfer_id in self.sent:
            transfer = self.transfers.find(transfer_id)
            assert transfer is not None
            assert transfer.expires is not None
            assert transfer.state is not State.RESERVED or transfer.expires > self.now

    @rule(name=st.sampled_from(DFSPS), units=UNITS, out=st.booleans())
    def move_funds(self, name: str, units: int, out: bool) -> None:
        account = self.ledger.account(name, "XXX", AccountType.SETTLEMENT)
        assert account is not None
        transfer_id = new_uuid()
        body = {
            "transferId": transfer_id, "action": "recordFundsOutPrepareReserve" if out else "recordFundsIn",
            "amount": {"amount": format_amount(Decimal(units).scaleb(-4)), "currency": "XXX"},
        }  # fmt: skip
        self.funds.record(account, body, self.now)
        transfer = self.transfers.find(transfer_id)
        if transfer is not None and transfer.state is State.RESERVED:
            self.leaving.append((name, transfer_id))

    @rule(commit=st.booleans())
    def finish_funds(self, commit: bool) -> None:
        if self.leaving:
            name, transfer_id = self.leaving.pop()
            account = self.ledger.account(name, "XXX", AccountType.SETTLEMENT)
            assert account is not None
            body = {"action": "recordFundsOutCommit" if commit else "recordFundsOutAbort"}
            self.funds.finish(account, transfer_id, body, self.now)

    @invariant()
    def sums_hold(self) -> None:
        if hasattr(self, "ledger"):
            self.ledger.check_invariants()
            for name in DFSPS:
                position = self.ledger.account(name, "XXX", AccountType.POSITION)
                settlement = self.ledger.account(name, "XXX", AccountType.SETTLEMENT)
                assert position is not None
                assert settlement is not None
                assert position.value <= 50_000_000
                assert settlement.value <= 0

    @invariant()
    def states_only_go_forward(self) -> None:
        for transfer_id in getattr(self, "sent", ()):
            transfer = self.transfers.find(transfer_id)
            assert transfer is not None
            seen = self.seen.setdefault(transfer_id, [])
            if not seen or seen[-1] is not transfer.state:
                assert transfer.state not in seen
                seen.append(transfer.state)


TestPayments = Payments.TestCase
TestPayments.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


def test_no_transition_leads_back() -> None:
    order = list(State)
    for (before, _event), after in TRANSITIONS.items():
        assert order.index(after) > order.index(before)


def test_a_step_that_the_table_does_not_have_is_our_own_fault() -> None:
    _, _, transfers, funds = small_world()
    del funds
    body = {
        "transferId": new_uuid(), "payerFsp": "alpha", "payeeFsp": "beta", "ilpPacket": "packet",
        "amount": {"amount": "1", "currency": "XXX"}, "condition": condition_of(FULFILMENT),
        "expiration": iso_ms(EPOCH + timedelta(seconds=9)),
    }  # fmt: skip
    transfers.prepare(message("alpha", "beta", body), EPOCH)
    transfer = transfers.find(str(body["transferId"]))
    assert transfer is not None
    assert transfer.state is State.ABORTED_REJECTED
    with pytest.raises(InternalError, match="commit in state ABORTED_REJECTED"):
        transfer.step(Event.COMMIT)


def test_a_reserve_may_reach_the_cap_and_the_cover_but_not_pass_them() -> None:
    ledger = Ledger()
    position = ledger.open("alpha", "XXX", AccountType.POSITION, active=True)
    settlement = ledger.open("alpha", "XXX", AccountType.SETTLEMENT, active=True)
    hub = ledger.open("Hub", "XXX", AccountType.HUB_RECONCILIATION, active=True)
    ledger.funds_in(settlement, hub, 100)
    ledger.set_limit(position, Limit(80))
    with pytest.raises(Fault) as limit:
        ledger.reserve(position, 81)
    assert limit.value.error is FspiopError.PAYER_LIMIT
    ledger.reserve(position, 80)
    ledger.set_limit(position, Limit(1000))
    with pytest.raises(Fault) as cover:
        ledger.reserve(position, 21)
    assert cover.value.error is FspiopError.PAYER_FSP_INSUFFICIENT_LIQUIDITY
    ledger.reserve(position, 20)
    ledger.reserve(position, 900, liquidity_checked=False)
    ledger.check_invariants()
