"""What does each message about a transfer change, and who is told? The rules of central-ledger for transfers.

Pure: no clock of its own, no network. Every event returns the notices that follow from it, in order.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, final

from harness.errors import InternalError
from harness.fspiop.dates import iso_ms
from harness.fspiop.errors import FspiopError
from harness.fspiop.ilp import fulfils
from harness.hub.conversions import Conversions, NoConversions, Obligation
from harness.hub.defects import Defects
from harness.hub.faults import Fault, extension_list
from harness.hub.interchange_fees import Fees, NoFees
from harness.hub.ledger import Account, AccountType, Ledger, to_units
from harness.hub.messages import Message, digest
from harness.hub.participants import HUB, Participants
from harness.hub.settlement import Windows
from harness.hub.transfer_states import ENDED, Event, State, Transfer
from harness.hub.transfer_times import Deadlines, expires_at

__all__ = ["Notice", "NoticeKind", "Transfers"]


_BAD_DESTINATION = "fspiop-destination does not match payer fsp on the Fulfil callback response"
_BAD_SOURCE = "fspiop-source does not match payee fsp on the Fulfil callback response"


class NoticeKind(StrEnum):
    """What a participant is told."""

    PREPARE = "prepare"
    FULFIL = "fulfil"
    ERROR = "error"
    FORWARDED_ERROR = "forwarded-error"
    PATCH = "patch"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell a participant. ``cause`` is the message it answers or hands on; ``None`` for a time-out."""

    kind: NoticeKind
    to: str
    transfer_id: str
    cause: Message | None
    body: Any = None
    times: int = 1
    resource: str = "transfers"
    """What ``transfer_id`` is the id of: ``transfers`` or ``fxTransfers``."""


@final
class Transfers:
    """All transfers of the hub."""

    def __init__(
        self,
        ledger: Ledger,
        participants: Participants,
        defects: Defects,
        windows: Windows | None = None,
        *,
        on_us: bool = False,
    ) -> None:
        """``on_us`` says whether the Scheme lets a DFSP transfer to itself."""
        self._ledger = ledger
        self._participants = participants
        self._defects = defects
        self._on_us = on_us and not defects.active("on-us-refused")
        self._windows = windows or Windows()
        self._by_id: dict[str, Transfer] = {}
        self.deadlines = Deadlines(lambda ident: self._by_id[ident].state is State.RESERVED)
        self.unchecked_liquidity: set[str] = set()
        """Currencies whose settlement model asks for no liquidity check."""
        self.time_scale = 1.0
        self.conversions: Conversions = NoConversions()
        self.fees: Fees = NoFees()

    def find(self, transfer_id: str) -> Transfer | None:
        """Returns the transfer, or ``None``."""
        return self._by_id.get(transfer_id)

    def all(self) -> Collection[Transfer]:
        """Returns every transfer and movement of funds, oldest first."""
        return self._by_id.values()

    def add(self, transfer: Transfer) -> None:
        """Keeps a movement of funds among the transfers, where ``GET /transfers/{ID}`` finds it."""
        self._by_id[transfer.id] = transfer

    # Prepare

    def prepare(self, message: Message, now: datetime) -> list[Notice]:
        """POST /transfers: validates, reserves the payer's position and hands the transfer to the payee."""
        body, fingerprint = message.body, digest(message.body)
        known = self._by_id.get(body["transferId"])
        if known is not None:
            return self._prepare_again(known, message, fingerprint)
        transfer = Transfer(
            id=body["transferId"],
            payer=body["payerFsp"],
            payee=body["payeeFsp"],
            currency=body["amount"]["currency"],
            units=to_units(body["amount"]["amount"]),
            condition=body["condition"],
            expires=expires_at(body["expiration"], now, self.time_scale),
            fingerprint=fingerprint,
        )
        self._by_id[transfer.id] = transfer
        owed = self.conversions.obligation(transfer)
        try:
            self.conversions.check_fulfilled(transfer)
            self._validate(transfer, owed, message, now)
        except Fault as fault:
            return self._refuse(transfer, Event.REFUSE, fault, message, now)
        try:
            self._ledger.reserve(
                self._position(owed.debtor, owed.currency),
                owed.units,
                liquidity_checked=owed.currency not in self.unchecked_liquidity,
            )
        except Fault as fault:
            return self._refuse(transfer, Event.LACK, fault, message, now)
        transfer.step(Event.RESERVE, now)
        self.fees.note(body)
        if transfer.expires is not None:
            self.deadlines.add(transfer.expires, transfer.id)
        return [Notice(NoticeKind.PREPARE, transfer.payee, transfer.id, message)]

    def _prepare_again(self, known: Transfer, message: Message, fingerprint: bytes) -> list[Notice]:
        """A repeated request is answered with the state once that is final; a modified one with 3106."""
        if known.fingerprint != fingerprint:
            if self._defects.active("duplicate-modified-accepted"):
                return [Notice(NoticeKind.PREPARE, known.payee, known.id, message)]
            return [self._error(message.source, known.id, message, Fault(FspiopError.MODIFIED_REQUEST))]
        if known.state not in ENDED or self._defects.active("duplicate-not-resent"):
            return []
        return [Notice(NoticeKind.STATE, message.source, known.id, message, self.view(known))]

    def _refuse(self, transfer: Transfer, event: Event, fault: Fault, message: Message, now: datetime) -> list[Notice]:
        transfer.step(event, now)
        transfer.extensions = [("cause", fault.cause)]
        return [self._error(message.source, transfer.id, message, fault)]

    def _validate(self, transfer: Transfer, owed: Obligation, message: Message, now: datetime) -> None:
        """Raises ``Fault`` 3100 with the first reason against the transfer (central-ledger, transfer validator)."""
        if message.source != transfer.payer:
            raise Fault(FspiopError.VALIDATION, "FSPIOP-Source header should match Payer")
        self._check_participant(transfer.payer, lenient=False)
        self._check_account(owed.debtor, owed.currency)
        self._check_participant(transfer.payee, lenient=self._defects.active("inactive-participant-accepted"))
        self._check_account(owed.creditor, owed.currency)
        if (
            transfer.expires is not None
            and transfer.expires < now
            and not self._defects.active("expired-prepare-accepted")
        ):
            raise Fault(FspiopError.VALIDATION, f"Expiration date {iso_ms(transfer.expires)} is already in the past")
        if transfer.payer.lower() == transfer.payee.lower() and not self._on_us:
            raise Fault(
                FspiopError.VALIDATION,
                "Payer FSP and Payee FSP should be different, unless on-us tranfers are allowed by the Scheme",
            )

    def _check_participant(self, name: str, *, lenient: bool) -> None:
        participant = self._participants.find(name)
        if participant is None or name == HUB:
            raise Fault(FspiopError.VALIDATION, f"Participant {name} not found")
        if not participant.active and not lenient:
            raise Fault(FspiopError.VALIDATION, f"Participant {name} is inactive")

    def _check_account(self, name: str, currency: str) -> None:
        account = self._ledger.account(name, currency, AccountType.POSITION)
        if account is None:
            raise Fault(FspiopError.VALIDATION, f"Participant {name} {currency} account not found")
        if not account.active and not self._defects.active("inactive-account-accepted"):
            raise Fault(FspiopError.VALIDATION, f"Participant {name} {currency} account is inactive")

    # Answers of the payee (order of checks as in central-ledger's fulfil handler)

    def fulfil(self, transfer_id: str, message: Message, now: datetime) -> list[Notice]:
        """PUT /transfers/{ID}: commits where everything fits, else says what does not.

        RESERVED in version 1.0 is passed over, as any other state but COMMITTED: the transfer will expire.
        """
        said = message.body["transferState"]
        if said not in ("COMMITTED", "RESERVED") or (said == "RESERVED" and message.version == "1.0"):
            return []
        checked = self._check_answer(transfer_id, "fulfilment", message, now)
        if not isinstance(checked, Transfer):
            return checked
        fulfilment = message.body.get("fulfilment", "")
        if not (fulfils(fulfilment, checked.condition) or self._defects.active("fulfilment-unchecked")):
            cause = Fault(FspiopError.VALIDATION, "invalid fulfilment").cause
            return self._abort_on_answer(checked, message, Fault(FspiopError.VALIDATION), cause, now)
        if (problem := _too_late(checked, now)) is not None:
            return self._tell_payee(checked, message, problem)
        return self._commit(checked, message, fulfilment, now)

    def reject(self, transfer_id: str, message: Message, now: datetime) -> list[Notice]:
        """PUT /transfers/{ID}/error: the payee says no; the position is given back and the payer told."""
        checked = self._check_answer(transfer_id, "error", message, now)
        if not isinstance(checked, Transfer):
            return checked
        if (problem := _too_late(checked, now)) is not None:
            return self._tell_payee(checked, message, problem)
        information = message.body["errorInformation"]
        self._abort(checked, f"{information['errorCode']}: {information['errorDescription']}", now)
        if conversions := self.conversions.abort(checked, message, now):
            return [self._rejection(checked, message), *conversions]
        return [Notice(NoticeKind.FORWARDED_ERROR, checked.payer, checked.id, message)]

    def _check_answer(self, transfer_id: str, kind: str, message: Message, now: datetime) -> Transfer | list[Notice]:
        """Returns the transfer that a first answer from the right payee is about, else what is to be told."""
        transfer = self._by_id.get(transfer_id)
        if transfer is None or transfer.expires is None:
            fault = Fault(FspiopError.INTERNAL_SERVER, "transfer not found")
            return [self._error(message.source, transfer_id, message, fault)]
        if (mismatch := _mismatch(transfer, message)) is not None:
            return self._abort_on_answer(transfer, message, mismatch, mismatch.cause, now)
        fingerprint = digest(message.body)
        before = transfer.answers.setdefault(kind, fingerprint)
        if before is fingerprint:
            return transfer
        if before != fingerprint and not (kind == "error" and self._defects.active("reject-modified-accepted")):
            return [self._error(message.source, transfer.id, message, Fault(FspiopError.MODIFIED_REQUEST))]
        if transfer.state in ENDED and not self._defects.active("fulfil-repeat-unanswered"):
            return [Notice(NoticeKind.STATE, message.source, transfer.id, message, self.view(transfer))]
        return []

    def _commit(self, transfer: Transfer, message: Message, fulfilment: str, now: datetime) -> list[Notice]:
        owed = self.conversions.obligation(transfer)
        debtor = self._position(owed.debtor, owed.currency)
        creditor = self._position(owed.creditor, owed.currency)
        self._ledger.commit(debtor, creditor, owed.units)
        self._windows.record(debtor, creditor, owed.units)
        self.fees.charge(transfer.id)
        patches = self.conversions.commit(transfer, message, now)
        transfer.step(Event.COMMIT, now)
        transfer.fulfilment = fulfilment
        times = 1
        if self._defects.active("transfer-callback-lost"):
            times = 0
        if self._defects.active("transfer-callback-twice"):
            times = 2
        if message.body["transferState"] != "RESERVED":
            return [*patches, Notice(NoticeKind.FULFIL, transfer.payer, transfer.id, message, times=times)]
        # What the payee said is not what the payer is told, so the hub says it itself (ml-api-adapter, notifications).
        told = Notice(NoticeKind.STATE, transfer.payer, transfer.id, message, _committed(transfer), times=times)
        return [*patches, told, *self._patch(transfer, message)]

    def _abort_on_answer(
        self, transfer: Transfer, message: Message, fault: Fault, cause: str, now: datetime
    ) -> list[Notice]:
        """An answer that does not fit aborts a reserved transfer: payer and payee are told."""
        if transfer.state is not State.RESERVED:
            return [self._error(message.source, transfer.id, message, fault)]
        self._abort(transfer, cause, now)
        payer = self._error(transfer.payer, transfer.id, message, fault)
        if conversions := self.conversions.abort(transfer, message, now):
            payer = self._rejection(transfer, message)
        if message.body.get("transferState") == "RESERVED":
            return [payer, *conversions, *self._patch(transfer, message)]
        return [payer, *conversions, self._error(transfer.payee, transfer.id, message, fault)]

    def abort_with_conversion(self, transfer: Transfer, message: Message, now: datetime) -> list[Notice]:
        """Aborts a reserved transfer because a conversion it hangs on was; the payer is told."""
        fault = Fault(FspiopError.PAYEE_REJECTION)
        self._abort(transfer, fault.cause, now)
        conversions = self.conversions.abort(transfer, message, now)
        return [self._error(transfer.payer, transfer.id, message, fault), *conversions]

    def _tell_payee(self, transfer: Transfer, message: Message, fault: Fault) -> list[Notice]:
        """An answer that came too late changes nothing."""
        told = [self._error(message.source, transfer.id, message, fault)]
        if message.body.get("transferState") == "RESERVED":
            told += self._patch(transfer, message)
        return told

    # Time

    def expire_due(self, now: datetime) -> list[Notice]:
        """Ends every transfer whose expiration has passed while it was reserved."""
        return [notice for ident in self.deadlines.due(now) for notice in self.expire(self._by_id[ident], now)]

    def expire(self, transfer: Transfer, now: datetime) -> list[Notice]:
        """Ends a reserved transfer, and what hangs together with it; payer and payee are told."""
        fault = Fault(FspiopError.TRANSFER_EXPIRED)
        owed = self.conversions.obligation(transfer)
        self._ledger.release(
            self._position(owed.debtor, owed.currency),
            owed.units,
            kept=self._defects.active("position-kept-on-expiry"),
        )
        transfer.step(Event.EXPIRE, now)
        transfer.extensions = [("cause", fault.cause)]
        told = [transfer.payee] if self._defects.active("expiry-not-notified") else [transfer.payer, transfer.payee]
        notices = [self._error(to, transfer.id, None, fault) for to in told]
        return [*notices, *self.conversions.expire(transfer, now)]

    # What is shown

    def view(self, transfer: Transfer) -> dict[str, Any]:
        """Returns the body of ``PUT /transfers/{ID}`` as the hub itself answers a GET."""
        moment = transfer.changed.replace(microsecond=0)
        body: dict[str, Any] = {"completedTimestamp": iso_ms(moment), "transferState": transfer.public_state}
        if transfer.state is State.COMMITTED:
            if self._defects.active("transfer-state-wrong"):
                body["transferState"] = "RESERVED"
            if transfer.fulfilment is not None:
                body["fulfilment"] = transfer.fulfilment
        elif transfer.extensions:
            body["extensionList"] = extension_list(transfer.extensions)
        return body

    def query(self, transfer_id: str, message: Message) -> list[Notice]:
        """GET /transfers/{ID}: tells the state, 3208, or 3000 to a stranger."""
        transfer = self._by_id.get(transfer_id)
        if transfer is None:
            error = FspiopError.TRANSFER_ID_NOT_FOUND
            if self._defects.active("transfer-not-found-wrong-code"):
                error = FspiopError.ID_NOT_FOUND
            fault = Fault(error, "Provided Transfer ID was not found on the server.")
            return [self._error(message.source, transfer_id, message, fault)]
        if message.source not in (transfer.payer, transfer.payee):
            fault = Fault(FspiopError.CLIENT)
            return [self._error(message.source, transfer_id, message, fault)]
        return [Notice(NoticeKind.STATE, message.source, transfer_id, message, self.view(transfer))]

    # Parts

    def _abort(self, transfer: Transfer, cause: str, now: datetime) -> None:
        owed = self.conversions.obligation(transfer)
        kept = self._defects.active("position-kept-on-abort") or (
            owed.debtor != transfer.payer and self._defects.active("fx-provider-position-kept-on-abort")
        )
        self._ledger.release(self._position(owed.debtor, owed.currency), owed.units, kept=kept)
        transfer.step(Event.ABORT, now)
        transfer.extensions = [("cause", cause)]

    def _position(self, name: str, currency: str) -> Account:
        account = self._ledger.account(name, currency, AccountType.POSITION)
        if account is None:
            raise InternalError(f"{name} has no {currency} position")
        return account

    @staticmethod
    def _rejection(transfer: Transfer, message: Message) -> Notice:
        """What the payer hears, in the payee's name, of a transfer aborted together with its conversions.

        central-ledger 19.8.3 loses the reason on the way from one position to the next (recorded).
        """
        body = Fault(FspiopError.PAYEE_REJECTION).body
        return Notice(NoticeKind.FORWARDED_ERROR, transfer.payer, transfer.id, message, body)

    def _patch(self, transfer: Transfer, message: Message) -> list[Notice]:
        """PATCH /transfers/{ID}: how a payee that answered RESERVED hears of the end (FSPIOP API 1.1, 6.7.2.3)."""
        if self._defects.active("patch-notification-lost"):
            return []
        committed = transfer.state is State.COMMITTED
        body: dict[str, Any] = {
            "completedTimestamp": iso_ms(transfer.changed.replace(microsecond=0)),
            "transferState": "COMMITTED" if committed else "ABORTED",
        }
        if not committed and transfer.extensions:
            body["extensionList"] = extension_list(transfer.extensions)
        return [Notice(NoticeKind.PATCH, transfer.payee, transfer.id, message, body)]

    @staticmethod
    def _error(to: str, transfer_id: str, message: Message | None, fault: Fault) -> Notice:
        return Notice(NoticeKind.ERROR, to, transfer_id, message, fault.body)


def _mismatch(transfer: Transfer, message: Message) -> Fault | None:
    """Returns what is wrong with who answers whom, or ``None``."""
    if message.destination is not None and message.destination.lower() != transfer.payer.lower():
        return Fault(FspiopError.VALIDATION, _BAD_DESTINATION)
    if message.source.lower() != transfer.payee.lower():
        return Fault(FspiopError.VALIDATION, _BAD_SOURCE)
    return None


def _too_late(transfer: Transfer, now: datetime) -> Fault | None:
    """Returns why the transfer cannot be ended by its payee any more, or ``None``."""
    if transfer.state is not State.RESERVED:
        return Fault(FspiopError.VALIDATION, "non-RESERVED transfer state")
    if transfer.expires is not None and transfer.expires <= now:
        return Fault(FspiopError.TRANSFER_EXPIRED)
    return None


def _committed(transfer: Transfer) -> dict[str, Any]:
    return {
        "completedTimestamp": iso_ms(transfer.changed.replace(microsecond=0)),
        "transferState": "COMMITTED",
        "fulfilment": transfer.fulfilment,
    }
