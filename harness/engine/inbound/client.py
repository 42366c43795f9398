"""How a worker asks the inbound server: expect a callback, wait for it, play a DFSP, see what the hub sent to it."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Sequence
from typing import Any, Self, final
from urllib.parse import urlsplit

from harness.engine.inbound.dfsp import Party, SimulatedDfsp
from harness.engine.inbound.messages import Callback, Inbound, InboundAddress, Sent
from harness.errors import InternalError, UsageError

__all__ = ["AnyDfsp", "InboundClient"]

_IDLE_S = 60.0
"""After this long without a call a connection is made anew, in seconds."""
_MARGIN_S = 10.0
"""What the server may take beyond the wait itself, in seconds, before it counts as gone."""


@final
class InboundClient:
    """One per worker; may be used from several threads.

    Every method raises ``InternalError`` where the server is gone or stopping: then it is not known whether a call
    came, which is another thing than that none came.
    """

    def __init__(self, address: InboundAddress) -> None:
        self.address = address
        parts = urlsplit(address.control_url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._headers = {"Authorization": f"Bearer {address.token}", "Content-Type": "application/json"}
        self._mine = threading.local()
        self._all: list[http.client.HTTPConnection] = []

    def expect(
        self,
        *,
        fsp: str,
        routes: Sequence[tuple[str, str]],
        case: str,
        step: str,
        trace_id: str | None = None,
        also: Sequence[str] = (),
    ) -> str:
        """Opens an expectation of the first call to ``fsp`` on any of ``routes`` (method, path); returns its id.

        One to a DFSP in ``also`` will do as well.

        To be called before the request goes out. ``trace_id`` (32 hex digits) tells apart exchanges that wait for the
        same route at the same time, where the hub hands it on.
        """
        asked = {"fsp": fsp, "routes": [list(route) for route in routes], "case": case, "step": step}
        return str(self._ask("expect", {**asked, "trace_id": trace_id, "also": list(also)})["expectation"])

    def wait(self, expectation: str, timeout_s: float) -> Callback | None:
        """Returns the call that ``expectation`` stands for, ``None`` where none came in ``timeout_s`` seconds.

        At most 900 seconds. Ends the expectation: a later call for it is noted ``late``, a second one ``duplicate``.
        """
        found = self._ask("wait", {"expectation": expectation, "timeout_s": timeout_s}, wait_s=timeout_s)["callback"]
        return None if found is None else Callback.from_json(found)

    def cancel(self, expectation: str) -> None:
        """Ends ``expectation`` without waiting: a call for it is ``unexpected``. One that has ended is left alone."""
        self._ask("cancel", {"expectation": expectation})

    def register(self, dfsp: SimulatedDfsp) -> None:
        """Plays ``dfsp`` from now on, in place of a DFSP of that name registered before.

        The same registration again changes nothing: parties that were added since then stay.
        """
        self._ask("register", {"dfsp": dfsp.to_json()})

    def add_party(self, fsp: str, party: Party) -> None:
        """Makes ``party`` known at ``fsp``, in place of one with the same id. ``UsageError`` where nobody plays it."""
        self._ask("party", {"fsp": fsp, "party": party.to_json()})

    def seen(
        self,
        fsp: str | None,
        *,
        method: str | None = None,
        path: str | None = None,
        wait_s: float = 0.0,
        since: float = 0.0,
    ) -> list[Inbound]:
        """Returns what the hub sent to ``fsp`` (``None``: to any DFSP), oldest first.

        Waits up to ``wait_s`` seconds until something fits. ``since`` is a ``time.monotonic()`` before which calls do
        not count. Of each DFSP the newest 5,000 calls are kept.
        """
        asked = {"fsp": fsp, "method": method, "path": path, "wait_s": wait_s, "since": since}
        return [Inbound.from_json(call) for call in self._ask("seen", asked, wait_s=wait_s)["calls"]]

    def sent(self, fsp: str) -> list[Sent]:
        """Returns what the simulated DFSP ``fsp`` sent to the hub, and how the hub took it."""
        return [Sent.from_json(sent) for sent in self._ask("sent", {"fsp": fsp})["sent"]]

    def silence_lasts(self, seconds: float) -> bool:
        """Whether neither hub nor simulated DFSPs have anything more to do within ``seconds`` unless asked to.

        ``False`` where that is not known.
        """
        return self.address.hub_tells_silence and bool(self._ask("silence", {"seconds": seconds})["lasts"])

    def close(self) -> None:
        """Lets go of the connections. Expectations stay open until they are too old."""
        for connection in self._all:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, verb: str, body: dict[str, Any], *, wait_s: float = 0.0) -> dict[str, Any]:
        connection = self._connection(max(0.0, wait_s) + _MARGIN_S)
        try:
            connection.request("POST", f"/{verb}", json.dumps(body).encode(), self._headers)
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        except (http.client.HTTPException, OSError, ValueError) as error:
            connection.close()
            raise InternalError(f"the inbound server does not answer to {verb!r}: {error!r}") from error
        self._mine.used = time.monotonic()
        if response.status == 200:
            return answer
        message = f"the inbound server refused {verb!r} ({response.status}): {answer.get('error')}"
        if response.status == 422:
            raise UsageError(message)
        raise InternalError(message)

    def _connection(self, timeout_s: float) -> http.client.HTTPConnection:
        """Returns this thread's connection. Two of a step's three calls go here: http.client costs a third of httpx."""
        found: http.client.HTTPConnection | None = getattr(self._mine, "connection", None)
        if found is None:
            found = self._mine.connection = http.client.HTTPConnection(self._host, self._port)
            self._mine.used = time.monotonic()
            self._all.append(found)
        elif time.monotonic() - self._mine.used > _IDLE_S:
            # the server lets go of idle connections, and a call on one that is gone looks like a dead server
            found.close()
        found.timeout = timeout_s
        if found.sock is not None:
            found.sock.settimeout(timeout_s)
        return found


@final
class AnyDfsp:
    """The calls of the hub, whichever DFSP they are for: what a listener that names only method and path hears."""

    def __init__(self, client: InboundClient) -> None:
        self._client = client

    def seen(self, *, method: str, path: str, since: float, wait_s: float) -> Sequence[Inbound]:
        """Returns the calls to ``path`` from ``since`` on, oldest first; waits up to ``wait_s`` seconds for one."""
        return self._client.seen(None, method=method, path=path, since=since, wait_s=wait_s)
