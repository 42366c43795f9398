"""How do DFSPs send transfers to the hub, and how do they hear of them? The HTTP side of the transfers capability."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from harness.fspiop.headers import content_type
from harness.hub.core import Core
from harness.hub.defects import SLOWNESS_S
from harness.hub.fx_api import FX_ROUTES, FxTransfersApi
from harness.hub.messages import Message, Outgoing, announce, dump_json, forward, say
from harness.hub.participants import Callback
from harness.hub.transfer_times import check_completed
from harness.hub.transfers import Notice, NoticeKind
from harness.hub.web import Health, application, empty

__all__ = ["MlApiAdapter"]

_POST = Callback(("FSPIOP_CALLBACK_URL_TRANSFER_POST",), "/transfers")
_PUT = Callback(("FSPIOP_CALLBACK_URL_TRANSFER_PUT",), "/transfers/{{transferId}}")
_ERROR = Callback(("FSPIOP_CALLBACK_URL_TRANSFER_ERROR",), "/transfers/{{transferId}}/error")


@final
class MlApiAdapter:
    """The service ml-api-adapter."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._refused_status = 400 if core.defects.active("version-negotiation") else 406

    def app(self) -> Starlette:
        """Returns the service."""
        return application(
            {
                "POST /transfers": self.prepare,
                "PUT /transfers/{ID}/error": self.reject,
                "PUT /transfers/{ID}": self.fulfil,
                "GET /transfers/{ID}": self.query,
                **(FxTransfersApi(self._core, self._tell).routes() if self._core.profile.fx else {}),
            },
            Health(self._core.version_of("ml-api-adapter"), ("broker", "participantEndpointService")),
        )

    async def prepare(self, request: Request) -> Response:
        """POST /transfers."""
        message = await self._core.read(
            request, "transfers", schema="POST /transfers", refused_status=self._refused_status
        )
        if self._core.defects.active("transfer-slow"):
            self._core.spawn(self._prepare_late(message))
        else:
            self._tell(self._core.transfers.prepare(message, datetime.now(UTC)))
        return empty(202)

    async def _prepare_late(self, message: Message) -> None:
        await asyncio.sleep(SLOWNESS_S)
        self._tell(self._core.transfers.prepare(message, datetime.now(UTC)))

    async def fulfil(self, request: Request) -> Response:
        """PUT /transfers/{ID}."""
        message = await self._core.read(request, "transfers", schema="PUT /transfers/{ID}")
        check_completed(message.body.get("completedTimestamp"), datetime.now(UTC))
        self._tell(self._core.transfers.fulfil(request.path_params["ID"], message, datetime.now(UTC)))
        return empty(200)

    async def reject(self, request: Request) -> Response:
        """PUT /transfers/{ID}/error."""
        message = await self._core.read(request, "transfers", schema="error")
        self._tell(self._core.transfers.reject(request.path_params["ID"], message, datetime.now(UTC)))
        return empty(200)

    async def query(self, request: Request) -> Response:
        """GET /transfers/{ID}."""
        message = await self._core.read(request, "transfers", refused_status=self._refused_status)
        self._tell(self._core.transfers.query(request.path_params["ID"], message))
        return empty(202)

    async def expire_regularly(self) -> None:
        """Looks for expired transfers until cancelled."""
        while True:
            await asyncio.sleep(self._core.config.expiry_interval_s)
            self._tell(self._core.transfers.expire_due(datetime.now(UTC)))
            self._tell(self._core.fx_transfers.expire_due(datetime.now(UTC)))

    def _tell(self, notices: Iterable[Notice]) -> None:
        for notice in notices:
            if notice.times:
                self._core.outbox.send(self._outgoing(notice))

    def _outgoing(self, notice: Notice) -> Outgoing:
        method, callback = (_ROUTES if notice.resource == "transfers" else FX_ROUTES)[notice.kind]
        hub = self._core.voice
        parameters = {"transferId": notice.transfer_id, "commitRequestId": notice.transfer_id}
        cause = notice.cause
        if cause is None:
            return announce(
                hub, to=notice.to, method=method, callback=callback, parameters=parameters, body=notice.body,
                order=notice.transfer_id, resource=notice.resource,
            )  # fmt: skip
        if cause.resource != notice.resource:  # a conversion that ends with its transfer, told in its own media type
            cause = replace(cause, resource=notice.resource)
        if notice.kind in _HANDED_ON:
            content = None if notice.body is None else dump_json(notice.body)
            call = forward(
                cause, to=notice.to, method=method, callback=callback, parameters=parameters,
                order=notice.transfer_id, content=content,
            )  # fmt: skip
        else:
            call = say(
                cause, hub, to=notice.to, method=method, callback=callback, parameters=parameters, body=notice.body,
                order=notice.transfer_id,
            )  # fmt: skip
        headers = dict(call.headers)
        if self._core.defects.active("content-type-version") and method == "PUT":
            headers["content-type"] = content_type(notice.resource, "1.9")
        if self._core.defects.active("traceparent-dropped"):
            headers.pop("traceparent", None)
        return replace(call, headers=headers, times=notice.times)


_ROUTES = {
    NoticeKind.PREPARE: ("POST", _POST),
    NoticeKind.FULFIL: ("PUT", _PUT),
    NoticeKind.STATE: ("PUT", _PUT),
    NoticeKind.PATCH: ("PATCH", _PUT),
    NoticeKind.ERROR: ("PUT", _ERROR),
    NoticeKind.FORWARDED_ERROR: ("PUT", _ERROR),
}
_HANDED_ON = frozenset({NoticeKind.PREPARE, NoticeKind.FULFIL, NoticeKind.FORWARDED_ERROR})
