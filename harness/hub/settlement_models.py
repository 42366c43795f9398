"""How does an operator say how a currency is settled? The settlement models in the admin API of central-ledger.

Statuses, codes and texts as in central-ledger 19.8.3 (api/settlementModels) and as recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

from starlette.requests import Request
from starlette.responses import Response

from harness.fspiop.errors import FspiopError
from harness.hub.core import Core
from harness.hub.currencies import CURRENCIES
from harness.hub.faults import Fault
from harness.hub.settlement import Model
from harness.hub.web import Handler, answer, empty, read_body

__all__ = ["SettlementModels"]

_WORDS: Mapping[str, Sequence[str]] = {
    "settlementGranularity": ("GROSS", "NET"),
    "settlementInterchange": ("BILATERAL", "MULTILATERAL"),
    "settlementDelay": ("IMMEDIATE", "DEFERRED"),
    "settlementAccountType": ("SETTLEMENT", "INTERCHANGE_FEE_SETTLEMENT"),
}
_LEDGER_ACCOUNT_TYPES = frozenset({"POSITION", "INTERCHANGE_FEE"})
_REQUIRED = ("name", *_WORDS, "ledgerAccountType")
_FLAGS = ("requireLiquidityCheck", "autoPositionReset")


@final
class SettlementModels:
    """The paths below ``/settlementModels``."""

    def __init__(self, core: Core) -> None:
        self._models = core.models
        self._transfers = core.transfers

    def routes(self) -> dict[str, Handler]:
        """Returns the handlers by method and path."""
        return {
            "GET /settlementModels": self.all,
            "POST /settlementModels": self.create,
            "GET /settlementModels/{name}": self.one,
            "PUT /settlementModels/{name}": self.activate,
        }

    async def all(self, _request: Request) -> Response:
        """GET /settlementModels."""
        return answer([_view(model) for model in self._models])

    async def create(self, request: Request) -> Response:
        """POST /settlementModels: from now on transfers in its currency go by it."""
        body = await _object(request)
        _check(body)
        self._models.add(body)
        self._transfers.unchecked_liquidity.clear()
        self._transfers.unchecked_liquidity.update(self._models.without_liquidity_check(CURRENCIES))
        return empty(201)

    async def one(self, request: Request) -> Response:
        """GET /settlementModels/{name}."""
        model = self._models.find(request.path_params["name"])
        if model is None:
            raise Fault(FspiopError.ID_NOT_FOUND, "The requested resource could not be found.")
        return answer(_view(model))

    async def activate(self, request: Request) -> Response:
        """PUT /settlementModels/{name} with isActive: kept and shown."""
        body = await _object(request)
        model = self._models.find(request.path_params["name"])
        if not isinstance(body.get("isActive"), bool):
            raise Fault(FspiopError.MALFORMED_SYNTAX, '"isActive" must be a boolean')
        if model is None:
            raise Fault(FspiopError.INTERNAL_SERVER, "Settlement Model does not exist", status=500)
        model.active = body["isActive"]
        return answer(_view(model))


def _check(body: Mapping[str, Any]) -> None:
    """Raises ``Fault`` 3102 for what is missing, 3101 for what is none of the words, 3003 for an unknown account."""
    for name in (*_REQUIRED, *_FLAGS):
        if name not in body:
            raise Fault(FspiopError.MISSING_ELEMENT, f'"{name}" is required')
    for name in _REQUIRED:
        if not isinstance(body[name], str):
            raise Fault(FspiopError.MALFORMED_SYNTAX, f'"{name}" must be a string')
    for name, words in _WORDS.items():
        if body[name] not in words:
            raise Fault(FspiopError.MALFORMED_SYNTAX, f'"{name}" must be one of [{", ".join(words)}]')
    for name in _FLAGS:
        if not isinstance(body[name], bool):
            raise Fault(FspiopError.MALFORMED_SYNTAX, f'"{name}" must be a boolean')
    if "currency" in body and body["currency"] not in CURRENCIES:
        listed = ", ".join(sorted(CURRENCIES))
        raise Fault(FspiopError.MALFORMED_SYNTAX, f'"currency" must be one of [{listed}]')
    if body["ledgerAccountType"] not in _LEDGER_ACCOUNT_TYPES:
        raise Fault(FspiopError.ADD_PARTY_INFORMATION, "Ledger account type was not found")


def _view(model: Model) -> dict[str, Any]:
    return {
        "settlementModelId": model.id,
        "name": model.name,
        "isActive": model.active,
        "settlementGranularity": model.granularity,
        "settlementInterchange": model.interchange,
        "settlementDelay": model.delay,
        "currency": model.currency,
        "requireLiquidityCheck": model.liquidity_checked,
        "ledgerAccountTypeId": model.ledger_account_type,
        "autoPositionReset": model.resets_position,
    }


async def _object(request: Request) -> dict[str, Any]:
    body = read_body(await request.body())
    if not isinstance(body, dict):
        raise Fault(FspiopError.MALFORMED_SYNTAX, '"value" must be of type object')
    return body
