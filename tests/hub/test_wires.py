"""Our own connections: kept and taken up again, never believed longer than they hold, and bounded in time and size."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.hub.wires import MAX_ANSWER, Address, WireError, Wires, plain_address

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CLOSE = b"close"
"""In a script: the server ends the connection."""
NOTHING = b""
"""In a script: a request is read and not answered."""

Script = Sequence[bytes]
"""What a connection answers to its first, second, … request; after the last it ends, or waits on."""


class Server:
    """Plays one script per connection, the last one again and again; ``heard`` is what came, per connection."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = scripts
        self.heard: list[list[bytes]] = []
        self.address = Address("127.0.0.1", 0, "/x", "there")
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Server:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = Address("127.0.0.1", self._server.sockets[0].getsockname()[1], "/x", "there")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await settled()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        script = self._scripts[min(len(self.heard), len(self._scripts) - 1)]
        heard: list[bytes] = []
        self.heard.append(heard)
        try:
            for answer in script:
                if answer == CLOSE:
                    break
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
                heard.append(head + await reader.readexactly(length))
                writer.write(answer)
                await writer.drain()
            else:
                await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        writer.close()


Work = Callable[[Wires, Server], Awaitable[object]]


def play(work: Work, *scripts: Script, timeout_s: float = 2) -> Server:
    """Runs ``work`` against a server with ``scripts``."""

    async def run() -> Server:
        async with Server(*scripts) as server:
            wires = Wires(timeout_s=timeout_s)
            try:
                await work(wires, server)
            finally:
                await wires.close()
            return server

    return asyncio.run(run())


async def put(wires: Wires, server: Server, content: bytes = b"{}") -> int:
    return await wires.send(server.address, "PUT", {"x-one": "1"}, content)


async def settled() -> None:
    """Lets the other side's end of a connection arrive."""
    await asyncio.sleep(0.05)


def test_a_call_says_what_it_says_and_a_connection_is_taken_up_again() -> None:
    async def work(wires: Wires, server: Server) -> None:
        assert [await put(wires, server) for _ in range(3)] == [200, 200, 200]

    server = play(work, [OK] * 3)
    assert [len(heard) for heard in server.heard] == [3]
    assert server.heard[0][0] == (
        b"PUT /x HTTP/1.1\r\nhost: there\r\nconnection: keep-alive\r\nx-one: 1\r\ncontent-length: 2\r\n\r\n{}"
    )


def test_calls_side_by_side_have_a_connection_each() -> None:
    async def work(wires: Wires, server: Server) -> None:
        assert await asyncio.gather(*(put(wires, server) for _ in range(5))) == [200] * 5

    assert len(play(work, [OK] * 5).heard) == 5


@pytest.mark.parametrize("noticed", [True, False])
def test_a_kept_connection_that_was_closed_meanwhile_costs_nothing(noticed: bool) -> None:
    async def work(wires: Wires, server: Server) -> None:
        assert await put(wires, server) == 200
        if noticed:
            await settled()
        assert await put(wires, server) == 200

    server = play(work, [OK, CLOSE], [OK])
    assert [len(heard) for heard in server.heard] == [1, 1]


def test_a_kept_connection_that_ends_on_the_next_request_is_tried_once_more_and_no_more() -> None:
    async def work(wires: Wires, server: Server) -> None:
        assert await put(wires, server) == 200
        with pytest.raises(WireError, match="RemoteProtocolError"):
            await put(wires, server)

    server = play(work, [OK, NOTHING, CLOSE], [NOTHING, CLOSE])
    assert [len(heard) for heard in server.heard] == [2, 1]


def test_a_new_connection_that_ends_without_an_answer_is_not_tried_again() -> None:
    async def work(wires: Wires, server: Server) -> None:
        with pytest.raises(WireError, match="RemoteProtocolError"):
            await put(wires, server)

    assert len(play(work, [CLOSE]).heard) == 1


def test_an_answer_that_does_not_come_ends_in_time() -> None:
    async def work(wires: Wires, server: Server) -> None:
        with pytest.raises(WireError, match="ReadTimeout"):
            await put(wires, server)

    play(work, [], timeout_s=0.1)


def test_nobody_there_is_a_connect_error() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = Address("127.0.0.1", free.getsockname()[1], "/", "there")
    with pytest.raises(WireError, match="ConnectError"):
        asyncio.run(Wires(timeout_s=1).send(address, "GET", {}, b""))


@pytest.mark.parametrize(
    ("answer", "status", "connections"),
    [
        (b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 202, 1),
        (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204, 1),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", 503, 1),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 200, 2),
        (OK + b"HTTP/1.1 500 Nobody asked\r\nContent-Length: 0\r\n\r\n", 200, 2),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 200, 2),
    ],
)
def test_an_answer_is_its_final_status_and_says_whether_the_connection_may_be_kept(
    answer: bytes, status: int, connections: int
) -> None:
    async def work(wires: Wires, server: Server) -> None:
        assert await put(wires, server) == status
        await settled()
        assert await put(wires, server) == status

    assert len(play(work, [answer] * 2).heard) == connections


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", 200),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\ncut off", "RemoteProtocolError"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "RemoteProtocolError"),
        (b"SMTP ready\r\n\r\n", "RemoteProtocolError"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b"x" * (MAX_ANSWER + 1), "ResponseTooLarge"),
    ],
)
def test_an_answer_that_ends_early_or_never_is_told_from_a_whole_one(answer: bytes, outcome: int | str) -> None:
    async def work(wires: Wires, server: Server) -> None:
        if isinstance(outcome, int):
            assert await put(wires, server) == outcome
            return
        with pytest.raises(WireError, match=outcome):
            await put(wires, server)

    play(work, [answer, CLOSE])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, len(OK) - 1), max_size=5, unique=True))
def test_an_answer_is_the_same_however_it_is_cut(cuts: list[int]) -> None:
    async def run() -> int:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(OK)], strict=True):
                writer.write(OK[start:end])
                await writer.drain()
                await asyncio.sleep(0)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        wires = Wires(timeout_s=2)
        try:
            return await wires.send(
                Address("127.0.0.1", server.sockets[0].getsockname()[1], "/", "there"), "GET", {}, b""
            )
        finally:
            await wires.close()
            server.close()

    assert asyncio.run(run()) == 200


@pytest.mark.parametrize("value", ["1\r\nX-Two: 2", "1\n2", "\u2603"])
def test_a_header_that_does_not_fit_on_its_line_is_not_sent(value: str) -> None:
    async def work(wires: Wires, server: Server) -> None:
        with pytest.raises(WireError, match="LocalProtocolError"):
            await wires.send(server.address, "PUT", {"x-one": value}, b"")

    assert play(work, [OK]).heard == []


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://dfsp:3000/transfers/1?a=b", Address("dfsp", 3000, "/transfers/1?a=b", "dfsp:3000")),
        ("http://dfsp", Address("dfsp", 80, "/", "dfsp")),
        ("https://dfsp/transfers", None),
        ("http://user:secret@dfsp/transfers", None),
        ("http://[::1]:3000/", None),
        ("http://dfsp/a b", None),
        ("http://dfsp/a\r\nX-Two: 2", None),
        ("http://dfsp/a#b", None),
        ("http://dfsp:0/", None),
        ("http://dfsp:65536/", None),
    ],
)
def test_only_what_needs_no_encoding_and_no_tls_is_plain(url: str, address: Address | None) -> None:
    assert plain_address(url) == address
