"""Whatever is thrown at the public port, the server answers, keeps what came as evidence, and serves the next call."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from harness.engine.inbound.client import InboundClient
from harness.engine.inbound.messages import InboundNote
from harness.engine.inbound.server import InboundServer
from harness.fspiop.ids import new_uuid
from tests.engine.inbound.support import Hub, eventually


@pytest.fixture(scope="module")
def all_notes() -> list[InboundNote]:
    return []


@pytest.fixture(scope="module")
def server(all_notes: list[InboundNote]) -> Iterator[InboundServer]:
    """One server for the whole module: it must outlive everything that is thrown at it."""
    with InboundServer.start(on_note=all_notes.append) as running:
        yield running
    assert running.problems == ()


@pytest.fixture
def notes(all_notes: list[InboundNote]) -> list[InboundNote]:
    all_notes.clear()
    return all_notes


@pytest.fixture
def fsp() -> str:
    """A DFSP that no other test has used."""
    return new_uuid()


def one(client: InboundClient, fsp: str) -> Any:
    (call,) = client.seen(fsp, wait_s=5)
    return call


@pytest.mark.parametrize(
    "body", [b"\x00\xff\xfe" * 100, b"{", b'{"a": NaN}', b"[" * 200_000, b"\xef\xbb\xbf{}", b"null", b'"\\ud800"']
)
def test_a_body_that_is_no_object_is_delivered_as_it_came(
    client: InboundClient, hub: Hub, fsp: str, body: bytes
) -> None:
    waited = client.expect(fsp=fsp, routes=[("PUT", "/transfers/1")], case="c", step="s")
    assert hub.send("PUT", "/transfers/1", body, fsp=fsp).status_code == 200
    callback = client.wait(waited, 5)
    assert callback is not None
    assert callback.raw == body
    assert (callback.body is None) == (body != b'"\\ud800"')


@pytest.mark.parametrize("megabytes", [2, 10])
def test_a_huge_body_is_refused_and_noted(
    client: InboundClient, hub: Hub, notes: list[InboundNote], fsp: str, megabytes: int
) -> None:
    response = hub.send("PUT", "/transfers/1", b" " * (megabytes << 20), fsp=fsp)
    assert response.status_code == 413
    assert [(note.kind, note.path) for note in notes if note.destination == fsp] == [("too-large", "/transfers/1")]
    assert client.seen(fsp) == []
    assert hub.send("PUT", "/transfers/1", {}, fsp=fsp).status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "/../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/%00",
        "/%ff%fe",
        "/parties/PERSONAL_ID/%E6%B5%8B%E8%A9%A6",
        "/" + "a" * 8000,
        "//////",
        "/transfers/1?" + "q=1&" * 500,
    ],
)
def test_odd_paths_are_only_text(client: InboundClient, server: InboundServer, fsp: str, target: str) -> None:
    answer = talk(server, f"GET /dfsp/{fsp}{target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 202")
    assert one(client, fsp).method == "GET"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
        b"\r\n\r\n\r\n",
    ],
)
def test_what_is_not_http_ends_its_own_connection_only(
    client: InboundClient, server: InboundServer, hub: Hub, fsp: str, request_bytes: bytes
) -> None:
    talk(server, request_bytes)
    assert hub.send("PUT", "/transfers/1", {}, fsp=fsp).status_code == 200
    assert one(client, fsp).path == "/transfers/1"
    assert server.alive


def test_a_call_cut_short_is_noted_and_not_delivered(
    client: InboundClient, server: InboundServer, notes: list[InboundNote], fsp: str
) -> None:
    lines = f"PUT /dfsp/{fsp}/transfers/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{{"
    talk(server, lines.encode(), hang_up=True)
    assert eventually(lambda: [note for note in notes if note.destination == fsp])
    assert [(note.kind, note.path) for note in notes if note.destination == fsp] == [("cut-short", "/transfers/1")]
    assert client.seen(fsp) == []


def test_memory_is_bounded_by_number_of_dfsps(client: InboundClient, hub: Hub) -> None:
    for n in range(300):
        hub.send("GET", "/x", fsp=f"fsp{n}")
    assert client.seen("fsp0") == []
    assert len(client.seen("fsp299")) == 1


def talk(server: InboundServer, octets: bytes, *, hang_up: bool = False) -> bytes:
    """Sends ``octets`` and returns what comes back until the server closes or is silent for a second."""
    url = httpx.URL(server.address.public_url)
    got = b""
    with socket.create_connection((url.host, url.port or 0), timeout=1) as connection:
        try:
            connection.sendall(octets)
            while not hang_up and (part := connection.recv(65536)):
                got += part
        except OSError:
            return got
    return got
