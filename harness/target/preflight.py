"""Is the target there, is every service well, and is what runs what was released? Asked before the first case."""

from __future__ import annotations

import time
from typing import Any

import httpx

from harness.fspiop.resources import component_behind
from harness.model.records import ServiceProbed
from harness.model.rehearsal import EMBEDDED_HEADER
from harness.model.release import Release
from harness.target.model import Target

__all__ = ["probe"]

_HEALTH = {"central-settlement": "/v2/health"}


def probe(
    target: Target, release: Release | None, *, timeout_s: float = 5.0, transport: httpx.BaseTransport | None = None
) -> list[ServiceProbed]:
    """Returns how each service of ``target`` answers ``GET /health``, in the target's order. Never raises."""
    expected = {} if release is None else release.components
    headers = {"Authorization": f"Bearer {target.bearer_token}"} if target.bearer_token else {}
    with httpx.Client(
        timeout=timeout_s, verify=target.verify_tls, trust_env=False, transport=transport, headers=headers
    ) as client:
        return [
            _ask(client, service, url, expected.get(component_behind(service)))
            for service, url in target.services.items()
        ]


def _ask(client: httpx.Client, service: str, base: str, expected: str | None) -> ServiceProbed:
    url = base + _health_path(service, base)
    started = time.monotonic()
    try:
        answer = client.get(url)
    except httpx.HTTPError as problem:
        message = f"{type(problem).__name__}: {problem}"
        return ServiceProbed(
            service=service, url=url, status="down", version=None, expected_version=expected, message=message
        )
    latency = round((time.monotonic() - started) * 1000, 3)
    status, version, message = _read(answer)
    return ServiceProbed(
        service=service,
        url=url,
        status=status,
        version=version,
        expected_version=expected,
        message=message,
        latency_ms=latency,
        embedded=EMBEDDED_HEADER in answer.headers,
    )


def _health_path(service: str, base: str) -> str:
    path = _HEALTH.get(service, "/health")
    return "/health" if base.endswith("/v2") else path


def _read(answer: httpx.Response) -> tuple[str, str | None, str]:
    try:
        body: Any = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return "down", None, f"HTTP {answer.status_code} without a health document"
    version = body.get("versionNumber")
    broken = [
        str(part.get("name", "unnamed"))
        for part in body.get("services") or []
        if isinstance(part, dict) and part.get("status") != "OK"
    ]
    if answer.status_code == 200 and body.get("status") == "OK" and not broken:
        return "ok", str(version) if version else None, ""
    parts = f"; not OK: {', '.join(broken)}" if broken else ""
    return "degraded", str(version) if version else None, f"HTTP {answer.status_code}, {body.get('status')}{parts}"
