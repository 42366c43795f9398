"""What a native case may ask for: the hub, and DFSPs that are ready to act.

DFSPs are provisioned per worker and shared by its cases; a case that moves limits or funds onboards its own.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from decimal import Decimal

import pytest

from harness.engine.inbound.behaviour import Behaviour
from harness.engine.native.dfsp import Dfsp
from harness.engine.native.hub import Hub
from harness.run.worker import Worker, recorder_of

__all__ = ["Onboard", "hub", "onboard", "payee", "payer"]

Onboard = Callable[..., Dfsp]

_PLENTY = Decimal(1_000_000)


def _worker(request: pytest.FixtureRequest) -> Worker:
    worker = request.config.pluginmanager.get_plugin("harness-worker")
    assert isinstance(worker, Worker)
    return worker


@pytest.fixture
def hub(request: pytest.FixtureRequest) -> Hub:
    """The hub under validation, recording into this case."""
    worker = _worker(request)
    return Hub(
        worker.context.target, worker.context.hub_release, worker.exchanger, worker.inbound, recorder_of(request.node)
    )


@pytest.fixture
def onboard(hub: Hub) -> Onboard:
    """Makes a DFSP of this case's own: ``onboard("payer", net_debit_cap="1000", funds="5000", behaviour=…)``."""

    def new(
        role: str = "dfsp",
        *,
        net_debit_cap: Decimal | str = _PLENTY,
        funds: Decimal | str = _PLENTY,
        behaviour: Behaviour | None = None,
    ) -> Dfsp:
        # central-ledger takes 2 to 30 characters
        name = f"{role}{secrets.token_hex(5)}"
        dfsp = Dfsp(name, hub, role).behaves(behaviour or Behaviour())
        hub.onboard(name, net_debit_cap=Decimal(net_debit_cap), funds=Decimal(funds))
        return dfsp

    return new


@pytest.fixture
def payer(request: pytest.FixtureRequest, hub: Hub, onboard: Onboard) -> Dfsp:
    """A payer DFSP with plenty of liquidity, shared by the cases of this worker."""
    return _shared(request, hub, onboard, "payer")


@pytest.fixture
def payee(request: pytest.FixtureRequest, hub: Hub, onboard: Onboard) -> Dfsp:
    """A payee DFSP that answers every request as a good payee does, shared by the cases of this worker."""
    return _shared(request, hub, onboard, "payee")


def _shared(request: pytest.FixtureRequest, hub: Hub, onboard: Onboard, role: str) -> Dfsp:
    shared = _worker(request).shared
    if role not in shared:
        shared[role] = onboard(role).name
    return Dfsp(shared[role], hub, role)
