"""How does a payee ask for money, and how does the payer's consent reach it? The transaction requests service.

It keeps nothing: each message is checked and handed on (transaction-requests-service 14.4, which checks the shape of a
body and leaves what its values mean to the DFSPs; texts as recorded from v17.1.0).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from harness.fspiop.errors import FspiopError
from harness.fspiop.headers import DESTINATION
from harness.hub.core import Core
from harness.hub.currencies import CURRENCIES
from harness.hub.faults import Fault
from harness.hub.headers import check_readable
from harness.hub.messages import Message, Outgoing, forward, say
from harness.hub.outbox import NO_ENDPOINT
from harness.hub.participants import Callback
from harness.hub.schemas import AMOUNT_PATTERN, ERROR, Rule, check
from harness.hub.web import Health, application, empty, read_body

__all__ = ["TransactionRequestsService"]

_VERSIONS = ("1.0", "1.1")
"""The API versions it speaks in every release: FSPIOP 2.0 changed neither resource."""

_REQUESTS = ("FSPIOP_CALLBACK_URL_TRX_REQ_SERVICE",)
_POST = Callback(_REQUESTS, "/transactionRequests")
_ONE = Callback(_REQUESTS, "/transactionRequests/{{ID}}")
_ERROR = Callback(_REQUESTS, "/transactionRequests/{{ID}}/error")

_CONSENTS = ("FSPIOP_CALLBACK_URL_AUTHORIZATIONS",)
_CONSENT = Callback(_CONSENTS, "/authorizations/{{ID}}")
_CONSENT_ERROR = Callback(_CONSENTS, "/authorizations/{{ID}}/error")

_TEXT = Rule("string")
_INTEGER = re.compile(r"[+-]?\d+")


def _object(required: tuple[str, ...], **properties: Rule) -> Rule:
    return Rule("object", properties=properties, required=required)


_PARTY_ID = _object(
    ("partyIdType", "partyIdentifier"),
    partyIdType=_TEXT, partyIdentifier=_TEXT, partySubIdOrType=_TEXT, fspId=_TEXT,
)  # fmt: skip
_REQUEST = _object(
    ("transactionRequestId", "payee", "payer", "amount", "transactionType"),
    transactionRequestId=_TEXT,
    payee=_object(("partyIdInfo",), partyIdInfo=_PARTY_ID, merchantClassificationCode=_TEXT, name=_TEXT),
    payer=_PARTY_ID,
    amount=_object(("currency", "amount"), currency=_TEXT, amount=_TEXT),
    transactionType=_object(
        ("scenario", "initiator", "initiatorType"),
        scenario=_TEXT, subScenario=_TEXT, initiator=_TEXT, initiatorType=_TEXT, balanceOfPayments=_TEXT,
    ),
    note=_TEXT, geoCode=_object(("latitude", "longitude"), latitude=_TEXT, longitude=_TEXT),
    authenticationType=_TEXT, expiration=_TEXT,
)  # fmt: skip
_ANSWER = _object(("transactionRequestState",), transactionId=_TEXT, transactionRequestState=_TEXT)
_CONSENT_QUERY = _object(
    ("authenticationType", "retriesLeft", "amount", "currency"),
    authenticationType=Rule("string", values=frozenset({"OTP", "QRCODE"})),
    amount=Rule("string", pattern=AMOUNT_PATTERN), currency=Rule("string", values=CURRENCIES),
)  # fmt: skip
_CONSENT_ANSWER = _object(
    ("responseType",),
    authenticationInfo=_object(
        ("authentication", "authenticationValue"), authentication=_TEXT, authenticationValue=_TEXT
    ),
    responseType=_TEXT,
)


@final
class TransactionRequestsService:
    """The service transaction-requests-service."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def app(self) -> Starlette:
        """Returns the service."""
        return application(
            {
                "POST /transactionRequests": self.request,
                "PUT /transactionRequests/{ID}/error": self.refuse,
                "PUT /transactionRequests/{ID}": self.answer,
                "GET /transactionRequests/{ID}": self.query,
                "PUT /authorizations/{ID}/error": self.consent_failed,
                "PUT /authorizations/{ID}": self.consent_given,
                "GET /authorizations/{ID}": self.ask_consent,
            },
            Health(self._core.version_of("transaction-requests-service"), ()),
        )

    # Transaction requests

    async def request(self, request: Request) -> Response:
        """POST /transactionRequests."""
        message = await self._read(request, "transactionRequests", _REQUEST)
        self._hand_on(message, "POST", _POST, message.body["transactionRequestId"])
        return empty(202)

    async def answer(self, request: Request) -> Response:
        """PUT /transactionRequests/{ID}."""
        message = await self._read(request, "transactionRequests", _ANSWER)
        if not (self._core.defects.active("trx-rejection-lost") and _rejected(message.body)):
            self._hand_on(message, "PUT", _ONE, request.path_params["ID"])
        return empty(200)

    async def query(self, request: Request) -> Response:
        """GET /transactionRequests/{ID}."""
        message = await self._read(request, "transactionRequests")
        self._hand_on(message, "GET", _ONE, request.path_params["ID"])
        return empty(202)

    async def refuse(self, request: Request) -> Response:
        """PUT /transactionRequests/{ID}/error."""
        message = await self._read(request, "transactionRequests", ERROR)
        self._send(message, "PUT", _ERROR, request.path_params["ID"])
        return empty(200)

    # Authorizations

    async def ask_consent(self, request: Request) -> Response:
        """GET /authorizations/{ID}?authenticationType=…&retriesLeft=…&amount=…&currency=…"""
        message = await self._read(request, "authorizations")
        self._check_query(dict(request.query_params))
        query = "" if self._core.defects.active("authorization-query-dropped") else f"?{request.url.query}"
        self._hand_on_consent(message, "GET", request.path_params["ID"], query)
        return empty(202)

    async def consent_given(self, request: Request) -> Response:
        """PUT /authorizations/{ID}."""
        message = await self._read(request, "authorizations", _CONSENT_ANSWER)
        self._hand_on_consent(message, "PUT", request.path_params["ID"])
        return empty(200)

    async def consent_failed(self, request: Request) -> Response:
        """PUT /authorizations/{ID}/error."""
        message = await self._read(request, "authorizations", ERROR)
        self._send(message, "PUT", _CONSENT_ERROR, request.path_params["ID"])
        return empty(200)

    # Parts

    async def _read(self, request: Request, resource: str, rule: Rule | None = None) -> Message:
        if await request.body():
            check_readable(request.headers.get("content-type", ""))
        message = await self._core.read(request, resource, versions=_VERSIONS)
        if rule is None:
            return message
        body = read_body(message.raw)
        check(body, rule)
        return replace(message, body=body)

    def _check_query(self, given: dict[str, str]) -> None:
        """Raises ``Fault`` for the first of the query's parameters that is missing or malformed."""
        check(given, _CONSENT_QUERY, "/query")
        if not self._core.defects.active("authorization-retries-unchecked") and not _INTEGER.fullmatch(
            given["retriesLeft"]
        ):
            raise Fault(FspiopError.MALFORMED_SYNTAX, "/query/retriesLeft must be integer")

    def _hand_on(self, message: Message, method: str, callback: Callback, request_id: str) -> None:
        """Sends a message about a transaction request; its sender hears where that fails."""

        def unreached(call: Outgoing, problem: str) -> None:
            # The service sends the sender's own headers back to it: source and destination stay as they were.
            fault = _unreached(call, request_id, problem)
            told = say(
                message, replace(self._core.voice, sign=None), to=message.source, method="PUT", callback=_ERROR,
                parameters={"ID": request_id}, body=fault.body, order=request_id,
            )  # fmt: skip
            own = {name: value for name, value in message.headers.items() if name in _PARTIES_NAMED}
            self._core.outbox.send(replace(told, headers={**told.headers, **own}))

        self._send(message, method, callback, request_id, unreached)

    def _hand_on_consent(self, message: Message, method: str, request_id: str, query: str = "") -> None:
        """Sends a message about an authorization; its sender hears from the hub where that fails."""

        def unreached(call: Outgoing, problem: str) -> None:
            if self._core.defects.active("authorization-failure-untold"):
                return
            fault = _unreached(call, request_id, problem)
            told = say(
                message, self._core.voice, to=message.source, method="PUT", callback=_CONSENT_ERROR,
                parameters={"ID": request_id}, body=fault.body, order=request_id,
            )  # fmt: skip
            self._core.outbox.send(told)

        self._send(message, method, _CONSENT, request_id, unreached, query)

    def _send(
        self, message: Message, method: str, callback: Callback, request_id: str,
        on_failure: Callable[[Outgoing, str], None] | None = None, query: str = "",
    ) -> None:  # fmt: skip
        call = forward(
            message, to=message.destination or "", method=method, callback=callback, parameters={"ID": request_id},
            order=request_id, query=query,
        )  # fmt: skip
        self._core.outbox.send(call, on_failure)


_PARTIES_NAMED = frozenset({"fspiop-source", DESTINATION.lower()})


def _unreached(call: Outgoing, request_id: str, problem: str) -> Fault:
    """Returns what the sender of a message is told that could not be handed on."""
    if problem == NO_ENDPOINT:
        kind = call.callback.types[0]
        return Fault(
            FspiopError.DESTINATION_FSP,
            f"No {kind} endpoint found for transactionRequest {request_id} for {DESTINATION.lower()}",
        )
    return Fault(
        FspiopError.DESTINATION_COMMUNICATION,
        "Failed to send HTTP request to host",
        extensions=[("status", problem)] if problem.isdigit() else (),
    )


def _rejected(body: Any) -> bool:
    return bool(body["transactionRequestState"] == "REJECTED")
