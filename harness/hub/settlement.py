"""Who settles what with whom? Settlement windows and settlements over the transfers that were committed in them.

Pure: no network. States and texts as recorded from central-settlement 17.2.2; its API definition is version 2.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, final

from harness.errors import InternalError
from harness.fspiop.errors import FspiopError
from harness.hub.faults import Fault
from harness.hub.ledger import Account, AccountType, Ledger

__all__ = ["Content", "Model", "Models", "Obligation", "Settlement", "Settlements", "Window", "Windows"]

STEPS = (
    "PENDING_SETTLEMENT",
    "PS_TRANSFERS_RECORDED",
    "PS_TRANSFERS_RESERVED",
    "PS_TRANSFERS_COMMITTED",
    "SETTLED",
)
"""What an account passes through, one step at a time; a settlement is where the last of its accounts is."""
WINDOW_STATES = ("OPEN", "CLOSED", "PENDING_SETTLEMENT", "SETTLED", "ABORTED")


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
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
    resets_position: bool


@final
class Models:
    """The settlement models of a hub, in the order they were made."""

    def __init__(self) -> None:
        self._by_name: dict[str, Model] = {}

    def __iter__(self) -> Any:
        return iter(tuple(self._by_name.values()))

    def add(self, body: Mapping[str, Any]) -> Model:
        """Returns the new model. Raises ``Fault`` 3100 where the name is taken."""
        name = str(body["name"])
        if name in self._by_name:
            raise Fault(FspiopError.VALIDATION, "Settlement Model already exists")
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
            resets_position=body.get("autoPositionReset") is True,
        )
        self._by_name[name] = model
        return model

    def find(self, name: object) -> Model | None:
        """Returns the model of that name, or ``None``."""
        return self._by_name.get(name) if isinstance(name, str) else None

    def currencies_of(self, model: Model, among: Iterable[str]) -> set[str]:
        """Returns which of the currencies ``among`` the model settles."""
        if model.currency is not None:
            return {model.currency} & set(among)
        own = {other.currency for other in self if other.ledger_account_type == model.ledger_account_type}
        return set(among) - own


@dataclass(slots=True)
class Content:
    """What a window holds in one currency: the net of each position account, in units of 10^-4."""

    id: int
    currency: str
    state: str = "OPEN"
    created: datetime = field(default_factory=_now)
    changed: datetime = field(default_factory=_now)
    net: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))

    def step(self, state: str) -> None:
        """Takes ``state``."""
        self.state, self.changed = state, _now()


@dataclass(slots=True)
class Window:
    """A settlement window."""

    id: int
    reason: str
    state: str = "OPEN"
    created: datetime = field(default_factory=_now)
    changed: datetime = field(default_factory=_now)
    contents: dict[str, Content] = field(default_factory=dict)

    def step(self, state: str, reason: str | None = None) -> None:
        """Takes ``state``, with a new reason where one is given."""
        self.state, self.changed = state, _now()
        self.reason = self.reason if reason is None else reason


@final
class Windows:
    """All settlement windows; exactly one is open."""

    def __init__(self) -> None:
        self._content_ids = count(1)
        self._by_id: dict[int, Window] = {}
        self.open = self._new("initial window")

    def record(self, payer: Account, payee: Account, units: int) -> None:
        """Notes a committed transfer in the open window."""
        content = self.open.contents.get(payer.currency)
        if content is None:
            content = self.open.contents[payer.currency] = Content(next(self._content_ids), payer.currency)
        content.net[payer.id] += units
        content.net[payee.id] -= units

    def find(self, number: int) -> Window | None:
        """Returns the window of that id, or ``None``."""
        return self._by_id.get(number)

    def all(self) -> list[Window]:
        """Returns every window, oldest first."""
        return list(self._by_id.values())

    def close(self, window: Window, reason: str) -> Window:
        """Closes ``window`` and returns the new open one. Raises ``Fault`` 3100 where it is empty or not open."""
        if window.state != "OPEN":
            raise Fault(FspiopError.VALIDATION, f"Window {window.id} is not in the OPEN state")
        if not window.contents:
            raise Fault(FspiopError.VALIDATION, f"Window {window.id} is empty")
        window.step("CLOSED", reason)
        for content in window.contents.values():
            content.step("CLOSED")
        self.open = self._new(reason)
        return self.open

    def _new(self, reason: str) -> Window:
        window = Window(len(self._by_id) + 1, reason)
        self._by_id[window.id] = window
        return window


@dataclass(slots=True)
class Obligation:
    """What one account owes (above zero) or is owed in a settlement, in units of 10^-4."""

    account: Account
    units: int
    state: str
    reason: str


@dataclass(slots=True)
class Settlement:
    """One settlement of a model over contents of windows."""

    id: int
    model: Model
    reason: str
    windows: Sequence[Window]
    contents: Sequence[Content]
    obligations: dict[int, Obligation]
    """By account id."""
    state: str = STEPS[0]
    created: datetime = field(default_factory=_now)
    changed: datetime = field(default_factory=_now)


@final
class Settlements:
    """All settlements. Money moves when the last account of one is PS_TRANSFERS_COMMITTED, so that sums balance."""

    def __init__(self, ledger: Ledger, windows: Windows, models: Models) -> None:
        self._ledger = ledger
        self._windows = windows
        self._models = models
        self._by_id: dict[int, Settlement] = {}

    def find(self, number: int) -> Settlement | None:
        """Returns the settlement of that id, or ``None``."""
        return self._by_id.get(number)

    def all(self) -> list[Settlement]:
        """Returns every settlement, oldest first."""
        return list(self._by_id.values())

    def create(self, model_name: object, reason: str, window_ids: Sequence[int]) -> Settlement:
        """Returns the new settlement.

        Raises ``Fault`` 3100 where there is no such model, or where the windows hold nothing closed that it settles.
        """
        model = self._models.find(model_name)
        if model is None:
            raise Fault(FspiopError.VALIDATION, "Settlement model not found")
        windows = [window for number in window_ids if (window := self._windows.find(number)) is not None]
        among = {content.currency for window in windows for content in window.contents.values()}
        wanted = self._models.currencies_of(model, among)
        taken = [
            (window, content)
            for window in windows
            if window.state in ("CLOSED", "PENDING_SETTLEMENT", "ABORTED")
            for content in window.contents.values()
            if content.currency in wanted and content.state in ("CLOSED", "ABORTED")
        ]
        # Only position accounts take part in transfers here: a model over another ledger account finds nothing.
        if not taken or model.ledger_account_type != AccountType.POSITION:
            raise Fault(FspiopError.VALIDATION, f"Inapplicable windows {', '.join(map(str, window_ids))}")
        settlement = Settlement(
            id=len(self._by_id) + 1,
            model=model,
            reason=reason,
            windows=list({window.id: window for window, _ in taken}.values()),
            contents=[content for _, content in taken],
            obligations=self._net([content for _, content in taken], reason),
        )
        for window in settlement.windows:
            window.step(STEPS[0], reason)
        for content in settlement.contents:
            content.step(STEPS[0])
        self._by_id[settlement.id] = settlement
        return settlement

    def _net(self, contents: Sequence[Content], reason: str) -> dict[int, Obligation]:
        obligations: dict[int, Obligation] = {}
        for content in contents:
            for number, units in content.net.items():
                account = self._ledger.by_id(number)
                if account is None:
                    raise InternalError(f"settlement of an account that is not there: {number}")
                known = obligations.setdefault(number, Obligation(account, 0, STEPS[0], reason))
                known.units += units
        return dict(sorted(obligations.items()))

    def advance(self, settlement: Settlement, account_id: int, state: str, reason: str) -> None:
        """Takes one account one step on. Raises ``Fault`` 3100 where it is none of its or may not go there."""
        obligation = settlement.obligations.get(account_id)
        if obligation is None:
            raise Fault(FspiopError.VALIDATION, "Account not found")
        following = STEPS[STEPS.index(obligation.state) + 1 :][:1]
        if state != obligation.state and (state,) != following:
            raise Fault(FspiopError.VALIDATION, f"State change from {obligation.state} to {state} is not allowed")
        obligation.state, obligation.reason = state, reason
        slowest = min((STEPS.index(each.state) for each in settlement.obligations.values()), default=0)
        if slowest > STEPS.index(settlement.state):
            self._step(settlement, STEPS[slowest])

    def _step(self, settlement: Settlement, state: str) -> None:
        settlement.state, settlement.changed = state, _now()
        settlement.reason = f"All settlement accounts are {state}"
        if state == "PS_TRANSFERS_COMMITTED":
            for obligation in settlement.obligations.values():
                self._ledger.settle(obligation.account, obligation.units, cash=settlement.model.resets_position)
        if state == "SETTLED":
            for content in settlement.contents:
                content.step("SETTLED")
            for window in settlement.windows:
                if all(content.state == "SETTLED" for content in window.contents.values()):
                    window.step("SETTLED", settlement.reason)
