"""What does the payer's DFSP owe the payee's for a transfer between wallets? The rule that central-settlement ships.

central-settlement, scripts/transferSettlementTemp/interchangeFeeCalculation: 0.6 % of the amount, to the cent, where
both parties have accountType Wallet and a consumer pays. It bears on currencies with a model over INTERCHANGE_FEE only.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Protocol, final

from harness.fspiop.ilp import parse_packet
from harness.hub.defects import Defects
from harness.hub.ledger import AccountType, Ledger, to_units
from harness.hub.settlement import Models, Windows

__all__ = ["Fees", "InterchangeFees", "NoFees", "fee_of"]

_RATE = Decimal("0.006")
_CENT = Decimal("0.01")
_CONSUMER_PAYS = {"scenario": "TRANSFER", "initiator": "PAYER", "initiatorType": "CONSUMER"}


class Fees(Protocol):
    """What transfers ask for: a note of each when it is prepared, the entry when it is committed."""

    def note(self, body: Mapping[str, Any]) -> None:
        """Remembers the fee of a prepared transfer, by its POST /transfers."""

    def charge(self, transfer_id: str) -> None:
        """Books what was noted, once."""


@final
class NoFees:
    """A hub without fees."""

    def note(self, body: Mapping[str, Any]) -> None:
        """There is nothing to remember."""

    def charge(self, transfer_id: str) -> None:
        """There is nothing to book."""


@final
class InterchangeFees:
    """Fees between DFSPs, on their INTERCHANGE_FEE accounts; settled with the window of their transfer."""

    def __init__(self, ledger: Ledger, models: Models, windows: Windows, defects: Defects) -> None:
        self._ledger = ledger
        self._models = models
        self._windows = windows
        self._defects = defects
        self._due: dict[str, tuple[str, str, str, int]] = {}
        """Payer, payee, currency and units by transferId, until the transfer is committed."""

    def note(self, body: Mapping[str, Any]) -> None:
        """Remembers the fee of a prepared transfer, where its currency has a model for fees."""
        currency = body["amount"]["currency"]
        if self._models.for_currency(currency, AccountType.INTERCHANGE_FEE) is None:
            return
        try:
            transaction = parse_packet(body["ilpPacket"]).transaction
        except ValueError:
            return  # a packet that the rule cannot read has no fee
        units = fee_of(transaction)
        if units and not self._defects.active("interchange-fee-forgotten"):
            self._due[body["transferId"]] = (body["payerFsp"], body["payeeFsp"], currency, units)

    def charge(self, transfer_id: str) -> None:
        """Books the fee that was noted: the payer's DFSP owes it, the payee's is owed it."""
        if (due := self._due.pop(transfer_id, None)) is None:
            return
        payer, payee, currency, units = due
        debtor = self._ledger.account(payer, currency, AccountType.INTERCHANGE_FEE)
        creditor = self._ledger.account(payee, currency, AccountType.INTERCHANGE_FEE)
        if debtor is not None and creditor is not None:
            self._ledger.owe(debtor, creditor, units)
            self._windows.record(debtor, creditor, units)


def fee_of(transaction: Mapping[str, Any]) -> int:
    """Returns the fee for a transaction (FSPIOP API 1.1, 7.4.17) in units of 10^-4; 0 where the rule asks for none."""
    try:
        payer, payee = (transaction[side]["partyIdInfo"] for side in ("payer", "payee"))
        kind = transaction["transactionType"]
        asked = (
            payer["fspId"] != payee["fspId"]
            and all(_account_type(party) == "Wallet" for party in (payer, payee))
            and all(kind.get(name) == value for name, value in _CONSUMER_PAYS.items())
        )
        amount = Decimal(str(transaction["amount"]["amount"]))
    except (KeyError, TypeError, AttributeError, ArithmeticError):
        return 0
    return to_units((amount * _RATE).quantize(_CENT, ROUND_HALF_UP)) if asked else 0


def _account_type(party: Mapping[str, Any]) -> str | None:
    pairs = (party.get("extensionList") or {}).get("extension") or ()
    return next((pair.get("value") for pair in pairs if pair.get("key") == "accountType"), None)
