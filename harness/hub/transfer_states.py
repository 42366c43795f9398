"""Which states can a transfer be in, and how does it get from one to the next? The state machine, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from harness.errors import InternalError

__all__ = ["ENDED", "TRANSITIONS", "Event", "State", "Transfer"]


class State(StrEnum):
    """Where a transfer stands, in central-ledger's words (transferState)."""

    RECEIVED_PREPARE = "RECEIVED_PREPARE"
    INVALID = "INVALID"
    RESERVED = "RESERVED"
    COMMITTED = "COMMITTED"
    ABORTED_REJECTED = "ABORTED_REJECTED"
    ABORTED_ERROR = "ABORTED_ERROR"
    EXPIRED_RESERVED = "EXPIRED_RESERVED"


class Event(StrEnum):
    """What can happen to a transfer."""

    REFUSE = "refuse"
    RESERVE = "reserve"
    LACK = "lack"
    COMMIT = "commit"
    ABORT = "abort"
    EXPIRE = "expire"


TRANSITIONS: Mapping[tuple[State, Event], State] = {
    (State.RECEIVED_PREPARE, Event.REFUSE): State.INVALID,
    (State.RECEIVED_PREPARE, Event.RESERVE): State.RESERVED,
    (State.RECEIVED_PREPARE, Event.LACK): State.ABORTED_REJECTED,
    (State.RESERVED, Event.COMMIT): State.COMMITTED,
    (State.RESERVED, Event.ABORT): State.ABORTED_ERROR,
    (State.RESERVED, Event.EXPIRE): State.EXPIRED_RESERVED,
}
"""Every step a transfer can take. A pair that is not here cannot happen: a state never goes back."""

_PUBLIC: Mapping[State, str] = {
    State.RECEIVED_PREPARE: "RECEIVED",
    State.INVALID: "ABORTED",
    State.RESERVED: "RESERVED",
    State.COMMITTED: "COMMITTED",
    State.ABORTED_REJECTED: "ABORTED",
    State.ABORTED_ERROR: "ABORTED",
    State.EXPIRED_RESERVED: "ABORTED",
}
"""The TransferState of the API (FSPIOP API 1.1, section 7.6.6)."""

ENDED = frozenset({State.INVALID, State.COMMITTED, State.ABORTED_REJECTED, State.ABORTED_ERROR, State.EXPIRED_RESERVED})


@dataclass(slots=True)
class Transfer:
    """One transfer between DFSPs, or one movement of funds in or out."""

    id: str
    payer: str
    payee: str
    currency: str
    units: int
    condition: str
    expires: datetime | None
    fingerprint: bytes
    state: State = State.RECEIVED_PREPARE
    changed: datetime = field(default_factory=lambda: datetime.now(UTC))
    fulfilment: str | None = None
    answers: dict[str, bytes] = field(default_factory=dict)
    """Fingerprints of what the payee has answered, its fulfilment and its error apart."""
    extensions: list[tuple[str, str]] = field(default_factory=list)
    """Shown by ``GET /transfers/{ID}``: the cause of an abort, the reference of funds."""
    history: list[tuple[str, datetime]] = field(default_factory=list)
    """Every state it has been in, and since when."""

    def __post_init__(self) -> None:
        self.history.append((self.state, self.changed))

    def step(self, event: Event, now: datetime | None = None) -> None:
        """Takes the transition. Raises ``InternalError`` where the table has none."""
        after = TRANSITIONS.get((self.state, event))
        if after is None:
            raise InternalError(f"transfer {self.id}: {event} in state {self.state}")
        self.state = after
        self.changed = now or datetime.now(UTC)
        self.history.append((after, self.changed))

    @property
    def public_state(self) -> str:
        """The state as the API names it."""
        return _PUBLIC[self.state]
