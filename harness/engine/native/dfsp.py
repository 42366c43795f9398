"""A DFSP that acts in a native case: as payer it looks up, quotes and transfers, as payee it answers as told."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, final

from harness.engine.exchange import CallbackRoutes
from harness.engine.inbound.behaviour import Behaviour, Party, SimulatedDfsp, secret_of
from harness.engine.inbound.messages import Inbound
from harness.engine.native.bodies import callback_id, changed, party_path, quote_request
from harness.engine.native.hub import Hub, as_number
from harness.engine.native.matchers import ABSENT, amount, pick
from harness.engine.native.step import Step
from harness.errors import ProvisioningError
from harness.fspiop import dates, ilp
from harness.fspiop.headers import DESTINATION, SOURCE, accept, content_type
from harness.fspiop.ids import new_uuid
from harness.fspiop.resources import find_operation

__all__ = ["Dfsp"]

Json = dict[str, Any]
_SETTLES_S = 3.0


@final
class Dfsp:
    """A participant that the run plays. ``name`` is its FSP id. Amounts are in the target's currency.

    ``role`` is what the case calls it: it stands in labels, so it is the same in every run.
    """

    def __init__(self, name: str, hub: Hub, role: str = "dfsp") -> None:
        self.name = name
        self.hub = hub
        self.role = role
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
        """Adds an account holder with a new number; ``registered``: known to the hub's oracle too. Both are set-up."""
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
            self.make_known(party)
        return party

    def make_known(self, party: Party) -> None:
        """Registers ``party`` with the hub's oracle as set-up. Raises ``ProvisioningError`` where it is refused."""
        path = party_path("participants", party)
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

    def saw(self, method: str, path: str, *, wait_s: float = 3.0) -> Inbound | None:
        """Returns the hub's first call ``method path`` to this DFSP; waits up to ``wait_s`` s, then ``None``."""
        wait_s = self.hub.patience_s(wait_s)
        calls = self.hub.inbound.seen(self.name, method=method, path=path, wait_s=wait_s, since=self.since)
        if not calls:
            self.hub.waited_in_vain()
        return calls[0] if calls else None

    def news(self, method: str, path: str, element: str = "", *, wait_s: float = 3.0) -> Any:
        """Returns the body (or an element of it) of the first call ``method path``; ``ABSENT`` where none came."""
        call = self.saw(method, path, wait_s=wait_s)
        if call is None:
            return ABSENT
        return pick(call.body, element) if element else call.body

    def times(self, method: str, path: str) -> int:
        """Returns how often the hub made the call ``method path``, after listening for ``hub.quiet_s`` seconds."""
        self.hub.listen()
        return len(self.hub.inbound.seen(self.name, method=method, path=path, since=self.since))

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
        lost_by: str = "",
    ) -> Step:
        """Sends an FSPIOP request as a step and, where the API answers with one and ``awaits``, waits for the callback.

        ``lost_by`` is the component to ask about a callback that never comes, if not the one that is called.
        """
        found = find_operation(method, path)
        if found is None:
            raise LookupError(f"not an FSPIOP operation: {method} {path}")
        operation, parameters = found
        awaiting = None
        if awaits and operation.callback is not None:
            answer = operation.callback.format(**{"ID": callback_id(operation.resource, body), **parameters})
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
            lost_by=lost_by,
        )

    def look_up(self, party: Party, **options: Any) -> Step:
        """``GET /parties`` of ``party``."""
        return self.send("GET", party_path("parties", party), **options)

    def look_up_participant(self, party: Party, **options: Any) -> Step:
        """``GET /participants``: which DFSP holds ``party``."""
        return self.send("GET", party_path("participants", party), **options)

    def register(self, party: Party, *, holder: str | None = None, **options: Any) -> Step:
        """``POST /participants``: tells the hub that ``party`` is held here, or at the DFSP named ``holder``."""
        self.hub.has_oracle(party.id_type)
        body = {"fspId": holder or self.name, "currency": self.hub.target.currency}
        return self.send("POST", party_path("participants", party), body, **options)

    def unregister(self, party: Party, **options: Any) -> Step:
        """``DELETE /participants`` of ``party``."""
        return self.send("DELETE", party_path("participants", party), **options)

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
        """``POST /quotes`` for ``amount`` to ``party`` at ``payee``. ``changes`` replace elements of the body."""
        options.setdefault("to", payee.name)
        return self.send("POST", "/quotes", changed(self.quote_body(payee, party, amount, kind), changes), **options)

    def quote_body(self, payee: Dfsp, party: Party, amount: str, kind: str = "SEND") -> Json:
        """Returns a complete quote request."""
        money = {"amount": amount, "currency": self.hub.target.currency}
        return quote_request(self.name, party.fspiop(payee.name)["partyIdInfo"], money, kind)

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
        """``POST /transfers`` of ``amount`` to ``payee``, on the terms of ``quote`` where one is given.

        Waits for the callback as long as for any, and where ``expires_s`` is shorter than that, that much longer.
        """
        timeout_s = self.hub.target.callback_timeout_s
        if 0 < expires_s < timeout_s:
            options.setdefault("callback_timeout_s", timeout_s + expires_s)
        body = self.transfer_body(payee, amount, quote=quote, expires_s=expires_s)
        return self.resend_transfer(changed(body, changes), **options)

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

    def has_position(self, expected: str, after: str = "") -> Step:
        """Checks, as a step, that the ledger comes to the position ``expected`` (positive: owed) within 3 s."""
        path = f"/participants/{self.name}/positions?currency={self.hub.target.currency}"
        self._settles(self.position, Decimal(expected))
        label = f"position of the {self.role}{after and f' {after}'}"
        step = self.hub.call("central-ledger", "GET", "/participants/{name}/positions", path=path, label=label)
        step.says("value", amount(expected))
        return step

    def has_funds(self, expected: str, after: str = "") -> Step:
        """Checks, as a step, that the ledger comes to ``expected`` in the settlement account within 3 s."""
        self._settles(self.settlement_balance, Decimal(expected))
        label = f"settlement account of the {self.role}{after and f' {after}'}"
        step = self.hub.ledger("GET", "/participants/{name}/accounts", name=self.name, label=label)
        accounts = step.response()
        values = [
            abs(Decimal(str(found["value"])))
            for found in (accounts if isinstance(accounts, list) else ())
            if found.get("ledgerAccountType") == "SETTLEMENT" and found.get("currency") == self.hub.target.currency
        ]
        step.check("settlement balance", values[0] if values else ABSENT, amount(expected))
        return step

    def _settles(self, current: Callable[[], Decimal], wanted: Decimal) -> None:
        """Gives the ledger, which works asynchronously, up to 3 s; what it then says is for a check to judge."""
        deadline = time.monotonic() + self.hub.patience_s(_SETTLES_S)
        while current() != wanted:
            if time.monotonic() > deadline:
                self.hub.waited_in_vain()
                return
            time.sleep(0.02)

    def limit(self, label: str = "net debit cap") -> Step:
        """``GET /participants/{name}/limits`` in the target's currency, as a step."""
        path = f"/participants/{self.name}/limits?currency={self.hub.target.currency}&type=NET_DEBIT_CAP"
        return self.hub.call("central-ledger", "GET", "/participants/{name}/limits", path=path, label=label)

    def change_limit(self, value: str) -> Step:
        """``PUT /participants/{name}/limits``: a new net debit cap, as a step."""
        limit = {"type": "NET_DEBIT_CAP", "value": as_number(Decimal(value)), "alarmPercentage": 10}
        body = {"currency": self.hub.target.currency, "limit": limit}
        return self.hub.ledger("PUT", "/participants/{name}/limits", name=self.name, body=body)

    def pay_out(self, amount: str, *, label: str | None = None) -> Step:
        """Reserves ``amount`` of its settlement account for paying out, as a step. ``sent['transferId']`` names it."""
        return self.move_funds("recordFundsOutPrepareReserve", amount, label=label)

    def pay_in(self, amount: str, *, label: str | None = None) -> Step:
        """Pays ``amount`` into its settlement account, as a step."""
        return self.move_funds("recordFundsIn", amount, label=label)

    def repeat_funds(self, before: Step) -> Step:
        """Sends the funds movement ``before`` once more, as a step."""
        return self._move(dict(before.sent), None)

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

    def move_funds(self, action: str, amount: str, *, label: str | None = None) -> Step:
        """Asks for ``action`` with its settlement account, as a step."""
        return self._move(self.hub.funds_movement(action, Decimal(amount)), label)

    def _move(self, body: Json, label: str | None) -> Step:
        account = self.hub.account(self.name, "SETTLEMENT")
        return self.hub.ledger(
            "POST",
            "/participants/{name}/accounts/{id}",
            name=self.name,
            id=str(account["id"]),
            body=body,
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
