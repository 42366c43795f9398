"""How does an operator settle? The API of central-settlement, version 2: windows and settlements.

Statuses, codes and texts as in central-settlement 17.2.2 (its swagger.json, handlers and domain) and as recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar, final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from harness.fspiop.dates import iso_ms, parse_iso
from harness.fspiop.errors import FspiopError
from harness.hub.core import Core
from harness.hub.faults import Fault
from harness.hub.settlement import Window, WindowState
from harness.hub.settlement_views import (
    SettlementViews,
    accounts_view,
    content_view,
    window_view,
    windows_of,
)
from harness.hub.settlements import Asked, Obligation, Settlement, SettlementState
from harness.hub.web import Handler, Health, answer, application, read_body

__all__ = ["CentralSettlement"]

T = TypeVar("T")

_WINDOW_STATES = tuple(state for state in WindowState if state is not WindowState.PROCESSING)
_SETTLEMENT_STATES = tuple(SettlementState)
_ACCOUNT_STATES = tuple(
    state for state in SettlementState if state not in (SettlementState.SETTLING, SettlementState.ABORTED)
)
_WINDOW_FILTERS = ("participantId", "state", "fromDateTime", "toDateTime", "currency")
_SETTLEMENT_FILTERS = (
    "state", "fromDateTime", "toDateTime", "currency", "settlementWindowId", "fromSettlementWindowDateTime",
    "toSettlementWindowDateTime", "participantId", "accountId",
)  # fmt: skip
_NUMBERS = frozenset({"participantId", "accountId", "settlementWindowId"})


@final
class CentralSettlement:
    """The service central-settlement; every path is below ``/v2``."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._windows = core.windows
        self._settlements = core.settlements
        self._number_of = core.participants.number_of
        text = core.profile.settlement_amounts_are_text
        self._views = SettlementViews(self._number_of, amounts_are_text=text)

    def app(self) -> Starlette:
        """Returns the service."""
        health = Health(self._core.version_of("central-settlement"), ("datastore", "broker"))
        participant = "/v2/settlements/{id}/participants/{pid}"
        routes: dict[str, Handler] = {
            "GET /v2/health": health.show,
            "GET /v2/settlementWindows": self.windows,
            "GET /v2/settlementWindows/{id}": self.window,
            "POST /v2/settlementWindows/{id}": self.close_window,
            "POST /v2/settlements": self.create,
            "GET /v2/settlements": self.settlements,
            "GET /v2/settlements/{id}": self.settlement,
            "PUT /v2/settlements/{id}": self.update,
            f"GET {participant}": self.part,
            f"PUT {participant}": self.update_part,
            f"GET {participant}/accounts/{{aid}}": self.part,
            f"PUT {participant}/accounts/{{aid}}": self.update_part,
        }
        return application(routes, health)

    # Windows

    async def windows(self, request: Request) -> Response:
        """GET /settlementWindows?state=…[&participantId=…][&currency=…]…: newest first, 400 where none fits."""
        asked = _filters(request, _WINDOW_FILTERS, _WINDOW_STATES)
        if not any(asked.values()):
            raise Fault(FspiopError.VALIDATION, f"Use at least one parameter: {', '.join(_WINDOW_FILTERS)}")
        found = [
            window
            for window in self._windows.all()
            if asked.get("state") in (None, window.state)
            and ("currency" not in asked or asked["currency"] in window.currencies)
            and (not asked.get("participantId") or asked["participantId"] in self._participants_of(window))
            and _within(window.created, asked.get("fromDateTime"), asked.get("toDateTime"))
        ]
        if not found:
            shown = ",".join(f"{name}:{_shown(value)}" for name, value in asked.items())
            raise Fault(FspiopError.VALIDATION, f"settlementWindow by filters: {{{shown}}} not found")
        found.sort(key=lambda window: (window.changed, window.id), reverse=True)
        return answer([self._with_content(window) for window in found])

    async def window(self, request: Request) -> Response:
        """GET /settlementWindows/{id}."""
        number = _path_number(request, "id")
        found = self._windows.find(number)
        if found is None:
            detail = f"No record for settlementWindowId: {number} found"
            raise Fault(FspiopError.INTERNAL_SERVER, detail, status=500)
        return answer(self._with_content(found))

    async def close_window(self, request: Request) -> Response:
        """POST /settlementWindows/{id}: answers with the window that is open from now on; the old one closes then."""
        number, body = _path_number(request, "id"), await _object(request)
        _one_of(body, "state", (WindowState.CLOSED,))
        reason = _text(body, "reason")
        found = self._windows.find(number)
        if found is None:
            raise Fault(FspiopError.VALIDATION, f"Window {number} does not exist")
        opened = self._windows.process(found, reason)
        self._core.spawn(self._close(found))
        return answer(window_view(opened))

    async def _close(self, window: Window) -> None:
        self._windows.close(window)

    # Settlements

    async def create(self, request: Request) -> Response:
        """POST /settlements: the model's settlement of the named windows."""
        body = await _object(request)
        name, reason, windows = _text(body, "settlementModel"), _text(body, "reason"), body.get("settlementWindows")
        if not isinstance(windows, list) or not windows:
            raise Fault(FspiopError.MALFORMED_SYNTAX, '"settlementWindows" must be an array')
        numbers = [_integer(each, "id") for each in windows]
        settlement = self._settlements.create(name, reason, numbers)
        view = self._views.settlement(settlement)
        return answer({"id": view.pop("id"), "settlementModel": settlement.model.name, **view})

    async def settlements(self, request: Request) -> Response:
        """GET /settlements?state=…&…: those that fit with the accounts that fit; 400 where there are none."""
        asked = _filters(request, _SETTLEMENT_FILTERS, _SETTLEMENT_STATES)
        if not asked:
            raise Fault(FspiopError.VALIDATION, f"Use at least one parameter: {', '.join(_SETTLEMENT_FILTERS)}")
        if self._core.defects.active("settlement-filter-ignored"):
            asked = {}
        rows = [row for each in self._settlements.all() if (row := self._row(each, asked)) is not None]
        if not rows:
            raise Fault(FspiopError.VALIDATION, "Settlements not found")
        return answer(rows)

    def _row(self, settlement: Settlement, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        """Returns a settlement as the list shows it, or ``None`` where it has nothing that was asked for."""
        obligations = [
            each
            for each in settlement.obligations.values()
            if asked.get("currency") in (None, each.account.currency)
            and asked.get("accountId") in (None, each.account.id)
            and asked.get("participantId") in (None, self._number_of(each.account.owner))
        ]
        windows = [
            window
            for window in settlement.windows
            if asked.get("settlementWindowId") in (None, window.id)
            and _within(
                window.created, asked.get("fromSettlementWindowDateTime"), asked.get("toSettlementWindowDateTime")
            )
        ]
        fits = asked.get("state") in (None, settlement.state)
        fits = fits and _within(settlement.created, asked.get("fromDateTime"), asked.get("toDateTime"))
        if not (fits and obligations and windows):
            return None
        first = windows[0]  # reason and dates are the window's, as in the service
        return {
            "id": settlement.id,
            "state": settlement.state,
            "reason": first.reason,
            "createdDate": iso_ms(first.created),
            "changedDate": iso_ms(first.changed),
            "settlementWindows": windows_of(settlement),
            "participants": self._views.participants(obligations),
        }

    async def settlement(self, request: Request) -> Response:
        """GET /settlements/{id}."""
        return answer(self._views.settlement(self._settlement(request)))

    async def update(self, request: Request) -> Response:
        """PUT /settlements/{id}: takes the named accounts a step on, or gives the settlement up (state ABORTED)."""
        number, body = _path_number(request, "id"), await _object(request)
        state = _one_of(body, "state", (SettlementState.ABORTED, "INVALID")) if "state" in body else None
        participants = body.get("participants")
        if participants is not None and any(name in body for name in ("state", "reason", "externalReference")):
            raise Fault(FspiopError.VALIDATION, "No other properties are allowed when participants is provided")
        if (state is None) != ("reason" not in body):
            raise Fault(FspiopError.MISSING_ELEMENT, "State and reason are mandatory")
        if participants is not None:
            asked = [
                _asked(_integer(participant, "id"), _integer(account, "id"), account)
                for participant in _list(participants, "participants")
                for account in _list(participant.get("accounts"), "accounts")
            ]
            return self._advance(self._existing(number), asked)
        if state is not SettlementState.ABORTED:
            raise Fault(FspiopError.VALIDATION, "Invalid request payload input")
        settlement = self._existing(number)
        self._settlements.abort(settlement, _text(body, "reason"))
        return answer({"id": settlement.id, "state": state, "reason": settlement.reason})

    def _advance(self, settlement: Settlement, asked: Iterable[Asked]) -> Response:
        return answer(self._views.told(settlement, self._settlements.advance(settlement, asked)))

    # A participant's part of a settlement, or one account of it

    async def part(self, request: Request) -> Response:
        """GET /settlements/{id}/participants/{pid}[/accounts/{aid}]."""
        settlement, participant = self._settlement(request), _path_number(request, "pid")
        mine = [each for each in settlement.obligations.values() if self._number_of(each.account.owner) == participant]
        if not mine:
            raise Fault(FspiopError.VALIDATION, "Participant not in settlement")
        if "aid" in request.path_params:
            mine = [self._account(mine, participant, _path_number(request, "aid"))]
        numbers = [each.account.id for each in mine]
        return answer(
            {
                "id": settlement.id,
                "state": settlement.state,
                "settlementWindows": accounts_view(settlement, numbers),
                "participants": self._views.participants(mine),
            }
        )

    def _account(self, mine: Iterable[Obligation], participant: int, number: int) -> Obligation:
        account = self._core.ledger.by_id(number)
        if account is None or self._number_of(account.owner) != participant:
            raise Fault(FspiopError.VALIDATION, "Provided account does not match any participant position account")
        for obligation in mine:
            if obligation.account is account:
                return obligation
        raise Fault(FspiopError.VALIDATION, "Account not in settlement")

    async def update_part(self, request: Request) -> Response:
        """PUT /settlements/{id}/participants/{pid}[/accounts/{aid}]."""
        number, participant = _path_number(request, "id"), _path_number(request, "pid")
        if "aid" in request.path_params:
            account = _path_number(request, "aid")
            asked = [_asked(participant, account, await _object(request))]
        else:
            accounts = _list((await _object(request)).get("accounts"), "accounts")
            asked = [_asked(participant, _integer(each, "id"), each) for each in accounts]
        return self._advance(self._existing(number), asked)

    # Parts

    def _settlement(self, request: Request) -> Settlement:
        return self._existing(_path_number(request, "id"))

    def _existing(self, number: int) -> Settlement:
        found = self._settlements.find(number)
        if found is None:
            raise Fault(FspiopError.VALIDATION, "Settlement not found")
        return found

    def _participants_of(self, window: Window) -> set[int]:
        accounts = (self._core.ledger.by_id(number) for net in window.net.values() for number in net)
        return {self._number_of(account.owner) for account in accounts if account is not None}

    @staticmethod
    def _with_content(window: Window) -> dict[str, Any]:
        content = [{**content_view(each), "settlementId": each.settlement} for each in window.contents]
        return {**window_view(window), "content": content}


def _filters(request: Request, names: Iterable[str], states: Iterable[str]) -> dict[str, Any]:
    """Returns what a query asks for, numbers and moments read. Raises ``Fault`` 3101 naming what cannot be."""
    asked: dict[str, Any] = {}
    for name in (name for name in names if name in request.query_params):
        text = request.query_params[name]
        if name in _NUMBERS:
            asked[name] = _read(int, text, f'"{name}" must be a number')
        elif name.endswith("DateTime"):
            asked[name] = _read(parse_iso, text, f'"{name}" must be in ISO 8601 date format')
        else:
            asked[name] = text
    if "state" in asked:
        _one_of(asked, "state", states)
    return asked


def _read(reader: Callable[[str], T], text: str, complaint: str) -> T:
    try:
        return reader(text)
    except ValueError as error:
        raise Fault(FspiopError.MALFORMED_SYNTAX, complaint) from error


def _within(moment: datetime, start: datetime | None, end: datetime | None) -> bool:
    return (start is None or moment >= start) and (end is None or moment <= end)


def _shown(value: object) -> str:
    return iso_ms(value) if isinstance(value, datetime) else str(value)


def _asked(participant: int, account: int, body: Mapping[str, Any]) -> Asked:
    state = SettlementState(_one_of(body, "state", _ACCOUNT_STATES))
    return Asked(participant, account, state, str(body.get("reason", "")), body.get("externalReference"))


def _one_of(body: Mapping[str, Any], name: str, values: Iterable[str]) -> str:
    """Returns the one of ``values`` that an element is. Raises ``Fault`` 3101 or 3102 in the words of the service."""
    listed = tuple(values)
    text = _text(body, name)
    for value in listed:
        if value == text:
            return value
    words = f"[{', '.join(listed)}]"
    raise Fault(FspiopError.MALFORMED_SYNTAX, f'"{name}" must be {"one of " if len(listed) > 1 else ""}{words}')


def _text(body: Mapping[str, Any], name: str) -> str:
    if name not in body:
        raise Fault(FspiopError.MISSING_ELEMENT, f'"{name}" is required')
    value = body[name]
    if not isinstance(value, str):
        raise Fault(FspiopError.MALFORMED_SYNTAX, f'"{name}" must be a string')
    return value


def _integer(body: object, name: str) -> int:
    """Returns a number that may be written as text."""
    if not isinstance(body, dict) or name not in body:
        raise Fault(FspiopError.MISSING_ELEMENT, f'"{name}" is required')
    value = body[name]
    if isinstance(value, bool) or not str(value).isdecimal():
        raise Fault(FspiopError.MALFORMED_SYNTAX, f'"{name}" must be a number')
    return int(value)


def _list(value: object, name: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Fault(FspiopError.MALFORMED_SYNTAX, f'"{name}" must be an array')
    return value


def _path_number(request: Request, name: str) -> int:
    text: str = request.path_params[name]
    if not text.isdecimal():
        raise Fault(FspiopError.VALIDATION, f"'{name}' URI path parameter")
    return int(text)


async def _object(request: Request) -> dict[str, Any]:
    body = read_body(await request.body())
    if not isinstance(body, dict):
        raise Fault(FspiopError.MALFORMED_SYNTAX, '"value" must be of type object')
    return body
