"""What do the services have in common over HTTP? Reading a request, answering it, and turning faults into answers."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from harness.fspiop.dates import iso_ms
from harness.fspiop.errors import FspiopError, error_information
from harness.hub.faults import Fault
from harness.hub.messages import dump_json, load_json
from harness.model.rehearsal import EMBEDDED_HEADER

__all__ = ["Handler", "Health", "answer", "application", "empty", "read_body"]

Handler = Callable[[Request], Awaitable[Response]]


def answer(body: Any, status: int = 200) -> Response:
    """Returns a JSON response."""
    return Response(dump_json(body), status, media_type="application/json; charset=utf-8")


def empty(status: int) -> Response:
    """Returns a response without a body."""
    return Response(status_code=status)


def read_body(raw: bytes) -> Any:
    """Returns the JSON of a request. Raises ``Fault`` 3101 where it is none."""
    try:
        return load_json(raw)
    except ValueError as error:
        raise Fault(FspiopError.MALFORMED_SYNTAX, "Invalid request payload JSON format") from error


@final
class Health:
    """``GET /health`` of one service."""

    def __init__(self, version: str, parts: Sequence[str]) -> None:
        self._version = version
        self._parts = [{"name": name, "status": "OK"} for name in parts]
        self._began = time.monotonic()
        self._began_at = iso_ms(datetime.now(UTC))

    async def show(self, _request: Request) -> Response:
        """Answers as the services do (recorded from v17.1.0). ``uptime`` is in seconds."""
        return Response(
            dump_json(
                {
                    "status": "OK",
                    "uptime": round(time.monotonic() - self._began, 3),
                    "startTime": self._began_at,
                    "versionNumber": self._version,
                    "services": self._parts,
                }
            ),
            media_type="application/json; charset=utf-8",
            headers={EMBEDDED_HEADER: "true"},
        )


def application(routes: Mapping[str, Handler], health: Health) -> Starlette:
    """Returns a service: ``routes`` maps ``METHOD /path/{parameter}`` to its handler, most special path first."""
    table = [Route("/health", health.show, methods=["GET"])]
    for key, handler in routes.items():
        method, _, path = key.partition(" ")
        table.append(Route(path, handler, methods=[method]))
    app = Starlette(
        routes=table, exception_handlers={Fault: _on_fault, HTTPException: _on_http_error, Exception: _on_crash}
    )
    app.router.redirect_slashes = False
    return app


async def _on_fault(_request: Request, error: Exception) -> Response:
    if not isinstance(error, Fault):
        raise error
    return answer(error.body, error.status)


async def _on_http_error(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status in (404, 405):
        return answer(error_information(FspiopError.UNKNOWN_URI, "Not Found"), 404)
    return answer(error_information(FspiopError.CLIENT), status)


async def _on_crash(_request: Request, error: Exception) -> Response:
    return answer(error_information(FspiopError.INTERNAL_SERVER, type(error).__name__), 500)
