"""What does one transfer cost the embedded hub, end to end with its callbacks? CPU per transfer (bound: 1 ms).

One millisecond of CPU is 1,000 transfers per second on one core. The hub runs in a process of its own; payer and payee
are played here by as little code as speaks HTTP/1.1, so that the hub is what is measured.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from harness.fspiop.dates import http_date, iso_ms
from harness.fspiop.headers import content_type
from harness.fspiop.ids import new_uuid
from harness.fspiop.ilp import build_packet, condition_of, fulfilment_for
from harness.hub.process import HubProcess
from harness.release.manifest import load_manifest
from tests.hub.world import SECRET, Receiver, World, in_seconds
from tests.support import RELEASE, REPOSITORY

TRANSFERS = 6_000
UNDER_WAY = 64
BOUND_MS = 1.0
TRACE = "00-aabbeec0f44a9289378f261f2214288d-0000000000000002-01"


class Wire(asyncio.Protocol):
    """One HTTP/1.1 connection, either side: messages with a Content-Length, one after the other."""

    def __init__(self, on_message: Callable[[Wire, bytes, bytes], None]) -> None:
        self.transport: Any = None
        self._on_message = on_message
        self._buffer = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head, length = self._buffer[:end], 0
            if (at := head.lower().find(b"content-length:")) >= 0:
                length = int(head[at + 15 :].split(b"\r\n", 1)[0])
            if len(self._buffer) < end + 4 + length:
                return
            body, self._buffer = self._buffer[end + 4 : end + 4 + length], self._buffer[end + 4 + length :]
            self._on_message(self, head, body)


def message(method: str, path: str, source: str, destination: str, body: bytes) -> bytes:
    """Returns one FSPIOP request about transfers, as it goes over the wire."""
    media = content_type("transfers", "1.1")
    lines = {
        "Host": "hub", "Content-Type": media, "Date": http_date(), "FSPIOP-Source": source,
        "FSPIOP-Destination": destination, "traceparent": TRACE, "Content-Length": str(len(body)),
        **({"Accept": media} if method == "POST" else {}),
    }  # fmt: skip
    return f"{method} {path} HTTP/1.1\r\n".encode() + b"".join(
        f"{name}: {value}\r\n".encode() for name, value in lines.items()
    ) + b"\r\n" + body  # fmt: skip


class Load:
    """Payer and payee: so many transfers under way at a time until all are committed."""

    def __init__(self, hub: str, transfers: list[bytes], fulfilment: str) -> None:
        self._where = urlsplit(hub)
        self._todo = iter(transfers)
        self._left = len(transfers)
        self._fulfilment = fulfilment
        self._wires: list[Wire] = []
        self._next = 0
        self._done = asyncio.Event()
        self.refused = 0

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(UNDER_WAY // 4):
            _, wire = await loop.create_connection(
                lambda: Wire(self._on_answer), self._where.hostname, self._where.port
            )
            self._wires.append(wire)
        for _ in range(UNDER_WAY):
            self._prepare()
        await self._done.wait()
        for wire in self._wires:
            wire.transport.close()

    def _say(self, raw: bytes) -> None:
        self._next = (self._next + 1) % len(self._wires)
        self._wires[self._next].transport.write(raw)

    def _prepare(self) -> None:
        if (body := next(self._todo, None)) is not None:
            self._say(message("POST", "/transfers", "payer", "payee", body))

    def _on_answer(self, _wire: Wire, head: bytes, _body: bytes) -> None:
        if b" 20" not in head[:14]:
            self.refused += 1

    def on_call(self, wire: Wire, head: bytes, body: bytes) -> None:
        wire.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        if head.startswith(b"POST"):
            self._fulfil(json.loads(body)["transferId"])
            return
        if head.split(b" ", 2)[1].endswith(b"/error"):
            self.refused += 1
        self._left -= 1
        self._prepare()
        if not self._left:
            self._done.set()

    def _fulfil(self, transfer_id: str) -> None:
        said = {
            "transferState": "COMMITTED", "fulfilment": self._fulfilment, "completedTimestamp": iso_ms(),
        }  # fmt: skip
        self._say(message("PUT", f"/transfers/{transfer_id}", "payee", "payer", json.dumps(said).encode()))


def cpu_s(pid: int) -> float:
    """Returns the CPU seconds a process has used (proc(5), stat, fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def bodies(count: int) -> tuple[list[bytes], str]:
    """Returns so many bodies of POST /transfers, and the fulfilment of all of them."""
    packet = build_packet(amount=Decimal(1), address="g.payee", transaction={"transactionId": new_uuid()})
    fulfilment = fulfilment_for(packet, SECRET)
    one = {
        "payerFsp": "payer", "payeeFsp": "payee", "amount": {"amount": "1", "currency": "XXX"}, "ilpPacket": packet,
        "condition": condition_of(fulfilment), "expiration": in_seconds(600),
    }  # fmt: skip
    return [json.dumps({"transferId": new_uuid(), **one}).encode() for _ in range(count)], fulfilment


async def measure(process: HubProcess, admin: World, count: int) -> tuple[float, float]:
    """Returns the hub's CPU milliseconds per transfer, and how many were committed per second."""
    transfers, fulfilment = bodies(count)
    load = Load(process.services["ml-api-adapter"], transfers, fulfilment)
    server = await asyncio.get_running_loop().create_server(lambda: Wire(load.on_call), "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    for name in ("payer", "payee"):
        for kind, path in (
            ("POST", "/transfers"),
            ("PUT", "/transfers/{{transferId}}"),
            ("ERROR", "/transfers/{{transferId}}/error"),
        ):
            endpoint = {"type": f"FSPIOP_CALLBACK_URL_TRANSFER_{kind}", "value": f"{address}/{name}{path}"}
            admin.admin("POST", f"/participants/{name}/endpoints", endpoint).raise_for_status()
    used, began = cpu_s(process.pid), time.perf_counter()
    await load.run()
    used, took = cpu_s(process.pid) - used, time.perf_counter() - began
    server.close()
    assert load.refused == 0, f"{load.refused} of {count} transfers were refused"
    return used * 1000 / count, count / took


def main() -> None:
    """Prints the figures."""
    release = load_manifest(REPOSITORY / "baselines" / "mojaloop" / RELEASE / "release.yaml")
    receiver = Receiver()
    with HubProcess.start(release) as process, httpx.Client(trust_env=False) as client:
        world = World(process.services, receiver, client)
        world.onboard("payer", "payee", cap=1_000_000, funds="1000000")
        asyncio.run(_warm_and_measure(process, world))
    receiver.close()


async def _warm_and_measure(process: HubProcess, world: World) -> None:
    await measure(process, world, TRANSFERS // 10)
    cost, rate = await measure(process, world, TRANSFERS)
    print(
        f"one transfer, end to end with callbacks: {cost:.2f} ms of the hub's CPU (at most {BOUND_MS:g}), "
        f"{1000 / cost:.0f} per second on a core of its own; {rate:.0f} per second here, beside the load"
    )


if __name__ == "__main__":
    main()
