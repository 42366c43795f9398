"""How does a participant's money enter and leave the hub? Funds in, and funds out in two steps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, final

from harness.fspiop.errors import FspiopError
from harness.fspiop.ids import is_correlation_id
from harness.fspiop.money import is_amount
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

    def __init__(self, ledger: Ledger, transfers: Transfers) -> None:
        self._ledger = ledger
        self._transfers = transfers

    def record(self, account: Account, body: Mapping[str, Any], now: datetime) -> None:
        """Carries out recordFundsIn, or the first step of funds out.

        As in central-ledger, funds out beyond the balance are taken in (HTTP 202) and end ABORTED. Raises ``Fault``
        on a malformed request, another account than SETTLEMENT, or a transferId already used.
        """
        action, amount, transfer_id = body.get("action"), body.get("amount"), body.get("transferId")
        if action not in ("recordFundsIn", "recordFundsOutPrepareReserve"):
            raise Fault(
                FspiopError.MALFORMED_SYNTAX, '"action" must be one of [recordFundsIn, recordFundsOutPrepareReserve]'
            )
        if not is_correlation_id(transfer_id) or not isinstance(transfer_id, str):
            raise Fault(FspiopError.MALFORMED_SYNTAX, '"transferId" must be a valid GUID')
        if not isinstance(amount, dict) or not is_amount(amount.get("amount")):
            raise Fault(FspiopError.MALFORMED_SYNTAX, '"amount" fails to match the required pattern')
        if account.type is not AccountType.SETTLEMENT:
            raise Fault(FspiopError.VALIDATION, "Account is not of type SETTLEMENT")
        if amount.get("currency") != account.currency:
            raise Fault(FspiopError.VALIDATION, "Currency does not match the account")
        fingerprint = digest(body)
        if (known := self._transfers.find(transfer_id)) is not None:
            if known.fingerprint != fingerprint:
                raise Fault(FspiopError.MODIFIED_REQUEST)
            return
        transfer = Transfer(
            id=transfer_id,
            payer=account.owner if action != "recordFundsIn" else HUB,
            payee=HUB if action != "recordFundsIn" else account.owner,
            currency=account.currency,
            units=to_units(amount["amount"]),
            condition="",
            expires=None,
            fingerprint=fingerprint,
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
        """Carries out recordFundsOutCommit or recordFundsOutAbort.

        Raises ``Fault`` 3100 where there is no such funds-out of the account, or it is not reserved any more.
        """
        action = body.get("action")
        if action not in ("recordFundsOutCommit", "recordFundsOutAbort"):
            raise Fault(
                FspiopError.MALFORMED_SYNTAX, '"action" must be one of [recordFundsOutCommit, recordFundsOutAbort]'
            )
        transfer = self._transfers.find(transfer_id)
        if transfer is None or transfer.expires is not None or transfer.payer != account.owner:
            raise Fault(FspiopError.VALIDATION, "Transfer is not a funds-out of the account")
        if transfer.state is not State.RESERVED:
            raise Fault(FspiopError.VALIDATION, "Transfer is not in the reserved state")
        if action == "recordFundsOutCommit":
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


def _extensions(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs = (body.get("extensionList") or {}).get("extension") or []
    return [(str(pair.get("key", "")), str(pair.get("value", ""))) for pair in pairs if isinstance(pair, dict)]
