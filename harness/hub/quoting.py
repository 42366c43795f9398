"""How do quotes travel between DFSPs? The quoting service: checks, duplicates, and handing on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from harness.fspiop.errors import FspiopError
from harness.fspiop.headers import DESTINATION
from harness.fspiop.money import format_amount
from harness.hub.core import Core
from harness.hub.defects import SLOWNESS_S
from harness.hub.faults import Fault
from harness.hub.fx_quoting import FxQuoting
from harness.hub.headers import check_readable
from harness.hub.ledger import AccountType
from harness.hub.messages import Message, Outgoing, digest, dump_json, forward, say
from harness.hub.participants import HUB, Callback
from harness.hub.schemas import UNCHECKED_QUOTE
from harness.hub.web import Health, application, empty

__all__ = ["QuotingService"]

_TYPES = ("FSPIOP_CALLBACK_URL_QUOTES",)
_POST = Callback(_TYPES, "/quotes")
_ONE = Callback(_TYPES, "/quotes/{{quoteId}}")
_ERROR = Callback(_TYPES, "/quotes/{{quoteId}}/error")


@final
class QuotingService:
    """The service quoting-service."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._known: dict[str, bytes] = {}
        """Fingerprint of each quote request by quoteId."""

    def app(self) -> Starlette:
        """Returns the service."""
        return application(
            {
                "POST /quotes": self.request,
                "PUT /quotes/{ID}/error": self.refuse,
                "PUT /quotes/{ID}": self.respond,
                "GET /quotes/{ID}": self.query,
                **(FxQuoting(self._core).routes() if self._core.profile.fx else {}),
            },
            Health(self._core.version_of("quoting-service"), ("broker", "datastore")),
        )

    async def request(self, request: Request) -> Response:
        """POST /quotes."""
        defects = self._core.defects
        schema = "POST /quotes"
        if defects.active("quote-bad-amount-accepted"):
            schema = UNCHECKED_QUOTE
        if self._core.profile.quotes_media_type_first:
            check_readable(request.headers.get("content-type", ""))
        message = await self._core.read(request, "quotes", schema=schema, required=("fspiop-destination",))
        self._core.spawn(self._hand_on(message))
        return empty(200 if defects.active("quote-accepted-200") else 202)

    async def _hand_on(self, message: Message) -> None:
        if self._core.defects.active("quote-slow"):
            await asyncio.sleep(SLOWNESS_S)
        body = message.body
        quote_id: str = body["quoteId"]
        payee = message.destination or ""
        try:
            self._check_participant(message.source, None, FspiopError.PAYER_FSP_ID_NOT_FOUND)
            self._check_participant(payee, body["amount"]["currency"], FspiopError.DESTINATION_FSP)
            # A repeated request is handed on again; a modified one is refused (quoting-service with its store).
            if self._is_modified(quote_id, body) and not self._core.defects.active("quote-duplicate-accepted"):
                raise Fault(FspiopError.MODIFIED_REQUEST, f"Quote {quote_id} is a duplicate but hashes dont match")
        except Fault as fault:
            self._fail(quote_id, message, fault)
            return
        self._forward(message, payee, "POST", _POST, quote_id)

    async def respond(self, request: Request) -> Response:
        """PUT /quotes/{ID}."""
        message = await self._core.read(request, "quotes", schema="PUT /quotes/{ID}", required=("fspiop-destination",))
        self._send_answer(request.path_params["ID"], message)
        return empty(200)

    async def refuse(self, request: Request) -> Response:
        """PUT /quotes/{ID}/error."""
        message = await self._core.read(request, "quotes", schema="error", required=("fspiop-destination",))
        self._forward(message, message.destination or "", "PUT", _ERROR, request.path_params["ID"])
        return empty(200)

    async def query(self, request: Request) -> Response:
        """GET /quotes/{ID}: handed to the other side, which keeps the quote."""
        message = await self._core.read(request, "quotes", required=("fspiop-destination",))
        quote_id: str = request.path_params["ID"]
        destination = message.destination or ""
        try:
            self._check_participant(destination, None, FspiopError.DESTINATION_FSP)
        except Fault as fault:
            self._fail(quote_id, message, fault)
        else:
            self._forward(message, destination, "GET", _ONE, quote_id)
        return empty(202)

    def _is_modified(self, quote_id: str, body: Mapping[str, Any]) -> bool:
        """Whether the quote request differs from the one known by its id; nothing is known in simple routing mode."""
        if self._core.config.simple_routing:
            return False
        fingerprint = digest(body)
        return self._known.setdefault(quote_id, fingerprint) != fingerprint

    def _check_participant(self, name: str, currency: str | None, error: FspiopError) -> None:
        """Raises ``Fault`` where the participant, or its account in ``currency``, is unknown or not active."""
        if name == HUB or not self._core.participants.active(name):
            raise Fault(error, f"Unsupported participant '{name}'")
        if currency is not None:
            account = self._core.ledger.account(name, currency, AccountType.POSITION)
            if account is None or not account.active:
                raise Fault(error, f"Unsupported participant '{name}'")

    def _send_answer(self, quote_id: str, message: Message) -> None:
        content = None
        if self._core.defects.active("quote-amount-altered"):
            content = dump_json(_one_more(message.body))
        call = forward(
            message, to=message.destination or "", method="PUT", callback=_ONE,
            parameters={"quoteId": quote_id}, order=quote_id, content=content,
        )  # fmt: skip
        if self._core.defects.active("destination-header-dropped"):
            headers = {name: value for name, value in call.headers.items() if name != DESTINATION.lower()}
            call = replace(call, headers=headers)
        self._core.outbox.send(call, self._undelivered(message, quote_id))

    def _forward(self, message: Message, to: str, method: str, callback: Callback, quote_id: str) -> None:
        call = forward(
            message, to=to, method=method, callback=callback, parameters={"quoteId": quote_id}, order=quote_id
        )
        self._core.outbox.send(call, self._undelivered(message, quote_id))

    def _undelivered(self, message: Message, quote_id: str) -> Any:
        """Returns what tells the sender that the other side could not be reached."""

        def tell(_call: Outgoing, problem: str) -> None:
            # quoting-service tells an address that is not there from a DFSP that cannot be reached.
            fault = Fault(FspiopError.DESTINATION_COMMUNICATION, f"Network error: {problem}")
            if problem == "404":
                fault = Fault(FspiopError.CLIENT, "Not found")
            self._fail(quote_id, message, fault)

        return tell

    def _fail(self, quote_id: str, message: Message, fault: Fault) -> None:
        call = say(
            message, self._core.voice, to=message.source, method="PUT", callback=_ERROR,
            parameters={"quoteId": quote_id}, body=fault.body, order=quote_id,
        )  # fmt: skip
        self._core.outbox.send(call)


def _one_more(body: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the quote with one unit of currency more in transferAmount."""
    altered: dict[str, Any] = json.loads(json.dumps(body, default=str))
    amount = altered["transferAmount"]
    amount["amount"] = format_amount(Decimal(amount["amount"]) + 1)
    return altered
