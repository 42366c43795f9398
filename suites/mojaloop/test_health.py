"""Health: every service says that it is well and which version it is."""

from __future__ import annotations

import pytest

from harness.engine.native.hub import Hub
from harness.engine.native.matchers import matches
from harness.fspiop.resources import component_behind
from harness.suite.native import case

SERVICES = ("account-lookup-service", "quoting-service", "ml-api-adapter", "central-ledger")


@pytest.mark.parametrize("service", SERVICES)
@case("A service is well and is the released version", labels=["health", "smoke"], severity="blocker")
def test_health(hub: Hub, service: str) -> None:
    health = hub.health(service)
    health.status(200)
    health.says("status", "OK")
    health.says("versionNumber", hub.release.components[component_behind(service)])
    health.says("startTime", matches(r"\d{4}-\d\d-\d\dT.*Z"))


@pytest.mark.parametrize("service", ["account-lookup-service", "ml-api-adapter", "central-ledger"])
@case("What a service depends on is well", labels=["health"], severity="major")
def test_dependencies(hub: Hub, service: str) -> None:
    health = hub.health(service)
    parts = health.response("services")
    statuses = {part.get("status") for part in parts} if isinstance(parts, list) else set()
    health.check("every dependency reports OK", sorted(map(str, statuses)), ["OK"])
