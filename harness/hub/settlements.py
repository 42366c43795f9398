"""Who owes whom at the end of a window, and how is it settled? Settlements and their states.

Pure: no network. States, errors and the moments at which positions move as in central-settlement 17.2.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import final

from harness.errors import InternalError
from harness.fspiop.errors import FspiopError
from harness.hub.defects import Defects
from harness.hub.faults import Fault
from harness.hub.ledger import Account, Ledger
from harness.hub.participants import Participants
from harness.hub.settlement import Content, Model, Models, Window, Windows, WindowState, second

__all__ = [
    "ACCOUNT_STEPS",
    "TRANSITIONS",
    "Asked",
    "Obligation",
    "Settlement",
    "SettlementState",
    "Settlements",
    "Told",
]


class SettlementState(StrEnum):
    """Where a settlement, or one account of it, stands (accounts are never SETTLING)."""

    PENDING_SETTLEMENT = "PENDING_SETTLEMENT"
    PS_TRANSFERS_RECORDED = "PS_TRANSFERS_RECORDED"
    PS_TRANSFERS_RESERVED = "PS_TRANSFERS_RESERVED"
    PS_TRANSFERS_COMMITTED = "PS_TRANSFERS_COMMITTED"
    SETTLING = "SETTLING"
    SETTLED = "SETTLED"
    ABORTED = "ABORTED"


_S = SettlementState

ACCOUNT_STEPS: Mapping[SettlementState, SettlementState] = {
    _S.PENDING_SETTLEMENT: _S.PS_TRANSFERS_RECORDED,
    _S.PS_TRANSFERS_RECORDED: _S.PS_TRANSFERS_RESERVED,
    _S.PS_TRANSFERS_RESERVED: _S.PS_TRANSFERS_COMMITTED,
    _S.PS_TRANSFERS_COMMITTED: _S.SETTLED,
    _S.SETTLING: _S.SETTLED,
}
"""Where the accounts of a settlement may go, by the state of the settlement."""

TRANSITIONS: Mapping[SettlementState, frozenset[SettlementState]] = {
    _S.PENDING_SETTLEMENT: frozenset({_S.PS_TRANSFERS_RECORDED, _S.ABORTED}),
    _S.PS_TRANSFERS_RECORDED: frozenset({_S.PS_TRANSFERS_RESERVED, _S.ABORTED}),
    _S.PS_TRANSFERS_RESERVED: frozenset({_S.PS_TRANSFERS_COMMITTED, _S.ABORTED}),
    _S.PS_TRANSFERS_COMMITTED: frozenset({_S.SETTLING, _S.SETTLED}),
    _S.SETTLING: frozenset({_S.SETTLED}),
    _S.SETTLED: frozenset(),
    _S.ABORTED: frozenset(),
}
"""Every step of a settlement and of its accounts. A state that is not here cannot follow."""

_TAKEN = (WindowState.CLOSED, WindowState.ABORTED)


@dataclass(slots=True)
class Obligation:
    """What one account owes (above zero) or is owed in a settlement, in units of 10^-4."""

    account: Account
    units: int
    reason: str
    state: SettlementState = _S.PENDING_SETTLEMENT
    changed: datetime = field(default_factory=second)


@dataclass(slots=True)
class Settlement:
    """One settlement of a model over contents of windows."""

    id: int
    model: Model
    reason: str
    windows: Sequence[Window]
    contents: Sequence[Content]
    obligations: Mapping[int, Obligation]
    """By account id."""
    state: SettlementState = _S.PENDING_SETTLEMENT
    created: datetime = field(default_factory=second)
    changed: datetime = field(default_factory=second)
    history: list[tuple[str, datetime]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.history.append((self.state, datetime.now(UTC)))

    def step(self, state: SettlementState, reason: str) -> None:
        """Takes ``state``. Raises ``InternalError`` where the table has no such step."""
        if state not in TRANSITIONS[self.state]:
            raise InternalError(f"settlement {self.id}: {state} in state {self.state}")
        self.state, self.reason, self.changed = state, reason, second()
        self.history.append((state, datetime.now(UTC)))

    def leaves(self, state: SettlementState) -> bool:
        """Whether none of its accounts is in ``state`` any more."""
        return all(each.state is not state for each in self.obligations.values())


@dataclass(frozen=True, slots=True)
class Asked:
    """What an operator asks for one account of a settlement."""

    participant: int
    account: int
    state: SettlementState
    reason: str
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What came of it: the obligation (``None`` where the account is not of that participant), and what was refused."""

    asked: Asked
    obligation: Obligation | None
    fault: Fault | None = None


@final
class Settlements:
    """All settlements of the hub."""

    def __init__(
        self,
        ledger: Ledger,
        participants: Participants,
        windows: Windows,
        models: Models,
        defects: Defects | None = None,
    ) -> None:
        self._ledger = ledger
        self._participants = participants
        self._windows = windows
        self._models = models
        self._defects = defects or Defects()
        self._by_id: dict[int, Settlement] = {}

    def find(self, number: int) -> Settlement | None:
        """Returns the settlement of that id, or ``None``."""
        return self._by_id.get(number)

    def all(self) -> list[Settlement]:
        """Returns every settlement, oldest first."""
        return list(self._by_id.values())

    # Creation

    def create(self, model_name: str, reason: str, window_ids: Sequence[int]) -> Settlement:
        """Returns the new settlement.

        Raises ``Fault`` 3100 where there is no such model or it settles gross, or where one of the windows holds
        nothing closed that it could settle.
        """
        model = self._models.find(model_name)
        if model is None:
            raise Fault(FspiopError.VALIDATION, "Settlement model not found")
        if model.gross:
            raise Fault(FspiopError.VALIDATION, "Settlement can not be created for GROSS or IMMEDIATE models")
        windows = [window for number in window_ids if (window := self._windows.find(number)) is not None]
        held = {window.id: _applicable(window, model) for window in windows}
        if missing := [str(number) for number in window_ids if not held.get(number)]:
            raise Fault(FspiopError.VALIDATION, f"Inapplicable windows {', '.join(missing)}")
        contents = [content for window in windows for content in held[window.id]]
        if model.currency is None and not self._defects.active("settlement-default-model-greedy"):
            # A window that the default model may settle need not hold a currency that it does settle: as in the
            # service, that gives a settlement without accounts.
            own = self._models.with_own_model()
            contents = [content for content in contents if content.currency not in own]
        settlement = Settlement(len(self._by_id) + 1, model, reason, windows, contents, self._net(contents, reason))
        for content in contents:
            content.step(WindowState.PENDING_SETTLEMENT)
            content.settlement = settlement.id
        for window in windows:
            if window.state in _TAKEN:
                window.step(WindowState.PENDING_SETTLEMENT)
                window.reason = reason
        self._by_id[settlement.id] = settlement
        return settlement

    def _net(self, contents: Iterable[Content], reason: str) -> dict[int, Obligation]:
        sign = -1 if self._defects.active("settlement-sign-turned") else 1
        obligations: dict[int, Obligation] = {}
        for content in contents:
            for number, units in content.net.items():
                account = self._ledger.by_id(number)
                if account is None:
                    raise InternalError(f"settlement of an account that is not there: {number}")
                known = obligations.setdefault(number, Obligation(account, 0, reason))
                known.units += sign * units
        return dict(sorted(obligations.items()))

    # Progress

    def advance(self, settlement: Settlement, asked: Iterable[Asked]) -> list[Told]:
        """Takes accounts a step on, and the settlement with them. Returns what came of each.

        An account that may not go where it was asked to carries a ``Fault`` 3000; the others go on.
        """
        seen: set[int] = set()
        told = [self._one(settlement, each, seen) for each in asked]
        moved = [each.obligation for each in told if each.obligation is not None and each.fault is None]
        if any(each.state is _S.SETTLED for each in moved):
            self._settle_windows(settlement)
        self._follow(settlement)
        return told

    def _one(self, settlement: Settlement, asked: Asked, seen: set[int]) -> Told:
        obligation = settlement.obligations.get(asked.account)
        if obligation is None:
            return Told(asked, None, Fault(FspiopError.CLIENT, "Account not found"))
        if asked.participant != self._participants.number_of(obligation.account.owner):
            seen.add(asked.account)
            return Told(asked, None, Fault(FspiopError.CLIENT, "Participant and account mismatch"))
        if asked.account in seen:
            return Told(asked, obligation, Fault(FspiopError.CLIENT, "Account already processed once"))
        if asked.state is obligation.state:
            obligation.reason = asked.reason
        elif ACCOUNT_STEPS.get(settlement.state) is asked.state or self._may_skip(settlement):
            self._move(settlement.model, obligation, asked.state)
            obligation.state, obligation.reason, obligation.changed = asked.state, asked.reason, second()
        else:
            return Told(asked, obligation, Fault(FspiopError.CLIENT, "State change not allowed"))
        seen.add(asked.account)
        return Told(asked, obligation)

    def _may_skip(self, settlement: Settlement) -> bool:
        return settlement.state is not _S.SETTLED and self._defects.active("settlement-step-skipped")

    def _move(self, model: Model, obligation: Obligation, state: SettlementState) -> None:
        """Resets the position where the model asks for it: of who is owed when reserved, of who owes when committed."""
        if not model.resets_position:
            return
        if state is _S.PS_TRANSFERS_RESERVED and obligation.units < 0:
            self._ledger.settle_net(obligation.account, obligation.units, raise_limit=model.liquidity_checked)
        elif (
            state is _S.PS_TRANSFERS_COMMITTED
            and obligation.units > 0
            and not self._defects.active("settlement-sender-position-kept")
        ):
            self._ledger.settle_net(obligation.account, obligation.units)

    def _follow(self, settlement: Settlement) -> None:
        """Takes the settlement where all of its accounts are (or where some are, between committed and settled)."""
        state = settlement.state
        if state in (_S.PS_TRANSFERS_COMMITTED, _S.SETTLING):
            if settlement.leaves(_S.PS_TRANSFERS_COMMITTED):
                settlement.step(_S.SETTLED, "All settlement accounts are SETTLED")
            elif state is not _S.SETTLING and not settlement.leaves(_S.SETTLED):
                settlement.step(_S.SETTLING, "Some settlement accounts are SETTLED")
        elif (following := ACCOUNT_STEPS.get(state)) is not None and settlement.leaves(state):
            settlement.step(following, f"All settlement accounts are {following}")

    def _settle_windows(self, settlement: Settlement) -> None:
        for content in settlement.contents:
            accounts = (settlement.obligations[number] for number in content.net)
            if content.state is WindowState.PENDING_SETTLEMENT and all(each.state is _S.SETTLED for each in accounts):
                content.step(WindowState.SETTLED)
        for window in settlement.windows:
            done = all(content.state is WindowState.SETTLED for content in window.contents)
            pending = window.state is WindowState.PENDING_SETTLEMENT
            if pending and done and not self._defects.active("settlement-window-never-settled"):
                window.step(WindowState.SETTLED)
                window.reason = "All settlement window content is SETTLED"

    # Abort

    def abort(self, settlement: Settlement, reason: str) -> None:
        """Gives a settlement up: positions that were reset already are as before, its windows are ABORTED.

        Raises ``Fault`` 3100 once one of its accounts has committed. What the settlement took of its windows stays with
        it, as in the service; only what it did not take can be settled again.
        """
        if settlement.state in (_S.PS_TRANSFERS_COMMITTED, _S.SETTLING, _S.SETTLED):
            raise Fault(FspiopError.VALIDATION, "State change is not allowed")
        if settlement.state is _S.ABORTED:
            settlement.reason = reason
            return
        if not settlement.leaves(_S.PS_TRANSFERS_COMMITTED):
            raise Fault(FspiopError.VALIDATION, "At least one settlement transfer is committed")
        for obligation in settlement.obligations.values():
            reserved = obligation.state is _S.PS_TRANSFERS_RESERVED and obligation.units < 0
            if reserved and settlement.model.resets_position and not self._defects.active("settlement-abort-keeps"):
                self._ledger.settle_net(obligation.account, -obligation.units)
            obligation.state, obligation.reason, obligation.changed = _S.ABORTED, reason, second()
        for window in settlement.windows:
            if window.state is WindowState.PENDING_SETTLEMENT:
                window.step(WindowState.ABORTED)
                window.reason = reason
        settlement.step(_S.ABORTED, reason)


def _applicable(window: Window, model: Model) -> list[Content]:
    """Returns what of ``window`` the model could settle."""
    if window.state not in (*_TAKEN, WindowState.PENDING_SETTLEMENT):
        return []
    return [
        content
        for content in window.contents
        if content.state in _TAKEN
        and content.ledger_account_type == model.ledger_account_type
        and model.currency in (None, content.currency)
    ]
