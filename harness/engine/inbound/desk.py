"""Where calls of the hub meet those who wait for them: all state of one inbound server, used in its event loop only."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import final

import httpx

from harness.engine.inbound.dfsp import DfspResponder, Party, SimulatedDfsp
from harness.engine.inbound.matcher import Expectation, Matcher
from harness.engine.inbound.messages import Inbound, InboundNote, Sent
from harness.engine.inbound.responder import Listened, Outgoing, Reaction, Responder
from harness.engine.inbound.silence import Silence
from harness.engine.inbound.store import Log
from harness.errors import InternalError, UsageError
from harness.fspiop import dates

__all__ = ["MAX_WAIT_S", "Desk", "Filter"]

MAX_WAIT_S = 900.0
"""The longest a single wait may last, in seconds."""

_MAX_SENDS = 10_000
_MAX_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Filter:
    """Which calls are asked for. ``None`` asks for any."""

    fsp: str | None
    method: str | None = None
    path: str | None = None
    since: float = 0.0
    """``time.monotonic()`` from which on a call counts."""

    def takes(self, call: Inbound) -> bool:
        """Whether ``call`` is one of them."""
        return (
            self.fsp in (None, call.fsp)
            and self.method in (None, call.method)
            and self.path in (None, call.path)
            and call.received_monotonic >= self.since
        )


@final
class Desk:
    """Takes calls from the public side, questions from the control side. Not thread-safe: one event loop owns it."""

    def __init__(
        self, http: httpx.AsyncClient, on_note: Callable[[InboundNote], None], silence_url: str | None = None
    ) -> None:
        self.problems: list[str] = []
        self.silence = Silence(http, silence_url)
        self._http = http
        self._on_note = on_note
        self._matcher = Matcher()
        self._responders: dict[str, Responder] = {}
        self._seen: Log[Inbound] = Log(lambda call: 512 + len(call.raw))
        self._sent: Log[Sent] = Log(lambda sent: 4096)
        self._ids = count(1)
        self._waits: dict[str, set[asyncio.Future[None]]] = {}
        self._watches: dict[asyncio.Future[None], Filter] = {}
        self._sends: set[asyncio.Task[Sent]] = set()
        self._stopped = False

    @property
    def open_waits(self) -> int:
        """How many questions wait for a call."""
        return len(self._watches) + sum(len(waits) for waits in self._waits.values())

    # The public side.

    def take(self, call: Inbound) -> Reaction:
        """Records ``call``, wakes who waits for it, and returns how its DFSP reacts."""
        self._seen.add(call.fsp, call)
        reaction = self._react(call)
        give = self._matcher.offer if reaction.taken else self._matcher.arrive
        arrival = give(call, time.monotonic())
        self._tell(arrival.notes)
        for future in self._waits.get(arrival.filled or "", ()):
            _wake(future)
        for future, wanted in self._watches.items():
            if wanted.takes(call):
                _wake(future)
        return reaction

    async def finish_later(self, call: Inbound, reaction: Reaction) -> Reaction:
        """Returns ``reaction``, or what comes of the work that it has still to do."""
        if reaction.later is None:
            return reaction
        try:
            return await reaction.later(lambda outgoing: self._send(call.fsp, outgoing))
        except Exception as error:
            self._problem(f"the simulated DFSP {call.fsp} broke on {call.method} {call.path}: {error!r}")
            return Reaction(taken=True, status=500)

    def listen(self, fsp: str, path: str, push: Callable[[str], None]) -> Callable[[], None] | None:
        """Lets ``push`` hear what ``fsp`` has to tell at ``path``. Returns what ends it; ``None`` for no such path."""
        responder: object = self._responders.get(fsp)
        return responder.listen(path, push) if isinstance(responder, Listened) else None

    def act(self, call: Inbound, reaction: Reaction) -> None:
        """Starts what ``reaction`` sends to the hub."""
        for outgoing in reaction.sends:
            if len(self._sends) >= _MAX_SENDS:
                self._problem(
                    f"more than {_MAX_SENDS} answers to the hub are under way: one to {call.path} was dropped"
                )
                return
            task = asyncio.ensure_future(self._send_later(call.fsp, outgoing))
            self._sends.add(task)
            task.add_done_callback(self._sends.discard)

    def note(self, note: InboundNote) -> None:
        """Hands ``note`` on."""
        self._tell((note,))

    # The control side.

    def expect(self, named: Callable[[str], Expectation]) -> str:
        """Opens the expectation that ``named`` gives for its new id, and returns the id."""
        name = f"e{next(self._ids)}"
        self._tell(self._matcher.expect(named(name), time.monotonic()))
        return name

    async def wait(self, expectation: str, timeout_s: float) -> Inbound | None:
        """Waits for the call of ``expectation``, ends it and returns what came.

        Raises ``InternalError`` where it is not open or the server stops, ``UsageError`` beyond ``MAX_WAIT_S``.
        """
        _check_wait(timeout_s)
        if not self._is_filled(expectation):
            future = self._future()
            waits = self._waits.setdefault(expectation, set())
            waits.add(future)
            try:
                await self.silence.wait(future, timeout_s)
            finally:
                waits.discard(future)
                if not waits:
                    self._waits.pop(expectation, None)
        self._check_running()
        self._is_filled(expectation)
        return self._matcher.close(expectation, time.monotonic())

    def cancel(self, expectation: str) -> None:
        """Ends ``expectation``; whoever waits for it hears that it is not open."""
        self._tell(self._matcher.cancel(expectation, time.monotonic()))
        for future in self._waits.get(expectation, ()):
            _wake(future)

    async def seen(self, wanted: Filter, wait_s: float) -> list[Inbound]:
        """Returns the calls that fit, oldest first; waits until there is one. Raises as ``wait`` does."""
        _check_wait(wait_s)
        found = self._found(wanted)
        if found or wait_s <= 0:
            return found
        future = self._future()
        self._watches[future] = wanted
        try:
            await self.silence.wait(future, wait_s)
        finally:
            del self._watches[future]
        self._check_running()
        return self._found(wanted)

    def _found(self, wanted: Filter) -> list[Inbound]:
        if wanted.fsp is not None:
            return [call for call in self._seen.of(wanted.fsp) if wanted.takes(call)]
        return sorted(filter(wanted.takes, self._seen.all()), key=lambda call: call.received_monotonic)

    def sent(self, fsp: str) -> tuple[Sent, ...]:
        """Returns what ``fsp`` sent to the hub, in the order of the hub's responses."""
        return self._sent.of(fsp)

    def register(self, dfsp: SimulatedDfsp) -> None:
        """Plays ``dfsp`` from now on, in place of what played it before; no change where it is played already."""
        # Workers start at different times: one that comes later must not undo what the others have added since.
        played = self._responders.get(dfsp.fsp)
        if isinstance(played, DfspResponder) and played.dfsp == dfsp:
            return
        self._responders[dfsp.fsp] = DfspResponder(dfsp)

    def add_party(self, fsp: str, party: Party) -> None:
        """Makes ``party`` known at a registered DFSP. Raises ``UsageError`` where there is none."""
        responder = self._responders.get(fsp)
        if not isinstance(responder, DfspResponder):
            raise UsageError(f"no simulated DFSP {fsp} is registered", remedy="Register it before its parties")
        responder.add_party(party)

    def plug(self, fsp: str, responder: Responder) -> None:
        """Lets ``responder`` decide for ``fsp`` from now on."""
        self._responders[fsp] = responder

    # Its life.

    def tick(self) -> None:
        """Ends what is too old. Called about once a second."""
        self._tell(self._matcher.expire(time.monotonic()))

    async def stop(self) -> None:
        """Lets nobody wait any longer and drops what is still to be sent."""
        self._stopped = True
        for future in [*self._watches, *(future for futures in self._waits.values() for future in futures)]:
            _wake(future)
        sends = list(self._sends)
        for task in sends:
            task.cancel()
        await asyncio.gather(*sends, return_exceptions=True)

    def finish(self) -> None:
        """Notes what nobody took. Called once no call can come any more."""
        self._tell(self._matcher.finish())

    def _check_running(self) -> None:
        if self._stopped:
            raise InternalError("the inbound server is stopping")

    def _is_filled(self, expectation: str) -> bool:
        try:
            return self._matcher.is_filled(expectation)
        except KeyError:
            raise InternalError(f"expectation {expectation} is not open: it was ended or given up") from None

    def _future(self) -> asyncio.Future[None]:
        self._check_running()
        return asyncio.get_running_loop().create_future()

    def _react(self, call: Inbound) -> Reaction:
        responder = self._responders.get(call.fsp)
        if responder is None:
            return Reaction()
        try:
            return responder.respond(call, datetime.now(UTC))
        except Exception as error:
            self._problem(f"the simulated DFSP {call.fsp} broke on {call.method} {call.path}: {error!r}")
            return Reaction()

    async def _send_later(self, fsp: str, outgoing: Outgoing) -> Sent:
        with self.silence.broken():
            return await self._send(fsp, outgoing)

    async def _send(self, fsp: str, outgoing: Outgoing) -> Sent:
        await asyncio.sleep(outgoing.delay_ms / 1000)
        lines = {"Date": dates.http_date(), **outgoing.headers}
        sent_at, start = dates.iso_ms(), time.perf_counter()
        status, error = None, ""
        content = None if outgoing.body is None else json.dumps(outgoing.body).encode()
        try:
            response = await self._http.request(outgoing.method, outgoing.url, headers=lines, content=content)
            status = response.status_code
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as problem:
            error = f"{type(problem).__name__}: {problem}"
        latency_ms = (time.perf_counter() - start) * 1000
        sent = Sent(fsp, outgoing.method, outgoing.url, lines, outgoing.body, status, error, sent_at, latency_ms)
        self._sent.add(fsp, sent)
        return sent

    def _tell(self, notes: tuple[InboundNote, ...]) -> None:
        for note in notes:
            try:
                self._on_note(note)
            except Exception as error:
                self._problem(f"an inbound note ({note.kind} {note.method} {note.path}) was not recorded: {error!r}")

    def _problem(self, text: str) -> None:
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(text)


def _check_wait(seconds: float) -> None:
    if not seconds <= MAX_WAIT_S:
        raise UsageError(f"cannot wait {seconds} seconds for a call, at most {MAX_WAIT_S:.0f}")


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
