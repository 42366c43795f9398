"""What a simulated payee DFSP answers to the hub: look-up, quote with packet and condition, fulfilment or refusal.

No input or output of its own: a call and the time go in, the calls to make come out.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, final
from urllib.parse import quote

from harness.engine.inbound.behaviour import (
    Behaviour,
    OnParties,
    OnQuotes,
    OnTransfers,
    Party,
    SimulatedDfsp,
    secret_of,
)
from harness.engine.inbound.messages import Inbound
from harness.engine.inbound.responder import Outgoing, Reaction
from harness.fspiop import dates, ilp
from harness.fspiop.errors import FspiopError, error_information
from harness.fspiop.headers import DESTINATION, SOURCE, content_type
from harness.fspiop.money import format_amount, parse_amount
from harness.fspiop.resources import Operation, find_operation

__all__ = [
    "Behaviour",
    "DfspResponder",
    "OnParties",
    "OnQuotes",
    "OnTransfers",
    "Party",
    "SimulatedDfsp",
    "quote_amounts",
    "secret_of",
]

Json = dict[str, Any]
_REMEMBERED = 10_000
"""How many transfers a DFSP remembers, to know the hub's news of them."""


class _RefusalError(Exception):
    """The DFSP says no with an FSPIOP error."""

    def __init__(self, error: FspiopError, detail: str = "") -> None:
        super().__init__(error.code)
        self.error = error
        self.detail = detail


@final
class DfspResponder:
    """Plays one DFSP."""

    def __init__(self, dfsp: SimulatedDfsp) -> None:
        self.dfsp = dfsp
        self._parties = {party.key: party for party in dfsp.parties}
        self._awaiting_news: OrderedDict[str, str] = OrderedDict()

    def add_party(self, party: Party) -> None:
        """Makes ``party`` known, in place of one with the same id."""
        self._parties[party.key] = party

    def remove_party(self, id_type: str, identifier: str, sub_id: str | None = None) -> None:
        """Makes that party unknown again; no change where it is not known."""
        self._parties.pop((id_type, identifier, sub_id), None)

    def respond(self, call: Inbound, now: datetime) -> Reaction:
        """Returns the reaction to ``call``. One that is no request to a payee DFSP is left to others."""
        found = find_operation(call.method, call.path)
        if found is None:
            return Reaction()
        operation, parameters = found
        match operation.key:
            case "GET /parties/{Type}/{ID}" | "GET /parties/{Type}/{ID}/{SubId}":
                return self._look_up(call, operation, parameters)
            case "POST /quotes":
                return self._quote(call, operation, now)
            case "POST /transfers":
                return self._transfer(call, operation, now)
            case "PATCH /transfers/{ID}" | "PUT /transfers/{ID}/error":
                return self._news(operation, parameters["ID"])
        return Reaction()

    def _look_up(self, call: Inbound, operation: Operation, parameters: Mapping[str, str]) -> Reaction:
        on = self.dfsp.behaviour.parties
        if on.kind == "silent":
            return Reaction(taken=True)
        identity = {name: value.replace("%2F", "/") for name, value in parameters.items()}
        party = self._parties.get((identity["Type"], identity["ID"], identity.get("SubId")))
        try:
            if on.error is not None:
                raise _RefusalError(on.error)
            if party is None:
                raise _RefusalError(FspiopError.PARTY_NOT_FOUND)
            body = {"party": party.fspiop(self.dfsp.fsp)}
        except _RefusalError as refusal:
            return self._answer(call, operation, identity, on.delay_ms, refusal)
        return self._answer(call, operation, identity, on.delay_ms, body)

    def _quote(self, call: Inbound, operation: Operation, now: datetime) -> Reaction:
        on = self.dfsp.behaviour.quotes
        asked = call.body if isinstance(call.body, dict) else {}
        if not isinstance(quote_id := asked.get("quoteId"), str):
            return Reaction()
        if on.kind == "silent":
            return Reaction(taken=True)
        identity = {"ID": quote_id}
        try:
            if on.error is not None:
                raise _RefusalError(on.error)
            body = self._terms(asked, on, now)
        except _RefusalError as refusal:
            return self._answer(call, operation, identity, on.delay_ms, refusal)
        return self._answer(call, operation, identity, on.delay_ms, body)

    def _terms(self, asked: Json, on: OnQuotes, now: datetime) -> Json:
        try:
            currency = str(asked["amount"]["currency"])
            payer_fee = parse_amount(asked["fees"]["amount"]) if asked.get("fees") else None
            transfer, receive = quote_amounts(
                asked["amountType"], parse_amount(asked["amount"]["amount"]), on.fee, on.commission, payer_fee
            )
            payee = asked["payee"]["partyIdInfo"]
            address = (
                f"g.{_segment(self.dfsp.fsp)}.{_segment(payee['partyIdType'])}.{_segment(payee['partyIdentifier'])}"
            )
        except (KeyError, TypeError, ValueError) as error:
            raise _RefusalError(FspiopError.VALIDATION, f"quote request: {type(error).__name__}: {error}") from error
        if transfer <= 0 or receive < 0:
            raise _RefusalError(FspiopError.PAYEE_FSP_REJECTED_QUOTE, "the amount does not cover the fees")
        names = ("transactionId", "quoteId", "payee", "payer", "transactionType", "note")
        transaction = {
            **{name: asked[name] for name in names if name in asked},
            "amount": {"currency": currency, "amount": format_amount(transfer)},
        }
        try:
            packet = ilp.build_packet(amount=transfer, address=address, transaction=transaction)
        except ValueError as error:
            raise _RefusalError(FspiopError.PAYEE_FSP_REJECTED_QUOTE, str(error)) from error
        amounts = {
            "transferAmount": transfer,
            "payeeReceiveAmount": receive,
            "payeeFspFee": on.fee,
            "payeeFspCommission": on.commission,
        }
        return {
            **{name: {"currency": currency, "amount": format_amount(value)} for name, value in amounts.items()},
            "expiration": dates.iso_ms(now + timedelta(seconds=on.expires_s)),
            "ilpPacket": packet,
            "condition": ilp.condition_of(ilp.fulfilment_for(packet, secret_of(self.dfsp.fsp))),
        }

    def _transfer(self, call: Inbound, operation: Operation, now: datetime) -> Reaction:
        on = self.dfsp.behaviour.transfers
        asked = call.body if isinstance(call.body, dict) else {}
        if not isinstance(transfer_id := asked.get("transferId"), str):
            return Reaction()
        self._await_news(transfer_id)
        if on.kind == "silent":
            return Reaction(taken=True)
        identity = {"ID": transfer_id}
        try:
            if on.kind == "abort":
                raise _RefusalError(on.error or FspiopError.PAYEE_REJECTED_TRANSACTION)
            fulfilment = self._fulfilment(asked)
        except _RefusalError as refusal:
            return self._answer(call, operation, identity, on.delay_ms, refusal)
        if on.kind == "wrong-fulfilment":
            fulfilment = ilp.fulfilment_for(asked["ilpPacket"], b"not the secret of any simulated DFSP")
        body = {
            "fulfilment": fulfilment,
            "completedTimestamp": dates.iso_ms(now + timedelta(milliseconds=on.delay_ms)),
            "transferState": "RESERVED" if on.kind == "reserve" else "COMMITTED",
        }
        return self._answer(call, operation, identity, on.delay_ms, body)

    def _fulfilment(self, asked: Json) -> str:
        """Returns the fulfilment of a transfer whose terms are those this DFSP gave in its quote."""
        try:
            packet, condition = str(asked["ilpPacket"]), str(asked["condition"])
            amount = parse_amount(asked["amount"]["amount"])
            agreed = ilp.parse_packet(packet)
            fulfilment = ilp.fulfilment_for(packet, secret_of(self.dfsp.fsp))
        except (KeyError, TypeError, ValueError) as error:
            raise _RefusalError(FspiopError.VALIDATION, f"transfer: {type(error).__name__}: {error}") from error
        if not ilp.fulfils(fulfilment, condition):
            raise _RefusalError(FspiopError.PAYEE_FSP_REJECTED_TRANSACTION, "the condition is not of this packet")
        if agreed.amount != amount.scaleb(4) and not self.dfsp.behaviour.transfers.any_amount:
            raise _RefusalError(FspiopError.PAYEE_FSP_REJECTED_TRANSACTION, "the amount is not the packet's")
        return fulfilment

    def _await_news(self, transfer_id: str) -> None:
        kind = self.dfsp.behaviour.transfers.kind
        self._awaiting_news[transfer_id] = "PATCH" if kind == "reserve" else "PUT"
        if len(self._awaiting_news) > _REMEMBERED:
            self._awaiting_news.popitem(last=False)

    def _news(self, operation: Operation, transfer_id: str) -> Reaction:
        # The hub PATCHes only a payee that answered RESERVED (API 1.1, section 6.7); of a transfer that
        # expired or was refused it tells any payee with PUT …/error. Either comes once.
        awaited = self._awaiting_news.get(transfer_id)
        if awaited is None or (operation.method == "PATCH" and awaited != "PATCH"):
            return Reaction()
        del self._awaiting_news[transfer_id]
        return Reaction(taken=True)

    def _answer(
        self,
        call: Inbound,
        operation: Operation,
        identity: Mapping[str, str],
        delay_ms: int,
        said: Json | _RefusalError,
    ) -> Reaction:
        refused = isinstance(said, _RefusalError)
        template = (operation.error_callback if refused else operation.callback) or ""
        path = template.format(**{name: quote(value, safe="") for name, value in identity.items()})
        lines = {
            "Content-Type": content_type(operation.resource, self.dfsp.api_version),
            SOURCE: self.dfsp.fsp,
            **({DESTINATION: call.source} if call.source else {}),
            **_trace(call),
        }
        body = error_information(said.error, said.detail) if isinstance(said, _RefusalError) else said
        url = self.dfsp.hub[operation.service].rstrip("/") + path
        return Reaction(taken=True, sends=(Outgoing("PUT", url, lines, body, delay_ms),))


def quote_amounts(
    amount_type: str, amount: Decimal, fee: Decimal, commission: Decimal, payer_fee: Decimal | None = None
) -> tuple[Decimal, Decimal]:
    """Returns transfer amount and payee receive amount (FSPIOP API 1.1, section 5.1, Listings 7 to 11).

    ``payer_fee`` is what the payer DFSP disclosed, ``None`` where it disclosed nothing. Raises ``ValueError`` where
    ``amount_type`` is neither ``SEND`` nor ``RECEIVE``. What comes out may be negative: the quote is then impossible.
    """
    match amount_type, payer_fee:
        case "RECEIVE", _:
            transfer = amount + fee - commission
        case "SEND", None:
            transfer = amount - commission
        case "SEND", Decimal():
            transfer = amount - max(Decimal(0), payer_fee - commission)
        case _:
            raise ValueError(f"amountType is {amount_type!r}")
    return transfer, transfer - fee + commission


def _segment(text: str) -> str:
    # ILP address segments hold letters, digits, _ ~ and - only (ILP addresses, version 2.0.0).
    return "".join(char if char.isascii() and (char.isalnum() or char in "_~-") else "~" for char in str(text)) or "~"


def _trace(call: Inbound) -> dict[str, str]:
    if (trace_id := call.trace_id) is None:
        return {}
    state = {"tracestate": call.headers["tracestate"]} if "tracestate" in call.headers else {}
    return {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01", **state}
