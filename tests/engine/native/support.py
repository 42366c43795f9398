"""A hub made of what a test says it answers, and an inbound server made of what a test says came."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.engine.exchange import CallbackRoutes, Exchange, Request, Response
from harness.engine.inbound.messages import Inbound, InboundAddress
from harness.engine.native.dfsp import Dfsp
from harness.engine.native.hub import Hub
from harness.engine.native.step import Step, Voice
from harness.engine.recorder import CaseRecorder
from harness.fspiop.headers import content_type
from harness.fspiop.resources import find_operation
from harness.model.release import Release, ReleaseVersion
from harness.target.model import Target

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SERVICES = ("account-lookup-service", "quoting-service", "ml-api-adapter", "central-ledger")
CASE = "test_x.py::A case"
ROUTES = (("PUT", "/transfers/t1"), ("PUT", "/transfers/t1/error"))
ADDRESS = InboundAddress("http://us.test", "http://control.test", "token")


def inbound(method: str, path: str, body: Any = None, **headers: str) -> Inbound:
    """Returns a call of the hub to ``payer``; header names are written with ``_`` for ``-``."""
    lines = {name.replace("_", "-"): value for name, value in headers.items()}
    return Inbound(method, path, "payer", lines, json.dumps(body).encode(), 0.0, "2026-01-01T00:00:00.000Z")


def handed_on(path: str, body: Any, resource: str = "transfers", **headers: str) -> Inbound:
    """Returns a good callback that the hub hands on from ``payee``."""
    good = {
        "fspiop_source": "payee",
        "fspiop_destination": "payer",
        "content_type": content_type(resource),
        "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01",
    }
    return inbound("PUT", path, body, **{**good, **headers})


def exchange(
    *,
    status: int | None = 202,
    body: Any = "",
    callback: Inbound | None = None,
    awaited: bool = True,
    error: str = "",
    method: str = "POST",
) -> Exchange:
    """Returns an exchange of ``payer`` with the hub."""
    return Exchange(
        id="x1",
        request=Request(
            method,
            "http://hub.test/transfers",
            {"Content-Type": content_type("transfers"), "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"},
            {"transferId": "t1"},
        ),
        response=None if status is None else Response(status, "", {}, body),
        callback=callback,
        awaited=CallbackRoutes("payer", (("PUT", "/transfers/t1"), ("PUT", "/transfers/t1/error")))
        if awaited
        else None,
        started_at="2026-01-01T00:00:00.000Z",
        latency_ms=None if status is None else 1.0,
        callback_ms=None if callback is None else 12.5,
        error=error,
        error_kind="connection" if status is None else "callback-timeout" if error else "",
    )


def step_of(
    found: Exchange, recorder: CaseRecorder | None = None, *, operation: str = "POST /transfers", lost_by: str = ""
) -> Step:
    """Returns a step of a case at ml-api-adapter that had this exchange."""
    case = recorder or CaseRecorder(CASE)
    recorded = case.step(operation, operation=operation, url="http://hub.test", component="ml-api-adapter")
    recorded.sent(found)
    method, _, template = operation.partition(" ")
    known = find_operation(method, template)
    return Step(recorded, found, known[0] if known else None, voice=Voice("Hub", ("1.1", "2.0")), lost_by=lost_by)


@dataclass
class FakeExchanger:
    """Answers as ``answer`` says: it is given the request and returns status and body."""

    answer: Callable[[Request], tuple[int, Any]] = lambda request: (202, "")
    requests: list[Request] = field(default_factory=list)
    timeouts: list[float | None] = field(default_factory=list)
    awaited: list[CallbackRoutes | None] = field(default_factory=list)
    callbacks: list[Inbound] = field(default_factory=list)

    def exchange(
        self,
        request: Request,
        *,
        awaiting: CallbackRoutes | None = None,
        case: str = "",
        step: str = "",
        callback_timeout_s: float | None = None,
    ) -> Exchange:
        self.requests.append(request)
        self.awaited.append(awaiting)
        self.timeouts.append(callback_timeout_s)
        status, body = self.answer(request)
        callback = self.callbacks.pop(0) if awaiting and self.callbacks else None
        lost = awaiting is not None and callback is None
        found = exchange(status=status, body=body, callback=callback, error="no callback within 5 s" if lost else "")
        return replace(found, request=request, awaited=awaiting)


@dataclass
class FakeInbound:
    """Saw what ``calls`` holds."""

    calls: list[Inbound] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    address: InboundAddress = ADDRESS

    def seen(
        self, fsp: str, *, method: str | None = None, path: str | None = None, wait_s: float = 0.0, since: float = 0.0
    ) -> Sequence[Inbound]:
        self.waits.append(wait_s)
        return [call for call in self.calls if (call.method, call.path) == (method, path)]


def hub_of(
    answer: Callable[[Request], tuple[int, Any]] | None = None,
    *,
    release: str = "v17.1.0",
    components: Mapping[str, str] | None = None,
) -> tuple[Hub, FakeExchanger, FakeInbound, CaseRecorder]:
    """Returns a hub for one case and what it is made of."""
    exchanger, server, recorder = FakeExchanger(), FakeInbound(), CaseRecorder(CASE)
    if answer is not None:
        exchanger.answer = answer
    target = Target("embedded", "embedded", {name: f"http://{name}.test" for name in SERVICES}, callback_timeout_s=5.0)
    version = ReleaseVersion.parse(release)
    manifest = Release(product="mojaloop", version=version, components=dict(components or {}), source="test")
    return Hub(target, manifest, exchanger, server, recorder), exchanger, server, recorder  # type: ignore[arg-type]


def dfsp_of(hub: Hub, name: str = "payer") -> Dfsp:
    """Returns a DFSP that acts at ``hub``."""
    return Dfsp(name, hub, name)
