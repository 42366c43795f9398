"""How do DFSPs and FXPs send conversions to the hub, and how do they hear of them? The HTTP side of fxTransfers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import final

from starlette.requests import Request
from starlette.responses import Response

from harness.hub.core import Core
from harness.hub.fx_transfers import FX_RESOURCE
from harness.hub.participants import Callback
from harness.hub.transfer_times import check_completed
from harness.hub.transfers import Notice, NoticeKind
from harness.hub.web import Handler, empty

__all__ = ["FX_ROUTES", "FxTransfersApi"]

_POST = Callback(("FSPIOP_CALLBACK_URL_FX_TRANSFER_POST",), "/fxTransfers")
_PUT = Callback(("FSPIOP_CALLBACK_URL_FX_TRANSFER_PUT",), "/fxTransfers/{{commitRequestId}}")
_ERROR = Callback(("FSPIOP_CALLBACK_URL_FX_TRANSFER_ERROR",), "/fxTransfers/{{commitRequestId}}/error")

FX_ROUTES: Mapping[NoticeKind, tuple[str, Callback]] = {
    NoticeKind.PREPARE: ("POST", _POST),
    NoticeKind.FULFIL: ("PUT", _PUT),
    NoticeKind.STATE: ("PUT", _PUT),
    NoticeKind.PATCH: ("PATCH", _PUT),
    NoticeKind.ERROR: ("PUT", _ERROR),
    NoticeKind.FORWARDED_ERROR: ("PUT", _ERROR),
}
"""Which call tells a participant what about a conversion."""


@final
class FxTransfersApi:
    """What ml-api-adapter does about conversions."""

    def __init__(self, core: Core, tell: Callable[[Iterable[Notice]], None]) -> None:
        self._core = core
        self._tell = tell

    def routes(self) -> dict[str, Handler]:
        """Returns the operations, most special path first."""
        return {
            "POST /fxTransfers": self.prepare,
            "PUT /fxTransfers/{ID}/error": self.reject,
            "PUT /fxTransfers/{ID}": self.fulfil,
            "GET /fxTransfers/{ID}": self.query,
        }

    async def prepare(self, request: Request) -> Response:
        """POST /fxTransfers."""
        message = await self._core.read(request, FX_RESOURCE, schema="POST /fxTransfers")
        self._tell(self._core.fx_transfers.prepare(message, datetime.now(UTC)))
        return empty(202)

    async def fulfil(self, request: Request) -> Response:
        """PUT /fxTransfers/{ID}."""
        message = await self._core.read(request, FX_RESOURCE, schema="PUT /fxTransfers/{ID}")
        now = datetime.now(UTC)
        check_completed(message.body.get("completedTimestamp"), now)
        self._tell(self._core.fx_transfers.fulfil(request.path_params["ID"], message, now))
        return empty(200)

    async def reject(self, request: Request) -> Response:
        """PUT /fxTransfers/{ID}/error."""
        message = await self._core.read(request, FX_RESOURCE, schema="error")
        self._tell(self._core.fx_transfers.reject(request.path_params["ID"], message, datetime.now(UTC)))
        return empty(200)

    async def query(self, request: Request) -> Response:
        """GET /fxTransfers/{ID}."""
        message = await self._core.read(request, FX_RESOURCE)
        self._tell(self._core.fx_transfers.query(request.path_params["ID"], message))
        return empty(202)
