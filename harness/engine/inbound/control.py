"""What workers reach: the control API, JSON over loopback, open only to who holds the run's token."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any, final

from harness.engine.inbound.desk import Desk, Filter
from harness.engine.inbound.dfsp import Party, SimulatedDfsp
from harness.engine.inbound.matcher import Expectation
from harness.engine.inbound.messages import normalise_path
from harness.engine.inbound.public import Receive, Scope, Send
from harness.errors import HarnessError, InternalError

__all__ = ["ControlApp"]

Json = dict[str, Any]


@final
class ControlApp:
    """The ASGI application: ``POST /{verb}`` with a JSON object, answered by one."""

    def __init__(self, desk: Desk, token: str) -> None:
        self._desk = desk
        self._authorization = f"Bearer {token}".encode()
        self._verbs: dict[str, Callable[[Json], Awaitable[Json]]] = {
            "/expect": self._expect,
            "/wait": self._wait,
            "/cancel": self._cancel,
            "/register": self._register,
            "/party": self._party,
            "/seen": self._seen,
            "/sent": self._sent,
            "/silence": self._silence,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request; nothing of it is read before the token is."""
        if scope["type"] != "http":
            return
        given = next((value for key, value in scope["headers"] if key == b"authorization"), b"")
        if not hmac.compare_digest(given, self._authorization):
            await _answer(send, 401, {"error": "no token of this run"})
            return
        verb = self._verbs.get(scope["path"])
        if verb is None or scope["method"] != "POST":
            await _answer(send, 404, {"error": f"no such verb: {scope['method']} {scope['path']}"})
            return
        try:
            status, answer = 200, await verb(json.loads(await _read(receive)))
        except InternalError as error:
            status, answer = 503, {"error": str(error)}
        except HarnessError as error:
            status, answer = 422, {"error": str(error)}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            status, answer = 400, {"error": f"{type(error).__name__}: {error}"}
        await _answer(send, status, answer)

    async def _expect(self, asked: Json) -> Json:
        routes = tuple((method.upper(), normalise_path(path)) for method, path in asked["routes"])
        if not routes:
            raise ValueError("an expectation needs a route")
        also = tuple(str(fsp) for fsp in asked["also"])
        name = self._desk.expect(
            lambda name: Expectation(name, asked["fsp"], routes, asked["case"], asked["step"], asked["trace_id"], also)
        )
        return {"expectation": name}

    async def _wait(self, asked: Json) -> Json:
        call = await self._desk.wait(asked["expectation"], float(asked["timeout_s"]))
        return {"callback": None if call is None else call.to_json()}

    async def _cancel(self, asked: Json) -> Json:
        self._desk.cancel(asked["expectation"])
        return {}

    async def _register(self, asked: Json) -> Json:
        self._desk.register(SimulatedDfsp.from_json(asked["dfsp"]))
        return {}

    async def _party(self, asked: Json) -> Json:
        self._desk.add_party(asked["fsp"], Party.from_json(asked["party"]))
        return {}

    async def _seen(self, asked: Json) -> Json:
        path = None if asked["path"] is None else normalise_path(asked["path"])
        method = None if asked["method"] is None else asked["method"].upper()
        wanted = Filter(asked["fsp"], method, path, float(asked["since"]))
        calls = await self._desk.seen(wanted, float(asked["wait_s"]))
        return {"calls": [call.to_json() for call in calls]}

    async def _silence(self, asked: Json) -> Json:
        return {"lasts": await self._desk.silence.lasts(float(asked["seconds"]))}

    async def _sent(self, asked: Json) -> Json:
        return {"sent": [sent.to_json() for sent in self._desk.sent(asked["fsp"])]}


async def _read(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return b"".join(parts)


async def _answer(send: Send, status: int, body: Json) -> None:
    octets = json.dumps(body).encode()
    lines = [(b"content-type", b"application/json"), (b"content-length", str(len(octets)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": octets})
