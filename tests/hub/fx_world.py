"""The words of foreign exchange: ``payer`` has XXX, ``payee`` takes XTS, ``fxp`` deals in both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from harness.engine.provisioning import FX_ENDPOINTS
from harness.fspiop.dates import iso_ms
from harness.fspiop.headers import content_type
from harness.fspiop.ids import new_uuid
from harness.fspiop.ilp import condition_of, fulfilment_for
from tests.hub.world import CURRENCY as SOURCE
from tests.hub.world import SECRET, World, endpoints, in_seconds, transfer, until, world

TARGET = "XTS"
MLA, QS = "ml-api-adapter", "quoting-service"
FUNDS = "5000"


class Fx:
    """A world with an FXP in it."""

    def __init__(self, w: World) -> None:
        """Registers the FXP and the target currency, once per world."""
        self.w = w
        if w.admin("GET", "/participants/fxp").status_code != 200:
            self._set_up()

    def _set_up(self) -> None:
        for kind in ("HUB_MULTILATERAL_SETTLEMENT", "HUB_RECONCILIATION"):
            self._ok("POST", "/participants/Hub/accounts", {"type": kind, "currency": TARGET})
        for dfsp, currency, funds in (("fxp", SOURCE, None), ("fxp", TARGET, FUNDS), ("payee", TARGET, None)):
            self._ok("POST", "/participants", {"name": dfsp, "currency": currency})
            limit = {"currency": currency, "limit": {"type": "NET_DEBIT_CAP", "value": 10000}, "initialPosition": 0}
            self._ok("POST", f"/participants/{dfsp}/initialPositionAndLimits", limit)
            if funds is not None:
                self.pay_in(dfsp, currency, funds)
        for dfsp in ("payer", "payee", "fxp"):
            base = f"{self.w.receiver.url}/{dfsp}"
            table = {kind: base + path for kind, path in FX_ENDPOINTS.items()}
            for kind, value in {**(endpoints(base) if dfsp == "fxp" else {}), **table}.items():
                self._ok("POST", f"/participants/{dfsp}/endpoints", {"type": kind, "value": value})

    def _ok(self, method: str, path: str, body: Any) -> None:
        assert self.w.admin(method, path, body).is_success, path

    def account(self, dfsp: str, currency: str, kind: str = "POSITION") -> dict[str, Any]:
        rows = self.w.admin("GET", f"/participants/{dfsp}/accounts?currency={currency}").json()
        found: dict[str, Any] = next(row for row in rows if row["ledgerAccountType"] == kind)
        return found

    def pay_in(self, dfsp: str, currency: str, amount: str) -> None:
        number = self.account(dfsp, currency, "SETTLEMENT")["id"]
        money = {"amount": amount, "currency": currency}
        body = {"transferId": new_uuid(), "action": "recordFundsIn", "reason": "test", "amount": money}
        self._ok("POST", f"/participants/{dfsp}/accounts/{number}", body)

    def positions(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """Payer, FXP in the source currency, FXP in the target currency, payee."""
        rows = (("payer", SOURCE), ("fxp", SOURCE), ("fxp", TARGET), ("payee", TARGET))
        a, b, c, d = (Decimal(str(self.account(dfsp, currency)["value"])) for dfsp, currency in rows)
        return a, b, c, d

    def say(self, method: str, service: str, path: str, source: str, body: Any = None, *,
            destination: str | None = None) -> httpx.Response:  # fmt: skip
        resource = path.split("/")[1]
        headers = {"content-type": content_type(resource, "2.0")}
        if method in ("GET", "POST"):
            headers["accept"] = content_type(resource, "2.0")
        return self.w.fspiop(method, service, path, resource, source, body, destination=destination, headers=headers)

    # Conversions

    def prepare(self, amount: str = "10", target: str = "500", **changes: Any) -> dict[str, Any]:
        body = {**conversion(amount, target), **changes}
        assert self.say("POST", MLA, "/fxTransfers", "payer", body, destination="fxp").status_code == 202
        return body

    def asked(self, body: Mapping[str, Any]) -> bool:
        calls = self.w.receiver.of("fxp", "POST", "/fxTransfers")
        return any(call.body["commitRequestId"] == body["commitRequestId"] for call in calls)

    def reserve(self, amount: str = "10", target: str = "500", **changes: Any) -> dict[str, Any]:
        """A conversion that the FXP has got."""
        body = self.prepare(amount, target, **changes)
        until(lambda: self.asked(body))
        return body

    def fulfil(self, body: Mapping[str, Any], *, source: str = "fxp", destination: str = "payer",
               **changes: Any) -> httpx.Response:  # fmt: skip
        said = {
            "conversionState": "RESERVED",
            "fulfilment": fulfilment_for(str(body["commitRequestId"]), SECRET),
            "completedTimestamp": iso_ms(datetime.now(UTC) - timedelta(milliseconds=50)),
            **changes,
        }
        return self.say("PUT", MLA, path_of(body), source, said, destination=destination)

    def refuse(self, body: Mapping[str, Any], code: str = "2000") -> httpx.Response:
        said = {"errorInformation": {"errorCode": code, "errorDescription": "No thanks"}}
        return self.say("PUT", MLA, f"{path_of(body)}/error", "fxp", said, destination="payer")

    def fulfilled(self, amount: str = "10", target: str = "500", **changes: Any) -> dict[str, Any]:
        """A conversion that waits for its transfer."""
        body = self.reserve(amount, target, **changes)
        assert self.fulfil(body).status_code == 200
        self.w.receiver.wait("payer", "PUT", path_of(body))
        return body

    def error(self, dfsp: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self.w.error(dfsp, path_of(body))

    def state(self, body: Mapping[str, Any], asker: str = "payer") -> dict[str, Any]:
        """What a new GET /fxTransfers/{ID} is answered with."""
        path = path_of(body)
        before = len(self.w.receiver.of(asker, "PUT", path))
        assert self.say("GET", MLA, path, asker).status_code == 202
        until(lambda: len(self.w.receiver.of(asker, "PUT", path)) > before)
        found: dict[str, Any] = self.w.receiver.of(asker, "PUT", path)[-1].body
        return found

    # The transfer that hangs on a conversion

    def transfer(self, fx: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
        body = {
            **transfer(fx["targetAmount"]["amount"]),
            "transferId": fx["determiningTransferId"],
            "amount": fx["targetAmount"],
            **changes,
        }
        assert self.w.send_prepare(body).status_code == 202
        return body

    def reserved_transfer(self, fx: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
        """A transfer that the payee has got."""
        body = self.transfer(fx, **changes)
        calls = self.w.receiver
        until(lambda: any(c.body["transferId"] == body["transferId"] for c in calls.of("payee", "POST", "/transfers")))
        return body

    def committed(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """A conversion and its transfer, both through."""
        fx = self.fulfilled()
        body = self.reserved_transfer(fx)
        assert self.w.fulfil(body).status_code == 200
        self.w.receiver.wait("payer", "PUT", f"/transfers/{body['transferId']}")
        return fx, body


def path_of(body: Mapping[str, Any]) -> str:
    return f"/fxTransfers/{body['commitRequestId']}"


def conversion(amount: str = "10", target: str = "500") -> dict[str, Any]:
    """The body of a POST /fxTransfers from payer to FXP."""
    ident = new_uuid()
    condition = condition_of(fulfilment_for(ident, SECRET))
    return {
        "commitRequestId": ident, "determiningTransferId": new_uuid(), "initiatingFsp": "payer",
        "counterPartyFsp": "fxp", "sourceAmount": {"currency": SOURCE, "amount": amount},
        "targetAmount": {"currency": TARGET, "amount": target}, "condition": condition, "expiration": in_seconds(60),
    }  # fmt: skip


def fx_quote(amount: str = "10") -> dict[str, Any]:
    """The body of a POST /fxQuotes from payer to FXP."""
    return {
        "conversionRequestId": new_uuid(),
        "conversionTerms": {
            "conversionId": new_uuid(), "determiningTransferId": new_uuid(), "initiatingFsp": "payer",
            "counterPartyFsp": "fxp", "amountType": "SEND", "sourceAmount": {"currency": SOURCE, "amount": amount},
            "targetAmount": {"currency": TARGET}, "expiration": in_seconds(60),
        },
    }  # fmt: skip


def fx_answer(asked: Mapping[str, Any], target: str = "500") -> dict[str, Any]:
    """The FXP's terms."""
    terms = {**asked["conversionTerms"], "targetAmount": {"currency": TARGET, "amount": target}}
    return {"condition": "A" * 43, "conversionTerms": terms}


@contextmanager
def fx_world(*defects: str, version: str = "v17.1.0") -> Iterator[Fx]:
    with world(*defects, version=version) as w:
        yield Fx(w)
