"""How does a participant's money enter and leave the hub? Funds in, and funds out in two steps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, final

from harness.fspiop.errors import FspiopError
from harness.fspiop.ids import is_correlation_id
from harness.hub.defects import Defects
from harness.hub.faults import Fault
from harness.hub.ledger import Account, AccountType, Ledger, to_units
from harness.hub.messages import digest
from harness.hub.participants import HUB
from harness.hub.transfer_states import Event, State, Transfer
from harness.hub.transfers import Transfers

__all__ = ["Funds"]


@final
class Funds:
    """Movements between a participant's settlement account and the hub's reconciliation account."""

    def __init__(self, ledger: Ledger, transfers: Transfers, defects: Defects | None = None) -> None:
        self._ledger = ledger
        self._transfers = transfers
        self._defects = defects or Defects()

    def record(self, account: Account, body: Mapping[str, Any], now: datetime) -> None:
        """Carries out recordFundsIn, or the first step of funds out.

        As in central-ledger the request is taken in (HTTP 202) and carried out afterwards: funds out beyond the balance
        end ABORTED, a transferId that is known changes nothing. Raises ``Fault`` 3101 on a malformed request, 2001
        (HTTP 500) where the account is not an active settlement account in the currency.
        """
        action, amount, transfer_id = body.get("action"), body.get("amount"), body.get("transferId")
        if action not in ("recordFundsIn", "recordFundsOutPrepareReserve"):
            raise Fault(
                FspiopError.MALFORMED_SYNTAX, '"action" must be one of [recordFundsIn, recordFundsOutPrepareReserve]'
            )
        if not is_correlation_id(transfer_id) or not isinstance(transfer_id, str):
            raise Fault(FspiopError.MALFORMED_SYNTAX, '"transferId" fails to match the required pattern')
        units = _units(amount)
        if units is None or not isinstance(amount, dict):
            raise Fault(FspiopError.MALFORMED_SYNTAX, '"amount" must be a positive number with at most 4 decimals')
        if amount.get("currency") != account.currency:
            raise _refused("The account does not match participant or currency specified")
        if not account.active:
            raise _refused("Account is currently set inactive")
        if account.type is not AccountType.SETTLEMENT:
            raise _refused("Account is not SETTLEMENT type")
        if self._transfers.find(transfer_id) is not None:
            return
        transfer = Transfer(
            id=transfer_id,
            payer=account.owner if action != "recordFundsIn" else HUB,
            payee=HUB if action != "recordFundsIn" else account.owner,
            currency=account.currency,
            units=units,
            condition="",
            expires=None,
            fingerprint=digest(body),
        )
        self._transfers.add(transfer)
        if action == "recordFundsIn":
            self._ledger.funds_in(account, self._reconciliation(account), transfer.units)
            transfer.step(Event.RESERVE, now)
            transfer.step(Event.COMMIT, now)
            return
        try:
            self._ledger.funds_out_reserve(account, transfer.units)
        except Fault as fault:
            transfer.step(Event.LACK, now)
            transfer.extensions = [("cause", fault.cause)]
            return
        transfer.step(Event.RESERVE, now)
        transfer.extensions = [("externalReference", str(body.get("externalReference", ""))), *_extensions(body)]

    def finish(self, account: Account, transfer_id: str, body: Mapping[str, Any], now: datetime) -> None:
        """Carries out recordFundsOutCommit or recordFundsOutAbort of what is reserved; changes nothing otherwise.

        Raises ``Fault`` 3101 on another action.
        """
        action = body.get("action")
        if action not in ("recordFundsOutCommit", "recordFundsOutAbort"):
            raise Fault(
                FspiopError.MALFORMED_SYNTAX, '"action" must be one of [recordFundsOutCommit, recordFundsOutAbort]'
            )
        transfer = self._transfers.find(transfer_id)
        if transfer is None or transfer.expires is not None or transfer.payer != account.owner:
            return
        if transfer.state is not State.RESERVED:
            return
        if action == "recordFundsOutCommit":
            if self._defects.active("funds-out-commit-lost"):
                return
            self._ledger.funds_out_commit(account, self._reconciliation(account), transfer.units)
            transfer.step(Event.COMMIT, now)
        else:
            self._ledger.funds_out_abort(account, transfer.units)
            transfer.step(Event.ABORT, now)
        transfer.extensions = []

    def _reconciliation(self, account: Account) -> Account:
        found = self._ledger.account(HUB, account.currency, AccountType.HUB_RECONCILIATION)
        if found is None:
            raise Fault(FspiopError.ID_NOT_FOUND, "Hub reconciliation account for the currency does not exist")
        return found


def _units(amount: object) -> int | None:
    """Returns the units of an amount written as text or number, or ``None`` where it is none above zero."""
    value = amount.get("amount") if isinstance(amount, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        units = to_units(value)
    except (ValueError, ArithmeticError):
        return None
    return units if units > 0 else None


def _refused(text: str) -> Fault:
    return Fault(FspiopError.INTERNAL_SERVER, text, status=500)


def _extensions(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs = (body.get("extensionList") or {}).get("extension") or []
    return [(str(pair.get("key", "")), str(pair.get("value", ""))) for pair in pairs if isinstance(pair, dict)]
