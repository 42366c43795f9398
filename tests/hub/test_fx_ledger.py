"""Conversions and transfers that hang on them: whatever happens in whatever order, the sums hold in each currency."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from harness.errors import InternalError
from harness.fspiop.dates import iso_ms
from harness.fspiop.ids import new_uuid
from harness.fspiop.ilp import condition_of, fulfilment_for
from harness.fspiop.money import format_amount
from harness.hub.defects import Defects
from harness.hub.fx_states import FX_TRANSITIONS, OPEN, FxEvent, FxState, FxTransfer
from harness.hub.fx_transfers import FxTransfers
from harness.hub.ledger import AccountType, Ledger, Limit
from harness.hub.messages import Message
from harness.hub.participants import Participants
from harness.hub.settlement import Windows
from harness.hub.transfer_states import State
from harness.hub.transfers import Transfers

CURRENCIES = ("XXX", "XTS")
DFSPS = ("payer", "payee", "fxp", "fxp2")
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
FULFILMENT = fulfilment_for("packet", b"secret")
CAP = 50_000_000
UNITS = st.integers(min_value=1, max_value=20_000_000)
MOSTLY = st.sampled_from((True, True, True, False))


def small_world() -> tuple[Ledger, Transfers, FxTransfers]:
    """Everybody deals in both currencies."""
    ledger, defects, windows = Ledger(), Defects(), Windows()
    participants = Participants(ledger)
    for currency in CURRENCIES:
        for kind in (AccountType.HUB_MULTILATERAL_SETTLEMENT, AccountType.HUB_RECONCILIATION):
            participants.open_hub_account(currency, kind)
        hub = ledger.account("Hub", currency, AccountType.HUB_RECONCILIATION)
        assert hub is not None
        for name in DFSPS:
            for account in participants.create(name, currency).accounts:
                account.active = True
                if account.currency == currency and account.type is AccountType.POSITION:
                    ledger.set_limit(account, Limit(CAP))
                elif account.currency == currency:
                    ledger.funds_in(account, hub, CAP)
    transfers = Transfers(ledger, participants, defects, windows)
    conversions = FxTransfers(ledger, participants, defects, windows, transfers)
    transfers.conversions = conversions
    return ledger, transfers, conversions


def message(source: str, destination: str, body: Any, resource: str = "fxTransfers") -> Message:
    return Message(source, destination, resource, "2.0", {}, b"", body)


def money(currency: str, units: int) -> dict[str, str]:
    return {"currency": currency, "amount": format_amount(Decimal(units).scaleb(-4))}


class Conversions(RuleBasedStateMachine):
    """Random conversions on either side of random transfers, answered well or badly, in any order, in time or not."""

    @initialize()
    def begin(self) -> None:
        self.ledger, self.transfers, self.conversions = small_world()
        self.now = EPOCH
        self.wanted: list[str] = []
        """Transfers that a conversion was asked for, or that were sent."""
        self.sent: list[str] = []
        self.seen: dict[str, list[str]] = {}

    def expiration(self, seconds: int) -> str:
        return iso_ms(self.now + timedelta(seconds=seconds))

    @rule(
        data=st.data(), fxp=st.sampled_from(("fxp", "fxp2")), source=UNITS, into=UNITS, seconds=st.integers(0, 30),
        asker=st.sampled_from(("payer", "payee")),
    )  # fmt: skip
    def convert(self, data: st.DataObject, fxp: str, source: int, into: int, seconds: int, asker: str) -> None:
        transfer_id = data.draw(st.sampled_from([*self.wanted[-5:], "new"]))
        transfer_id = new_uuid() if transfer_id == "new" else transfer_id
        self.wanted.append(transfer_id)
        self.convert_for(transfer_id, asker, fxp, source, into, seconds)

    def convert_for(self, transfer_id: str, asker: str, fxp: str, source: int, into: int, seconds: int) -> None:
        body = {
            "commitRequestId": new_uuid(), "determiningTransferId": transfer_id, "initiatingFsp": asker,
            "counterPartyFsp": fxp, "sourceAmount": money("XXX", source), "targetAmount": money("XTS", into),
            "condition": condition_of(FULFILMENT), "expiration": self.expiration(seconds),
        }  # fmt: skip
        assert self.conversions.prepare(message(asker, fxp, body), self.now)
        self.sent.append(body["commitRequestId"])

    @rule(fxp=st.sampled_from(("fxp", "fxp2")), source=UNITS, into=UNITS, good=MOSTLY, seconds=st.integers(5, 30))
    def pay_through(self, fxp: str, source: int, into: int, good: bool, seconds: int) -> None:
        """A payer's conversion, the FXP's answer, and the transfer it is for."""
        transfer_id = new_uuid()
        self.wanted.append(transfer_id)
        self.convert_for(transfer_id, "payer", fxp, source, into, seconds)
        self.answer(self.conversion(self.sent[-1]), good)
        self.prepare(transfer_id, "XTS", into, 30)

    @rule(data=st.data(), units=UNITS, currency=st.sampled_from(CURRENCIES), seconds=st.integers(0, 30))
    def transfer(self, data: st.DataObject, units: int, currency: str, seconds: int) -> None:
        transfer_id = data.draw(st.sampled_from([*self.wanted[-5:], "new"]))
        transfer_id = new_uuid() if transfer_id == "new" else transfer_id
        self.wanted.append(transfer_id)
        self.prepare(transfer_id, currency, units, seconds)

    def prepare(self, transfer_id: str, currency: str, units: int, seconds: int) -> None:
        body = {
            "transferId": transfer_id, "payerFsp": "payer", "payeeFsp": "payee", "ilpPacket": "packet",
            "amount": money(currency, units), "condition": condition_of(FULFILMENT),
            "expiration": self.expiration(seconds),
        }  # fmt: skip
        self.transfers.prepare(message("payer", "payee", body, "transfers"), self.now)

    @rule(data=st.data(), good=MOSTLY)
    def fulfil_conversion(self, data: st.DataObject, good: bool) -> None:
        if self.sent:
            self.answer(self.conversion(data.draw(st.sampled_from(self.sent[-4:]))), good)

    def answer(self, fx: FxTransfer, good: bool) -> None:
        body = {"conversionState": "RESERVED", "fulfilment": FULFILMENT if good else "A" * 43}
        self.conversions.fulfil(fx.id, message(fx.counterparty, fx.initiating, body), self.now)

    @rule(data=st.data())
    def refuse_conversion(self, data: st.DataObject) -> None:
        if self.sent:
            fx = self.conversion(data.draw(st.sampled_from(self.sent[-4:])))
            body = {"errorInformation": {"errorCode": "2000", "errorDescription": "no"}}
            self.conversions.reject(fx.id, message(fx.counterparty, fx.initiating, body), self.now)

    @rule(data=st.data(), good=MOSTLY)
    def fulfil_transfer(self, data: st.DataObject, good: bool) -> None:
        if self.wanted:
            body = {"transferState": "COMMITTED", "fulfilment": FULFILMENT if good else "A" * 43}
            said = message("payee", "payer", body, "transfers")
            self.transfers.fulfil(data.draw(st.sampled_from(self.wanted[-4:])), said, self.now)

    @rule(data=st.data())
    def refuse_transfer(self, data: st.DataObject) -> None:
        if self.wanted:
            body = {"errorInformation": {"errorCode": "5104", "errorDescription": "no"}}
            said = message("payee", "payer", body, "transfers")
            self.transfers.reject(data.draw(st.sampled_from(self.wanted[-4:])), said, self.now)

    @rule(seconds=st.integers(0, 8))
    def pass_time(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.transfers.expire_due(self.now)
        self.conversions.expire_due(self.now)
        for ident in self.sent:
            fx = self.conversion(ident)
            assert fx.expires is not None
            assert fx.state not in OPEN or fx.expires > self.now

    def conversion(self, ident: str) -> FxTransfer:
        found = self.conversions.find(ident)
        assert found is not None
        return found

    @invariant()
    def sums_hold(self) -> None:
        if hasattr(self, "ledger"):
            self.ledger.check_invariants()

    @invariant()
    def nobody_owes_more_than_the_cap(self) -> None:
        for name in DFSPS if hasattr(self, "ledger") else ():
            for currency in CURRENCIES:
                position = self.ledger.account(name, currency, AccountType.POSITION)
                assert position is not None
                assert position.value <= CAP

    @invariant()
    def states_only_go_forward(self) -> None:
        for ident in getattr(self, "sent", ()):
            state, seen = str(self.conversion(ident).state), self.seen.setdefault(ident, [])
            if not seen or seen[-1] != state:
                assert state not in seen
                seen.append(state)

    @invariant()
    def a_conversion_commits_only_with_its_transfer(self) -> None:
        for ident in getattr(self, "sent", ()):
            fx = self.conversion(ident)
            if fx.state is FxState.COMMITTED:
                transfer = self.transfers.find(fx.determining or "")
                assert transfer is not None
                assert transfer.state is State.COMMITTED


TestConversions = Conversions.TestCase
TestConversions.settings = settings(max_examples=40, stateful_step_count=50, deadline=None)


def test_no_transition_leads_back() -> None:
    order = list(FxState)
    for (before, _event), after in FX_TRANSITIONS.items():
        assert order.index(after) > order.index(before)


def test_a_step_that_the_table_does_not_have_is_our_own_fault() -> None:
    _, _, conversions = small_world()
    body = {
        "commitRequestId": new_uuid(), "initiatingFsp": "payer", "counterPartyFsp": "fxp",
        "sourceAmount": money("XXX", 1), "targetAmount": money("XTS", 1), "condition": condition_of(FULFILMENT),
        "expiration": iso_ms(EPOCH + timedelta(seconds=9)),
    }  # fmt: skip
    conversions.prepare(message("payer", "fxp", body), EPOCH)
    fx = conversions.find(body["commitRequestId"])
    assert fx is not None
    assert fx.state is FxState.RESERVED
    with pytest.raises(InternalError, match="commit in state RESERVED"):
        fx.step(FxEvent.COMMIT, EPOCH)
