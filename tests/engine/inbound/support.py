"""What the tests of the inbound server share: calls made by hand, a tiny hub that remembers what it was sent."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from harness.engine.inbound.messages import Inbound, InboundAddress
from harness.fspiop.headers import content_type

TRACE = "0af7651916cd43dd8448eb211c80319c"


def call(
    method: str,
    path: str,
    *,
    fsp: str = "payeefsp",
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    mark: str = "",
) -> Inbound:
    """A call as the server would have read it."""
    lines = {"fspiop-source": "payerfsp", "fspiop-destination": fsp, **(headers or {})}
    raw = b"" if body is None else json.dumps(body).encode()
    return Inbound(method, path, fsp, lines, raw, received_monotonic=0.0, received_at=mark)


def traceparent(trace_id: str = TRACE) -> dict[str, str]:
    """A header that carries ``trace_id``."""
    return {"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"}


@dataclass
class FakeHub:
    """What a hub was sent, in order, on one base URL for all its services."""

    url: str
    received: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def services(self) -> dict[str, str]:
        """Base URLs by component."""
        names = ("account-lookup-service", "quoting-service", "ml-api-adapter")
        return {name: f"{self.url}/{name}" for name in names}

    def wait(self, count: int, timeout_s: float = 10.0) -> list[tuple[str, str, dict[str, str], Any]]:
        """Returns what came once it is at least ``count``."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.received) >= count, timeout_s), self.received
            return list(self.received)


@contextmanager
def fake_hub() -> Iterator[FakeHub]:
    """A hub on loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length", "0")))
            with hub.changed:
                headers = {key.lower(): value for key, value in self.headers.items()}
                hub.received.append(("PUT", self.path, headers, json.loads(raw)))
                hub.changed.notify_all()
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

    server = Server(("127.0.0.1", 0), Handler)
    hub = FakeHub(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@dataclass
class Hub:
    """The hub's side of a conversation: it calls our DFSPs."""

    address: InboundAddress
    http: httpx.Client

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        fsp: str = "payerfsp",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Calls ``fsp`` at the endpoint we registered for it."""
        return self.to(self.address.endpoint(fsp) + path, method, body, {"FSPIOP-Destination": fsp, **(headers or {})})

    def to(self, url: str, method: str, body: Any = None, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Calls ``url``."""
        resource = path_of(url).strip("/").split("/")[0]
        lines = {"FSPIOP-Source": "switch", "Content-Type": content_type(resource), **(headers or {})}
        content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        return self.http.request(method, url, content=content, headers=lines)


def path_of(url: str) -> str:
    """The path of a call to ``url`` as its DFSP sees it."""
    path = httpx.URL(url).path
    return "/" + path.split("/", 3)[3] if path.startswith("/dfsp/") else path


def eventually(condition: Any, timeout_s: float = 5.0) -> Any:
    """Returns the first truthy value of ``condition``, the last value after ``timeout_s`` seconds."""
    end = time.monotonic() + timeout_s
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(0.01)
    return value
