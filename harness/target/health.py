"""What does a service say of itself? Reads the answer to ``GET /health``: status, version, dependencies, clock.

The shape is that of central-services-health, which all services of a hub use: ``{status, versionNumber, services}``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from harness.model.records import ServiceProbed
from harness.model.rehearsal import EMBEDDED_HEADER
from harness.target.connection import trouble_with

__all__ = ["ask_health", "unreached"]

_HEALTH = {"central-settlement": "/v2/health"}


def ask_health(
    client: httpx.Client,
    service: str,
    base: str,
    expected: str | None,
    *,
    timeout_s: float,
    now: Callable[[], float] = time.time,
) -> ServiceProbed:
    """Returns how ``service`` at ``base`` answers. Never raises on what the other side does."""
    url = health_url(service, base)
    began, started = now(), time.monotonic()
    try:
        answer = client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        return unreached(service, base, expected, problem, timeout_s)
    took = time.monotonic() - started
    status, message, remedy = _judged(service, url, answer)
    body = _document(answer)
    version = body.get("versionNumber") if body else None
    return ServiceProbed(
        service=service,
        url=url,
        status=status,
        version=str(version) if version else None,
        expected_version=expected,
        message=message,
        latency_ms=round(took * 1000, 3),
        embedded=EMBEDDED_HEADER in answer.headers,
        remedy=remedy,
        clock_ahead_s=_clock_ahead(answer, began, began + took),
        dependencies={str(part.get("name", "unnamed")): str(part.get("status")) for part in _parts(body)},
    )


def unreached(service: str, base: str, expected: str | None, problem: Exception, timeout_s: float) -> ServiceProbed:
    """Returns the record of a service that gave no answer because of ``problem``."""
    trouble = trouble_with(base, problem, setting=f"services.{service}", timeout_s=timeout_s)
    return ServiceProbed(
        service=service,
        url=health_url(service, base),
        status="down",
        version=None,
        expected_version=expected,
        message=trouble.text,
        remedy=trouble.remedy,
    )


def health_url(service: str, base: str) -> str:
    """Returns where ``service`` tells its health; central-settlement has it under ``/v2``."""
    return base + ("/health" if base.endswith("/v2") else _HEALTH.get(service, "/health"))


def _judged(service: str, url: str, answer: httpx.Response) -> tuple[str, str, str]:
    """Status, what is wrong, and what to do about it."""
    body, code = _document(answer), answer.status_code
    if code in (401, 403):
        remedy = "Give bearer_token or oauth2 in the target file, or correct what is there"
        return "down", f"it refuses our credentials (HTTP {code})", remedy
    if body is None or "status" not in body:
        remedy = f"Something else may listen there: correct services.{service} in the target file, port and path"
        return "down", f"HTTP {code} without a health document", remedy
    broken = [str(part.get("name", "unnamed")) for part in _parts(body) if part.get("status") != "OK"]
    if code == 200 and body.get("status") == "OK" and not broken:
        return "ok", "", ""
    if broken:
        names = ", ".join(broken)
        return (
            "degraded",
            f"HTTP {code}, {body.get('status')}; not OK: {names}",
            f"Bring {names} up; {service} needs it",
        )
    return "degraded", f"HTTP {code}, {body.get('status')}", f"See the log of {service}"


def _document(answer: httpx.Response) -> dict[str, Any] | None:
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _parts(body: dict[str, Any] | None) -> list[dict[str, Any]]:
    listed = (body or {}).get("services")
    return [part for part in listed if isinstance(part, dict)] if isinstance(listed, list) else []


def _clock_ahead(answer: httpx.Response, began: float, ended: float) -> float | None:
    """How far the clock is ahead, at the least: ``Date`` tells whole seconds, and the answer took its time."""
    try:
        told = parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    if told > ended:
        return round(told - ended, 3)
    if told + 1 < began:
        return round(told + 1 - began, 3)
    return 0.0
