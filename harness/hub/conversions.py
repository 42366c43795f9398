"""What does a transfer ask of the currency conversions that hang on it? The seam between transfers and fx.

A transfer that hangs on a conversion is owed by the provider of the foreign currency, not by its payer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, final

from harness.hub.messages import Message
from harness.hub.transfer_states import Transfer

if TYPE_CHECKING:
    from harness.hub.transfers import Notice

__all__ = ["Conversions", "NoConversions", "Obligation"]


@final
@dataclass(frozen=True, slots=True)
class Obligation:
    """What a transfer makes one participant owe another. ``units`` are of 10^-4."""

    debtor: str
    creditor: str
    currency: str
    units: int

    @classmethod
    def of(cls, transfer: Transfer) -> Obligation:
        """Returns what a transfer without a conversion comes to."""
        return cls(transfer.payer, transfer.payee, transfer.currency, transfer.units)


class Conversions(Protocol):
    """The conversions of a hub, as transfers see them. Every event returns the notices that follow from it."""

    def check_fulfilled(self, transfer: Transfer) -> None:
        """Raises ``Fault`` 3100 where a conversion that the transfer hangs on is not fulfilled."""

    def obligation(self, transfer: Transfer) -> Obligation:
        """Returns who owes whom what by the transfer."""

    def commit(self, transfer: Transfer, message: Message, now: datetime) -> list[Notice]:
        """Commits the conversions with the transfer; their providers are told."""

    def abort(self, transfer: Transfer, message: Message, now: datetime) -> list[Notice]:
        """Aborts them with the transfer; empty where it has none."""

    def expire(self, transfer: Transfer, now: datetime) -> list[Notice]:
        """Lets them expire with the transfer."""


@final
class NoConversions:
    """A hub without foreign exchange."""

    def check_fulfilled(self, transfer: Transfer) -> None:
        """There is nothing to fulfil."""

    def obligation(self, transfer: Transfer) -> Obligation:
        """Returns what the payer owes the payee."""
        return Obligation.of(transfer)

    def commit(self, transfer: Transfer, message: Message, now: datetime) -> list[Notice]:
        """Nothing follows."""
        return []

    def abort(self, transfer: Transfer, message: Message, now: datetime) -> list[Notice]:
        """Nothing follows."""
        return []

    def expire(self, transfer: Transfer, now: datetime) -> list[Notice]:
        """Nothing follows."""
        return []
