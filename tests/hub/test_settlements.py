"""Settling in whatever order: sums hold, nets add up to zero, states never go back, money is settled once."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
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
from harness.hub.invariants import watching
from harness.hub.ledger import Account, AccountType, Ledger, Limit
from harness.hub.messages import Message
from harness.hub.participants import Participants
from harness.hub.settlement import Models, Windows, WindowState
from harness.hub.settlements import TRANSITIONS, Asked, Settlement, Settlements, SettlementState
from harness.hub.transfer_states import State
from harness.hub.transfers import Transfers
from tests.hub.settling import DEFAULT, DEFERRED, GROSS

DFSPS = ("alpha", "beta", "gamma")
OWN, BY_DEFAULT, AT_ONCE = "XXX", "XTS", "XDR"
"""Currencies with a net model of their own, without one, and with a gross model."""
CURRENCIES = (OWN, BY_DEFAULT, AT_ONCE)
CAP = 50_000_000
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
FULFILMENT = fulfilment_for("packet", b"secret")
UNITS = st.integers(min_value=1, max_value=30_000_000)
STATES = tuple(state for state in SettlementState if state not in (SettlementState.SETTLING, SettlementState.ABORTED))


class Books:
    """The in-memory hub: three DFSPs in three currencies, a model for each way of settling."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.participants = Participants(self.ledger)
        for currency in CURRENCIES:
            for kind in (AccountType.HUB_MULTILATERAL_SETTLEMENT, AccountType.HUB_RECONCILIATION):
                self.participants.open_hub_account(currency, kind)
        for name in DFSPS:
            for currency in CURRENCIES:
                self.participants.create(name, currency)
                for kind in (AccountType.POSITION, AccountType.SETTLEMENT):
                    self.account(name, currency, kind).active = True
                self.ledger.set_limit(self.account(name, currency), Limit(CAP))
        self.models = Models()
        for model in (DEFERRED, DEFAULT, {**GROSS, "currency": AT_ONCE}):
            self.models.add(model)
        self.windows = Windows(self.ledger, self.models)
        self.settlements = Settlements(self.ledger, self.participants, self.windows, self.models)
        self.transfers = Transfers(self.ledger, self.participants, Defects(), self.windows)
        self.funds = Funds(self.ledger, self.transfers)
        self.laws = watching(self.ledger, self.transfers, self.windows, self.settlements)

    def account(self, name: str, currency: str, kind: AccountType = AccountType.POSITION) -> Account:
        found = self.ledger.account(name, currency, kind)
        assert found is not None
        return found

    def pay(self, payer: str, payee: str, currency: str, units: int) -> None:
        """A committed transfer, whatever the payer has."""
        accounts = self.account(payer, currency), self.account(payee, currency)
        self.ledger.set_limit(accounts[0], Limit(10**18))
        self.ledger.reserve(accounts[0], units, liquidity_checked=False)
        self.ledger.commit(*accounts, units)
        self.windows.record(*accounts, units)

    def close(self) -> int:
        """Closes the open window."""
        window = self.windows.open
        self.windows.process(window, "test")
        self.windows.close(window)
        return window.id

    def advance(self, settlement: Settlement, state: SettlementState, *accounts: int) -> list[FspiopError | None]:
        """Asks for a state of accounts (default: all). Returns what each was refused with."""
        asked = [
            Asked(self.participants.number_of(each.account.owner), number, state, "test")
            for number, each in settlement.obligations.items()
            if number in (accounts or settlement.obligations)
        ]
        told = self.settlements.advance(settlement, asked)
        return [each.fault.error if each.fault is not None else None for each in told]


def message(source: str, destination: str | None, body: Any) -> Message:
    return Message(source, destination, "transfers", "1.1", {}, b"", body)


def amount(units: int, currency: str) -> dict[str, str]:
    return {"amount": format_amount(Decimal(units).scaleb(-4)), "currency": currency}


class Settling(RuleBasedStateMachine):
    """Random transfers, time, funds, windows and settlements, one after the other."""

    @initialize()
    def begin(self) -> None:
        self.books = Books()
        self.now = EPOCH
        self.waiting: list[str] = []
        self.leaving: list[tuple[Account, str]] = []
        self.seen: dict[int, list[SettlementState]] = defaultdict(list)
        for name in DFSPS:
            for currency in CURRENCIES:
                self.move_funds(name, currency, CAP, False)

    # Transfers

    @rule(pair=st.permutations(DFSPS), currency=st.sampled_from(CURRENCIES), units=UNITS)
    def pay(self, pair: list[str], currency: str, units: int) -> None:
        """A transfer that its payee fulfils at once."""
        self.prepare(pair, currency, units, 30)
        transfer = self.books.transfers.find(self.waiting.pop())
        assert transfer is not None
        body = {"transferState": "COMMITTED", "fulfilment": FULFILMENT}
        self.books.transfers.fulfil(transfer.id, message(transfer.payee, transfer.payer, body), self.now)

    @rule(pair=st.permutations(DFSPS), currency=st.sampled_from(CURRENCIES), units=UNITS, seconds=st.integers(-1, 30))
    def prepare(self, pair: list[str], currency: str, units: int, seconds: int) -> None:
        body = {
            "transferId": new_uuid(), "payerFsp": pair[0], "payeeFsp": pair[1], "ilpPacket": "packet",
            "amount": amount(units, currency), "condition": condition_of(FULFILMENT),
            "expiration": iso_ms(self.now + timedelta(seconds=seconds)),
        }  # fmt: skip
        self.books.transfers.prepare(message(pair[0], pair[1], body), self.now)
        self.waiting.append(str(body["transferId"]))

    @rule(data=st.data(), end=st.sampled_from(["fulfil", "fulfil", "fulfil", "wrong", "abort"]))
    def finish(self, data: st.DataObject, end: str) -> None:
        if not self.waiting:
            return
        transfer = self.books.transfers.find(data.draw(st.sampled_from(self.waiting)))
        assert transfer is not None
        if end == "abort":
            body: dict[str, Any] = {"errorInformation": {"errorCode": "5104", "errorDescription": "no"}}
            self.books.transfers.reject(transfer.id, message(transfer.payee, transfer.payer, body), self.now)
        else:
            body = {"transferState": "COMMITTED", "fulfilment": FULFILMENT if end == "fulfil" else "A" * 43}
            self.books.transfers.fulfil(transfer.id, message(transfer.payee, transfer.payer, body), self.now)
        if transfer.state is not State.RESERVED:
            self.waiting.remove(transfer.id)

    @rule(seconds=st.integers(0, 20))
    def pass_time(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.books.transfers.expire_due(self.now)

    # Funds

    @rule(name=st.sampled_from(DFSPS), currency=st.sampled_from(CURRENCIES), units=UNITS, out=st.booleans())
    def move_funds(self, name: str, currency: str, units: int, out: bool) -> None:
        account = self.books.account(name, currency, AccountType.SETTLEMENT)
        body = {
            "transferId": new_uuid(), "action": "recordFundsOutPrepareReserve" if out else "recordFundsIn",
            "amount": amount(units, currency),
        }  # fmt: skip
        self.books.funds.record(account, body, self.now)
        transfer = self.books.transfers.find(str(body["transferId"]))
        if transfer is not None and transfer.state is State.RESERVED:
            self.leaving.append((account, transfer.id))

    @rule(commit=st.booleans())
    def finish_funds(self, commit: bool) -> None:
        if self.leaving:
            account, transfer_id = self.leaving.pop()
            action = "recordFundsOutCommit" if commit else "recordFundsOutAbort"
            self.books.funds.finish(account, transfer_id, {"action": action}, self.now)

    # Windows and settlements

    @rule(at_once=st.booleans())
    def close_window(self, at_once: bool) -> None:
        window = self.books.windows.open
        if window.empty:
            with pytest.raises(Fault, match="is empty"):
                self.books.windows.process(window, "test")
            return
        self.books.windows.process(window, "test")
        if at_once:
            self.books.windows.close(window)

    @rule()
    def finish_closing(self) -> None:
        for window in self.books.windows.all():
            self.books.windows.close(window)

    @rule(data=st.data(), model=st.sampled_from(["DEFERREDNETXXX", "DEFAULTDEFERREDNET", "CGS"]))
    def settle(self, data: st.DataObject, model: str) -> None:
        ids = [window.id for window in self.books.windows.all() if window.state is not WindowState.OPEN]
        if ids:
            chosen = data.draw(st.lists(st.sampled_from(ids), min_size=1, max_size=2, unique=True))
            with contextlib.suppress(Fault):
                self.books.settlements.create(model, "test", chosen)

    @rule(model=st.sampled_from(["DEFERREDNETXXX", "DEFAULTDEFERREDNET"]))
    def settle_the_latest(self, model: str) -> None:
        """Closes the open window, where it holds something, and settles it."""
        if not self.books.windows.open.empty:
            number = self.books.close()
            with contextlib.suppress(Fault):
                self.books.settlements.create(model, "test", [number])

    @rule(data=st.data(), state=st.sampled_from(STATES))
    def advance_some(self, data: st.DataObject, state: SettlementState) -> None:
        settlement = self._any(data)
        if settlement is not None and settlement.obligations:
            some = data.draw(st.sets(st.sampled_from(sorted(settlement.obligations)), min_size=1))
            self.books.advance(settlement, state, *some)

    @rule(data=st.data(), times=st.integers(1, 4))
    def advance_all(self, data: st.DataObject, times: int) -> None:
        settlement = self._any(data)
        for _ in range(times if settlement is not None else 0):
            assert settlement is not None
            ways = [state for state in TRANSITIONS[settlement.state] if state in STATES]
            self.books.advance(settlement, ways[0] if ways else SettlementState.SETTLED)

    @rule(data=st.data())
    def abort(self, data: st.DataObject) -> None:
        settlement = self._any(data)
        if settlement is not None:
            committed = not settlement.leaves(SettlementState.PS_TRANSFERS_COMMITTED)
            final = settlement.state in (SettlementState.SETTLING, SettlementState.SETTLED)
            try:
                self.books.settlements.abort(settlement, "test")
            except Fault:
                assert committed or final or settlement.state is SettlementState.PS_TRANSFERS_COMMITTED
            else:
                assert settlement.state is SettlementState.ABORTED

    @rule(data=st.data(), state=st.sampled_from(STATES[:3]))
    def abort_at(self, data: st.DataObject, state: SettlementState) -> None:
        """Takes a settlement to ``state``, where it is not beyond, and gives it up there."""
        settlement = self._any(data)
        if settlement is not None:
            for each in STATES[1 : STATES.index(state) + 1]:
                self.books.advance(settlement, each)
            with contextlib.suppress(Fault):
                self.books.settlements.abort(settlement, "test")

    def _any(self, data: st.DataObject) -> Settlement | None:
        ended = (SettlementState.SETTLED, SettlementState.ABORTED)
        known = self.books.settlements.all()
        known = [each for each in known if each.state not in ended] or known
        return data.draw(st.sampled_from(known)) if known else None

    # The laws

    @invariant()
    def the_hub_keeps_its_laws(self) -> None:
        if hasattr(self, "books"):
            assert self.books.laws.check(self.now, timedelta(seconds=20)) == []

    @invariant()
    def nets_add_up_to_zero_in_each_currency(self) -> None:
        for settlement in self.books.settlements.all() if hasattr(self, "books") else ():
            sums: defaultdict[str, int] = defaultdict(int)
            for obligation in settlement.obligations.values():
                sums[obligation.account.currency] += obligation.units
            assert set(sums.values()) <= {0}
            for number, obligation in settlement.obligations.items():
                assert obligation.units == sum(content.net.get(number, 0) for content in settlement.contents)
            taken = {content.currency for content in settlement.contents}
            assert taken <= ({OWN} if settlement.model.currency else {BY_DEFAULT})

    @invariant()
    def settlements_only_go_forward(self) -> None:
        for settlement in self.books.settlements.all() if hasattr(self, "books") else ():
            seen = self.seen[settlement.id]
            if not seen or seen[-1] is not settlement.state:
                assert settlement.state not in seen
                seen.append(settlement.state)

    @invariant()
    def windows_follow_what_they_hold(self) -> None:
        windows = self.books.windows.all() if hasattr(self, "books") else []
        assert [each for each in windows if each.state is WindowState.OPEN] == windows[-1:]
        for window in windows:
            done = bool(window.contents) and all(each.state is WindowState.SETTLED for each in window.contents)
            assert done == (window.state is WindowState.SETTLED)

    @invariant()
    def what_is_settled_at_once_owes_only_what_is_in_flight(self) -> None:
        if hasattr(self, "books"):
            reserved: defaultdict[str, int] = defaultdict(int)
            for transfer in self.books.transfers.all():
                if transfer.state is State.RESERVED and transfer.expires is not None and transfer.currency == AT_ONCE:
                    reserved[transfer.payer] += transfer.units
            assert {name: self.books.account(name, AT_ONCE).value for name in DFSPS} == {
                name: reserved[name] for name in DFSPS
            }

    @invariant()
    def a_position_is_what_was_committed_less_what_was_settled(self) -> None:
        if not hasattr(self, "books"):
            return
        expected: defaultdict[int, int] = defaultdict(int)
        for transfer in self.books.transfers.all():
            if transfer.expires is not None and transfer.currency != AT_ONCE:
                if transfer.state in (State.RESERVED, State.COMMITTED):
                    expected[self.books.account(transfer.payer, transfer.currency).id] += transfer.units
                if transfer.state is State.COMMITTED:
                    expected[self.books.account(transfer.payee, transfer.currency).id] -= transfer.units
        done = (SettlementState.PS_TRANSFERS_COMMITTED, SettlementState.SETTLED)
        for settlement in self.books.settlements.all():
            for number, obligation in settlement.obligations.items():
                reset = done if obligation.units > 0 else (*done, SettlementState.PS_TRANSFERS_RESERVED)
                if obligation.state in reset:
                    expected[number] -= obligation.units
        for name in DFSPS:
            for currency in (OWN, BY_DEFAULT):
                position = self.books.account(name, currency)
                assert position.value == expected[position.id]

    @invariant()
    def a_committed_transfer_counts_once_in_the_windows(self) -> None:
        if not hasattr(self, "books"):
            return
        expected: defaultdict[int, int] = defaultdict(int)
        for transfer in self.books.transfers.all():
            if transfer.expires is not None and transfer.state is State.COMMITTED:
                expected[self.books.account(transfer.payer, transfer.currency).id] += transfer.units
                expected[self.books.account(transfer.payee, transfer.currency).id] -= transfer.units
        found: defaultdict[int, int] = defaultdict(int)
        for window in self.books.windows.all():
            for net in window.net.values():
                for number, units in net.items():
                    found[number] += units
            for content in window.contents:
                assert content.net == window.net[content.currency, AccountType.POSITION]
        assert found == expected

    @invariant()
    def no_content_is_settled_twice(self) -> None:
        taken = [
            content.id
            for settlement in (self.books.settlements.all() if hasattr(self, "books") else ())
            for content in settlement.contents
        ]
        assert len(taken) == len(set(taken))


TestSettling = Settling.TestCase
TestSettling.settings = settings(
    max_examples=140, stateful_step_count=90, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
"""Some 11,500 steps in total: Hypothesis runs most examples at full length."""


@given(
    st.lists(st.tuples(st.sampled_from(DFSPS), st.sampled_from(DFSPS), st.integers(1, 10**9)), min_size=1, max_size=30)
)
def test_whatever_is_transferred_settling_brings_positions_back_and_creates_no_money(
    transfers: list[tuple[str, str, int]],
) -> None:
    books = Books()
    for payer, payee, units in transfers:
        books.pay(payer, payee, OWN, units)
    settlement = books.settlements.create("DEFERREDNETXXX", "test", [books.close()])
    assert sum(obligation.units for obligation in settlement.obligations.values()) == 0
    for state in STATES[1:]:
        assert set(books.advance(settlement, state)) == {None}
    assert settlement.state is SettlementState.SETTLED
    assert {books.account(name, OWN).value for name in DFSPS} == {0}
    books.ledger.check_invariants()


def test_a_net_debit_cap_that_a_reset_would_break_is_raised_by_as_much() -> None:
    books = Books()
    books.pay("alpha", "beta", OWN, 100)
    window = books.close()
    books.pay("beta", "gamma", OWN, 130)  # spends what it is owed, and 30 more
    position = books.account("beta", OWN)
    books.ledger.set_limit(position, Limit(40))
    settlement = books.settlements.create("DEFERREDNETXXX", "test", [window])
    for state in STATES[1:3]:
        books.advance(settlement, state)
    limit = books.ledger.limit(position)
    assert (position.value, limit.units if limit else None) == (130, 140)


def test_a_model_that_resets_no_position_only_goes_through_the_states() -> None:
    books = Books()
    books.models.add({**DEFERRED, "name": "HANDSOFF", "autoPositionReset": False})
    books.pay("alpha", "beta", OWN, 100)
    settlement = books.settlements.create("HANDSOFF", "test", [books.close()])
    for state in STATES[1:]:
        books.advance(settlement, state)
    assert settlement.state is SettlementState.SETTLED
    assert (books.account("alpha", OWN).value, books.account("beta", OWN).value) == (100, -100)


def test_a_currency_without_any_model_is_never_settled() -> None:
    books = Books()
    windows = Windows(books.ledger, Models())
    accounts = books.account("alpha", OWN), books.account("beta", OWN)
    windows.record(*accounts, 5)
    window = windows.open
    windows.process(window, "test")
    windows.close(window)
    assert (window.state, window.contents) == (WindowState.CLOSED, [])


def test_a_default_model_takes_the_liquidity_check_from_currencies_without_their_own() -> None:
    models = Models()
    models.add({**DEFAULT, "requireLiquidityCheck": False})
    models.add(DEFERRED)
    assert models.without_liquidity_check(CURRENCIES) == {BY_DEFAULT, AT_ONCE}


def test_a_settlement_of_an_account_that_is_gone_is_our_own_fault() -> None:
    books, elsewhere = Books(), Ledger()
    for _ in range(100):
        payer = elsewhere.open("payer", "XXX", AccountType.POSITION, active=True)
    books.windows.record(payer, payer, 1)
    with pytest.raises(InternalError, match="not there"):
        books.settlements.create("DEFERREDNETXXX", "test", [books.close()])


def test_books_without_the_hubs_accounts_are_our_own_fault() -> None:
    ledger = Ledger()
    position = ledger.open("alpha", "XXX", AccountType.POSITION, active=True)
    with pytest.raises(InternalError, match="no multilateral settlement account in XXX"):
        ledger.settle_net(position, 1)
    with pytest.raises(InternalError, match="alpha has no settlement account in XXX"):
        ledger.settle_gross(position, position, 1)


def test_no_step_of_a_settlement_leads_back() -> None:
    order = list(SettlementState)
    for before, following in TRANSITIONS.items():
        for after in following:
            assert order.index(after) > order.index(before)


def test_a_settlement_that_leaps_is_our_own_fault() -> None:
    books = Books()
    books.pay("alpha", "beta", OWN, 1)
    settlement = books.settlements.create("DEFERREDNETXXX", "test", [books.close()])
    with pytest.raises(InternalError, match="settlement 1: SETTLED in state PENDING_SETTLEMENT"):
        settlement.step(SettlementState.SETTLED, "leap")
