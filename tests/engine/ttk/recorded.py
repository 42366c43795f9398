"""A transport that answers from a recorded TTK report, and one that is scripted by the test."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.engine.exchange import CallbackRoutes, Exchange, Request, Response
from harness.engine.inbound.messages import Inbound

Answer = tuple[int, Any, Mapping[str, Any] | None]
"""Status, body, and the callback as ``{"url": "put /x", "headers", "body"}``."""
REASONS = {200: "OK", 202: "Accepted", 204: "No Content", 400: "Bad Request"}


def inbound(callback: Mapping[str, Any], fsp: str = "") -> Inbound:
    method, _, path = callback["url"].partition(" ")
    return Inbound(
        method=method.upper(),
        path=path,
        fsp=fsp,
        headers=callback["headers"],
        raw=json.dumps(callback["body"]).encode(),
        received_monotonic=0.0,
        received_at="2026-11-22T08:21:28.123Z",
    )


def exchanged(
    request: Request,
    awaiting: CallbackRoutes | None,
    response: Response | None,
    callback: Inbound | None = None,
    error: tuple[str, str] = ("", ""),
) -> Exchange:
    return Exchange(
        id="e",
        request=request,
        response=response,
        callback=callback,
        awaited=awaiting,
        started_at="2026-11-22T08:21:28.123Z",
        latency_ms=1.0 if response else None,
        callback_ms=2.0 if callback else None,
        error=error[0],
        error_kind=error[1],
    )


@dataclass
class ScriptedTransport:
    """Answers each request as ``answer`` says; ``None`` stands for a service that cannot be reached."""

    answer: Callable[[Request], Answer | None] = lambda request: (202, "", None)
    sent: list[Request] = field(default_factory=list)
    awaited: list[CallbackRoutes | None] = field(default_factory=list)
    timeouts_s: list[float | None] = field(default_factory=list)

    def exchange(
        self,
        request: Request,
        *,
        awaiting: CallbackRoutes | None = None,
        case: str = "",
        step: str = "",
        request_timeout_s: float | None = None,
    ) -> Exchange:
        self.timeouts_s.append(request_timeout_s)
        self.sent.append(request)
        self.awaited.append(awaiting)
        found = self.answer(request)
        if found is None:
            return exchanged(request, awaiting, None, error=("cannot reach it", "connection"))
        status, body, callback = found
        response = Response(status, REASONS.get(status, ""), {"content-length": "0"}, body)
        return exchanged(request, awaiting, response, None if callback is None else inbound(callback))


@dataclass
class RecordedTransport:
    """Answers a case's requests as the report holds them, with the ids of this run in place of the recorded ones."""

    requests: list[dict[str, Any]]
    ours: dict[str, str] = field(default_factory=dict)
    awaited: dict[str, CallbackRoutes | None] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)

    def exchange(
        self,
        request: Request,
        *,
        awaiting: CallbackRoutes | None = None,
        case: str = "",
        step: str = "",
        request_timeout_s: float | None = None,
    ) -> Exchange:
        ident = re.search(r"requestId=([^,]*)$", request.headers["baggage"])
        assert ident is not None
        one = next(one for one in self.requests if one["request"]["id"] == ident[1])
        self.awaited[ident[1]] = awaiting
        self._pair(one["request"].get("body"), request.body)
        self._pair(one["request"]["path"].split("/"), request.url.partition("//")[2].split("/")[1:])
        answer = self._with_our_ids({name: one.get(name) for name in ("response", "callback")})
        response = answer["response"]
        reason, headers = response.get("statusText", ""), response.get("headers", {})
        callback = inbound(answer["callback"]) if answer["callback"] else None
        if callback is not None and (awaiting is None or ("PUT", callback.path) not in awaiting.routes):
            self.late.append(f"{ident[1]}: {callback.path} is not among {awaiting}")
        return exchanged(
            request, awaiting, Response(response["status"], reason, headers, response.get("body")), callback
        )

    def _pair(self, recorded: Any, ours: Any) -> None:
        if isinstance(recorded, dict) and isinstance(ours, dict):
            for name in recorded.keys() & ours.keys():
                self._pair(recorded[name], ours[name])
        elif isinstance(recorded, list) and isinstance(ours, list):
            for theirs, mine in zip(recorded, ours, strict=False):
                self._pair(theirs, mine)
        elif isinstance(recorded, str) and isinstance(ours, str) and recorded != ours and len(recorded) >= 20:
            self.ours[recorded] = ours

    def _with_our_ids(self, document: Any) -> Any:
        text = json.dumps(document)
        for theirs, mine in self.ours.items():
            text = text.replace(theirs, mine)
        return json.loads(text)
