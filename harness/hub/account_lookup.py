"""Who is behind an identifier, and at which DFSP? The account look-up service with its oracle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from harness.fspiop.dates import iso_ms
from harness.fspiop.errors import FspiopError
from harness.hub.core import Core
from harness.hub.faults import Fault
from harness.hub.messages import Message, Outgoing, dump_json, forward, say
from harness.hub.participants import HUB, Callback
from harness.hub.schemas import PARTY_ID_TYPES
from harness.hub.web import Handler, Health, answer, application, empty, read_body

__all__ = ["AccountLookup"]

Key = tuple[str, str, str | None]
"""Type, identifier, sub-id."""


@dataclass(frozen=True, slots=True)
class Oracle:
    """An oracle as registered. The built-in registry answers for it, whatever its endpoint."""

    id: int
    id_type: str
    currency: str | None
    endpoint: Mapping[str, Any]
    default: bool
    created: str


def _callback(resource: str, suffix: str) -> tuple[Callback, Callback]:
    """Returns the endpoint for an identifier without and with a sub-id."""
    path = f"/{resource.lower()}/{{{{partyIdType}}}}/{{{{partyIdentifier}}}}"
    error = "/error" if suffix.endswith("_ERROR") else ""
    prefix = "FSPIOP_CALLBACK_URL_" + {"parties": "PARTIES", "participants": "PARTICIPANT"}[resource]
    return (
        Callback((f"{prefix}_{suffix}",), path + error),
        Callback((f"{prefix}_SUB_ID_{suffix}",), f"{path}/{{{{partySubIdOrType}}}}{error}"),
    )


_PARTIES_GET = _callback("parties", "GET")
_PARTIES_PUT = _callback("parties", "PUT")
_PARTIES_ERROR = _callback("parties", "PUT_ERROR")
_PARTICIPANTS_PUT = _callback("participants", "PUT")
_PARTICIPANTS_ERROR = _callback("participants", "PUT_ERROR")


@final
class AccountLookup:
    """The service account-lookup-service: its FSPIOP side, its admin side and the oracle behind both."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._oracles: dict[str, Oracle] = {}
        self._registry: dict[tuple[str, str], dict[str | None, str]] = {}
        """DFSP by sub-id, by type and identifier."""

    def app(self) -> Starlette:
        """Returns the FSPIOP side."""
        routes: dict[str, Handler] = {}
        for path in ("/{Type}/{ID}", "/{Type}/{ID}/{SubId}"):
            routes |= {
                f"PUT /parties{path}/error": self.party_refused,
                f"PUT /participants{path}/error": self.acknowledged,
                f"GET /participants{path}": self.participant,
                f"POST /participants{path}": self.register,
                f"DELETE /participants{path}": self.deregister,
            }
        for path in ("/{Type}/{ID}", "/{Type}/{ID}/{SubId}"):
            routes |= {
                f"GET /parties{path}": self.party,
                f"PUT /parties{path}": self.party_found,
                f"PUT /participants{path}": self.acknowledged,
            }
        return application(routes, self._health())

    def admin_app(self) -> Starlette:
        """Returns the admin side."""
        return application({"POST /oracles": self.add_oracle, "GET /oracles": self.oracles}, self._health())

    def _health(self) -> Health:
        return Health(self._core.version_of("account-lookup-service"), ("datastore", "proxyCache"))

    # Parties

    async def party(self, request: Request) -> Response:
        """GET /parties/{Type}/{ID}[/{SubId}]."""
        message = await self._core.read(request, "parties")
        key = _key(request)
        if self._core.defects.active("lookup-sub-id-ignored"):
            key = (key[0], key[1], None)
        try:
            if not self._is_dfsp(message.source):
                raise Fault(FspiopError.ID_NOT_FOUND, "Requester FSP not found")
            destination = message.destination or self._owner(key)
            if not self._is_dfsp(destination):
                raise Fault(*self._core.profile.unknown_destination)
        except Fault as fault:
            self._say(message, message.source, _PARTIES_ERROR, key, fault.body)
        else:
            query = f"?{request.url.query}" if request.url.query else ""
            self._hand_on(message, destination, "GET", _PARTIES_GET, key, query=query)
        return empty(202)

    async def party_found(self, request: Request) -> Response:
        """PUT /parties/{Type}/{ID}[/{SubId}]: the payee's answer, handed to the payer."""
        message = await self._core.read(
            request, "parties", schema="PUT /parties/{Type}/{ID}", required=("fspiop-destination",)
        )
        if self._core.defects.active("lookup-callback-lost"):
            return empty(200)
        content = None
        if self._core.defects.active("lookup-wrong-party"):
            content = dump_json(_someone_else(message.body))
        self._hand_on(message, message.destination or "", "PUT", _PARTIES_PUT, _key(request), content=content)
        return empty(200)

    async def party_refused(self, request: Request) -> Response:
        """PUT /parties/{Type}/{ID}[/{SubId}]/error."""
        message = await self._core.read(request, "parties", schema="error", required=("fspiop-destination",))
        self._hand_on(message, message.destination or "", "PUT", _PARTIES_ERROR, _key(request))
        return empty(200)

    def _is_dfsp(self, name: str) -> bool:
        return name != HUB and self._core.participants.find(name) is not None

    def _owner(self, key: Key) -> str:
        """Returns the DFSP of an identifier. Raises ``Fault`` 3204 where the oracle does not know the identifier, 3200
        where it knows it with other sub-ids only, 3003 where the type has no oracle."""
        if key[0] not in self._oracles:
            raise Fault(FspiopError.ADD_PARTY_INFORMATION, f"Oracle type:{key[0]} not found")
        owners = self._registry.get((key[0], key[1]))
        if not owners:
            if self._core.defects.active("lookup-unknown-wrong-code"):
                raise Fault(FspiopError.INTERNAL_SERVER)
            raise Fault(FspiopError.PARTY_NOT_FOUND)
        if key[2] not in owners:
            raise Fault(FspiopError.ID_NOT_FOUND, "Empty oracle partyList, filtered based on callbackEndpointType")
        return owners[key[2]]

    # Participants

    async def participant(self, request: Request) -> Response:
        """GET /participants/{Type}/{ID}[/{SubId}]."""
        message, key = await self._core.read(request, "participants"), _key(request)
        try:
            body = {"fspId": self._owner(key)}
        except Fault as fault:
            self._say(message, message.source, _PARTICIPANTS_ERROR, key, fault.body)
        else:
            self._say(message, message.source, _PARTICIPANTS_PUT, key, body)
        return empty(202)

    async def register(self, request: Request) -> Response:
        """POST /participants/{Type}/{ID}[/{SubId}]: told to the DFSP that the identifier now belongs to."""
        message = await self._core.read(request, "participants", schema="POST /participants/{Type}/{ID}")
        key, owner = _key(request), message.body["fspId"]
        told = message.destination or owner
        try:
            if key[0] not in self._oracles:
                raise Fault(FspiopError.ADD_PARTY_INFORMATION, f"Oracle type:{key[0]} not found")
            if not self._is_dfsp(owner):
                told = message.source
                raise Fault(FspiopError.ADD_PARTY_INFORMATION)
            owners = self._registry.setdefault((key[0], key[1]), {})
            if key[2] in owners:
                # What the oracle's HTTP 400 on a known identifier becomes (als-msisdn-oracle-svc, recorded).
                raise Fault(
                    FspiopError.DESTINATION_COMMUNICATION,
                    "Failed to send HTTP request to host",
                    extensions=[("status", "400")],
                )
        except Fault as fault:
            self._say(message, told, _PARTICIPANTS_ERROR, key, fault.body)
            return empty(202)
        owners[key[2]] = owner
        party = {"partyIdType": key[0], "partyIdentifier": key[1]}
        if key[2] is not None:
            party["partySubIdOrType"] = key[2]
        body: dict[str, Any] = {"partyList": [{**party, "fspId": owner}]}
        if "currency" in message.body:
            body["currency"] = message.body["currency"]
        self._say(message, told, _PARTICIPANTS_PUT, key, body)
        return empty(202)

    async def deregister(self, request: Request) -> Response:
        """DELETE /participants/{Type}/{ID}[/{SubId}]."""
        message, key = await self._core.read(request, "participants"), _key(request)
        try:
            self._owner(key)
        except Fault as fault:
            self._say(message, message.source, _PARTICIPANTS_ERROR, key, fault.body)
        else:
            del self._registry[key[0], key[1]][key[2]]
            self._say(message, message.source, _PARTICIPANTS_PUT, key, {"fspId": message.source})
        return empty(202)

    async def acknowledged(self, request: Request) -> Response:
        """PUT /participants/…: an oracle's late answer, taken and left (the built-in oracle gives none)."""
        await self._core.read(request, "participants")
        return empty(200)

    # Admin

    async def add_oracle(self, request: Request) -> Response:
        """POST /oracles. Raises ``Fault`` 3100 on an unknown type; a type keeps its first oracle."""
        body = read_body(await request.body())
        kind = body.get("oracleIdType") if isinstance(body, dict) else None
        if kind not in PARTY_ID_TYPES:
            raise Fault(FspiopError.VALIDATION, "/requestBody/oracleIdType must be equal to one of the allowed values")
        self._oracles.setdefault(
            kind,
            Oracle(
                len(self._oracles) + 1, kind, body.get("currency"), body.get("endpoint") or {},
                bool(body.get("isDefault")), iso_ms(datetime.now(UTC)),
            ),
        )  # fmt: skip
        return empty(201)

    async def oracles(self, request: Request) -> Response:
        """GET /oracles[?type=…&currency=…]."""
        kind, currency = request.query_params.get("type"), request.query_params.get("currency")
        return answer(
            [
                {
                    "oracleId": oracle.id,
                    "oracleIdType": oracle.id_type,
                    "endpoint": oracle.endpoint,
                    "currency": oracle.currency,
                    "isDefault": oracle.default,
                    "createdDate": oracle.created,
                }
                for oracle in self._oracles.values()
                if kind in (None, oracle.id_type) and currency in (None, oracle.currency)
            ]
        )

    # Parts

    def _hand_on(
        self, message: Message, to: str, method: str, callbacks: tuple[Callback, Callback], key: Key, *,
        content: bytes | None = None, query: str = "",
    ) -> None:  # fmt: skip
        call = forward(
            message, to=to, method=method, callback=callbacks[key[2] is not None], parameters=_parameters(key),
            order="/".join(filter(None, key)), content=content, query=query,
        )  # fmt: skip

        def unreached(_call: Outgoing, problem: str) -> None:
            fault = Fault(
                FspiopError.DESTINATION_COMMUNICATION,
                "Failed to send HTTP request to host",
                extensions=[("status", problem)] if problem.isdigit() else (),
            )
            self._say(message, message.source, _PARTIES_ERROR, key, fault.body)

        self._core.outbox.send(call, unreached)

    def _say(self, message: Message, to: str, callbacks: tuple[Callback, Callback], key: Key, body: Any) -> None:
        call = say(
            message, self._core.voice, to=to, method="PUT", callback=callbacks[key[2] is not None],
            parameters=_parameters(key), body=body, order="/".join(filter(None, key)),
        )  # fmt: skip
        self._core.outbox.send(call)


def _key(request: Request) -> Key:
    """Returns the identifier of the path. Raises ``Fault`` 3100 on a type FSPIOP does not have."""
    parameters = request.path_params
    if parameters["Type"] not in PARTY_ID_TYPES:
        raise Fault(FspiopError.VALIDATION, "/path/Type must be equal to one of the allowed values")
    return parameters["Type"], parameters["ID"], parameters.get("SubId")


def _parameters(key: Key) -> dict[str, str]:
    parameters = {"partyIdType": key[0], "partyIdentifier": key[1]}
    if key[2] is not None:
        parameters["partySubIdOrType"] = key[2]
    return parameters


def _someone_else(body: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the party with the last character of its identifier turned into another."""
    party = body["party"]
    identifier = party["partyIdInfo"]["partyIdentifier"]
    other = identifier[:-1] + ("0" if identifier[-1] != "0" else "1")
    return {**body, "party": {**party, "partyIdInfo": {**party["partyIdInfo"], "partyIdentifier": other}}}
