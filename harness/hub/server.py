"""How does a hub run? One event loop, one server per service, each on its own port of the loopback interface."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence

import uvicorn
from starlette.applications import Starlette

from harness.errors import UsageError
from harness.hub.account_lookup import AccountLookup
from harness.hub.central_ledger import CentralLedger
from harness.hub.central_settlement import CentralSettlement
from harness.hub.config import HUB_SERVICES, HubConfig
from harness.hub.core import Core
from harness.hub.ml_api_adapter import MlApiAdapter
from harness.hub.quoting import QuotingService
from harness.hub.transaction_requests import TransactionRequestsService

__all__ = ["running", "serve", "serve_until", "stopped_by_signal"]

OnReady = Callable[[Mapping[str, str]], None]
"""Told the base URL of each service, without a trailing slash, once all of them answer."""

_BACKLOG = 1024


def serve(config: HubConfig, on_ready: OnReady) -> None:
    """Runs a hub until SIGINT or SIGTERM. Raises ``UsageError`` on an unknown defect or a port that is taken."""
    asyncio.run(_serve_until_signal(config, on_ready))


async def _serve_until_signal(config: HubConfig, on_ready: OnReady) -> None:
    await serve_until(stopped_by_signal(), config, on_ready)


def stopped_by_signal() -> asyncio.Event:
    """Returns an event that SIGINT or SIGTERM sets."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def serve_until(stop: asyncio.Event, config: HubConfig, on_ready: OnReady) -> None:
    """Runs a hub until ``stop`` is set."""
    async with running(config) as (services, _):
        on_ready(services)
        await stop.wait()


@contextlib.asynccontextmanager
async def running(config: HubConfig) -> AsyncIterator[tuple[Mapping[str, str], Core]]:
    """A hub in this event loop: yields its base URLs and its memory, and stops it at the end."""
    core = Core(config)
    adapter, lookup = MlApiAdapter(core), AccountLookup(core)
    apps = {
        "account-lookup-service": lookup.app(),
        "account-lookup-service-admin": lookup.admin_app(),
        "quoting-service": QuotingService(core).app(),
        "ml-api-adapter": adapter.app(),
        "central-ledger": CentralLedger(core).app(),
        "central-settlement": CentralSettlement(core).app(),
        "transaction-requests-service": TransactionRequestsService(core).app(),
    }
    sockets = {name: _listen(config.host, config.ports.get(name, 0), name) for name in HUB_SERVICES}
    servers = {name: _Server(apps[name]) for name in HUB_SERVICES}
    tasks = [asyncio.create_task(servers[name].serve([sockets[name]])) for name in HUB_SERVICES]
    try:
        await _started(servers.values(), tasks)
        core.requests_under_way = lambda: sum(len(server.server_state.tasks) for server in servers.values())
        core.repeat(adapter.expire_regularly())
        if core.invariants is not None:
            core.repeat(core.invariants.check_regularly(config.expiry_interval_s))
        yield {name: f"http://{config.host}:{sockets[name].getsockname()[1]}" for name in HUB_SERVICES}, core
    finally:
        for server in servers.values():
            server.should_exit = True
            server.force_exit = True
        await asyncio.gather(*tasks, return_exceptions=True)
        await core.close()
        for listening in sockets.values():
            listening.close()


class _Server(uvicorn.Server):
    """A uvicorn server that leaves signals to the process it runs in."""

    def __init__(self, app: Starlette) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                timeout_keep_alive=60,
                ws="none",
                interface="asgi3",
                proxy_headers=False,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Does nothing: the process decides what a signal means."""
        yield


async def _started(servers: Iterable[_Server], tasks: Sequence[asyncio.Task[None]]) -> None:
    for server in servers:
        while not server.started:
            if any(task.done() for task in tasks):
                raise UsageError("a service of the embedded hub did not start")
            await asyncio.sleep(0.005)


def _listen(host: str, port: int, service: str) -> socket.socket:
    # The protocol is named because asyncio sets TCP_NODELAY only on sockets that name it.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise UsageError(
            f"{service} cannot listen on {host}:{port}: {error.strerror}", remedy="Choose another port"
        ) from error
    listening.listen(_BACKLOG)
    listening.setblocking(False)
    return listening
