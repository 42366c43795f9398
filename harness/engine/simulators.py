"""The participants that the official collections expect to find: played at the inbound server, onboarded at the hub.

``play_cast`` only plays them, for collections that provision the hub themselves; ``set_stage`` onboards them too, for
collections that expect to find it provisioned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, final

from harness.engine.exchange import Exchanger
from harness.engine.inbound.behaviour import Party, SimulatedDfsp
from harness.engine.inbound.client import InboundClient
from harness.engine.inbound.dfsp import DfspResponder
from harness.engine.inbound.messages import Inbound
from harness.engine.inbound.responder import Reaction, Responder
from harness.engine.inbound.server import InboundServer
from harness.engine.native.hub import Hub
from harness.engine.recorder import CaseRecorder
from harness.engine.rules.cast import MAGIC_AMOUNTS, SILENCE, rules_of_the_toolkit
from harness.engine.rules.model import RuleBook
from harness.engine.rules.responder import RuleResponder
from harness.engine.rules.scripts import RuleScripts
from harness.fspiop.errors import FspiopError, error_information
from harness.model.release import Release
from harness.target.model import Target

__all__ = ["CAST", "SimulatorResponder", "backend_inputs", "play_cast", "set_stage"]

TOOLKIT = ("testingtoolkitdfsp", "ttkpayeefsp", "ttkfxp1", "ttkfxpayer", "ttkfxpayee")
"""Played by the Testing Toolkit itself in the reference deployment, by its rules."""
SIMULATORS = ("payerfsp", "payeefsp", "testfsp1", "testfsp2", "testfsp3", "testfsp4")
"""Real simulators there: sdk-scheme-adapter in front of mojaloop-simulator, whose repository holds their parties."""
SILENT = ("noresponsepayeefsp",)
CAST = (*TOOLKIT, *SIMULATORS, *SILENT)
"""The DFSPs of the official golden path (testing-toolkit-test-cases, provisioning collections)."""

_Key = tuple[str, str, str | None]
"""Type, identifier, sub-id."""
_PLENTY = Decimal(1_000_000)
_ID_TYPES = ("MSISDN", "ACCOUNT_ID", "BUSINESS", "ALIAS")
_MORE_ENDPOINTS = ("FSPIOP_CALLBACK_URL_TRX_REQ_SERVICE", "FSPIOP_CALLBACK_URL_AUTHORIZATIONS")
"""Endpoint types beside those of every DFSP, registered with its base URL (official provisioning)."""
_PARTIES = "/repository/parties"
_NO_ID = {"statusCode": "1000", "message": "ID not supplied"}
_UNKNOWN_PARTY = {"errorInformation": {"errorCode": "3200", "errorDescription": "ID not found"}}
_KNOWN_ID = {"statusCode": "2000", "message": "ID is already registered"}


@final
class SimulatorResponder:
    """A DFSP with the repository API of mojaloop-simulator in front: it keeps the parties that the DFSP answers for.

    Statuses and bodies as recorded from mojaloop-simulator 15.4.2.
    """

    def __init__(self, dfsp: SimulatedDfsp) -> None:
        self._parties: dict[_Key, dict[str, Any]] = {}
        self._dfsp = DfspResponder(dfsp)
        self._scheme_side = RuleResponder(
            dfsp.fsp, dfsp.hub, MAGIC_AMOUNTS, api_version=dfsp.api_version, otherwise=self._dfsp
        )

    def respond(self, call: Inbound, now: datetime) -> Reaction:
        """Returns what the repository answers to its own calls, and what the DFSP says to all else."""
        if call.path != _PARTIES and not call.path.startswith(f"{_PARTIES}/"):
            return _as_the_sdk(self._scheme_side.respond(call, now))
        parts = tuple(part.replace("%2F", "/") for part in call.path.removeprefix(_PARTIES).split("/")[1:])
        match call.method, parts:
            case "GET", ():
                return Reaction(taken=True, status=200, body=list(self._parties.values()))
            case "POST", ():
                return self._add(call.body)
            case "PUT", (str(kind), str(value)):
                return self._replace(kind, value, call.body)
            case "DELETE", (str(kind), str(value)):
                return _done(self._remove(kind, value))
        return Reaction(taken=True, status=404)

    def _add(self, given: Any) -> Reaction:
        if not isinstance(given, dict) or not given.get("idType") or not given.get("idValue"):
            return Reaction(taken=True, status=400, body=_NO_ID)
        if _key(given) in self._parties:
            return _done(False)
        self._keep(given)
        return _done(True)

    def _replace(self, kind: str, value: str, given: Any) -> Reaction:
        if not isinstance(given, dict) or not self._remove(kind, value):
            return _done(False)
        self._keep({**given, "idType": given.get("idType", kind), "idValue": given.get("idValue", value)})
        return _done(True)

    def _remove(self, kind: str, value: str) -> bool:
        """Makes the parties of that id unknown, with and without a sub-id. Returns whether there were any."""
        known = [key for key in self._parties if key[:2] == (kind, value)]
        for key in known:
            del self._parties[key]
            self._dfsp.remove_party(*key)
        return bool(known)

    def _keep(self, given: Mapping[str, Any]) -> None:
        key = _key(given)
        self._parties[key] = dict(given)
        self._dfsp.add_party(
            Party(
                id_type=key[0],
                identifier=key[1],
                sub_id=key[2],
                name=_text(given.get("displayName")),
                first_name=_text(given.get("firstName")),
                middle_name=_text(given.get("middleName")),
                last_name=_text(given.get("lastName")),
                date_of_birth=_text(given.get("dateOfBirth")),
            )
        )


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
        "HOST_TRANSACTION_REQUESTS_SERVICE": services["transaction-requests-service"],
        "HOST_CENTRAL_SETTLEMENT": f"{services['central-settlement']}/v2",
        "CALLBACK_ENDPOINT_BASE_URL": inbound.address.public_url,
        **{f"{fsp.upper()}_BACKEND_TESTAPI_URL": endpoint(fsp) for fsp in CAST},
        **{f"{fsp.upper()}_CALLBACK_URL": endpoint(fsp) for fsp in CAST},
        "ENABLE_WS_ASSERTIONS": False,
    }


def play_cast(
    services: Mapping[str, str],
    inbound: InboundServer,
    *,
    api_version: str,
    rules: RuleBook | None = None,
    scripts: RuleScripts | None = None,
) -> None:
    """Plays every DFSP of the cast at ``inbound``, each answering the hub behind ``services`` in ``api_version``.

    ``rules`` are those of the DFSPs that the Testing Toolkit plays (default: our own). Where they have scripts,
    ``scripts`` runs them; the caller closes it, after the inbound server. The hub is not touched.
    """
    for fsp in CAST:
        inbound.plug(fsp, _responder(fsp, services, api_version, rules or rules_of_the_toolkit(), scripts))


def set_stage(
    target: Target,
    release: Release,
    inbound: InboundServer,
    *,
    api_version: str,
    rules: RuleBook | None = None,
    scripts: RuleScripts | None = None,
) -> None:
    """Plays the cast as ``play_cast`` does, and onboards it at the embedded hub, which starts empty.

    Raises ``ProvisioningError`` where the hub refuses.
    """
    play_cast(target.services, inbound, api_version=api_version, rules=rules, scripts=scripts)
    exchanger = Exchanger(None, request_timeout_s=target.request_timeout_s)
    with InboundClient(inbound.address) as client:
        hub = Hub(target, release, exchanger, client, CaseRecorder("set-up"))
        try:
            for id_type in _ID_TYPES:
                hub.has_oracle(id_type)
            for fsp in CAST:
                hub.onboard(fsp, net_debit_cap=_PLENTY, funds=_PLENTY)
                base = inbound.address.endpoint(fsp)
                for kind in _MORE_ENDPOINTS:
                    hub.prepare("POST", f"/participants/{fsp}/endpoints", {"type": kind, "value": base})
        finally:
            exchanger.close()


def _responder(
    fsp: str, services: Mapping[str, str], api_version: str, rules: RuleBook, scripts: RuleScripts | None
) -> Responder:
    if fsp in SIMULATORS:
        return SimulatorResponder(SimulatedDfsp(fsp, dict(services), api_version=api_version))
    book = SILENCE if fsp in SILENT else rules
    return RuleResponder(fsp, services, book, api_version=api_version, scripts=scripts)


def _as_the_sdk(reaction: Reaction) -> Reaction:
    """Returns ``reaction`` as sdk-scheme-adapter 24.10 would send it (recorded).

    It names URI and method in headers, because it signs them (FSPIOP API 1.1, Signature, section 3), and says 3200
    where its backend does not know the party.
    """
    unknown = error_information(FspiopError.PARTY_NOT_FOUND)
    sends = tuple(
        replace(
            call,
            headers={**call.headers, "FSPIOP-URI": _path_of(call.url), "FSPIOP-HTTP-Method": call.method},
            body=_UNKNOWN_PARTY if call.body == unknown else call.body,
        )
        for call in reaction.sends
    )
    return replace(reaction, sends=sends)


def _path_of(url: str) -> str:
    return "/" + url.partition("://")[2].partition("/")[2]


def _done(well: bool) -> Reaction:
    return Reaction(taken=True, status=204) if well else Reaction(taken=True, status=500, body=_KNOWN_ID)


def _key(given: Mapping[str, Any]) -> _Key:
    return str(given["idType"]), str(given["idValue"]), _text(given.get("idSubValue") or None)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
