"""How does a payer DFSP pay? The outbound side of sdk-scheme-adapter: look-up, quote, transfer, one after the other.

The shape of the result is the recorded one of sdk-scheme-adapter 24.10.5 (``POST /transfers`` of its outbound API) with
every question of the payer accepted in advance.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, final
from urllib.parse import quote

from harness.engine.inbound.behaviour import SimulatedDfsp, extension_list
from harness.engine.inbound.messages import Inbound, Sent
from harness.engine.inbound.responder import Outgoing
from harness.engine.simulator.repository import pairs_of
from harness.fspiop import dates
from harness.fspiop.headers import DESTINATION, SOURCE, ApiVersion, accept, content_type
from harness.fspiop.ids import new_ulid, new_uuid
from harness.fspiop.money import parse_amount
from harness.fspiop.resources import find_operation

__all__ = ["OutboundError", "OutboundTransfers"]

Json = dict[str, Any]
Send = Callable[[Outgoing], Awaitable[Sent]]
Sign = Callable[[Outgoing], Outgoing]

CALLBACK_S = 20.0
"""How long a callback of the hub is awaited, in seconds."""
_EXPIRY = timedelta(seconds=60)


class OutboundError(Exception):
    """A payment that did not come to its end: what there is of it, with ``lastError``."""

    def __init__(self, message: str, status: int, state: Json) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.state = state


@final
class OutboundTransfers:
    """The payments that one DFSP makes. Lives in the event loop of the inbound server."""

    def __init__(self, dfsp: SimulatedDfsp, sign: Sign, *, callback_s: float = CALLBACK_S) -> None:
        self._dfsp = dfsp
        self._sign = sign
        self._callback_s = callback_s
        self._awaited: dict[str, asyncio.Future[Inbound]] = {}
        self._states: dict[str, Json] = {}

    def take(self, call: Inbound) -> bool:
        """Whether a payment waits for ``call``; it then goes on."""
        future = self._awaited.get(call.path) if call.method == "PUT" else None
        if future is None or future.done():
            return False
        future.set_result(call)
        return True

    def state(self, transfer_id: str) -> Json | None:
        """Returns what is known of a payment; ``None`` of one that this DFSP never made."""
        return self._states.get(transfer_id)

    async def pay(self, asked: Mapping[str, Any], send: Send) -> Json:
        """Makes the payment ``asked`` for (``POST /transfers``) and returns its state, ``COMPLETED``.

        Raises ``OutboundError`` where a part is missing, the hub refuses, or a callback does not come in time.
        """
        state: Json = {
            **asked,
            "transferId": self._new_id(),
            "traceId": secrets.token_hex(16),
            "currentState": "START",
            "initiatedTimestamp": dates.iso_ms(datetime.now(UTC)),
            "direction": "OUTBOUND",
        }
        try:
            to = dict(asked["to"])
            parse_amount(asked["amount"])
            names = asked["amountType"], asked["currency"], asked["transactionType"], asked["from"]["idType"]
            if not all(isinstance(name, str) for name in (*names, to["idType"], to["idValue"])):
                raise TypeError("a name that is no text")
        except (KeyError, TypeError, ValueError) as error:
            raise OutboundError(f"the request: {type(error).__name__}: {error}", 400, state) from None
        self._states[state["transferId"]] = state
        await self._look_up(state, to, send)
        await self._quote(state, send)
        await self._transfer(state, send)
        state["currentState"] = "COMPLETED"
        return state

    async def _look_up(self, state: Json, to: Json, send: Send) -> None:
        names = [to["idType"], to["idValue"], *filter(None, [to.get("idSubValue")])]
        path = "/".join(("/parties", *(quote(name, safe="") for name in names)))
        request = self._request("GET", path, None, "", state["traceId"])
        state["getPartiesRequest"] = {"method": "GET", "url": path, "headers": dict(request.headers)}
        answer = await self._exchange(state, request, path, send)
        state["getPartiesResponse"] = answer
        party = answer["body"]["party"]
        info, personal = party["partyIdInfo"], party.get("personalInfo") or {}
        state["to"] = {
            **to,
            "fspId": info.get("fspId"),
            **(personal.get("complexName") or {}),
            **({"dateOfBirth": personal["dateOfBirth"]} if personal.get("dateOfBirth") else {}),
        }

    async def _quote(self, state: Json, send: Send) -> None:
        payee = state["to"]["fspId"]
        quote_id = self._new_id()
        found = state["getPartiesResponse"]["body"]["party"]
        extensions = extension_list(pairs_of(state["from"]))
        body: Json = {
            "quoteId": quote_id,
            "transactionId": state["transferId"],
            "amountType": state["amountType"],
            "amount": {"currency": state["currency"], "amount": state["amount"]},
            "expiration": dates.iso_ms(datetime.now(UTC) + _EXPIRY),
            "payer": {
                "partyIdInfo": {
                    "partyIdType": state["from"]["idType"],
                    "partyIdentifier": state["from"].get("idValue"),
                    "fspId": self._dfsp.fsp,
                    **({"extensionList": extensions} if extensions else {}),
                },
                **({"name": state["from"]["displayName"]} if state["from"].get("displayName") else {}),
            },
            "payee": {key: found[key] for key in ("partyIdInfo", "personalInfo") if key in found},
            "transactionType": {
                "scenario": state["transactionType"],
                "initiator": "PAYER",
                "initiatorType": state.get("initiatorType", "CONSUMER"),
            },
            **({"note": state["note"]} if state.get("note") else {}),
        }
        request = self._request("POST", "/quotes", body, payee, state["traceId"])
        state |= {"quoteId": quote_id, "quoteRequest": {"body": body, "headers": dict(request.headers)}}
        answer = await self._exchange(state, request, f"/quotes/{quote_id}", send)
        state |= {"quoteResponse": answer, "quoteResponseSource": answer["headers"].get("fspiop-source")}

    async def _transfer(self, state: Json, send: Send) -> None:
        terms = state["quoteResponse"]["body"]
        ident = state["transferId"]
        body: Json = {
            "transferId": ident,
            "payeeFsp": state["quoteResponseSource"],
            "payerFsp": self._dfsp.fsp,
            "amount": terms.get("transferAmount"),
            "ilpPacket": terms.get("ilpPacket"),
            "condition": terms.get("condition"),
            "expiration": dates.iso_ms(datetime.now(UTC) + _EXPIRY),
        }
        request = self._request("POST", "/transfers", body, body["payeeFsp"], state["traceId"])
        state["prepare"] = {"body": body, "headers": dict(request.headers)}
        state["fulfil"] = await self._exchange(state, request, f"/transfers/{ident}", send)

    async def _exchange(self, state: Json, request: Outgoing, path: str, send: Send) -> Json:
        """Sends ``request`` and returns body and headers of its callback, the success to ``path`` that it must be."""
        future: asyncio.Future[Inbound] = asyncio.get_running_loop().create_future()
        places = (path, f"{path}/error")
        for place in places:
            self._awaited[place] = future
        what = f"{request.method} {path}"
        try:
            sent = await send(request)
            if sent.status is None or sent.status >= 400:
                raise self._failed(state, f"{what}: {sent.error or f'HTTP {sent.status}'}", 500)
            call = await asyncio.wait_for(future, self._callback_s)
        except TimeoutError:
            raise self._failed(state, f"{what}: no callback within {self._callback_s:g} s", 504) from None
        finally:
            for place in places:
                self._awaited.pop(place, None)
        if call.path.endswith("/error") or not isinstance(call.body, dict):
            raise self._failed(state, f"{what}: the hub called back with an error", 500, call.body)
        return {"body": call.body, "headers": dict(call.headers)}

    def _failed(self, state: Json, message: str, status: int, said: Any = None) -> OutboundError:
        state["currentState"] = "ERROR_OCCURRED"
        state["lastError"] = {"httpStatusCode": status, "mojaloopError": said}
        return OutboundError(message, status, state)

    def _request(self, method: str, path: str, body: Json | None, payee: str, trace_id: str) -> Outgoing:
        found = find_operation(method, path)
        assert found is not None  # the paths are this module's own
        operation = found[0]
        headers = {
            "Content-Type": content_type(operation.resource, self._dfsp.api_version),
            "Accept": accept(operation.resource, str(ApiVersion.parse(self._dfsp.api_version).major)),
            SOURCE: self._dfsp.fsp,
            **({DESTINATION: payee} if payee else {}),
            "traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01",
        }
        url = self._dfsp.hub[operation.service].rstrip("/") + path
        return self._sign(Outgoing(method, url, headers, body))

    def _new_id(self) -> str:
        return new_ulid() if ApiVersion.parse(self._dfsp.api_version).major >= 2 else new_uuid()
