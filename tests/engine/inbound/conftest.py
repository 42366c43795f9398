"""A running inbound server, its notes, and the hub that calls it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from harness.engine.inbound.client import InboundClient
from harness.engine.inbound.messages import InboundNote
from harness.engine.inbound.server import InboundServer
from tests.engine.inbound.support import FakeHub, Hub, fake_hub


@pytest.fixture
def notes() -> list[InboundNote]:
    return []


@pytest.fixture
def server(notes: list[InboundNote]) -> Iterator[InboundServer]:
    with InboundServer.start(on_note=notes.append) as running:
        yield running
    assert running.problems == ()


@pytest.fixture
def client(server: InboundServer) -> Iterator[InboundClient]:
    with InboundClient(server.address) as connected:
        yield connected


@pytest.fixture
def hub(server: InboundServer) -> Iterator[Hub]:
    with httpx.Client(trust_env=False, timeout=20) as http:
        yield Hub(server.address, http)


@pytest.fixture
def services() -> Iterator[FakeHub]:
    with fake_hub() as running:
        yield running
