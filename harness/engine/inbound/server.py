"""The inbound server of a run: started by the controller in its own thread, reached by the hub and all workers."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import secrets
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any, Literal, Self, final
from urllib.parse import urlsplit

import httpx
import uvicorn

from harness.engine.inbound.control import ControlApp
from harness.engine.inbound.desk import Desk
from harness.engine.inbound.messages import InboundAddress, InboundNote
from harness.engine.inbound.public import PublicApp
from harness.engine.inbound.responder import Responder
from harness.errors import InternalError, UsageError

__all__ = ["InboundServer"]

_START_S = 15.0
_STOP_S = 10.0
_GRACE_S = 2


@final
class InboundServer:
    """Two HTTP servers in one thread: the public one for the hub, the control API on loopback for the workers."""

    def __init__(self, sockets: tuple[socket.socket, socket.socket], address: InboundAddress, run: _Run) -> None:
        self.address = address
        self._sockets = sockets
        self._public_port: int = sockets[0].getsockname()[1]
        self._run = run
        self._thread = threading.Thread(target=run.main, args=sockets, name="inbound", daemon=True)

    @classmethod
    def start(
        cls,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        public_url: str | None = None,
        on_note: Callable[[InboundNote], None] | None = None,
        max_body: int = 1 << 20,
        verify: ssl.SSLContext | bool = True,
        auth: httpx.Auth | None = None,
        silence_url: str | None = None,
    ) -> Self:
        """Returns the running server, listening on ``host`` and ``port`` (0: a free one).

        ``public_url`` is where the hub reaches it, needed where ``host`` is a wildcard. ``on_note`` is called in the
        server's thread. Bodies are limited to ``max_body`` octets. ``verify`` is how the hub's certificate
        is checked, ``auth`` how simulated DFSPs sign in to it. ``silence_url`` is where the hub says when it will call
        nobody (``Silence``); then nobody waits for what cannot come.
        Raises ``UsageError`` where the address cannot be used.
        """
        if public_url is None and _is_wildcard(host):
            raise UsageError(
                f"the hub cannot call back to {host}", remedy="Name the public URL under which it reaches this machine"
            )
        public = _listen(host, port)
        try:
            control = _listen("127.0.0.1", 0)
        except UsageError:
            public.close()
            raise
        address = InboundAddress(
            public_url=(public_url or _url(public)).rstrip("/"),
            control_url=_url(control),
            token=secrets.token_urlsafe(32),
            hub_tells_silence=silence_url is not None,
        )
        run = _Run(address, on_note or (lambda note: None), max_body, verify, auth, silence_url)
        server = cls((public, control), address, run)
        server._thread.start()
        if not server._run.ready.wait(_START_S) or server._run.failure is not None:
            server.stop()
            raise InternalError(f"the inbound server did not start: {server._run.failure!r}")
        return server

    @property
    def alive(self) -> bool:
        """Whether both sides still serve."""
        return self._thread.is_alive() and self._run.serving

    @property
    def public_port(self) -> int:
        """The port the public side is bound to."""
        return self._public_port

    @property
    def open_waits(self) -> int:
        """How many workers wait for something at this moment."""
        return self._run.open_waits

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong inside: a note that was not recorded, a simulated DFSP that broke."""
        failure = self._run.failure
        return (*self._run.problems, *([] if failure is None else [f"the inbound server died: {failure!r}"]))

    def plug(self, fsp: str, responder: Responder) -> None:
        """Lets ``responder``, which lives in this process, decide for ``fsp`` from now on."""
        self._run.submit(lambda desk: desk.plug(fsp, responder))

    def stop(self) -> None:
        """Ends both sides within ten seconds; calls that nobody took are noted before it returns. May be repeated."""
        self._run.request_stop()
        if self._thread.ident is not None:
            self._thread.join(_STOP_S)
        for listener in self._sockets:
            listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@final
class _Run:
    """What happens in the thread."""

    def __init__(
        self,
        address: InboundAddress,
        on_note: Callable[[InboundNote], None],
        max_body: int,
        verify: ssl.SSLContext | bool,
        auth: httpx.Auth | None,
        silence_url: str | None,
    ) -> None:
        self.ready = threading.Event()
        self.failure: BaseException | None = None
        self.serving = False
        self.problems: list[str] = []
        self._address = address
        self._on_note = on_note
        self._max_body = max_body
        self._verify = verify
        self._auth = auth
        self._silence_url = silence_url
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._desk: Desk | None = None

    def main(self, public: socket.socket, control: socket.socket) -> None:
        """The body of the thread."""
        try:
            asyncio.run(self._serve(public, control))
        except BaseException as error:
            self.failure = error
        finally:
            self.serving = False
            self.ready.set()

    @property
    def open_waits(self) -> int:
        """How many questions are open."""
        return 0 if self._desk is None else self._desk.open_waits

    def submit(self, action: Callable[[Desk], None]) -> None:
        """Runs ``action`` in the server's loop; returns once it is done."""
        loop, desk = self._loop, self._desk
        if loop is None or desk is None or not self.serving:
            raise InternalError("the inbound server does not run")

        async def act() -> None:
            action(desk)

        asyncio.run_coroutine_threadsafe(act(), loop).result(_STOP_S)

    def request_stop(self) -> None:
        """Asks the loop to end, from any thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)

    async def _serve(self, public: socket.socket, control: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
        timeout = httpx.Timeout(10.0, pool=60.0)
        async with httpx.AsyncClient(
            limits=limits, timeout=timeout, verify=self._verify, auth=self._auth, trust_env=False
        ) as http:
            del http.headers["accept"]  # a simulated DFSP names what it accepts, or nothing
            desk = self._desk = Desk(http, self._on_note, self._silence_url)
            public_app = PublicApp(desk, max_body=self._max_body, base_path=urlsplit(self._address.public_url).path)
            self.problems = desk.problems
            servers = [
                uvicorn.Server(_config(desk.silence.around(public_app), websockets="websockets-sansio")),
                uvicorn.Server(_config(ControlApp(desk, self._address.token), websockets="none")),
            ]
            tasks = [
                asyncio.create_task(server.serve([listener]))
                for server, listener in zip(servers, (public, control), strict=True)
            ]
            try:
                await self._watch(servers, tasks, desk)
            finally:
                self.serving = False
                await desk.stop()
                for server in servers:
                    server.should_exit = True
                await asyncio.gather(*tasks)
                desk.finish()
            if not self._stop.is_set():
                raise InternalError("a side of the inbound server ended by itself")

    async def _watch(self, servers: list[uvicorn.Server], tasks: list[asyncio.Task[None]], desk: Desk) -> None:
        while not all(server.started for server in servers) and not any(task.done() for task in tasks):
            await asyncio.sleep(0.005)
        self.serving = True
        self.ready.set()
        while not self._stop.is_set() and not any(task.done() for task in tasks):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), 1.0)
            desk.tick()


def _config(app: Any, websockets: Literal["websockets-sansio", "none"]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="auto",
        ws=websockets,
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=120,
        timeout_graceful_shutdown=_GRACE_S,
    )


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise UsageError(f"cannot listen on {host}: {error}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
    except OSError as error:
        listener.close()
        remedy = "Choose another port, or 0 for any free one"
        raise UsageError(f"cannot listen on {host} port {port}: {error}", remedy=remedy) from error
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _is_wildcard(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_unspecified
    return host == ""
