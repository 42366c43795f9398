"""What goes over the wire for a request of a collection, and what its scripts and assertions see of it.

Facts of the reference engine: header names in lower case, ``baggage`` and ``traceparent`` set, the URL from ``url`` and
``operationPath``; a response is ``{status, statusText, headers, body}``, a callback ``{url, headers, body}``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from harness.engine.exchange import CallbackRoutes, Exchange, Request
from harness.engine.ttk.values import is_falsy, js_text
from harness.fspiop.resources import REQUEST_IDS, Operation, component_behind, find_operation

__all__ = [
    "WRITTEN",
    "assertion_request",
    "callback_routes",
    "callback_seen",
    "component_for",
    "decided_by",
    "operation_of",
    "query_text",
    "request_sent",
    "response_seen",
    "script_request",
    "script_response",
    "sent_headers",
    "sent_request",
    "target_url",
]

_ASYNCHRONOUS = ("fspiop", "iso20022")
_READS_CALLBACK = re.compile(r"\bcallback\b")
_SCENARIOS = ("POST", "/scenarios")
_SDK = "sdk-scheme-adapter"
_AXIOS_SAFE = "-_.!~*'():$,"
"""What the reference engine's HTTP library leaves as it is in a query (a space becomes ``+``)."""


WRITTEN = "headerNames"
"""Under which key a document keeps the names of its headers as the collection wrote them."""


def sent_headers(document: Mapping[str, Any], *, case: str, request: str) -> dict[str, str]:
    """Returns the headers of ``document`` with names in lower case, ``baggage`` extended and a new ``traceparent``.

    W3C Baggage, section 3.3.1: values are percent-encoded. W3C Trace Context, section 3.2: version, trace, parent,
    flags.
    """
    headers = {
        name.lower(): js_text(value) for name, value in (document.get("headers") or {}).items() if value is not None
    }
    ours = f"testCaseId={quote(case, safe='')},requestId={quote(request, safe='')}"
    headers["baggage"] = f"{headers['baggage']},{ours}" if headers.get("baggage") else ours
    headers["traceparent"] = f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-01"
    return headers


def target_url(document: Mapping[str, Any]) -> str:
    """Returns the URL to call: base, path and query. An array in the query repeats its name with ``[]``.

    White space at its end is no part of it (WHATWG URL, section 4.4, step 1).
    """
    base = js_text(document.get("url") or "")
    if not base.startswith(("http:", "https:")):
        base = f"http://{base}"
    return (base.removesuffix("/") + js_text(document["path"]) + query_text(document.get("queryParams") or {})).rstrip()


def query_text(params: Mapping[str, Any]) -> str:
    """Returns ``?a=1&b[]=2``, empty where there is nothing to ask. Null is left out, as the HTTP library does."""
    pairs: list[tuple[str, Any]] = []
    for name, value in params.items():
        if isinstance(value, list):
            pairs += [(f"{name}[]", item) for item in value]
        else:
            pairs.append((name, value))
    parts = [f"{_encoded(name)}={_encoded(js_text(value))}" for name, value in pairs if value is not None]
    return "?" + "&".join(parts) if parts else ""


def _encoded(text: str) -> str:
    return quote(text, safe=_AXIOS_SAFE + " []").replace(" ", "+")


def sent_request(document: Mapping[str, Any]) -> Request:
    """Returns the request as it is sent. A body that is not text is JSON, and says so where no header does."""
    headers = dict(document["headers"])
    body = document.get("body")
    if isinstance(body, dict | list) and "content-type" not in headers:
        headers["content-type"] = "application/json"
    return Request(method=document["method"].upper(), url=target_url(document), headers=headers, body=body)


def operation_of(api_type: str, method: str, path: str) -> Operation | None:
    """Returns the FSPIOP operation behind a request, ``None`` where its API is another one."""
    if api_type not in _ASYNCHRONOUS:
        return None
    found = find_operation(method, path)
    return None if found is None else found[0]


def callback_routes(api_type: str, document: Mapping[str, Any]) -> CallbackRoutes | None:
    """Returns where the callback of a request arrives, ``None`` where it has none or its id is not in the body."""
    method, path = document["method"].upper(), document["path"]
    operation = operation_of(api_type, method, path)
    if operation is None or operation.callback is None or operation.error_callback is None:
        return None
    found = operation.match(path) or {}
    if method == "POST" and path in REQUEST_IDS:
        ident = _id_in(document.get("body"), REQUEST_IDS[path])
        if is_falsy(ident):
            return None
        found = {"ID": js_text(ident)}
    routes = [("PUT", template.format_map(found)) for template in (operation.callback, operation.error_callback)]
    return CallbackRoutes(document["headers"].get("fspiop-source", ""), routes, _told_instead(operation, document))


def _told_instead(operation: Operation, document: Mapping[str, Any]) -> tuple[str, ...]:
    """Whom account-lookup-service tells of a new party, whoever registered it: the request's destination, or the owner.

    Source: account-lookup-service, domain/participants, where the body's ``fspId`` becomes a missing destination.
    """
    if (operation.method, operation.resource) != ("POST", "participants"):
        return ()
    body = document.get("body")
    owner = body.get("fspId") if isinstance(body, dict) else None
    told = document["headers"].get("fspiop-destination") or owner
    return (told,) if isinstance(told, str) else ()


def _id_in(body: Any, name: str) -> Any:
    """The id of the resource that a body makes: FSPIOP's element, or the transaction's of an ISO 20022 message.

    ``CdtTrfTxInf.PmtId.TxId``: mojaloop/ml-schema-transformer-lib, mappings of quotes, transfers and their fx.
    """
    found = body.get(name) if isinstance(body, dict) else None
    if found is None:
        found = body
        for part in ("CdtTrfTxInf", "PmtId", "TxId"):
            found = found.get(part) if isinstance(found, dict) else None
    return found


def component_for(url: str, services: Mapping[str, str], operation: Operation | None) -> str:
    """Returns the component behind ``url``: by the target's base URLs (the longest that fits), else by the operation.

    Where neither knows it, the URL's host.
    """
    fitting = [
        (len(base), name)
        for name, base in services.items()
        if url == base or url.startswith((base.rstrip("/") + "/", base.rstrip("/") + "?"))
    ]
    if fitting:
        return component_behind(max(fitting)[1])
    if operation is not None:
        return component_behind(operation.service)
    try:
        return urlsplit(url).hostname or "unknown"
    except ValueError:
        return "unknown"


def decided_by(method: str, path: str, source: str, operation: Operation | None) -> str:
    """Returns the component whose work an assertion with this ``source`` looks at, where that is not the one called.

    That of a callback is the one that decides what it says. ``POST /scenarios`` of mojaloop-simulator's test API has
    sdk-scheme-adapter carry each operation out, and answers with what that said. Else empty.
    """
    if (method.upper(), path) == _SCENARIOS:
        return _SDK
    return operation.decided_by if operation is not None and _READS_CALLBACK.search(source) else ""


# --- what JavaScript sees


def script_request(document: Mapping[str, Any]) -> dict[str, Any]:
    """The ``request`` of scripts."""
    return {name: document.get(name) for name in ("url", "method", "path", "queryParams", "headers", "body")}


def assertion_request(document: Mapping[str, Any]) -> dict[str, Any]:
    """The ``request`` of assertions and of ``{$prev…}``: all but scripts and tests.

    Its headers are found by their names in lower case, and by those the collection wrote them with: the reference
    engine kept these until its version 18, and collections of earlier releases ask for them.
    """
    seen = {name: value for name, value in document.items() if name not in ("scripts", "tests", WRITTEN)}
    headers = document.get("headers") or {}
    as_written = {name: headers[name.lower()] for name in document.get(WRITTEN) or () if name.lower() in headers}
    return {**seen, "headers": {**as_written, **headers}}


def request_sent(sent: Request, document: Mapping[str, Any]) -> dict[str, Any]:
    """The ``requestSent`` of assertions."""
    return {
        "url": sent.url,
        "method": sent.method,
        "path": document["path"],
        "headers": dict(sent.headers),
        "body": sent.body,
    }


def response_seen(exchange: Exchange) -> dict[str, Any] | None:
    """The ``response`` of assertions."""
    response = exchange.response
    if response is None:
        return None
    return {
        "status": response.status,
        "statusText": response.reason,
        "headers": dict(response.headers),
        "body": response.body,
    }


def script_response(exchange: Exchange) -> dict[str, Any] | None:
    """The ``response`` of scripts, whose ``status`` is the text."""
    response = exchange.response
    return None if response is None else {"code": response.status, "status": response.reason, "body": response.body}


def callback_seen(exchange: Exchange) -> dict[str, Any] | None:
    """The ``callback`` of scripts and assertions; ``None`` (``null``) where none came."""
    call = exchange.callback
    if call is None:
        return None
    return {
        "url": f"{call.method.lower()} {call.path}",
        "headers": {name.lower(): value for name, value in call.headers.items()},
        "body": call.body,
    }
