"""A hub, two DFSPs that remember what they are told, and the words a test needs to speak to them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from harness.fspiop.dates import http_date, iso_ms
from harness.fspiop.headers import content_type
from harness.fspiop.ids import new_uuid
from harness.fspiop.ilp import build_packet, condition_of, fulfilment_for
from harness.hub.config import HubConfig
from harness.hub.core import Core
from harness.hub.server import running
from harness.model.release import Release, ReleaseVersion

COMPONENTS = {
    "account-lookup-service": "17.12.2",
    "quoting-service": "17.12.1",
    "ml-api-adapter": "16.5.9",
    "central-ledger": "19.8.3",
    "central-settlement": "17.2.2",
    "transaction-requests-service": "14.4.5",
}
SECRET = b"a secret of the payee"
CURRENCY = "XXX"
PATIENCE_S = 3.0
QUIET_S = 0.25
TRACE = "00-aabbeec0f44a9289378f261f2214288d-0000000000000002-01"


def release(version: str = "v17.1.0") -> Release:
    return Release("mojaloop", ReleaseVersion.parse(version), COMPONENTS, "test")


@dataclass(frozen=True)
class Call:
    """A call that reached a DFSP."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


class Receiver:
    """Every DFSP's inbound side: a server that answers 200 and remembers. ``/{dfsp}/…`` tells the DFSPs apart."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Call]] = []
        self.refusing: set[str] = set()
        self.missing: set[str] = set()
        self._changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _take(self) -> None:
                raw = self.rfile.read(int(self.headers.get("content-length") or 0))
                dfsp, _, path = self.path.lstrip("/").partition("/")
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = json.loads(raw, parse_float=Decimal) if raw else None
                receiver._add(dfsp, Call(self.command, f"/{path}", headers, body))
                status = 503 if dfsp in receiver.refusing else 404 if dfsp in receiver.missing else 200
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            do_GET = do_POST = do_PUT = do_PATCH = _take  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        return Handler

    def _add(self, dfsp: str, call: Call) -> None:
        with self._changed:
            self.calls.append((dfsp, call))
            self._changed.notify_all()

    def wait(self, dfsp: str, method: str, path: str, *, patience: float = PATIENCE_S) -> Call:
        """Returns the first such call, now or within ``patience`` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: bool(self.of(dfsp, method, path)), patience):
                raise AssertionError(f"{dfsp} got no {method} {path}; it got {self.of(dfsp)}")
            return self.of(dfsp, method, path)[0]

    def of(self, dfsp: str, method: str | None = None, path: str | None = None) -> list[Call]:
        return [
            call
            for name, call in self.calls
            if name == dfsp and method in (None, call.method) and path in (None, call.path)
        ]

    def count(self, dfsp: str, method: str, path: str) -> int:
        """How many such calls have come, after a moment of quiet."""
        time.sleep(QUIET_S)
        return len(self.of(dfsp, method, path))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@dataclass
class World:
    """A running hub with a receiver and a client."""

    services: Mapping[str, str]
    receiver: Receiver
    client: httpx.Client
    core: Core | None = None
    version: str = "1.1"
    accounts: dict[tuple[str, str], int] = field(default_factory=dict)

    # Speaking

    def admin(self, method: str, path: str, body: Any = None, *, service: str = "central-ledger") -> httpx.Response:
        return self.client.request(method, self.services[service] + path, json=body)

    def fspiop(
        self, method: str, service: str, path: str, resource: str, source: str, body: Any = None, *,
        destination: str | None = None, headers: Mapping[str, str | None] | None = None,
    ) -> httpx.Response:  # fmt: skip
        said: dict[str, str | None] = {
            "accept": content_type(resource, self.version) if method in ("GET", "POST") else None,
            "content-type": content_type(resource, self.version),
            "date": http_date(),
            "fspiop-source": source,
            "fspiop-destination": destination,
            "traceparent": TRACE,
            **(headers or {}),
        }
        content = None if body is None else json.dumps(body).encode()
        request = self.client.build_request(method, self.services[service] + path, content=content)
        for name in ("accept", "content-type"):
            request.headers.pop(name, None)
        request.headers.update({name: value for name, value in said.items() if value is not None})
        return self.client.send(request)

    # Setting up

    def onboard(self, *dfsps: str, cap: int | str = 10000, funds: str | None = "5000") -> None:
        """Makes DFSPs ready for transfers, and the hub for DFSPs where it is not."""
        if not self.accounts:
            for kind in ("HUB_MULTILATERAL_SETTLEMENT", "HUB_RECONCILIATION"):
                self._ok(self.admin("POST", "/participants/Hub/accounts", {"type": kind, "currency": CURRENCY}))
            oracle = {
                "oracleIdType": "MSISDN", "endpoint": {"value": "http://oracle", "endpointType": "URL"},
                "currency": CURRENCY, "isDefault": True,
            }  # fmt: skip
            self._ok(self.admin("POST", "/oracles", oracle, service="account-lookup-service-admin"))
        for dfsp in dfsps:
            self._ok(self.admin("POST", "/participants", {"name": dfsp, "currency": CURRENCY}))
            limit = {"type": "NET_DEBIT_CAP", "value": cap}
            body = {"currency": CURRENCY, "limit": limit, "initialPosition": 0}
            self._ok(self.admin("POST", f"/participants/{dfsp}/initialPositionAndLimits", body))
            for row in self.admin("GET", f"/participants/{dfsp}/accounts").json():
                self.accounts[dfsp, row["ledgerAccountType"]] = row["id"]
            for kind, value in endpoints(f"{self.receiver.url}/{dfsp}").items():
                self._ok(self.admin("POST", f"/participants/{dfsp}/endpoints", {"type": kind, "value": value}))
            if funds is not None:
                self._ok(self.funds_in(dfsp, funds))

    def funds_in(self, dfsp: str, amount: str) -> httpx.Response:
        return self.funds(dfsp, "recordFundsIn", amount)[1]

    def funds(self, dfsp: str, action: str, amount: str) -> tuple[str, httpx.Response]:
        transfer_id = new_uuid()
        body = {
            "transferId": transfer_id, "externalReference": "ref", "action": action, "reason": "test",
            "amount": {"amount": amount, "currency": CURRENCY},
            "extensionList": {"extension": [{"key": "k", "value": "v"}]},
        }  # fmt: skip
        path = f"/participants/{dfsp}/accounts/{self.accounts[dfsp, 'SETTLEMENT']}"
        return transfer_id, self.admin("POST", path, body)

    @staticmethod
    def _ok(response: httpx.Response) -> None:
        assert response.is_success, f"{response.request.method} {response.request.url}: {response.text}"

    # Looking

    def balance(self, dfsp: str, kind: str = "POSITION") -> Decimal:
        rows = json.loads(self.admin("GET", f"/participants/{dfsp}/accounts").content, parse_float=Decimal)
        return Decimal(next(row["value"] for row in rows if row["ledgerAccountType"] == kind))

    def state(self, transfer_id: str, asker: str = "payer") -> dict[str, Any]:
        """What a new GET /transfers/{ID} is answered with."""
        path = f"/transfers/{transfer_id}"
        before = len(self.receiver.of(asker, "PUT", path))
        assert self.fspiop("GET", "ml-api-adapter", path, "transfers", asker).status_code == 202
        until(lambda: len(self.receiver.of(asker, "PUT", path)) > before)
        body: dict[str, Any] = self.receiver.of(asker, "PUT", path)[-1].body
        return body

    def error(self, dfsp: str, path: str) -> dict[str, Any]:
        information: dict[str, Any] = self.receiver.wait(dfsp, "PUT", f"{path}/error").body["errorInformation"]
        return information

    # Acting

    def prepare(self, amount: str = "100", /, *, source: str = "payer", headers: Mapping[str, str | None] | None = None,
                **changes: Any) -> tuple[dict[str, Any], httpx.Response]:  # fmt: skip
        body = {**transfer(amount), **changes}
        return body, self.send_prepare(body, source=source, headers=headers)

    def send_prepare(
        self, body: Mapping[str, Any], *, source: str = "payer", headers: Mapping[str, str | None] | None = None
    ) -> httpx.Response:
        return self.fspiop(
            "POST", "ml-api-adapter", "/transfers", "transfers", source, body, destination=body["payeeFsp"],
            headers=headers,
        )  # fmt: skip

    def reserve(self, amount: str = "100", /, **changes: Any) -> dict[str, Any]:
        """A transfer that the payee has got."""
        body, response = self.prepare(amount, **changes)
        assert response.status_code in (200, 202), response.text
        until(
            lambda: any(
                c.body["transferId"] == body["transferId"] for c in self.receiver.of("payee", "POST", "/transfers")
            )
        )
        return body

    def fulfil(self, body: Mapping[str, Any], *, source: str = "payee", destination: str = "payer",
               version: str | None = None, **changes: Any) -> httpx.Response:  # fmt: skip
        said = {
            "transferState": "COMMITTED",
            "fulfilment": fulfilment_for(body["ilpPacket"], SECRET),
            "completedTimestamp": iso_ms(datetime.now(UTC) - timedelta(milliseconds=50)),
            **changes,
        }
        headers = None if version is None else {"content-type": content_type("transfers", version)}
        path = f"/transfers/{body['transferId']}"
        return self.fspiop(
            "PUT", "ml-api-adapter", path, "transfers", source, said, destination=destination, headers=headers
        )

    def abort(self, body: Mapping[str, Any], code: str = "5104") -> httpx.Response:
        said = {"errorInformation": {"errorCode": code, "errorDescription": "No thanks"}}
        path = f"/transfers/{body['transferId']}/error"
        return self.fspiop("PUT", "ml-api-adapter", path, "transfers", "payee", said, destination="payer")

    def committed(self, amount: str = "100", /, **changes: Any) -> dict[str, Any]:
        """A transfer that went through."""
        body = self.reserve(amount, **changes)
        assert self.fulfil(body).status_code == 200
        self.receiver.wait("payer", "PUT", f"/transfers/{body['transferId']}")
        return body


def transfer(amount: str = "100", *, seconds: float = 60) -> dict[str, Any]:
    """The body of a POST /transfers from payer to payee that expires in ``seconds``."""
    packet = build_packet(amount=Decimal(amount), address="g.payee", transaction={"transactionId": new_uuid()})
    return {
        "transferId": new_uuid(), "payerFsp": "payer", "payeeFsp": "payee",
        "amount": {"amount": amount, "currency": CURRENCY}, "ilpPacket": packet,
        "condition": condition_of(fulfilment_for(packet, SECRET)), "expiration": in_seconds(seconds),
    }  # fmt: skip


def quote(amount: str = "100") -> dict[str, Any]:
    """The body of a POST /quotes from payer to payee."""

    def party(identifier: str, fsp: str) -> dict[str, Any]:
        return {"partyIdInfo": {"partyIdType": "MSISDN", "partyIdentifier": identifier, "fspId": fsp}}

    return {
        "quoteId": new_uuid(), "transactionId": new_uuid(), "payer": party("111", "payer"),
        "payee": party("222", "payee"), "amountType": "SEND", "amount": {"amount": amount, "currency": CURRENCY},
        "transactionType": {"scenario": "TRANSFER", "initiator": "PAYER", "initiatorType": "CONSUMER"},
    }  # fmt: skip


def transaction_request() -> dict[str, Any]:
    """The body of a POST /transactionRequests from payee to payer."""
    payer = {"partyIdType": "MSISDN", "partyIdentifier": "111", "fspId": "payer"}
    payee = {"partyIdInfo": {"partyIdType": "MSISDN", "partyIdentifier": "222", "fspId": "payee"}}
    return {
        "transactionRequestId": new_uuid(), "payee": payee, "payer": payer,
        "amount": {"amount": "100", "currency": CURRENCY},
        "transactionType": {"scenario": "PAYMENT", "initiator": "PAYEE", "initiatorType": "BUSINESS"},
    }  # fmt: skip


def quote_answer(amount: str = "100") -> dict[str, Any]:
    body = transfer(amount)
    return {
        "transferAmount": body["amount"], "expiration": in_seconds(60), "ilpPacket": body["ilpPacket"],
        "condition": body["condition"],
    }  # fmt: skip


def in_seconds(seconds: float) -> str:
    return iso_ms(datetime.now(UTC) + timedelta(seconds=seconds))


def until(condition: Callable[[], bool], patience: float = PATIENCE_S) -> None:
    """Waits until ``condition`` holds."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def endpoints(base: str) -> dict[str, str]:
    """The callback endpoints of a DFSP, by type."""
    one, sub = "{{partyIdType}}/{{partyIdentifier}}", "{{partyIdType}}/{{partyIdentifier}}/{{partySubIdOrType}}"
    prefix = "FSPIOP_CALLBACK_URL_"
    table = {
        "PARTICIPANT_PUT": f"/participants/{one}",
        "PARTICIPANT_PUT_ERROR": f"/participants/{one}/error",
        "PARTICIPANT_SUB_ID_PUT": f"/participants/{sub}",
        "PARTICIPANT_SUB_ID_PUT_ERROR": f"/participants/{sub}/error",
        "PARTIES_GET": f"/parties/{one}",
        "PARTIES_PUT": f"/parties/{one}",
        "PARTIES_PUT_ERROR": f"/parties/{one}/error",
        "PARTIES_SUB_ID_GET": f"/parties/{sub}",
        "PARTIES_SUB_ID_PUT": f"/parties/{sub}",
        "PARTIES_SUB_ID_PUT_ERROR": f"/parties/{sub}/error",
        "QUOTES": "",
        "TRX_REQ_SERVICE": "",
        "AUTHORIZATIONS": "",
        "TRANSFER_POST": "/transfers",
        "TRANSFER_PUT": "/transfers/{{transferId}}",
        "TRANSFER_ERROR": "/transfers/{{transferId}}/error",
    }
    return {prefix + kind: base + path for kind, path in table.items()}


@contextlib.contextmanager
def world(*defects: str, version: str = "v17.1.0", onboarded: bool = True, **settings: Any) -> Iterator[World]:
    """A hub in a thread of this process, with ``payer`` and ``payee`` ready for transfers."""
    config = HubConfig(release=version, components=COMPONENTS, defects=defects, expiry_interval_s=0.05, **settings)
    started, loop = threading.Event(), asyncio.new_event_loop()
    found: dict[str, Any] = {}
    stop = asyncio.Event()

    async def run() -> None:
        async with running(config) as (services, core):
            found.update(services=services, core=core)
            started.set()
            await stop.wait()

    def body() -> None:
        try:
            loop.run_until_complete(run())
        finally:
            started.set()
            loop.close()

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    assert started.wait(10)
    assert found, "the hub did not start"
    receiver = Receiver()
    try:
        with httpx.Client(trust_env=False, timeout=5) as client:
            one = World(found["services"], receiver, client, found["core"])
            if onboarded:
                one.onboard("payer", "payee")
            yield one
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        receiver.close()
