"""The participants that the official collections expect to find: played at the inbound server, onboarded at the hub.

``play_cast`` only plays them, for collections that provision the hub themselves; ``set_stage`` onboards them too, for
collections that expect to find it provisioned.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.engine.exchange import Exchanger
from harness.engine.inbound.behaviour import Behaviour, OnTransfers, SimulatedDfsp
from harness.engine.inbound.client import InboundClient
from harness.engine.inbound.responder import Responder
from harness.engine.inbound.server import InboundServer
from harness.engine.native.hub import Hub
from harness.engine.provisioning import Currencies, provision, register_numbers
from harness.engine.recorder import CaseRecorder
from harness.engine.rules.cast import SILENCE, rules_of_the_toolkit
from harness.engine.rules.model import RuleBook
from harness.engine.rules.responder import RuleResponder
from harness.engine.rules.scripts import RuleScripts
from harness.engine.simulator.responder import SimulatorResponder
from harness.model.release import Release
from harness.target.model import Target

__all__ = ["CAST", "backend_inputs", "play_cast", "set_stage"]

TOOLKIT = ("testingtoolkitdfsp", "ttkpayeefsp", "ttkfxp1", "ttkfxpayer", "ttkfxpayee")
"""Played by the Testing Toolkit itself in the reference deployment, by its rules."""
SIMULATORS = ("payerfsp", "payeefsp", "testfsp1", "testfsp2", "testfsp3", "testfsp4")
"""Real simulators there: sdk-scheme-adapter in front of mojaloop-simulator, whose repository holds their parties."""
SILENT = ("noresponsepayeefsp",)
CAST = (*TOOLKIT, *SIMULATORS, *SILENT)
"""The DFSPs of the official golden path (testing-toolkit-test-cases, provisioning collections)."""

_ID_TYPES = ("MSISDN", "ACCOUNT_ID", "BUSINESS", "ALIAS")
_MORE_ENDPOINTS = ("FSPIOP_CALLBACK_URL_TRX_REQ_SERVICE", "FSPIOP_CALLBACK_URL_AUTHORIZATIONS")
"""Endpoint types beside those of every DFSP, registered with its base URL (official provisioning)."""


def backend_inputs(services: Mapping[str, str], inbound: InboundServer, *, jws_key: str) -> dict[str, Any]:
    """Returns the input values by which collections find the embedded hub, and the simulators' backends and test APIs.

    ``jws_key`` is the public key, in PEM, of the key that the simulators sign with.
    """
    endpoint = inbound.address.endpoint
    return {
        "HOST_ACCOUNT_LOOKUP_SERVICE": services["account-lookup-service"],
        "HOST_ACCOUNT_LOOKUP_ADMIN": services["account-lookup-service-admin"],
        "HOST_ACCOUNT_LOOKUP_SERVICE_ADMIN": services["account-lookup-service-admin"],
        "HOST_QUOTING_SERVICE": services["quoting-service"],
        "HOST_ML_API_ADAPTER": services["ml-api-adapter"],
        "HOST_QUOTING_SERVICE_HANDLER": services["quoting-service"],
        "HOST_CENTRAL_LEDGER": services["central-ledger"],
        "HOST_TRANSACTION_REQUESTS_SERVICE": services["transaction-requests-service"],
        "HOST_CENTRAL_SETTLEMENT": f"{services['central-settlement']}/v2",
        "CALLBACK_ENDPOINT_BASE_URL": inbound.address.public_url,
        **{f"{fsp.upper()}_BACKEND_TESTAPI_URL": endpoint(fsp) for fsp in CAST},
        **{f"{fsp.upper()}_CALLBACK_URL": endpoint(fsp) for fsp in CAST},
        **{f"{fsp.upper()}_SDK_TESTAPI_URL": endpoint(fsp) for fsp in SIMULATORS},
        **{f"{fsp.upper()}_SDK_TESTAPI_WS_URL": f"ws{endpoint(fsp).removeprefix('http')}" for fsp in SIMULATORS},
        **{f"{fsp.upper()}_JWS_PUB_KEY": jws_key for fsp in (*SIMULATORS, "simpayer", "simpayee")},
        "ENABLE_WS_ASSERTIONS": True,
    }


def play_cast(
    services: Mapping[str, str],
    inbound: InboundServer,
    *,
    api_version: str,
    jws_key: str | None = None,
    rules: RuleBook | None = None,
    scripts: RuleScripts | None = None,
) -> None:
    """Plays every DFSP of the cast at ``inbound``, each answering the hub behind ``services`` in ``api_version``.

    The simulators sign with ``jws_key``, an RSA private key in PEM, where there is one.
    ``rules`` are those of the DFSPs that the Testing Toolkit plays (default: our own). Where they have scripts,
    ``scripts`` runs them; the caller closes it, after the inbound server. The hub is not touched.
    """
    for fsp in CAST:
        inbound.plug(fsp, _responder(fsp, services, api_version, jws_key, rules or rules_of_the_toolkit(), scripts))


def set_stage(
    target: Target,
    release: Release,
    inbound: InboundServer,
    *,
    api_version: str,
    jws_key: str | None = None,
    inputs: Mapping[str, Any],
    rules: RuleBook | None = None,
    scripts: RuleScripts | None = None,
) -> None:
    """Plays the cast as ``play_cast`` does, and onboards it at the embedded hub, which starts empty.

    ``inputs`` name the currencies beside the target's own. Raises ``ProvisioningError`` where the hub refuses.
    """
    play_cast(target.services, inbound, api_version=api_version, jws_key=jws_key, rules=rules, scripts=scripts)
    exchanger = Exchanger(None, request_timeout_s=target.request_timeout_s)
    with InboundClient(inbound.address) as client:
        hub = Hub(target, release, exchanger, client, CaseRecorder("set-up"))
        try:
            for id_type in _ID_TYPES:
                hub.has_oracle(id_type)
            provision(hub, Currencies.of(inputs, target.currency))
            for fsp in CAST:
                base = inbound.address.endpoint(fsp)
                for kind in _MORE_ENDPOINTS:
                    hub.prepare("POST", f"/participants/{fsp}/endpoints", {"type": kind, "value": base})
            register_numbers(hub, inputs)
        finally:
            exchanger.close()


def _responder(
    fsp: str,
    services: Mapping[str, str],
    api_version: str,
    jws_key: str | None,
    rules: RuleBook,
    scripts: RuleScripts | None,
) -> Responder:
    if fsp in SIMULATORS:
        # Recorded: a quote of 60 and a transfer of 10 with its packet, and sdk-scheme-adapter fulfils it.
        lenient = Behaviour(transfers=OnTransfers(any_amount=True))
        return SimulatorResponder(SimulatedDfsp(fsp, dict(services), lenient, api_version), key=jws_key)
    book = SILENCE if fsp in SILENT else rules
    return RuleResponder(fsp, services, book, api_version=api_version, scripts=scripts)
