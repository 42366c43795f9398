"""Which transfers are settled together, and by which model? Settlement models, and the windows that transfers fall in.

Pure: no network. Rules as in central-settlement 17.2.2 and central-ledger 19.8.3 (settlement models).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from itertools import count
from typing import Any, final

from harness.errors import InternalError
from harness.fspiop.errors import FspiopError
from harness.hub.defects import Defects
from harness.hub.faults import Fault
from harness.hub.ledger import Account, AccountType, Ledger

__all__ = ["WINDOW_TRANSITIONS", "Content", "Model", "Models", "Window", "WindowState", "Windows", "second"]


def second() -> datetime:
    """Returns now, as exact as the services' tables are: whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(slots=True)
class Model:
    """A settlement model. ``currency`` is ``None`` for the one that takes every currency without its own."""

    id: int
    name: str
    granularity: str
    interchange: str
    delay: str
    currency: str | None
    liquidity_checked: bool
    ledger_account_type: str
    settlement_account_type: str
    resets_position: bool
    active: bool = True

    @property
    def gross(self) -> bool:
        """Whether each transfer is settled by itself, at once (continuous gross settlement)."""
        return self.granularity == "GROSS" or self.delay == "IMMEDIATE"


@final
class Models:
    """The settlement models of a hub, in the order they were made."""

    def __init__(self) -> None:
        self._by_name: dict[str, Model] = {}

    def __iter__(self) -> Iterator[Model]:
        return iter(tuple(self._by_name.values()))

    def add(self, body: Mapping[str, Any]) -> Model:
        """Returns the new model. Raises ``Fault`` 3000 where the name is taken."""
        name = str(body["name"])
        if name.lower() in self._by_name:
            raise Fault(FspiopError.CLIENT, "Settlement Model already exists")
        currency = body.get("currency")
        model = Model(
            id=len(self._by_name) + 1,
            name=name,
            granularity=str(body.get("settlementGranularity", "NET")),
            interchange=str(body.get("settlementInterchange", "MULTILATERAL")),
            delay=str(body.get("settlementDelay", "DEFERRED")),
            currency=None if currency is None else str(currency),
            liquidity_checked=body.get("requireLiquidityCheck") is not False,
            ledger_account_type=str(body.get("ledgerAccountType", AccountType.POSITION)),
            settlement_account_type=str(body.get("settlementAccountType", AccountType.SETTLEMENT)),
            resets_position=body.get("autoPositionReset") is True,
        )
        self._by_name[name.lower()] = model
        return model

    def find(self, name: object) -> Model | None:
        """Returns the model of that name, or ``None``; case does not matter, as in the service's tables."""
        return self._by_name.get(name.lower()) if isinstance(name, str) else None

    def for_currency(self, currency: str, kind: AccountType = AccountType.POSITION) -> Model | None:
        """Returns what settles accounts of a kind in ``currency``: its own model, else the default, else ``None``."""
        fitting = [model for model in self if model.ledger_account_type == kind]
        own = next((model for model in fitting if model.currency == currency), None)
        return own or next((model for model in fitting if model.currency is None), None)

    def further_accounts(self, currency: str) -> list[AccountType]:
        """Returns what a DFSP has in ``currency`` beside position and settlement account, by models of its own."""
        usual = (AccountType.POSITION, AccountType.SETTLEMENT)
        models = [model for model in self if model.currency == currency]
        kinds = [AccountType(each) for m in models for each in (m.ledger_account_type, m.settlement_account_type)]
        return [kind for kind in dict.fromkeys(kinds) if kind not in usual]

    def with_own_model(self) -> frozenset[str]:
        """Returns the currencies that a model names: the default model leaves them alone."""
        return frozenset(model.currency for model in self if model.currency is not None)

    def without_liquidity_check(self, among: Iterable[str]) -> set[str]:
        """Returns which of the currencies ``among`` have a model that asks for no liquidity check."""
        return {
            currency
            for currency in among
            if (model := self.for_currency(currency)) is not None and not model.liquidity_checked
        }


class WindowState(StrEnum):
    """Where a settlement window, or what it holds in one currency, stands."""

    OPEN = "OPEN"
    PROCESSING = "PROCESSING"
    CLOSED = "CLOSED"
    PENDING_SETTLEMENT = "PENDING_SETTLEMENT"
    SETTLED = "SETTLED"
    ABORTED = "ABORTED"


WINDOW_TRANSITIONS: Mapping[WindowState, frozenset[WindowState]] = {
    WindowState.OPEN: frozenset({WindowState.PROCESSING}),
    WindowState.PROCESSING: frozenset({WindowState.CLOSED}),
    WindowState.CLOSED: frozenset({WindowState.PENDING_SETTLEMENT}),
    WindowState.PENDING_SETTLEMENT: frozenset({WindowState.SETTLED, WindowState.ABORTED}),
    # What an aborted settlement leaves of a window (its other currencies) can be settled by another one.
    WindowState.ABORTED: frozenset({WindowState.PENDING_SETTLEMENT}),
    WindowState.SETTLED: frozenset(),
}
"""Every step of a window and of its content. A state that is not here cannot follow."""


@dataclass(slots=True)
class _Stage:
    """Something that goes through the states of ``WINDOW_TRANSITIONS``."""

    id: int
    state: WindowState
    created: datetime = field(default_factory=second)
    changed: datetime = field(default_factory=second)
    history: list[tuple[str, datetime]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.history.append((self.state, datetime.now(UTC)))

    def step(self, state: WindowState) -> None:
        """Takes ``state``. Raises ``InternalError`` where the table has no such step."""
        if state not in WINDOW_TRANSITIONS[self.state]:
            raise InternalError(f"{type(self).__name__.lower()} {self.id}: {state} in state {self.state}")
        self.state, self.changed = state, second()
        self.history.append((state, datetime.now(UTC)))


@dataclass(slots=True)
class Content(_Stage):
    """What a closed window holds in one currency for one model: the net of each account, in units of 10^-4."""

    currency: str = ""
    ledger_account_type: str = ""
    net: Mapping[int, int] = field(default_factory=dict)
    """Account id to units; above zero owes."""
    settlement: int | None = None


@dataclass(slots=True)
class Window(_Stage):
    """A settlement window."""

    reason: str = ""
    net: defaultdict[tuple[str, AccountType], defaultdict[int, int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )
    """What was committed in it, per currency and kind of account: account id to units."""
    contents: list[Content] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether no transfer was committed in it."""
        return not self.net

    @property
    def currencies(self) -> frozenset[str]:
        """What was transferred in it."""
        return frozenset(currency for currency, _ in self.net)


@final
class Windows:
    """All settlement windows; transfers fall in the one that is open."""

    def __init__(
        self, ledger: Ledger | None = None, models: Models | None = None, defects: Defects | None = None
    ) -> None:
        self._ledger = ledger or Ledger()
        self._models = models or Models()
        self._defects = defects or Defects()
        self._content_ids = count(1)
        self._by_id: dict[int, Window] = {}
        self.open = self._new("initial window")

    def record(self, payer: Account, payee: Account, units: int) -> None:
        """Notes a committed transfer, or fee, in the open window; a gross model settles it on the spot."""
        times = 2 if self._defects.active("settlement-transfer-counted-twice") else 1
        net = self.open.net[payer.currency, payer.type]
        net[payer.id] += units * times
        net[payee.id] -= units * times
        model = self._models.for_currency(payer.currency, payer.type)
        if model is not None and model.gross and not self._defects.active("gross-settlement-left-out"):
            self._ledger.settle_gross(payer, payee, units)

    def find(self, number: int) -> Window | None:
        """Returns the window of that id, or ``None``."""
        return self._by_id.get(number)

    def all(self) -> list[Window]:
        """Returns every window, oldest first."""
        return list(self._by_id.values())

    def process(self, window: Window, reason: str) -> Window:
        """Ends ``window`` for transfers and returns the new open one; ``close`` is to follow.

        Raises ``Fault`` 3100 where it is empty or not open.
        """
        if window.state is not WindowState.OPEN:
            raise Fault(FspiopError.VALIDATION, f"Window {window.id} is not open")
        if window.empty:
            raise Fault(FspiopError.VALIDATION, f"Window {window.id} is empty")
        if not self._defects.active("settlement-window-stays-open"):
            window.step(WindowState.PROCESSING)
            window.reason = reason
        self.open = self._new(reason)
        return self.open

    def close(self, window: Window) -> None:
        """Works out what a window that is being processed holds, and closes it; any other is left alone.

        A currency has content where a net model settles it; gross ones are settled already.
        """
        if window.state is not WindowState.PROCESSING:
            return
        for (currency, kind), net in window.net.items():
            model = self._models.for_currency(currency, kind)
            if model is None or model.gross:
                continue
            content = Content(
                next(self._content_ids), WindowState.CLOSED, currency=currency,
                ledger_account_type=model.ledger_account_type, net=dict(net),
            )  # fmt: skip
            window.contents.append(content)
        window.step(WindowState.CLOSED)

    def _new(self, reason: str) -> Window:
        window = Window(len(self._by_id) + 1, WindowState.OPEN, reason=reason)
        self._by_id[window.id] = window
        return window
