"""How is an exchange attached to a step, so that Allure 3 shows it as the HTTP that it is?

Allure's "HTTP Exchange", version 1 (application/vnd.allure.http+json), as its documentation describes it: one document
for the request with its response, one for the callback that came back. What is no HTTP exchange is attached as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from harness.report.files import json_bytes, utf8
from harness.report.moments import milliseconds
from harness.report.text import clean, one_line

__all__ = ["Attached", "attached"]

_HTTP: Final = ("application/vnd.allure.http+json", "httpexchange")
_JSON: Final = ("application/json", "json")
_BODY_AT_MOST: Final = 262_144
"""Characters of a body that are shown. The whole of it is in ``exchanges.jsonl``."""


@dataclass(frozen=True, slots=True)
class Attached:
    """One attachment: what it is called, its type and file extension, its content."""

    key: str
    """What tells it from the others of its step: ``exchange`` or ``callback``."""
    name: str
    type: str
    extension: str
    content: bytes


def attached(exchange: Mapping[str, Any], operation: str = "") -> list[Attached]:
    """Returns what of a redacted line of ``exchanges.jsonl`` is worth looking at, in the order in which it happened."""
    found = []
    request, response, callback = (_part(exchange, name) for name in ("request", "response", "callback"))
    if request:
        status = response.get("status") if response else None
        name = operation or f"{request.get('method') or ''} request"
        ending = f" → {status}" if status is not None else " → no response"
        found.append(Attached("exchange", one_line(name + ending), *_HTTP, _document(exchange, request, response)))
    if callback:
        name = f"callback {callback.get('method') or ''} {callback.get('path') or ''}".rstrip()
        found.append(Attached("callback", one_line(name), *_HTTP, _callback(callback)))
    if not found:
        found.append(Attached("exchange", "exchange", *_JSON, json_bytes(dict(exchange), indent=2)))
    return found


def _part(exchange: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = exchange.get(name)
    return part if isinstance(part, Mapping) else {}


def _document(exchange: Mapping[str, Any], request: Mapping[str, Any], response: Mapping[str, Any]) -> bytes:
    start = milliseconds(exchange.get("started_at"))
    latency = response.get("latency_ms")
    document: dict[str, Any] = {"schemaVersion": 1, "request": _message(request, request.get("url"))}
    if response:
        document["response"] = {
            "status": response.get("status"),
            "statusText": one_line(str(response.get("reason") or "")),
            **_content(response),
        }
    if error := str(exchange.get("error") or ""):
        document["error"] = {"name": one_line(str(exchange.get("error_kind") or "error")), "message": one_line(error)}
    if start is not None:
        document["start"] = start
        if isinstance(latency, int | float):
            document["stop"] = start + round(latency)
    return json_bytes(document, indent=1)


def _callback(callback: Mapping[str, Any]) -> bytes:
    document: dict[str, Any] = {"schemaVersion": 1, "request": _message(callback, callback.get("path"))}
    received = milliseconds(callback.get("received_at"))
    if received is not None:
        document |= {"start": received, "stop": received}
    return json_bytes(document, indent=1)


def _message(part: Mapping[str, Any], url: Any) -> dict[str, Any]:
    return {"method": str(part.get("method") or ""), "url": one_line(str(url or "")), **_content(part)}


def _content(part: Mapping[str, Any]) -> dict[str, Any]:
    given = part.get("headers")
    headers = given if isinstance(given, Mapping) else {}
    content: dict[str, Any] = {
        "headers": [{"name": one_line(str(name)), "value": one_line(str(value))} for name, value in headers.items()]
    }
    body = part.get("body")
    if body is None or body == "":
        return content
    kind = next((str(value) for name, value in headers.items() if str(name).lower() == "content-type"), "")
    # What was read as JSON is shown as JSON; a hub's own text keeps its lines and loses what steers a screen.
    text = clean(body) if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False, default=str)
    content["body"] = {
        "contentType": _shown_as(one_line(kind), body),
        "encoding": "utf8",
        "value": text[:_BODY_AT_MOST],
        "size": len(utf8(text)),
        "truncated": len(text) > _BODY_AT_MOST,
    }
    return content


def _shown_as(kind: str, body: Any) -> str:
    """FSPIOP's own media types are JSON, which Allure knows by ``+json``; a hub's HTML is shown as text."""
    if isinstance(body, str):
        return "text/plain"
    return kind if kind.partition(";")[0].strip().lower().endswith(("/json", "+json")) else "application/json"
