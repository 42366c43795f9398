"""How does an operator set up participants, accounts, limits and funds? The admin API of central-ledger."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from harness.fspiop.dates import iso_ms
from harness.fspiop.errors import FspiopError
from harness.hub.core import Core
from harness.hub.currencies import CURRENCIES
from harness.hub.faults import Fault
from harness.hub.funds import Funds
from harness.hub.ledger import Account, AccountType, Limit, to_number, to_units
from harness.hub.participants import HUB, Participant
from harness.hub.settlement_models import SettlementModels
from harness.hub.web import Health, answer, application, empty, read_body

__all__ = ["CentralLedger"]

_HUB_TYPES = (AccountType.HUB_MULTILATERAL_SETTLEMENT, AccountType.HUB_RECONCILIATION)


@final
class CentralLedger:
    """The service central-ledger."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._funds = Funds(core.ledger, core.transfers, core.defects)

    def app(self) -> Starlette:
        """Returns the service."""
        return application(
            {
                "GET /participants": self.participants,
                "POST /participants": self.create,
                "GET /participants/limits": self.all_limits,
                "GET /participants/{name}": self.participant,
                "PUT /participants/{name}": self.activate,
                "POST /participants/{name}/accounts": self.open_hub_account,
                "GET /participants/{name}/accounts": self.accounts,
                "PUT /participants/{name}/accounts/{id}": self.activate_account,
                "POST /participants/{name}/accounts/{id}": self.move_funds,
                "PUT /participants/{name}/accounts/{id}/transfers/{transferId}": self.finish_funds_out,
                "POST /participants/{name}/initialPositionAndLimits": self.set_up,
                "GET /participants/{name}/limits": self.limits,
                "PUT /participants/{name}/limits": self.change_limit,
                "GET /participants/{name}/positions": self.positions,
                "GET /participants/{name}/endpoints": self.endpoints,
                "POST /participants/{name}/endpoints": self.set_endpoint,
                **SettlementModels(self._core).routes(),
                "GET /harness/invariants": self.broken_laws,
                "GET /harness/silence": self.silence,
            },
            Health(self._core.version_of("central-ledger"), ("datastore", "broker", "proxyCache")),
        )

    # Participants

    async def participants(self, _request: Request) -> Response:
        """GET /participants."""
        return answer([self._view(participant) for participant in self._core.participants.all()])

    async def create(self, request: Request) -> Response:
        """POST /participants: registers a DFSP in a currency."""
        body = await _object(request)
        name, currency = _text(body, "name"), _currency(body)
        if not 2 <= len(name) <= 30:
            raise Fault(FspiopError.MALFORMED_SYNTAX, '"name" length must be between 2 and 30 characters long')
        further = self._core.models.further_accounts(currency)
        return answer(self._view(self._core.participants.create(name, currency, further)), 201)

    async def participant(self, request: Request) -> Response:
        """GET /participants/{name}."""
        return answer(self._view(self._named(request)))

    async def activate(self, request: Request) -> Response:
        """PUT /participants/{name} with isActive."""
        body, participant = await _object(request), self._named(request)
        participant.active = _flag(body, "isActive")
        return answer(self._view(participant))

    # Accounts

    async def open_hub_account(self, request: Request) -> Response:
        """POST /participants/Hub/accounts."""
        body, participant = await _object(request), self._named(request)
        if participant.name != HUB or body.get("type") not in _HUB_TYPES:
            raise Fault(
                FspiopError.ADD_PARTY_INFORMATION,
                "Account type must be one of the hub's, for the participant Hub",
            )
        hub = self._core.participants.open_hub_account(_currency(body), AccountType(body["type"]))
        return answer(self._view(hub), 201)

    async def accounts(self, request: Request) -> Response:
        """GET /participants/{name}/accounts[?currency=…]."""
        currency = request.query_params.get("currency")
        return answer(
            [
                {
                    "id": account.id,
                    "ledgerAccountType": account.type,
                    "currency": account.currency,
                    "isActive": int(account.active),
                    "value": to_number(account.value),
                    "reservedValue": 0,
                    "changedDate": iso_ms(account.changed),
                }
                for account in self._named(request).accounts
                if currency in (None, account.currency)
            ]
        )

    async def activate_account(self, request: Request) -> Response:
        """PUT /participants/{name}/accounts/{id} with isActive."""
        body, account = await _object(request), self._account(request)
        if account.type is not AccountType.POSITION:
            raise Fault(FspiopError.INTERNAL_SERVER, "Only position account update is permitted", status=500)
        active = _flag(body, "isActive")
        if not self._core.defects.active("account-switch-ignored"):
            account.active = active
        return empty(200)

    # Funds

    async def move_funds(self, request: Request) -> Response:
        """POST /participants/{name}/accounts/{id}: recordFundsIn or recordFundsOutPrepareReserve."""
        body, account = await _object(request), self._account(request)
        self._funds.record(account, body, datetime.now(UTC))
        return empty(202)

    async def finish_funds_out(self, request: Request) -> Response:
        """PUT …/transfers/{transferId}: recordFundsOutCommit or recordFundsOutAbort."""
        body, account = await _object(request), self._account(request)
        self._funds.finish(account, request.path_params["transferId"], body, datetime.now(UTC))
        return empty(202)

    # Limits and positions

    async def set_up(self, request: Request) -> Response:
        """POST …/initialPositionAndLimits: opens the currency for business."""
        body, participant = await _object(request), self._named(request)
        position = self._position(participant, _currency(body))
        settlement = self._core.ledger.account(participant.name, position.currency, AccountType.SETTLEMENT)
        if self._core.ledger.limit(position) is not None:
            raise Fault(FspiopError.INTERNAL_SERVER, "Participant Limit or Initial Position already set", status=500)
        limit = _limit(body)
        self._core.ledger.set_limit(position, limit)
        self._core.ledger.open_position(position, _units(body.get("initialPosition", 0), "initialPosition"))
        position.active = True
        if settlement is not None:
            settlement.active = True
        return empty(201)

    async def limits(self, request: Request) -> Response:
        """GET /participants/{name}/limits[?currency=…&type=NET_DEBIT_CAP]."""
        return answer(self._limits(self._named(request), request.query_params.get("currency")))

    async def all_limits(self, request: Request) -> Response:
        """GET /participants/limits[?currency=…]."""
        currency = request.query_params.get("currency")
        return answer(
            [
                {"name": participant.name, **row}
                for participant in self._core.participants.all()
                for row in self._limits(participant, currency)
            ]
        )

    async def change_limit(self, request: Request) -> Response:
        """PUT /participants/{name}/limits."""
        body = await _object(request)
        position = self._position(self._named(request), _currency(body))
        if self._core.ledger.limit(position) is None:
            raise Fault(FspiopError.ID_NOT_FOUND, "No limit is set for the currency")
        limit = _limit(body)
        if not self._core.defects.active("limit-change-ignored"):
            self._core.ledger.set_limit(position, limit)
        return answer({"currency": position.currency, "limit": _limit_view(limit)})

    async def positions(self, request: Request) -> Response:
        """GET /participants/{name}/positions[?currency=…]: one object where a currency is named, else a list."""
        currency = request.query_params.get("currency")
        rows = [
            {"currency": a.currency, "value": to_number(a.value), "changedDate": iso_ms(a.changed)}
            for a in self._named(request).accounts
            if a.type is AccountType.POSITION and currency in (None, a.currency)
        ]
        return answer(rows if currency is None else (rows[0] if rows else {}))

    # Endpoints

    async def endpoints(self, request: Request) -> Response:
        """GET /participants/{name}/endpoints[?type=…]."""
        kind = request.query_params.get("type")
        registered = self._named(request).endpoints
        return answer([{"type": key, "value": value} for key, value in registered.items() if kind in (None, key)])

    async def set_endpoint(self, request: Request) -> Response:
        """POST /participants/{name}/endpoints."""
        body, participant = await _object(request), self._named(request)
        participant.endpoints[_text(body, "type")] = _text(body, "value")
        return empty(201)

    # The hub about itself

    async def broken_laws(self, _request: Request) -> Response:
        """GET /harness/invariants: what ``invariants`` found, looked at once more now. No path of a real hub."""
        found = self._core.invariants
        if found is None:
            return answer({"pid": os.getpid(), "checking": False, "checks": 0, "violations": []})
        found.check(datetime.now(UTC), timedelta(seconds=self._core.config.expiry_interval_s))
        violations = [each.to_json() for each in found.violations]
        return answer({"pid": os.getpid(), "checking": True, "checks": found.checks, "violations": violations})

    async def silence(self, _request: Request) -> Response:
        """GET /harness/silence: for how many seconds (``null``: for good) the hub will call nobody unless asked to.

        No path of a real hub.
        """
        silent_s = self._core.silent_s(datetime.now(UTC))
        return answer({"silent_s": None if math.isinf(silent_s) else silent_s})

    # Parts

    def _named(self, request: Request) -> Participant:
        return self._core.participants.get(request.path_params["name"])

    def _account(self, request: Request) -> Account:
        """Returns the account of the path. Raises ``Fault`` 2001 where the participant has none of that id."""
        participant = self._named(request)
        text = request.path_params["id"]
        account = self._core.ledger.by_id(int(text)) if text.isdecimal() else None
        if account is None or account.owner != participant.name:
            raise Fault(FspiopError.INTERNAL_SERVER, "Account not found", status=500)
        return account

    def _position(self, participant: Participant, currency: str) -> Account:
        account = self._core.ledger.account(participant.name, currency, AccountType.POSITION)
        if account is None:
            raise Fault(FspiopError.ID_NOT_FOUND, "Participant/Currency pair not found")
        return account

    def _limits(self, participant: Participant, currency: str | None) -> list[dict[str, Any]]:
        rows = []
        for account in participant.accounts:
            limit = self._core.ledger.limit(account)
            if limit is not None and currency in (None, account.currency):
                rows.append({"currency": account.currency, "limit": _limit_view(limit)})
        return rows

    @staticmethod
    def _view(participant: Participant) -> dict[str, Any]:
        link = f"http://central-ledger/participants/{participant.name}"
        return {
            "name": participant.name,
            "id": link,
            "created": f'"{iso_ms(participant.created)}"',
            "isActive": int(participant.active),
            "links": {"self": link},
            "accounts": [
                {
                    "id": account.id,
                    "ledgerAccountType": account.type,
                    "currency": account.currency,
                    "isActive": int(account.active),
                    "createdDate": None,
                    "createdBy": "unknown",
                }
                for account in participant.accounts
            ],
            "isProxy": 0,
        }


async def _object(request: Request) -> dict[str, Any]:
    body = read_body(await request.body())
    if not isinstance(body, dict):
        raise Fault(FspiopError.MALFORMED_SYNTAX, '"value" must be of type object')
    return body


def _text(body: Mapping[str, Any], name: str) -> str:
    if name not in body:
        raise Fault(FspiopError.MISSING_ELEMENT, f'"{name}" is required')
    value = body[name]
    if not isinstance(value, str) or not value:
        raise Fault(FspiopError.MALFORMED_SYNTAX, f'"{name}" must be a string')
    return value


def _flag(body: Mapping[str, Any], name: str) -> bool:
    if name not in body:
        raise Fault(FspiopError.MISSING_ELEMENT, f'"{name}" is required')
    value = body[name]
    if not isinstance(value, bool):
        raise Fault(FspiopError.MALFORMED_SYNTAX, f'"{name}" must be a boolean')
    return value


def _currency(body: Mapping[str, Any]) -> str:
    currency = _text(body, "currency")
    if currency not in CURRENCIES:
        raise Fault(FspiopError.MALFORMED_SYNTAX, f'"currency" must be one of [{", ".join(sorted(CURRENCIES))}]')
    return currency


def _units(value: object, name: str) -> int:
    """Returns units of 10^-4 of a number that may be written as text."""
    try:
        if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
            raise ValueError("no number")
        return to_units(value)
    except (ValueError, ArithmeticError) as error:
        raise Fault(FspiopError.MALFORMED_SYNTAX, f'"{name}" must be a number') from error


def _limit(body: Mapping[str, Any]) -> Limit:
    data = body.get("limit")
    if not isinstance(data, dict) or data.get("type") != "NET_DEBIT_CAP" or "value" not in data:
        raise Fault(FspiopError.MALFORMED_SYNTAX, '"limit" must have type NET_DEBIT_CAP and a value')
    units = _units(data["value"], "value")
    if units < 0:
        raise Fault(FspiopError.MALFORMED_SYNTAX, '"value" must be greater than or equal to 0')
    return Limit(units, int(_units(data.get("alarmPercentage", 10), "alarmPercentage") // 10_000))


def _limit_view(limit: Limit) -> dict[str, Any]:
    return {"type": "NET_DEBIT_CAP", "value": to_number(limit.units), "alarmPercentage": limit.alarm}
