"""What a real hub of v17.1.0 answered at once, the embedded hub answers too: status, error code and text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from harness.fspiop.dates import iso_ms, parse_iso
from tests.hub.world import World, world

REPORTS = Path(__file__).parents[3] / "shared" / "oss" / "ttk-reports"
GOLDEN = REPORTS / "official-v17.1.0-golden-path-1.json"
PROVISIONING = REPORTS / "official-v17.1.0-provisioning.json"
SERVICES = {
    ("account-lookup-service", 4001): "account-lookup-service-admin",
    ("account-lookup-service", 4002): "account-lookup-service",
    ("quoting-service", 3002): "quoting-service",
    ("ml-api-adapter", 3000): "ml-api-adapter",
    ("central-ledger", 3001): "central-ledger",
    ("transaction-requests-service", 4003): "transaction-requests-service",
}
_HOST = re.compile(r"http://[\w.-]+:\d+")
"""A DFSP of the recording, which here is the receiver."""
OURS = (
    "/quotes", "/transfers", "/parties", "/participants", "/oracles", "/settlementModels", "/transactionRequests",
    "/authorizations", "/fxQuotes", "/fxTransfers",
)  # fmt: skip

pytestmark = pytest.mark.skipif(not GOLDEN.exists(), reason=f"recorded reports are not at {REPORTS}")


def exchanges(report: Path) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """The service, request and response of each exchange with a service that the embedded hub has."""
    for case in json.loads(report.read_text())["test_cases"]:
        for step in case["requests"]:
            request, response = step["request"], step.get("response") or {}
            where = urlsplit(request["url"])
            service = SERVICES.get((where.hostname or "", where.port or 0))
            path = request.get("path") or ""
            if service is not None and "status" in response and path.startswith(OURS):
                yield service, request, response


def ask(w: World, service: str, request: dict[str, Any]) -> tuple[int, str | None, str | None]:
    headers = {name: value for name, value in request["headers"].items() if not value.startswith("{$")}
    body = None
    if request.get("body") is not None:
        body = _HOST.sub(w.receiver.url, json.dumps(request["body"])).encode()
    url = w.services[service] + request["path"]
    asked = request.get("queryParams") if "?" not in url else None
    call = w.client.build_request(request["method"].upper(), url, content=body, params=asked or None)
    for name in ("accept", "content-type"):
        call.headers.pop(name, None)
    if request["method"] in ("post", "put") and "content-type" not in headers:
        headers["content-type"] = "application/x-www-form-urlencoded"  # what the recording client sends
    call.headers.update(headers)
    answer = w.client.send(call)
    return (answer.status_code, *_error(answer.json() if answer.content else None))


def _error(body: Any) -> tuple[str | None, str | None]:
    information = body.get("errorInformation") if isinstance(body, dict) else None
    return (None, None) if information is None else (information["errorCode"], information["errorDescription"])


def compare(w: World, report: Path) -> tuple[int, list[str]]:
    """How many exchanges were compared, and where the answers differ."""
    compared, differences = 0, []
    for service, request, response in exchanges(report):
        if "/accounts/" in request["path"] or response["status"] >= 500:
            continue  # account numbers differ; and what broke in the real hub is nothing to imitate
        expected = (response["status"], *_error(response.get("body")))
        found = ask(w, service, moved_to_now(request))
        compared += 1
        if found != expected:
            where = f"{request['method']} {request['path']} ({request['description']})"
            differences.append(f"{where}: recorded {expected}, here {found}")
    return compared, differences


def moved_to_now(request: dict[str, Any]) -> dict[str, Any]:
    """The request with its completedTimestamp as far from now as it was from then; its path as it went out."""
    request = {**request, "path": request["path"].strip()}
    body, date = request.get("body"), request["headers"].get("date")
    if isinstance(body, dict) and "completedTimestamp" in body and date:
        then = parsedate_to_datetime(date) + timedelta(seconds=2)
        moment = datetime.now(UTC) + (parse_iso(body["completedTimestamp"]) - then)
        request["body"] = {**body, "completedTimestamp": iso_ms(moment)}
    return request


def test_the_official_provisioning_is_answered_as_by_a_real_hub() -> None:
    with world(onboarded=False) as w:
        compared, differences = compare(w, PROVISIONING)
    assert compared > 300
    assert differences == []


def test_the_official_golden_path_is_answered_at_once_as_by_a_real_hub() -> None:
    with world(onboarded=False) as w:
        compare(w, PROVISIONING)
        compared, differences = compare(w, GOLDEN)
    assert compared > 400
    assert differences == []
