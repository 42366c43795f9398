"""A DFSP that acts in a native case: as payer it looks up, quotes and transfers; as payee it answers as it was told to."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, final

from harness.engine.exchange import CallbackRoutes
from harness.engine.inbound.behaviour import Behaviour, Party, SimulatedDfsp, secret_of
from harness.engine.inbound.messages import Inbound
from harness.engine.native.hub import Hub
from harness.engine.native.step import Step
from harness.errors import ProvisioningError
from harness.fspiop import dates, ilp
from harness.fspiop.headers import DESTINATION, SOURCE, accept, content_type
from harness.fspiop.ids import new_uuid
from harness.fspiop.resources import find_operation

__all__ = ["Dfsp"]

Json = dict[str, Any]


@final
class Dfsp:
    """A participant that the run plays. ``name`` is its FSP id. Amounts are in the target's currency."""

    def __init__(self, name: str, hub: Hub) -> None:
        self.name = name
        self.hub = hub
        self.since = time.monotonic()
        """Calls that came before this moment belong to other cases."""

    # -- as payee --------------------------------------------------------------------------------------------------

    def behaves(self, behaviour: Behaviour) -> Dfsp:
        """From now on answers the hub in this way."""
        self.hub.inbound.register(SimulatedDfsp(self.name, dict(self.hub.target.services), behaviour))
        return self

    def has_party(
        self,
        id_type: str = "MSISDN",
        *,
        sub_id: str | None = None,
        name: str = "Amina Wanjiru",
        registered: bool = True,
    ) -> Party:
        """Adds an account holder with a new number and, if ``registered``, makes it known to the hub's oracle (set-up)."""
        first, _, last = name.partition(" ")
        party = Party(
            id_type=id_type,
            identifier=f"27{secrets.randbelow(10**9):09d}",
            sub_id=sub_id,
            name=name,
            first_name=first,
            last_name=last or None,
            date_of_birth="1984-01-01",
        )
        self.hub.inbound.add_party(self.name, party)
        if registered:
            self._register(party)
        return party

    def _register(self, party: Party) -> None:
        path = _path("participants", party)
        hub = self.hub
        hub.has_oracle(party.id_type)
        expectation = hub.inbound.expect(
            fsp=self.name, routes=[("PUT", path), ("PUT", f"{path}/error")], case=hub.case, step="set-up"
        )
        body = {"fspId": self.name, "currency": hub.target.currency}
        hub.prepare("POST", path, body, service="account-lookup-service", headers=self.headers("participants"))
        answer = hub.inbound.wait(expectation, hub.target.callback_timeout_s)
        if answer is None or answer.path.endswith("/error"):
            raise ProvisioningError(
                f"{path} could not be registered: {'no callback' if answer is None else answer.body}"
            )

    def saw(self, method: str, path: str, *, wait_s: float = 0.0) -> list[Inbound]:
        """Returns the hub's calls ``method path`` to this DFSP, oldest first; waits up to ``wait_s`` s for the first."""
        return self.hub.inbound.seen(self.name, method=method, path=path, wait_s=wait_s, since=self.since)

    # -- requests --------------------------------------------------------------------------------------------------

    def headers(
        self, resource: str, *, version: str = "1.1", to: str | None = None, accept_version: str | None = None
    ) -> dict[str, str]:
        """Returns the headers that FSPIOP asks of a request about ``resource``."""
        sent = {
            "Accept": accept(resource, accept_version or version),
            "Content-Type": content_type(resource, version),
            "Date": dates.http_date(),
            SOURCE: self.name,
        }
        return {**sent, DESTINATION: to} if to else sent

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        to: str | None = None,
        version: str = "1.1",
        awaits: bool = True,
        label: str | None = None,
        callback_timeout_s: float | None = None,
        answer_path: str | None = None,
    ) -> Step:
        """Sends an FSPIOP request as a step and, where the API answers with one and ``awaits``, waits for the callback.

        ``answer_path`` is where the callback arrives if not below ``path`` (for POST it is derived from the body's id).
        """
        found = find_operation(method, path)
        if found is None:
            raise LookupError(f"not an FSPIOP operation: {method} {path}")
        operation, parameters = found
        awaiting = None
        if awaits and operation.callback is not None:
            answer = answer_path or operation.callback.format(
                **{"ID": _body_id(operation.resource, body), **parameters}
            )
            awaiting = CallbackRoutes(self.name, (("PUT", answer), ("PUT", f"{answer}/error")))
        return self.hub.call(
            operation.service,
            method,
            operation.template,
            path=path,
            headers=headers or self.headers(operation.resource, version=version, to=to),
            body=body,
            awaiting=awaiting,
            label=label,
            callback_timeout_s=callback_timeout_s,
        )

    def look_up(self, party: Party, **options: Any) -> Step:
        """``GET /parties`` of ``party``."""
        return self.send("GET", _path("parties", party), **options)

    def look_up_participant(self, party: Party, **options: Any) -> Step:
        """``GET /participants``: which DFSP holds ``party``."""
        return self.send("GET", _path("participants", party), **options)

    def register(self, party: Party, **options: Any) -> Step:
        """``POST /participants``: tells the hub that ``party`` is held here."""
        body = {"fspId": self.name, "currency": self.hub.target.currency}
        return self.send("POST", _path("participants", party), body, **options)

    def unregister(self, party: Party, **options: Any) -> Step:
        """``DELETE /participants`` of ``party``."""
        return self.send("DELETE", _path("participants", party), **options)

    def quote(
        self,
        payee: Dfsp,
        party: Party,
        amount: str,
        *,
        changes: Mapping[str, Any] | None = None,
        kind: str = "SEND",
        **options: Any,
    ) -> Step:
        """``POST /quotes`` for a transfer of ``amount`` to ``party`` at ``payee``. ``changes`` replace body elements."""
        options.setdefault("to", payee.name)
        return self.send("POST", "/quotes", _changed(self.quote_body(payee, party, amount, kind), changes), **options)

    def quote_body(self, payee: Dfsp, party: Party, amount: str, kind: str = "SEND") -> Json:
        """Returns a complete quote request."""
        return {
            "quoteId": new_uuid(),
            "transactionId": new_uuid(),
            "payer": {
                "partyIdInfo": {"partyIdType": "MSISDN", "partyIdentifier": "44123456789", "fspId": self.name},
                "personalInfo": {
                    "complexName": {"firstName": "Juma", "lastName": "Otieno"},
                    "dateOfBirth": "1990-02-03",
                },
            },
            "payee": {"partyIdInfo": party.fspiop(payee.name)["partyIdInfo"]},
            "amountType": kind,
            "amount": {"amount": amount, "currency": self.hub.target.currency},
            "transactionType": {"scenario": "TRANSFER", "initiator": "PAYER", "initiatorType": "CONSUMER"},
            "note": "regression test",
        }

    def transfer(
        self,
        payee: Dfsp,
        amount: str,
        *,
        quote: Step | None = None,
        expires_s: float = 30.0,
        changes: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Step:
        """``POST /transfers`` of ``amount`` to ``payee``, on the terms of ``quote`` where one is given."""
        body = self.transfer_body(payee, amount, quote=quote, expires_s=expires_s)
        return self.resend_transfer(_changed(body, changes), **options)

    def resend_transfer(self, body: Mapping[str, Any], **options: Any) -> Step:
        """``POST /transfers`` with exactly this body."""
        options.setdefault("to", body.get("payeeFsp"))
        return self.send("POST", "/transfers", dict(body), **options)

    def transfer_body(self, payee: Dfsp, amount: str, *, quote: Step | None = None, expires_s: float = 30.0) -> Json:
        """Returns a complete transfer request that the simulated ``payee`` can fulfil."""
        transfer_id = str(quote.sent["transactionId"]) if quote else new_uuid()
        packet = quote.callback("ilpPacket") if quote else None
        condition = quote.callback("condition") if quote else None
        if not isinstance(packet, str) or not isinstance(condition, str):
            terms = {"transactionId": transfer_id, "amount": {"amount": amount, "currency": self.hub.target.currency}}
            packet = ilp.build_packet(amount=Decimal(amount), address=f"g.{payee.name}", transaction=terms)
            condition = ilp.condition_of(payee.fulfilment(packet))
        return {
            "transferId": transfer_id,
            "payerFsp": self.name,
            "payeeFsp": payee.name,
            "amount": {"amount": amount, "currency": self.hub.target.currency},
            "ilpPacket": packet,
            "condition": condition,
            "expiration": dates.iso_ms(datetime.now(UTC) + timedelta(seconds=expires_s)),
        }

    def fulfilment(self, packet: str) -> str:
        """Returns the fulfilment by which this DFSP, as payee, fulfils ``packet``."""
        return ilp.fulfilment_for(packet, secret_of(self.name))

    def fulfil(self, transfer: Mapping[str, Any], *, state: str = "COMMITTED", **options: Any) -> Step:
        """``PUT /transfers/{ID}`` as payee of ``transfer`` (its request body), by hand."""
        body = {
            "fulfilment": self.fulfilment(str(transfer["ilpPacket"])),
            "completedTimestamp": dates.iso_ms(),
            "transferState": state,
        }
        options.setdefault("to", str(transfer["payerFsp"]))
        return self.send("PUT", f"/transfers/{transfer['transferId']}", body, **options)

    def reject(self, transfer: Mapping[str, Any], code: str = "5104", **options: Any) -> Step:
        """``PUT /transfers/{ID}/error`` as payee of ``transfer``, by hand."""
        body = {"errorInformation": {"errorCode": code, "errorDescription": "Payee rejected transaction"}}
        options.setdefault("to", str(transfer["payerFsp"]))
        return self.send("PUT", f"/transfers/{transfer['transferId']}/error", body, **options)

    def get_transfer(self, transfer_id: str, **options: Any) -> Step:
        """``GET /transfers/{ID}``."""
        return self.send("GET", f"/transfers/{transfer_id}", **options)

    def get_quote(self, quote_id: str, **options: Any) -> Step:
        """``GET /quotes/{ID}``."""
        return self.send("GET", f"/quotes/{quote_id}", **options)

    # -- its accounts, at the ledger -------------------------------------------------------------------------------

    def position(self) -> Decimal:
        """Returns the position account's value as the ledger has it now (positive: owed). Not recorded."""
        return Decimal(str(self.hub.account(self.name, "POSITION")["value"]))

    def settles_at(self, expected: Decimal | str | int, *, timeout_s: float = 3.0) -> None:
        """Gives the ledger up to ``timeout_s`` s to reach position ``expected``; what it then is, is for a check to say."""
        wanted, deadline = Decimal(expected), time.monotonic() + timeout_s
        while self.position() != wanted and time.monotonic() < deadline:
            time.sleep(0.02)

    def accounts(self, label: str | None = None) -> Step:
        """``GET /participants/{name}/accounts`` as a step."""
        return self.hub.ledger("GET", "/participants/{name}/accounts", name=self.name, label=label)

    def positions(self, label: str | None = None) -> Step:
        """``GET /participants/{name}/positions`` in the target's currency, as a step."""
        path = f"/participants/{self.name}/positions?currency={self.hub.target.currency}"
        return self.hub.call("central-ledger", "GET", "/participants/{name}/positions", path=path, label=label)

    def pay_out(self, amount: str, *, label: str | None = None) -> Step:
        """Reserves ``amount`` of its settlement account for paying out, as a step. ``sent['transferId']`` names it."""
        return self._funds("recordFundsOutPrepareReserve", amount, label)

    def pay_in(self, amount: str, *, label: str | None = None) -> Step:
        """Pays ``amount`` into its settlement account, as a step."""
        return self._funds("recordFundsIn", amount, label)

    def finish_pay_out(self, transfer_id: str, action: str, *, label: str | None = None) -> Step:
        """Ends a reserved payment: ``recordFundsOutCommit`` or ``recordFundsOutAbort``."""
        account = self.hub.account(self.name, "SETTLEMENT")
        return self.hub.ledger(
            "PUT",
            "/participants/{name}/accounts/{id}/transfers/{transferId}",
            name=self.name,
            id=str(account["id"]),
            transferId=transfer_id,
            body={"action": action, "reason": "regression test"},
            label=label,
        )

    def _funds(self, action: str, amount: str, label: str | None) -> Step:
        account = self.hub.account(self.name, "SETTLEMENT")
        return self.hub.ledger(
            "POST",
            "/participants/{name}/accounts/{id}",
            name=self.name,
            id=str(account["id"]),
            body=self.hub.funds_movement(action, Decimal(amount)),
            label=label,
        )

    def settlement_balance(self) -> Decimal:
        """Returns what lies in the settlement account, as a positive number. Not recorded."""
        return abs(Decimal(str(self.hub.account(self.name, "SETTLEMENT")["value"])))

    def switched(self, what: str, active: bool) -> Dfsp:
        """Makes the participant, or its ``POSITION`` account, active or inactive, as set-up."""
        if what == "participant":
            self.hub.prepare("PUT", f"/participants/{self.name}", {"isActive": active})
        else:
            account = self.hub.account(self.name, what)
            self.hub.prepare("PUT", f"/participants/{self.name}/accounts/{account['id']}", {"isActive": active})
        return self


def _path(resource: str, party: Party) -> str:
    parts = [resource, party.id_type, party.identifier, *([party.sub_id] if party.sub_id else [])]
    return "/" + "/".join(parts)


def _body_id(resource: str, body: Any) -> str:
    name = {"quotes": "quoteId", "transfers": "transferId"}.get(resource, "")
    return str(body.get(name, "")) if isinstance(body, dict) else ""


def _changed(body: Json, changes: Mapping[str, Any] | None) -> Json:
    """Returns ``body`` with elements replaced (``"amount.currency": "XTS"``) or, where the new value is None, removed."""
    for path, value in (changes or {}).items():
        *parents, last = path.split(".")
        place = body
        for parent in parents:
            place = place[parent]
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return body
