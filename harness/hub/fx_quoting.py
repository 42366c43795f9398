"""How do the terms of a currency conversion travel between DFSP and FXP? What quoting-service does about fxQuotes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, final

from starlette.requests import Request
from starlette.responses import Response

from harness.fspiop.errors import FspiopError
from harness.fspiop.money import format_amount
from harness.hub.core import Core
from harness.hub.faults import Fault
from harness.hub.ledger import AccountType
from harness.hub.messages import Message, Outgoing, digest, dump_json, forward, say
from harness.hub.participants import HUB, Callback
from harness.hub.web import Handler, empty

__all__ = ["FxQuoting"]

_RESOURCE = "fxQuotes"
_TYPES = ("FSPIOP_CALLBACK_URL_FX_QUOTES",)
_POST = Callback(_TYPES, "/fxQuotes")
_ONE = Callback(_TYPES, "/fxQuotes/{{conversionRequestId}}")
_ERROR = Callback(_TYPES, "/fxQuotes/{{conversionRequestId}}/error")


@final
class FxQuoting:
    """fxQuotes, handed on as they are (learnt from quoting-service 17.12.1, model/fxQuotes)."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._requests: dict[str, bytes] = {}
        """Fingerprint of each request by conversionRequestId."""
        self._answers: dict[str, bytes] = {}
        """Fingerprint of each answer of an FXP by conversionRequestId."""

    def routes(self) -> dict[str, Handler]:
        """Returns the operations, most special path first."""
        return {
            "POST /fxQuotes": self.request,
            "PUT /fxQuotes/{ID}/error": self.refuse,
            "PUT /fxQuotes/{ID}": self.respond,
            "GET /fxQuotes/{ID}": self.query,
        }

    async def request(self, request: Request) -> Response:
        """POST /fxQuotes."""
        message = await self._core.read(request, _RESOURCE, schema="POST /fxQuotes", required=("fspiop-destination",))
        ident: str = message.body["conversionRequestId"]
        try:
            self._check_provider(message)
            if self._requests.setdefault(ident, digest(message.body)) != digest(message.body):
                raise Fault(FspiopError.MODIFIED_REQUEST, f"Quote {ident} is a duplicate but hashes dont match")
        except Fault as fault:
            self._fail(ident, message, fault)
        else:
            self._hand_on(message, "POST", _POST, ident)
        return empty(202)

    async def respond(self, request: Request) -> Response:
        """PUT /fxQuotes/{ID}: the FXP's terms, handed to who asked."""
        message = await self._core.read(
            request, _RESOURCE, schema="PUT /fxQuotes/{ID}", required=("fspiop-destination",)
        )
        ident: str = request.path_params["ID"]
        if self._answers.setdefault(ident, digest(message.body)) != digest(message.body):
            text = f"Update for fxQuote {ident} is a duplicate but hashes don't match"
            self._fail(ident, message, Fault(FspiopError.MODIFIED_REQUEST, text))
            return empty(200)
        content = None
        if self._core.defects.active("fx-quote-amount-altered"):
            content = dump_json(_one_more(message.body))
        self._hand_on(message, "PUT", _ONE, ident, content=content)
        return empty(200)

    async def refuse(self, request: Request) -> Response:
        """PUT /fxQuotes/{ID}/error."""
        message = await self._core.read(request, _RESOURCE, schema="error", required=("fspiop-destination",))
        self._hand_on(message, "PUT", _ERROR, request.path_params["ID"])
        return empty(200)

    async def query(self, request: Request) -> Response:
        """GET /fxQuotes/{ID}: handed to the FXP, which keeps the quote."""
        message = await self._core.read(request, _RESOURCE, required=("fspiop-destination",))
        self._hand_on(message, "GET", _ONE, request.path_params["ID"])
        return empty(202)

    def _check_provider(self, message: Message) -> None:
        """Raises ``Fault`` 3100 where the FXP is not active in both currencies, 3202 where nobody knows who asks."""
        name, terms = message.destination or "", message.body["conversionTerms"]
        for side in ("sourceAmount", "targetAmount"):
            account = self._core.ledger.account(name, terms[side]["currency"], AccountType.POSITION)
            usable = account is not None and account.active and self._core.participants.active(name)
            if not usable and not self._core.defects.active("fx-quote-provider-unchecked"):
                raise Fault(FspiopError.VALIDATION, f"Unsupported participant '{name}'")
        if message.source == HUB or not self._core.participants.active(message.source):
            raise Fault(FspiopError.PAYER_FSP_ID_NOT_FOUND, f"Unsupported participant '{message.source}'")

    def _hand_on(
        self, message: Message, method: str, callback: Callback, ident: str, *, content: bytes | None = None
    ) -> None:
        to, parameters = message.destination or "", {"conversionRequestId": ident}
        if self._core.participants.callback_url(to, callback, parameters) is None:
            text = f"No {_TYPES[0]} endpoint found for FSP '{to}' while processing fxquote {ident}"
            self._fail(ident, message, Fault(FspiopError.DESTINATION_FSP, text))
            return
        call = forward(
            message, to=to, method=method, callback=callback, parameters=parameters, order=ident, content=content
        )

        def unreached(_call: Outgoing, problem: str) -> None:
            fault = Fault(FspiopError.DESTINATION_COMMUNICATION, f"Network error: {problem}")
            self._fail(ident, message, fault)

        self._core.outbox.send(call, unreached)

    def _fail(self, ident: str, message: Message, fault: Fault) -> None:
        """Tells the sender of ``message`` what is wrong with it."""
        call = say(
            message, self._core.voice, to=message.source, method="PUT", callback=_ERROR,
            parameters={"conversionRequestId": ident}, body=fault.body, order=ident,
        )  # fmt: skip
        self._core.outbox.send(call)


def _one_more(body: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the terms with one unit of currency more in targetAmount."""
    altered: dict[str, Any] = json.loads(json.dumps(body, default=str))
    amount = altered["conversionTerms"]["targetAmount"]
    amount["amount"] = format_amount(Decimal(amount.get("amount", "0")) + 1)
    return altered
