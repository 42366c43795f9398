"""Which states can a currency conversion be in, and how does it get from one to the next? The table of fxTransfers.

States as central-ledger 19.8.3 names them (transferState, seeds).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import final

from harness.errors import InternalError

__all__ = ["FX_TRANSITIONS", "OPEN", "FxEvent", "FxState", "FxTransfer", "Money", "Side"]


class FxState(StrEnum):
    """Where a conversion stands."""

    RECEIVED_PREPARE = "RECEIVED_PREPARE"
    INVALID = "INVALID"
    RESERVED = "RESERVED"
    RECEIVED_FULFIL_DEPENDENT = "RECEIVED_FULFIL_DEPENDENT"
    COMMITTED = "COMMITTED"
    ABORTED_REJECTED = "ABORTED_REJECTED"
    ABORTED_ERROR = "ABORTED_ERROR"
    EXPIRED_RESERVED = "EXPIRED_RESERVED"


class FxEvent(StrEnum):
    """What can happen to a conversion."""

    REFUSE = "refuse"
    RESERVE = "reserve"
    LACK = "lack"
    FULFIL = "fulfil"
    COMMIT = "commit"
    ABORT = "abort"
    EXPIRE = "expire"


FX_TRANSITIONS: Mapping[tuple[FxState, FxEvent], FxState] = {
    (FxState.RECEIVED_PREPARE, FxEvent.REFUSE): FxState.INVALID,
    (FxState.RECEIVED_PREPARE, FxEvent.RESERVE): FxState.RESERVED,
    (FxState.RECEIVED_PREPARE, FxEvent.LACK): FxState.ABORTED_REJECTED,
    (FxState.RESERVED, FxEvent.FULFIL): FxState.RECEIVED_FULFIL_DEPENDENT,
    (FxState.RESERVED, FxEvent.ABORT): FxState.ABORTED_ERROR,
    (FxState.RESERVED, FxEvent.EXPIRE): FxState.EXPIRED_RESERVED,
    (FxState.RECEIVED_FULFIL_DEPENDENT, FxEvent.COMMIT): FxState.COMMITTED,
    (FxState.RECEIVED_FULFIL_DEPENDENT, FxEvent.ABORT): FxState.ABORTED_ERROR,
    (FxState.RECEIVED_FULFIL_DEPENDENT, FxEvent.EXPIRE): FxState.EXPIRED_RESERVED,
}
"""Every step a conversion can take: fulfilled, it waits for the transfer it is for. A state never goes back."""

OPEN = frozenset({FxState.RESERVED, FxState.RECEIVED_FULFIL_DEPENDENT})
"""Where money is set aside for the conversion."""

_PUBLIC: Mapping[FxState, str] = {
    FxState.RECEIVED_PREPARE: "RECEIVED",
    FxState.INVALID: "ABORTED",
    FxState.RESERVED: "RESERVED",
    FxState.RECEIVED_FULFIL_DEPENDENT: "RESERVED",
    FxState.COMMITTED: "COMMITTED",
    FxState.ABORTED_REJECTED: "ABORTED",
    FxState.ABORTED_ERROR: "ABORTED",
    FxState.EXPIRED_RESERVED: "ABORTED",
}
"""The conversionState of the API (FSPIOP API 2.0, TransferState)."""


class Side(StrEnum):
    """Who had the conversion made: the payer before the transfer, or the payee after it."""

    PAYER = "payer"
    PAYEE = "payee"


@final
@dataclass(frozen=True, slots=True)
class Money:
    """An amount in units of 10^-4."""

    currency: str
    units: int


@dataclass(slots=True)
class FxTransfer:
    """One currency conversion: ``counterparty``, the FXP, takes ``source`` and gives ``target``."""

    id: str
    """commitRequestId."""
    determining: str | None
    """The transfer on whose success it depends; ``None`` where it stands alone."""
    side: Side
    initiating: str
    counterparty: str
    source: Money
    target: Money
    condition: str
    expires: datetime | None
    fingerprint: bytes
    state: FxState = FxState.RECEIVED_PREPARE
    changed: datetime = field(default_factory=lambda: datetime.now(UTC))
    fulfilment: str | None = None
    completed: str | None = None
    """When the FXP says that it converted."""
    answers: dict[str, bytes] = field(default_factory=dict)
    """Fingerprints of what the FXP has answered, its fulfilment and its error apart."""
    history: list[tuple[str, datetime]] = field(default_factory=list)
    """Every state it has been in, and since when."""

    def __post_init__(self) -> None:
        self.history.append((self.state, self.changed))

    def step(self, event: FxEvent, now: datetime) -> None:
        """Takes the transition. Raises ``InternalError`` where the table has none."""
        after = FX_TRANSITIONS.get((self.state, event))
        if after is None:
            raise InternalError(f"fxTransfer {self.id}: {event} in state {self.state}")
        self.state = after
        self.changed = now
        self.history.append((after, now))

    @property
    def public_state(self) -> str:
        """The state as the API names it."""
        return _PUBLIC[self.state]

    @property
    def debtor(self) -> str:
        """Whose position carries the conversion: the payer's in the source currency, or the FXP's in the target's."""
        return self.initiating if self.side is Side.PAYER else self.counterparty

    @property
    def creditor(self) -> str:
        """Who is credited when it is committed."""
        return self.counterparty if self.side is Side.PAYER else self.initiating

    @property
    def owed(self) -> Money:
        """What is reserved for it."""
        return self.source if self.side is Side.PAYER else self.target
