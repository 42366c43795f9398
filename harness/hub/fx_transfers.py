"""What does each message about a currency conversion change, and who is told? central-ledger's rules for fxTransfers.

Learnt from central-ledger 19.8.3 (FxFulfilService, domain/fx/cyril, domain/position) and its recorded answers. Pure: no
clock of its own, no network.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, final

from harness.errors import InternalError
from harness.fspiop.dates import iso_ms
from harness.fspiop.errors import FspiopError
from harness.fspiop.ilp import fulfils
from harness.hub.conversions import Obligation
from harness.hub.defects import Defects
from harness.hub.faults import Fault
from harness.hub.fx_checks import check_prepare
from harness.hub.fx_states import OPEN, FxEvent, FxState, FxTransfer, Money, Side
from harness.hub.ledger import Account, AccountType, Ledger, to_units
from harness.hub.messages import Message, digest
from harness.hub.participants import Participants
from harness.hub.settlement import Windows
from harness.hub.transfer_states import State, Transfer
from harness.hub.transfer_times import Deadlines, expires_at
from harness.hub.transfers import Notice, NoticeKind, Transfers

__all__ = ["FX_RESOURCE", "FxTransfers"]

FX_RESOURCE = "fxTransfers"


@final
class FxTransfers:
    """All conversions of the hub, and what transfers ask of them."""

    def __init__(
        self, ledger: Ledger, participants: Participants, defects: Defects, windows: Windows, transfers: Transfers
    ) -> None:
        self._ledger = ledger
        self._participants = participants
        self._defects = defects
        self._windows = windows
        self._transfers = transfers
        self._by_id: dict[str, FxTransfer] = {}
        self._of_transfer: defaultdict[str, list[FxTransfer]] = defaultdict(list)
        self.deadlines = Deadlines(lambda ident: self._by_id[ident].state in OPEN)

    def find(self, commit_request_id: str) -> FxTransfer | None:
        """Returns the conversion, or ``None``."""
        return self._by_id.get(commit_request_id)

    def all(self) -> Collection[FxTransfer]:
        """Returns every conversion, oldest first."""
        return self._by_id.values()

    # Prepare

    def prepare(self, message: Message, now: datetime) -> list[Notice]:
        """POST /fxTransfers: validates, reserves, and hands the conversion to the FXP."""
        body, fingerprint = message.body, digest(message.body)
        known = self._by_id.get(body["commitRequestId"])
        if known is not None:
            return self._prepare_again(known, message, fingerprint)
        determining = body.get("determiningTransferId")
        # A conversion for a transfer that is there already can only be the payee's (domain/fx/cyril).
        after = determining is not None and self._transfers.find(determining) is not None
        fx = FxTransfer(
            id=body["commitRequestId"],
            determining=determining,
            side=Side.PAYEE if after else Side.PAYER,
            initiating=body["initiatingFsp"],
            counterparty=body["counterPartyFsp"],
            source=_money(body["sourceAmount"]),
            target=_money(body["targetAmount"]),
            condition=body["condition"],
            expires=expires_at(body["expiration"], now, self._transfers.time_scale) if "expiration" in body else None,
            fingerprint=fingerprint,
        )
        self._by_id[fx.id] = fx
        try:
            expires = check_prepare(fx, message, now, self._participants, self._ledger)
        except Fault as fault:
            return self._refuse(fx, FxEvent.REFUSE, fault, message, now)
        if fx.determining is not None:
            self._of_transfer[fx.determining].append(fx)
        try:
            self._ledger.reserve(
                self._position(fx.debtor, fx.owed.currency),
                fx.owed.units,
                liquidity_checked=fx.owed.currency not in self._transfers.unchecked_liquidity,
            )
        except Fault as fault:
            return self._refuse(fx, FxEvent.LACK, fault, message, now)
        fx.step(FxEvent.RESERVE, now)
        self.deadlines.add(expires, fx.id)
        return [_notice(NoticeKind.PREPARE, fx.counterparty, fx, message)]

    def _prepare_again(self, known: FxTransfer, message: Message, fingerprint: bytes) -> list[Notice]:
        """A repeated request is answered with the state; a modified one with 3106."""
        if known.fingerprint != fingerprint:
            if self._defects.active("fx-duplicate-modified-accepted"):
                return [_notice(NoticeKind.PREPARE, known.counterparty, known, message)]
            return [_error(message.source, known.id, message, Fault(FspiopError.MODIFIED_REQUEST))]
        return [_notice(NoticeKind.STATE, message.source, known, message, self.view(known))]

    def _refuse(self, fx: FxTransfer, event: FxEvent, fault: Fault, message: Message, now: datetime) -> list[Notice]:
        fx.step(event, now)
        return [_error(message.source, fx.id, message, fault)]

    # Answers of the FXP (order of checks as in central-ledger's FxFulfilService)

    def fulfil(self, commit_request_id: str, message: Message, now: datetime) -> list[Notice]:
        """PUT /fxTransfers/{ID}: the conversion now waits for the transfer it is for.

        ABORTED is passed over, as there: an FXP says no with an error.
        """
        if message.body["conversionState"] == "ABORTED":
            return []
        checked = self._check_answer(commit_request_id, "fulfilment", message, now)
        if not isinstance(checked, FxTransfer):
            return checked
        # An answer without a fulfilment is taken without one.
        fulfilment = message.body.get("fulfilment")
        unfit = fulfilment is not None and not fulfils(fulfilment, checked.condition)
        if unfit and not self._defects.active("fx-fulfilment-unchecked"):
            return self._abort_on_answer(checked, message, now)
        if _too_late(checked, now):
            return []
        checked.step(FxEvent.FULFIL, now)
        checked.fulfilment = fulfilment
        checked.completed = message.body.get("completedTimestamp")
        return [_notice(NoticeKind.FULFIL, checked.initiating, checked, message)]

    def reject(self, commit_request_id: str, message: Message, now: datetime) -> list[Notice]:
        """PUT /fxTransfers/{ID}/error: the FXP says no; what was reserved is given back, who asked is told.

        Whatever the FXP's code, 5100 goes on (central-ledger, position abort).
        """
        checked = self._check_answer(commit_request_id, "error", message, now)
        if not isinstance(checked, FxTransfer):
            return checked
        if _too_late(checked, now):
            return []
        told = _notice(NoticeKind.FORWARDED_ERROR, checked.initiating, checked, message, _REJECTED.body)
        return [told, *self._abort_related(checked, message, now)]

    def _check_answer(
        self, commit_request_id: str, kind: str, message: Message, now: datetime
    ) -> FxTransfer | list[Notice]:
        """Returns the conversion that a first answer from the right FXP is about, else what is to be told.

        Nothing is told about an unknown conversion or one that is over: central-ledger fails such an answer with the
        action fx-reserve, for which ml-api-adapter has no notification.
        """
        fx = self._by_id.get(commit_request_id)
        if fx is None:
            return []
        said_by, said_to = message.source.lower(), (message.destination or "").lower()
        if (said_by, said_to) != (fx.counterparty.lower(), fx.initiating.lower()):
            return self._abort_on_answer(fx, message, now)
        fingerprint = digest(message.body)
        before = fx.answers.setdefault(kind, fingerprint)
        if before is fingerprint:
            return fx
        if before != fingerprint:
            fault = Fault(FspiopError.MODIFIED_REQUEST, "No fxDuplicateHash found")
            return [_error(message.source, fx.id, message, fault)]
        if fx.public_state in ("COMMITTED", "ABORTED"):
            return [_notice(NoticeKind.STATE, message.source, fx, message, self.view(fx))]
        return []

    def _abort_on_answer(self, fx: FxTransfer, message: Message, now: datetime) -> list[Notice]:
        """An answer that does not fit aborts the conversion; who asked for it is told, without the reason."""
        if fx.state not in OPEN:
            return []
        told = _error(fx.initiating, fx.id, message, Fault(FspiopError.VALIDATION))
        return [told, *self._abort_related(fx, message, now)]

    def _abort_related(self, fx: FxTransfer, message: Message, now: datetime) -> list[Notice]:
        """Aborts the conversion, and the transfer and the other conversions that it belongs to."""
        self._end(fx, FxEvent.ABORT, now)
        transfer = None if fx.determining is None else self._transfers.find(fx.determining)
        if transfer is not None and transfer.state is State.RESERVED:
            return self._transfers.abort_with_conversion(transfer, message, now)
        return self._abort_all(self._open_of(fx.determining), message, now)

    # Time

    def expire_due(self, now: datetime) -> list[Notice]:
        """Ends every conversion whose expiration has passed, and the transfer that hangs on it."""
        notices: list[Notice] = []
        for ident in self.deadlines.due(now):
            fx = self._by_id[ident]
            notices += self._expire_one(fx, now)
            transfer = None if fx.determining is None else self._transfers.find(fx.determining)
            if transfer is None or transfer.state is not State.RESERVED:
                for other in self._open_of(fx.determining):
                    notices += self._expire_one(other, now)
            elif not self._defects.active("fx-expiry-leaves-transfer"):
                notices += self._transfers.expire(transfer, now)
        return notices

    def _expire_one(self, fx: FxTransfer, now: datetime) -> list[Notice]:
        self._end(fx, FxEvent.EXPIRE, now)
        fault = Fault(FspiopError.TRANSFER_EXPIRED)
        return [_error(to, fx.id, None, fault) for to in (fx.initiating, fx.counterparty)]

    # What transfers ask (harness.hub.conversions)

    def check_fulfilled(self, transfer: Transfer) -> None:
        """Raises ``Fault`` 3100 where a conversion that the transfer hangs on is not fulfilled."""
        if self._defects.active("fx-unfulfilled-accepted"):
            return
        for fx in self._of_transfer.get(transfer.id, ()):
            if fx.state is not FxState.RECEIVED_FULFIL_DEPENDENT:
                raise Fault(FspiopError.VALIDATION, "Related FX Transfer is not fulfilled")

    def obligation(self, transfer: Transfer) -> Obligation:
        """Returns who owes whom what: the payer's FXP in place of the payer, the payee's in place of the payee."""
        owed = Obligation.of(transfer)
        for fx in self._of_transfer.get(transfer.id, ()):
            if fx.side is Side.PAYER:
                owed = replace(owed, debtor=fx.counterparty, currency=fx.target.currency, units=fx.target.units)
                break
        for fx in self._of_transfer.get(transfer.id, ()):
            ready = fx.side is Side.PAYEE and fx.state is FxState.RECEIVED_FULFIL_DEPENDENT
            if ready and fx.source.currency == owed.currency:
                owed = replace(owed, creditor=fx.counterparty)
                break
        return owed

    def commit(self, transfer: Transfer, message: Message, now: datetime) -> list[Notice]:
        """Commits the fulfilled conversions of the transfer; PATCH tells the payer's FXP (FSPIOP API 2.0)."""
        notices = []
        for fx in self._of_transfer.get(transfer.id, ()):
            if fx.state is not FxState.RECEIVED_FULFIL_DEPENDENT:
                continue
            debtor = self._position(fx.debtor, fx.owed.currency)
            creditor = self._position(fx.creditor, fx.owed.currency)
            self._ledger.commit(debtor, creditor, fx.owed.units)
            if self._defects.active("fx-provider-not-credited"):
                creditor.move(fx.owed.units)
            self._windows.record(debtor, creditor, fx.owed.units)
            fx.step(FxEvent.COMMIT, now)
            if fx.side is Side.PAYER and not self._defects.active("fx-patch-lost"):
                notices.append(_notice(NoticeKind.PATCH, fx.counterparty, fx, message, _committed(fx)))
        return notices

    def abort(self, transfer: Transfer, message: Message, now: datetime) -> list[Notice]:
        """Aborts the conversions of the transfer; who asked for them is told."""
        return self._abort_all(self._open_of(transfer.id), message, now)

    def expire(self, transfer: Transfer, now: datetime) -> list[Notice]:
        """Lets the conversions of the transfer expire with it."""
        if self._defects.active("fx-kept-on-transfer-expiry"):
            return []
        return [notice for fx in self._open_of(transfer.id) for notice in self._expire_one(fx, now)]

    # What is shown

    def view(self, fx: FxTransfer) -> dict[str, Any]:
        """Returns the body of ``PUT /fxTransfers/{ID}`` as the hub itself answers a GET."""
        body: dict[str, Any] = {
            "completedTimestamp": iso_ms(fx.changed.replace(microsecond=0)),
            "conversionState": fx.public_state,
        }
        if fx.fulfilment is not None:
            body["fulfilment"] = fx.fulfilment
        return body

    def query(self, commit_request_id: str, message: Message) -> list[Notice]:
        """GET /fxTransfers/{ID}: tells the state, 3208, or 3000 to a stranger."""
        fx = self._by_id.get(commit_request_id)
        if fx is None:
            error = FspiopError.TRANSFER_ID_NOT_FOUND
            if self._defects.active("fx-not-found-wrong-code"):
                error = FspiopError.ID_NOT_FOUND
            fault = Fault(error, "Provided commitRequest ID was not found on the server.")
            return [_error(message.source, commit_request_id, message, fault)]
        if message.source not in (fx.initiating, fx.counterparty):
            return [_error(message.source, commit_request_id, message, Fault(FspiopError.CLIENT))]
        return [_notice(NoticeKind.STATE, message.source, fx, message, self.view(fx))]

    # Parts

    def _open_of(self, transfer_id: str | None) -> list[FxTransfer]:
        """Returns the conversions for a transfer that are still under way."""
        related = () if transfer_id is None else self._of_transfer.get(transfer_id, ())
        return [fx for fx in related if fx.state in OPEN]

    def _abort_all(self, conversions: Iterable[FxTransfer], message: Message, now: datetime) -> list[Notice]:
        notices = []
        for fx in conversions:
            self._end(fx, FxEvent.ABORT, now)
            notices.append(_error(fx.initiating, fx.id, message, _REJECTED))
        return notices

    def _end(self, fx: FxTransfer, event: FxEvent, now: datetime) -> None:
        """Gives back what was reserved."""
        kept = event is FxEvent.ABORT and self._defects.active("fx-position-kept-on-abort")
        self._ledger.release(self._position(fx.debtor, fx.owed.currency), fx.owed.units, kept=kept)
        fx.step(event, now)

    def _position(self, name: str, currency: str) -> Account:
        account = self._ledger.account(name, currency, AccountType.POSITION)
        if account is None:
            raise InternalError(f"{name} has no {currency} position")
        return account


_REJECTED = Fault(FspiopError.PAYEE_REJECTION)
"""What an abort becomes on its way (central-ledger, domain/position/abort)."""


def _money(amount: dict[str, str]) -> Money:
    return Money(amount["currency"], to_units(amount["amount"]))


def _too_late(fx: FxTransfer, now: datetime) -> bool:
    return fx.state not in OPEN or (fx.expires is not None and fx.expires <= now)


def _committed(fx: FxTransfer) -> dict[str, Any]:
    completed = fx.completed or iso_ms(fx.changed.replace(microsecond=0))
    return {"conversionState": "COMMITTED", "completedTimestamp": completed}


def _notice(kind: NoticeKind, to: str, fx: FxTransfer, message: Message, body: Any = None) -> Notice:
    return Notice(kind, to, fx.id, message, body, resource=FX_RESOURCE)


def _error(to: str, ident: str, message: Message | None, fault: Fault) -> Notice:
    return Notice(NoticeKind.ERROR, to, ident, message, fault.body, resource=FX_RESOURCE)
