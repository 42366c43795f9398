"""What did a DFSP get from the hub? The test API of sdk-scheme-adapter: asked over HTTP, or listened to by WebSocket.

``/requests/{ID}`` and ``/callbacks/{ID}`` give the last request, or callback, about an id, with headers and data. A
listener hears of what comes after it connected; at ``/requests``, ``/callbacks`` and ``/`` of every id.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, final

from harness.engine.inbound.messages import Inbound
from harness.engine.inbound.responder import Reaction
from harness.fspiop.resources import REQUEST_IDS

__all__ = ["TestApi"]

_KINDS = ("requests", "callbacks")
_REMEMBERED = 5_000
_Push = Callable[[str], None]


@final
class TestApi:
    """The test API of one DFSP."""

    __test__ = False
    """Not a class of tests, in spite of its name."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], dict[str, Any]] = OrderedDict()
        self._listeners: dict[int, tuple[str, _Push]] = {}
        self._next = 0

    def keep(self, call: Inbound) -> None:
        """Remembers a call of the hub under the id it is about, and tells who listens. Others are passed over."""
        if (ident := _id_of(call)) is None:
            return
        kind = "callbacks" if call.method == "PUT" else "requests"
        entry = {"headers": dict(call.headers), "data": call.body if call.raw else {}}
        self._kept[kind, ident] = entry
        self._kept.move_to_end((kind, ident))
        if len(self._kept) > _REMEMBERED:
            self._kept.popitem(last=False)
        heard = [push for path, push in self._listeners.values() if path in ("", f"/{kind}", f"/{kind}/{ident}")]
        if heard:
            text = json.dumps({**entry, "id": ident})
            for push in heard:
                push(text)

    def respond(self, call: Inbound) -> Reaction | None:
        """Returns what is known of the id that ``call`` asks for; ``None`` where it asks for something else."""
        parts = call.path.strip("/").split("/")
        if call.method != "GET" or len(parts) != 2 or parts[0] not in _KINDS:
            return None
        return Reaction(taken=True, status=200, body=self._kept.get((parts[0], parts[1]), {}))

    def listen(self, path: str, push: _Push) -> Callable[[], None] | None:
        """Lets ``push`` hear, as JSON, of what comes to ``path``. Returns what ends it; ``None`` for no such path."""
        path = path.rstrip("/")
        kind, _, rest = path.removeprefix("/").partition("/")
        if path and (kind not in _KINDS or "/" in rest):
            return None
        number, self._next = self._next, self._next + 1
        self._listeners[number] = (path, push)
        return lambda: self._listeners.pop(number, None) and None


def _id_of(call: Inbound) -> str | None:
    parts = call.path.strip("/").split("/")
    if name := REQUEST_IDS.get(f"/{parts[0]}") if call.method == "POST" and len(parts) == 1 else None:
        ident = call.body.get(name) if isinstance(call.body, dict) else None
        return ident if isinstance(ident, str) else None
    if parts[0] in ("parties", "participants"):
        return parts[2] if len(parts) > 2 else None
    return parts[1] if len(parts) > 1 else None
