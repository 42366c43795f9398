"""How does an operator settle? The API of central-settlement, version 2: windows and settlements."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from harness.fspiop.dates import iso_ms
from harness.fspiop.errors import FspiopError
from harness.hub.core import Core
from harness.hub.faults import Fault
from harness.hub.settlement import STEPS, WINDOW_STATES, Content, Obligation, Settlement, Settlements, Window
from harness.hub.web import Handler, Health, answer, application, read_body

__all__ = ["CentralSettlement"]

_FILTERS = ("state", "participantId", "currency", "settlementWindowId", "fromDateTime", "toDateTime")


@final
class CentralSettlement:
    """The service central-settlement; every path is below ``/v2``."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._windows = core.windows
        self._settlements = Settlements(core.ledger, core.windows, core.models)

    def app(self) -> Starlette:
        """Returns the service."""
        health = Health(self._core.version_of("central-settlement"), ("datastore", "broker"))
        routes: dict[str, Handler] = {
            "GET /v2/health": health.show,
            "GET /v2/settlementWindows": self.windows,
            "GET /v2/settlementWindows/{id}": self.window,
            "POST /v2/settlementWindows/{id}": self.close_window,
            "POST /v2/settlements": self.create,
            "GET /v2/settlements": self.settlements,
            "GET /v2/settlements/{id}": self.settlement,
            "PUT /v2/settlements/{id}": self.advance,
        }
        return application(routes, health)

    # Windows

    async def windows(self, request: Request) -> Response:
        """GET /settlementWindows?state=…[&participantId=…][&currency=…]: 400 where none fits."""
        asked = {name: request.query_params[name] for name in _FILTERS if name in request.query_params}
        state = asked.get("state")
        if state is not None and state not in WINDOW_STATES:
            raise Fault(FspiopError.MALFORMED_SYNTAX, f'"state" must be one of [{", ".join(WINDOW_STATES)}]')
        if not asked:
            raise Fault(FspiopError.VALIDATION, "Use at least one parameter: participantId, state, currency, …")
        found = [
            window
            for window in self._windows.all()
            if state in (None, window.state)
            and ("currency" not in asked or asked["currency"] in window.contents)
            and ("participantId" not in asked or self._takes_part(window, asked["participantId"]))
        ]
        if not found:
            raise Fault(FspiopError.VALIDATION, f"settlementWindow by filters: {json.dumps(asked)} not found")
        return answer([_window_view(window) for window in found])

    async def window(self, request: Request) -> Response:
        """GET /settlementWindows/{id}."""
        return answer(_window_view(self._window(_number(request))))

    async def close_window(self, request: Request) -> Response:
        """POST /settlementWindows/{id} with state CLOSED: answers with the window that is open from now on."""
        window, body = self._window(_number(request)), await _object(request)
        if body.get("state") != "CLOSED" or not isinstance(body.get("reason"), str):
            raise Fault(FspiopError.MALFORMED_SYNTAX, '"state" must be CLOSED, with a "reason"')
        opened = self._windows.close(window, body["reason"])
        return answer({name: value for name, value in _window_view(opened).items() if name != "content"})

    # Settlements

    async def create(self, request: Request) -> Response:
        """POST /settlements: the model's settlement of the named windows."""
        body = await _object(request)
        windows = body.get("settlementWindows")
        if not isinstance(windows, list) or not all(isinstance(each, dict) and "id" in each for each in windows):
            raise Fault(FspiopError.MALFORMED_SYNTAX, '"settlementWindows" must be a list of objects with an id')
        numbers = [int(text) for each in windows if (text := str(each["id"])).isdecimal()]
        settlement = self._settlements.create(body.get("settlementModel"), str(body.get("reason", "")), numbers)
        return answer({"settlementModel": settlement.model.name, **self._view(settlement)})

    async def settlements(self, request: Request) -> Response:
        """GET /settlements?state=…."""
        state = request.query_params.get("state")
        return answer([self._view(each) for each in self._settlements.all() if state in (None, each.state)])

    async def settlement(self, request: Request) -> Response:
        """GET /settlements/{id}."""
        return answer(self._view(self._settlement(_number(request))))

    async def advance(self, request: Request) -> Response:
        """PUT /settlements/{id}: takes the named accounts a step on.

        An account that may not go there carries its errorInformation in the answer, as the service gives it.
        """
        settlement, body = self._settlement(_number(request)), await _object(request)
        participants = body.get("participants")
        if not isinstance(participants, list):
            raise Fault(FspiopError.MALFORMED_SYNTAX, '"participants" must be a list')
        refused: dict[int, dict[str, Any]] = {}
        for participant in participants:
            for account in participant.get("accounts") or [] if isinstance(participant, dict) else []:
                number, state = account.get("id"), account.get("state")
                if not isinstance(number, int) or state not in STEPS:
                    raise Fault(FspiopError.MALFORMED_SYNTAX, f'"state" must be one of [{", ".join(STEPS)}]')
                try:
                    self._settlements.advance(settlement, number, state, str(account.get("reason", "")))
                except Fault as fault:
                    refused[number] = fault.body
        return answer(self._view(settlement, refused))

    # Parts

    def _window(self, number: int) -> Window:
        found = self._windows.find(number)
        if found is None:
            raise Fault(FspiopError.VALIDATION, f"settlementWindowId: {number} not found")
        return found

    def _settlement(self, number: int) -> Settlement:
        found = self._settlements.find(number)
        if found is None:
            raise Fault(FspiopError.VALIDATION, f"Settlement {number} not found")
        return found

    def _takes_part(self, window: Window, participant: str) -> bool:
        owners = {
            account.owner
            for content in window.contents.values()
            for number in content.net
            if (account := self._core.ledger.by_id(number)) is not None
        }
        return any(str(self._participant_id(owner)) == participant for owner in owners)

    def _participant_id(self, name: str) -> int:
        return next(number for number, known in enumerate(self._core.participants.all(), start=1) if known.name == name)

    def _view(self, settlement: Settlement, refused: Mapping[int, dict[str, Any]] | None = None) -> dict[str, Any]:
        mine = {content.id for content in settlement.contents}
        by_owner: dict[int, list[dict[str, Any]]] = {}
        for number, obligation in settlement.obligations.items():
            rows = by_owner.setdefault(self._participant_id(obligation.account.owner), [])
            rows.append({**_obligation_view(obligation), **(refused or {}).get(number, {})})
        return {
            "id": settlement.id,
            "state": settlement.state,
            "reason": settlement.reason,
            "createdDate": iso_ms(settlement.created),
            "changedDate": iso_ms(settlement.changed),
            "settlementWindows": [
                {
                    "id": window.id,
                    "state": window.state,
                    "reason": window.reason,
                    "createdDate": iso_ms(window.created),
                    "changedDate": iso_ms(window.changed),
                    "content": [_content_view(each) for each in window.contents.values() if each.id in mine],
                }
                for window in settlement.windows
            ],
            "participants": [{"id": number, "accounts": rows} for number, rows in sorted(by_owner.items())],
        }


def _window_view(window: Window) -> dict[str, Any]:
    closed = [content for content in window.contents.values() if content.state != "OPEN"]
    return {
        "settlementWindowId": window.id,
        "state": window.state,
        "reason": window.reason,
        "createdDate": iso_ms(window.created),
        "changedDate": iso_ms(window.changed),
        "content": [_content_view(content) for content in closed],
    }


def _content_view(content: Content) -> dict[str, Any]:
    return {
        "id": content.id,
        "state": content.state,
        "ledgerAccountType": "POSITION",
        "currencyId": content.currency,
        "createdDate": iso_ms(content.created),
        "changedDate": iso_ms(content.changed),
    }


def _obligation_view(obligation: Obligation) -> dict[str, Any]:
    return {
        "id": obligation.account.id,
        "state": obligation.state,
        "reason": obligation.reason,
        "netSettlementAmount": {
            "amount": f"{Decimal(obligation.units).scaleb(-4):.4f}",
            "currency": obligation.account.currency,
        },
    }


def _number(request: Request) -> int:
    text: str = request.path_params["id"]
    if not text.isdecimal():
        raise Fault(FspiopError.VALIDATION, "'id' URI path parameter")
    return int(text)


async def _object(request: Request) -> dict[str, Any]:
    body = read_body(await request.body())
    if not isinstance(body, dict):
        raise Fault(FspiopError.MALFORMED_SYNTAX, '"value" must be of type object')
    return body
