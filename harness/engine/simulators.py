"""The participants that the official collections expect to find: played at the inbound server, onboarded at the hub.

Only for the embedded hub, which starts empty; a real environment is provisioned by its own collections.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, final

from harness.engine.exchange import Exchanger
from harness.engine.inbound.behaviour import Behaviour, OnParties, OnQuotes, OnTransfers, Party, SimulatedDfsp
from harness.engine.inbound.client import InboundClient
from harness.engine.inbound.dfsp import DfspResponder
from harness.engine.inbound.messages import Inbound
from harness.engine.inbound.responder import Reaction
from harness.engine.inbound.server import InboundServer
from harness.engine.native.hub import Hub
from harness.engine.recorder import CaseRecorder
from harness.model.release import Release
from harness.target.model import Target

__all__ = ["CAST", "SimulatorResponder", "backend_inputs", "set_stage"]

CAST = (
    "testingtoolkitdfsp", "ttkpayeefsp", "payerfsp", "payeefsp", "testfsp1", "testfsp2", "testfsp3", "testfsp4",
    "noresponsepayeefsp",
)  # fmt: skip
"""The DFSPs of the official golden path (testing-toolkit-test-cases, provisioning collections)."""

_SILENT = Behaviour(
    parties=OnParties(kind="silent"), quotes=OnQuotes(kind="silent"), transfers=OnTransfers(kind="silent")
)
_PLENTY = Decimal(1_000_000)


@final
class SimulatorResponder:
    """A DFSP with the repository API of mojaloop-simulator in front: ``POST /repository/parties`` adds a party."""

    def __init__(self, dfsp: SimulatedDfsp) -> None:
        self._dfsp = DfspResponder(dfsp)

    def respond(self, call: Inbound, now: datetime) -> Reaction:
        """Returns 204 to a party that can be kept, 400 to one that cannot, and what the DFSP says to all else."""
        if call.path != "/repository/parties":
            return self._dfsp.respond(call, now)
        if call.method == "GET":
            return Reaction(taken=True, status=200, body=[])
        body = call.body
        if call.method != "POST" or not isinstance(body, dict) or not body.get("idType") or not body.get("idValue"):
            return Reaction(taken=True, status=400)
        self._dfsp.add_party(
            Party(
                id_type=str(body["idType"]),
                identifier=str(body["idValue"]),
                sub_id=_text(body.get("idSubValue")),
                name=_text(body.get("displayName")),
                first_name=_text(body.get("firstName")),
                middle_name=_text(body.get("middleName")),
                last_name=_text(body.get("lastName")),
                date_of_birth=_text(body.get("dateOfBirth")),
            )
        )
        return Reaction(taken=True, status=204)


def backend_inputs(services: Mapping[str, str], inbound: InboundServer) -> dict[str, Any]:
    """Returns the input values by which collections find the embedded hub and the simulators' backends."""
    endpoint = inbound.address.endpoint
    return {
        "HOST_ACCOUNT_LOOKUP_SERVICE": services["account-lookup-service"],
        "HOST_ACCOUNT_LOOKUP_ADMIN": services["account-lookup-service-admin"],
        "HOST_ACCOUNT_LOOKUP_SERVICE_ADMIN": services["account-lookup-service-admin"],
        "HOST_QUOTING_SERVICE": services["quoting-service"],
        "HOST_ML_API_ADAPTER": services["ml-api-adapter"],
        "HOST_CENTRAL_LEDGER": services["central-ledger"],
        "CALLBACK_ENDPOINT_BASE_URL": inbound.address.public_url,
        **{f"{fsp.upper()}_BACKEND_TESTAPI_URL": endpoint(fsp) for fsp in CAST},
        **{f"{fsp.upper()}_CALLBACK_URL": endpoint(fsp) for fsp in CAST},
        "ENABLE_WS_ASSERTIONS": False,
    }


def set_stage(target: Target, release: Release, inbound: InboundServer, *, api_version: str) -> None:
    """Onboards the whole cast at the embedded hub and plays it, each DFSP answering in ``api_version``.

    Raises ``ProvisioningError`` where the hub refuses.
    """
    exchanger = Exchanger(None, request_timeout_s=target.request_timeout_s)
    with InboundClient(inbound.address) as client:
        hub = Hub(target, release, exchanger, client, CaseRecorder("set-up"))
        try:
            for id_type in ("MSISDN", "ACCOUNT_ID", "BUSINESS", "ALIAS"):
                hub.has_oracle(id_type)
            for fsp in CAST:
                behaviour = _SILENT if fsp.startswith("noresponse") else Behaviour()
                played = SimulatedDfsp(fsp, dict(target.services), behaviour, api_version)
                inbound.plug(fsp, SimulatorResponder(played))
                hub.onboard(fsp, net_debit_cap=_PLENTY, funds=_PLENTY)
        finally:
            exchanger.close()


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
