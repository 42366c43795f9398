"""Who owes whom how much? The one place where money moves: integer units of 10^-4, and sums that always balance.

Signs as in central-ledger: a position grows with what a DFSP owes; a settlement account falls with what it has paid in.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import final

from harness.errors import InternalError
from harness.fspiop.errors import FspiopError
from harness.hub.defects import Defects
from harness.hub.faults import Fault

__all__ = ["Account", "AccountType", "Ledger", "to_number", "to_units"]

_SCALE = 4
_HUB = "Hub"
"""Who owns the hub's own accounts (``participants.HUB``, which builds on this module)."""


def to_units(amount: Decimal | int | str) -> int:
    """Returns units of 10^-4. Raises ``ValueError`` where ``amount`` has more than four decimals."""
    scaled = Decimal(amount).scaleb(_SCALE)
    if scaled != scaled.to_integral_value():
        raise ValueError(f"more than {_SCALE} decimals: {amount}")
    return int(scaled)


def to_number(units: int) -> int | Decimal:
    """Returns units of 10^-4 as the number an answer shows: ``100`` or ``Decimal('100.5')``."""
    whole, rest = divmod(units, 10**_SCALE)
    return whole if rest == 0 else Decimal(units).scaleb(-_SCALE).normalize()


class AccountType(StrEnum):
    """Ledger account types a participant or the hub can hold."""

    POSITION = "POSITION"
    SETTLEMENT = "SETTLEMENT"
    HUB_MULTILATERAL_SETTLEMENT = "HUB_MULTILATERAL_SETTLEMENT"
    HUB_RECONCILIATION = "HUB_RECONCILIATION"
    INTERCHANGE_FEE = "INTERCHANGE_FEE"
    INTERCHANGE_FEE_SETTLEMENT = "INTERCHANGE_FEE_SETTLEMENT"


_OWED = frozenset({AccountType.POSITION, AccountType.INTERCHANGE_FEE, AccountType.HUB_MULTILATERAL_SETTLEMENT})
"""Accounts of what DFSPs owe each other; all others hold funds."""


@dataclass(slots=True)
class Account:
    """One ledger account. ``value`` is in units of 10^-4."""

    id: int
    owner: str
    currency: str
    type: AccountType
    active: bool
    value: int = 0
    opening: int = 0
    """What the value started from (initialPosition): it has no counterpart in the ledger."""
    changed: datetime = field(default_factory=lambda: datetime.now(UTC))

    def move(self, units: int) -> None:
        """Adds ``units`` to the value."""
        self.value += units
        self.changed = datetime.now(UTC)


@dataclass(slots=True)
class Limit:
    """The net debit cap of a position, in units of 10^-4, and when to warn (in percent)."""

    units: int
    alarm: int = 10


@final
class Ledger:
    """Accounts, limits and every movement between them."""

    def __init__(self, defects: Defects | None = None) -> None:
        self._defects = defects or Defects()
        self._accounts: dict[tuple[str, str, AccountType], Account] = {}
        self._by_id: dict[int, Account] = {}
        self._limits: dict[int, Limit] = {}
        self._in_flight: defaultdict[str, int] = defaultdict(int)
        self._leaving: defaultdict[str, int] = defaultdict(int)

    # Accounts and limits

    def open(self, owner: str, currency: str, kind: AccountType, *, active: bool) -> Account:
        """Returns a new account. The caller sees to it that there is none of the kind yet."""
        account = Account(len(self._by_id) + 1, owner, currency, kind, active)
        self._accounts[owner, currency, kind] = account
        self._by_id[account.id] = account
        return account

    def account(self, owner: str, currency: str, kind: AccountType) -> Account | None:
        """Returns the account, or ``None`` where there is none."""
        return self._accounts.get((owner, currency, kind))

    def by_id(self, number: int) -> Account | None:
        """Returns the account of that id, or ``None``."""
        return self._by_id.get(number)

    def limit(self, position: Account) -> Limit | None:
        """Returns the net debit cap of a position account, or ``None`` where none was set."""
        return self._limits.get(position.id)

    def set_limit(self, position: Account, limit: Limit) -> None:
        """Sets the net debit cap."""
        self._limits[position.id] = limit

    def open_position(self, position: Account, units: int) -> None:
        """Gives a position its first value (initialPosition)."""
        position.move(units)
        position.opening += units

    # Transfers

    def reserve(self, payer: Account, units: int, *, liquidity_checked: bool = True) -> None:
        """Takes ``units`` from what the payer may still owe.

        Raises ``Fault`` 4001 where the settlement account does not cover what would be owed, 4200 where the net debit
        cap does not allow it (central-ledger, position facade: first cover, then limit).
        """
        settlement = self._accounts.get((payer.owner, payer.currency, AccountType.SETTLEMENT))
        limit = self._limits.get(payer.id)
        cover = -settlement.value if settlement is not None else 0
        cap = limit.units if limit is not None else 0
        if self._defects.active("net-debit-cap-off-by-one"):
            cap -= 1
        if self._defects.active("net-debit-cap-ignored"):
            cap = payer.value + units
        if liquidity_checked and cover - payer.value < units:
            if self._defects.active("liquidity-wrong-code"):
                raise Fault(FspiopError.PAYEE_FSP_INSUFFICIENT_LIQUIDITY)
            raise Fault(FspiopError.PAYER_FSP_INSUFFICIENT_LIQUIDITY)
        if cap - payer.value < units:
            raise Fault(FspiopError.PAYER_LIMIT)
        payer.move(units)
        self._in_flight[payer.currency] += units

    def commit(self, payer: Account, payee: Account, units: int) -> None:
        """Gives the reserved ``units`` to the payee."""
        self._in_flight[payer.currency] -= units
        on_us_kept = payer is payee and self._defects.active("on-us-position-kept")
        if not self._defects.active("payee-position-unchanged") and not on_us_kept:
            payee.move(-units)

    def release(self, payer: Account, units: int, *, kept: bool = False) -> None:
        """Gives the reserved ``units`` back to the payer; ``kept`` only by a defect."""
        self._in_flight[payer.currency] -= units
        if not kept:
            payer.move(-units)

    def owe(self, debtor: Account, creditor: Account, units: int) -> None:
        """Books what one DFSP owes another at once, with nothing reserved before: a fee."""
        debtor.move(units)
        creditor.move(-units)

    # Funds

    def funds_in(self, settlement: Account, hub: Account, units: int) -> None:
        """Records money a participant paid in."""
        settlement.move(-units)
        hub.move(units)
        if self._defects.active("funds-in-doubled"):
            settlement.move(-units)

    def funds_out_reserve(self, settlement: Account, units: int) -> None:
        """Sets ``units`` aside to leave. Raises ``Fault`` 4001 where the account holds less."""
        if -settlement.value < units and not self._defects.active("funds-out-beyond-balance"):
            raise Fault(FspiopError.PAYER_FSP_INSUFFICIENT_LIQUIDITY)
        settlement.move(units)
        self._leaving[settlement.currency] += units

    def funds_out_commit(self, settlement: Account, hub: Account, units: int) -> None:
        """Lets the units that were set aside leave."""
        self._leaving[settlement.currency] -= units
        hub.move(-units)

    def funds_out_abort(self, settlement: Account, units: int) -> None:
        """Puts the units that were set aside back."""
        self._leaving[settlement.currency] -= units
        if not self._defects.active("funds-out-abort-keeps"):
            settlement.move(-units)

    # Settlement

    def settle_net(self, position: Account, units: int, *, raise_limit: bool = False) -> None:
        """Takes the net of a settlement off a position; the hub's multilateral settlement account takes it over.

        Settlement accounts stay as they are: the money moves outside, and funds in and out record it. With
        ``raise_limit`` a net debit cap that the higher position would break is raised by as much (central-settlement,
        settlementTransfersReserve). Raises ``InternalError`` where the hub has no such account.
        """
        hub = self._accounts.get((_HUB, position.currency, AccountType.HUB_MULTILATERAL_SETTLEMENT))
        if hub is None:
            raise InternalError(f"the hub has no multilateral settlement account in {position.currency}")
        limit = self._limits.get(position.id)
        if raise_limit and limit is not None and limit.units < position.value - units:
            limit.units -= units
        position.move(-units)
        hub.move(units)

    def settle_gross(self, payer: Account, payee: Account, units: int) -> None:
        """Settles one committed transfer: what it did to the positions, the settlement accounts take over."""
        for position, change in ((payer, units), (payee, -units)):
            settlement = self._accounts.get((position.owner, position.currency, AccountType.SETTLEMENT))
            if settlement is None:
                raise InternalError(f"{position.owner} has no settlement account in {position.currency}")
            position.move(-change)
            settlement.move(change)

    # The law

    def imbalances(self) -> dict[str, str]:
        """Returns what does not add up, by currency and the accounts it is about; empty where the ledger balances.

        Positions and fees with the hub's multilateral settlement account are what is in flight; settlement accounts
        with its reconciliation account are what is leaving; nothing reserved is negative.
        """
        positions: defaultdict[str, int] = defaultdict(int)
        funds: defaultdict[str, int] = defaultdict(int)
        for account in self._by_id.values():
            if account.type in _OWED:
                positions[account.currency] += account.value - account.opening
            else:
                funds[account.currency] += account.value
        found: dict[str, str] = {}
        for currency in sorted(positions.keys() | funds.keys()):
            in_flight, leaving = self._in_flight[currency], self._leaving[currency]
            if in_flight < 0 or leaving < 0:
                found[f"{currency} reserves"] = f"negative reserve ({in_flight} in flight, {leaving} leaving)"
            if positions[currency] != in_flight:
                found[f"{currency} positions"] = f"positions add up to {positions[currency]}, in flight {in_flight}"
            if funds[currency] != leaving:
                found[f"{currency} settlement"] = f"settlement accounts are off by {funds[currency] - leaving}"
        return found

    def check_invariants(self) -> None:
        """Raises ``InternalError`` on the first of ``imbalances``."""
        for subject, text in self.imbalances().items():
            raise InternalError(f"{subject.split()[0]}: {text}")
