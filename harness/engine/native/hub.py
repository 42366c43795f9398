"""The hub as a native case sees it: calls that are recorded as steps, and set-up that is not.

Set-up that the hub refuses is a ``ProvisioningError``: the case cannot start, and says so.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, final

from harness.engine.exchange import CallbackRoutes, Exchanger, Request, Response
from harness.engine.inbound.client import InboundClient
from harness.engine.native.step import Step, Voice
from harness.engine.recorder import CaseRecorder
from harness.errors import ProvisioningError
from harness.fspiop.dates import http_date
from harness.fspiop.ids import new_uuid
from harness.fspiop.money import format_amount
from harness.fspiop.resources import component_behind, find_operation
from harness.model.release import Release, ReleaseVersion
from harness.target.model import Target

__all__ = ["Hub", "as_number"]

_LEDGER = "central-ledger"
_RENAMED = ReleaseVersion(17, 0, 0)
_SHORT_S = 1.0

ENDPOINTS = {
    "FSPIOP_CALLBACK_URL_PARTICIPANT_PUT": "/participants/{{partyIdType}}/{{partyIdentifier}}",
    "FSPIOP_CALLBACK_URL_PARTICIPANT_PUT_ERROR": "/participants/{{partyIdType}}/{{partyIdentifier}}/error",
    "FSPIOP_CALLBACK_URL_PARTICIPANT_DELETE": "/participants/{{partyIdType}}/{{partyIdentifier}}",
    "FSPIOP_CALLBACK_URL_PARTICIPANT_SUB_ID_PUT": (
        "/participants/{{partyIdType}}/{{partyIdentifier}}/{{partySubIdOrType}}"
    ),
    "FSPIOP_CALLBACK_URL_PARTICIPANT_SUB_ID_PUT_ERROR": (
        "/participants/{{partyIdType}}/{{partyIdentifier}}/{{partySubIdOrType}}/error"
    ),
    "FSPIOP_CALLBACK_URL_PARTIES_GET": "/parties/{{partyIdType}}/{{partyIdentifier}}",
    "FSPIOP_CALLBACK_URL_PARTIES_PUT": "/parties/{{partyIdType}}/{{partyIdentifier}}",
    "FSPIOP_CALLBACK_URL_PARTIES_PUT_ERROR": "/parties/{{partyIdType}}/{{partyIdentifier}}/error",
    "FSPIOP_CALLBACK_URL_PARTIES_SUB_ID_GET": "/parties/{{partyIdType}}/{{partyIdentifier}}/{{partySubIdOrType}}",
    "FSPIOP_CALLBACK_URL_PARTIES_SUB_ID_PUT": "/parties/{{partyIdType}}/{{partyIdentifier}}/{{partySubIdOrType}}",
    "FSPIOP_CALLBACK_URL_PARTIES_SUB_ID_PUT_ERROR": (
        "/parties/{{partyIdType}}/{{partyIdentifier}}/{{partySubIdOrType}}/error"
    ),
    "FSPIOP_CALLBACK_URL_QUOTES": "",
    "FSPIOP_CALLBACK_URL_TRANSFER_POST": "/transfers",
    "FSPIOP_CALLBACK_URL_TRANSFER_PUT": "/transfers/{{transferId}}",
    "FSPIOP_CALLBACK_URL_TRANSFER_ERROR": "/transfers/{{transferId}}/error",
}
"""Endpoint types of central-ledger and the path below a DFSP's base URL that each is registered with."""


@final
class Hub:
    """The hub under validation, for one case."""

    def __init__(
        self, target: Target, release: Release, exchanger: Exchanger, inbound: InboundClient, recorder: CaseRecorder
    ) -> None:
        self.target = target
        self.release = release
        self.inbound = inbound
        self._exchanger = exchanger
        self._recorder = recorder
        self._patience_s: float | None = None

    @property
    def case(self) -> str:
        """The id of the case that this hub serves."""
        return self._recorder.case

    @property
    def voice(self) -> Voice:
        """How the hub of this release speaks for itself.

        ``switch`` and FSPIOP 1.x until v16 (ml-api-adapter 14, config/default.json); from v17 on the name of the hub's
        participant, and FSPIOP 2.0 beside 1.x (mojaloop/helm, release-v17.0.0.md).
        """
        if self.release.version < _RENAMED:
            return Voice("switch", ("1.0", "1.1"))
        return Voice(self.target.hub_name, ("1.0", "1.1", "2.0"))

    @property
    def quiet_s(self) -> float:
        """For how many seconds a case listens before it says that nothing came, or nothing more."""
        return 0.5 if self.target.kind == "embedded" else 2.0

    def listen(self) -> None:
        """Waits ``quiet_s`` seconds, for what should have no effect to show that it has one."""
        time.sleep(self.quiet_s)

    def patience_s(self, asked: float) -> float:
        """Returns how long to wait for an effect: ``asked``, but at most 1 s once the case has waited in vain."""
        return asked if self._patience_s is None else min(asked, self._patience_s)

    def waited_in_vain(self) -> None:
        """Notes that something did not happen in time: the case has failed, the rest of it need not be slow."""
        self._patience_s = _SHORT_S

    # -- recorded --------------------------------------------------------------------------------------------------

    def call(
        self,
        service: str,
        method: str,
        template: str,
        *,
        path: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        awaiting: CallbackRoutes | None = None,
        label: str | None = None,
        callback_timeout_s: float | None = None,
        lost_by: str = "",
    ) -> Step:
        """Makes one call as a step of the case. ``template`` names the operation, ``path`` is it filled in.

        ``lost_by`` is the component to ask about a callback that never comes, if not the one that is called.
        """
        operation = f"{method} {template}"
        url = f"{self.target.url(service)}{template if path is None else path}"
        step = self._recorder.step(
            label or operation, operation=operation, url=url, component=component_behind(service)
        )
        exchange = self._exchanger.exchange(
            Request(method, url, self._headers(headers), body),
            awaiting=awaiting,
            case=self._recorder.case,
            step=step.id,
            callback_timeout_s=self.patience_s(callback_timeout_s or self.target.callback_timeout_s),
        )
        step.sent(exchange)
        if exchange.error_kind == "callback-timeout":
            self.waited_in_vain()
        found = find_operation(method, template)
        return Step(step, exchange, found[0] if found else None, voice=self.voice, lost_by=lost_by)

    def ledger(self, method: str, template: str, *, label: str | None = None, body: Any = None, **values: str) -> Step:
        """Calls the admin API of central-ledger; ``values`` fill in the template's parameters."""
        return self.call(_LEDGER, method, template, path=template.format(**values), body=body, label=label)

    def health(self, service: str) -> Step:
        """Asks ``service`` how it is."""
        return self.call(service, "GET", "/health", label=f"GET /health of {service}")

    # -- set-up, not recorded --------------------------------------------------------------------------------------

    def prepare(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        service: str = _LEDGER,
        headers: Mapping[str, str] | None = None,
        ok: Sequence[int] = (),
    ) -> Any:
        """Makes one call of set-up and returns its body. Raises ``ProvisioningError`` where it is refused.

        ``ok`` names statuses beyond 2xx that are fine too.
        """
        url = self.target.url(service) + path
        answer = self._exchanger.exchange(Request(method, url, self._headers(headers), body))
        response = answer.response
        if response is None:
            raise ProvisioningError(f"set-up failed: {method} {url}: {answer.error}")
        if not 200 <= response.status < 300 and response.status not in ok:
            raise ProvisioningError(f"set-up was refused: {method} {url}: HTTP {response.status} {_told(response)}")
        return response.body

    def onboard(self, fsp: str, *, net_debit_cap: Decimal, funds: Decimal) -> None:
        """Makes ``fsp`` a participant: account, limit, callback endpoints, and ``funds`` paid in."""
        currency = self.target.currency
        self._hub_accounts()
        self.prepare("POST", "/participants", {"name": fsp, "currency": currency})
        self.prepare(
            "POST",
            f"/participants/{fsp}/initialPositionAndLimits",
            {
                "currency": currency,
                "limit": {"type": "NET_DEBIT_CAP", "value": as_number(net_debit_cap)},
                "initialPosition": 0,
            },
        )
        base = self.inbound.address.endpoint(fsp)
        for kind, path in ENDPOINTS.items():
            self.prepare("POST", f"/participants/{fsp}/endpoints", {"type": kind, "value": base + path})
        if funds:
            self.pay_in(fsp, funds)

    def pay_in(self, fsp: str, amount: Decimal) -> None:
        """Pays ``amount`` into the settlement account of ``fsp``, and waits until the ledger has it."""
        account = self.account(fsp, "SETTLEMENT")
        wanted = abs(Decimal(str(account["value"]))) + amount
        self.prepare(
            "POST",
            f"/participants/{fsp}/accounts/{account['id']}",
            self.funds_movement("recordFundsIn", amount),
        )
        self.wait_until(
            lambda: abs(Decimal(str(self.account(fsp, "SETTLEMENT")["value"]))) >= wanted, "funds to arrive"
        )

    def account(self, fsp: str, kind: str) -> dict[str, Any]:
        """Returns an account of ``fsp`` in the target's currency. Raises ``ProvisioningError`` where it has none."""
        accounts = self.prepare("GET", f"/participants/{fsp}/accounts")
        for found in accounts if isinstance(accounts, list) else ():
            if found.get("ledgerAccountType") == kind and found.get("currency") == self.target.currency:
                return dict(found)
        raise ProvisioningError(f"{fsp} has no {kind} account in {self.target.currency}")

    def has_oracle(self, id_type: str) -> None:
        """Sees to it that parties of ``id_type`` can be looked up. Raises ``ProvisioningError`` where they cannot.

        Only the embedded hub is given an oracle: which one serves an environment is for the Scheme to say.
        """
        service, currency = "account-lookup-service-admin", self.target.currency
        if service not in self.target.services:
            return
        oracles = self.prepare("GET", "/oracles", service=service)
        known = {found.get("oracleIdType") for found in oracles if isinstance(found, dict)}
        if id_type in known:
            return
        if self.target.kind != "embedded":
            raise ProvisioningError(f"the target has no oracle for {id_type}")
        endpoint = {"value": "http://oracle.invalid", "endpointType": "URL"}
        body = {"oracleIdType": id_type, "endpoint": endpoint, "currency": currency, "isDefault": True}
        self.prepare("POST", "/oracles", body, service=service, ok=(400,))

    def wait_until(self, condition: Any, what: str, *, timeout_s: float = 10.0) -> None:
        """Waits until ``condition()`` is true. Raises ``ProvisioningError`` after ``timeout_s`` seconds."""
        deadline = time.monotonic() + timeout_s
        pause = 0.005
        while not condition():
            if time.monotonic() > deadline:
                raise ProvisioningError(f"waited {timeout_s:g} s for {what} in vain")
            time.sleep(pause)
            pause = min(pause * 2, 0.25)

    def funds_movement(self, action: str, amount: Decimal) -> dict[str, Any]:
        """Returns the body of a new funds movement on a settlement account (central-ledger admin API)."""
        return {
            "transferId": new_uuid(),
            "externalReference": "harness",
            "action": action,
            "reason": "regression test",
            "amount": {"amount": format_amount(amount), "currency": self.target.currency},
            "extensionList": {"extension": [{"key": "origin", "value": "harness"}]},
        }

    def _hub_accounts(self) -> None:
        currency = self.target.currency
        accounts = self.prepare("GET", f"/participants/{self.target.hub_name}/accounts", ok=(404,))
        known = {
            found.get("ledgerAccountType")
            for found in (accounts if isinstance(accounts, list) else ())
            if isinstance(found, dict) and found.get("currency") == currency
        }
        for kind in ("HUB_MULTILATERAL_SETTLEMENT", "HUB_RECONCILIATION"):
            if kind not in known:
                body = {"type": kind, "currency": currency}
                self.prepare("POST", f"/participants/{self.target.hub_name}/accounts", body, ok=(400,))

    def _headers(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        sent = {"Content-Type": "application/json", "Date": http_date()} if headers is None else dict(headers)
        if self.target.bearer_token and "Authorization" not in sent:
            sent["Authorization"] = f"Bearer {self.target.bearer_token}"
        sent.setdefault("traceparent", f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01")
        return sent


def as_number(value: Decimal) -> int | float:
    """Returns ``value`` as the JSON number that the admin API takes for a limit."""
    return int(value) if value == value.to_integral_value() else float(value)


def _told(response: Response) -> str:
    return str(response.body)[:300]
