"""Which waiting exchange a call of the hub belongs to: pure bookkeeping, given the time, without input or output.

Every call has exactly one fate: delivered to one expectation, or noted ``late``, ``duplicate`` or ``unexpected``.
``early`` marks one that came before its expectation and was delivered all the same.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import final

from harness.engine.inbound.messages import Inbound, InboundNote

__all__ = ["Arrival", "Expectation", "Matcher", "MatcherLimits"]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one exchange waits for: the first call to ``fsp`` on any of ``routes``."""

    id: str
    fsp: str
    routes: tuple[tuple[str, str], ...]
    """Method in upper case and normalised path."""
    case: str
    step: str
    trace_id: str | None = None
    also: tuple[str, ...] = ()
    """DFSPs that the call may come to as well."""

    def may_be(self, call: Inbound) -> bool:
        """Whether ``call`` came to a DFSP that it may come to; it tells of none where its path and headers do not."""
        return call.fsp in ("", self.fsp, *self.also)


@dataclass(frozen=True, slots=True)
class MatcherLimits:
    """How much is remembered, and how long (seconds)."""

    keep_s: float = 30.0
    """How long a call that nobody expects yet is kept before it is ``unexpected``."""
    keep: int = 1_000
    keep_octets: int = 32 << 20
    remember_s: float = 300.0
    """How long an expectation is known after its end, to tell late and duplicate calls."""
    remember: int = 5_000
    open_s: float = 3_600.0
    """How long an expectation may stay that nobody closes: its worker is gone."""
    open: int = 10_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of a call: the id of the expectation it filled, or the notes on it. Neither: it is kept."""

    filled: str | None = None
    notes: tuple[InboundNote, ...] = ()


class _State(Enum):
    WAITING = auto()
    FILLED = auto()
    CLAIMED = auto()
    TIMED_OUT = auto()
    CANCELLED = auto()


_CLOSED_NOTE = {
    _State.FILLED: "duplicate",
    _State.CLAIMED: "duplicate",
    _State.TIMED_OUT: "late",
    _State.CANCELLED: "unexpected",
}


@dataclass(slots=True, eq=False)
class _Entry:
    expectation: Expectation
    since: float
    """When it was opened; once closed, when it was closed."""
    state: _State = _State.WAITING
    call: Inbound | None = None


@dataclass(slots=True, eq=False)
class _Kept:
    call: Inbound
    since: float


@final
@dataclass(slots=True)
class Matcher:
    """Expectations and calls of one run. ``now`` is in seconds on one clock that never goes back."""

    limits: MatcherLimits = field(default_factory=MatcherLimits)
    _open: OrderedDict[str, _Entry] = field(default_factory=OrderedDict)
    _closed: OrderedDict[str, _Entry] = field(default_factory=OrderedDict)
    _by_route: dict[tuple[str, str], list[_Entry]] = field(default_factory=dict)
    _kept: deque[_Kept] = field(default_factory=deque)
    _kept_octets: int = 0

    def expect(self, expectation: Expectation, now: float) -> tuple[InboundNote, ...]:
        """Opens ``expectation`` and returns the notes this gives: ``early`` where a kept call fills it at once."""
        notes = list(self.expire(now))
        entry = _Entry(expectation, now)
        self._open[expectation.id] = entry
        for route in dict.fromkeys(expectation.routes):
            self._by_route.setdefault(route, []).append(entry)
        if (kept := self._pick_kept(expectation)) is not None:
            self._kept.remove(kept)
            self._kept_octets -= len(kept.call.raw)
            entry.state, entry.call = _State.FILLED, kept.call
            notes.append(_note("early", kept.call, expectation))
        if len(self._open) > self.limits.open:
            notes.extend(self._abandon(next(iter(self._open))))
        return tuple(notes)

    def arrive(self, call: Inbound, now: float) -> Arrival:
        """Takes a call that somebody must account for: fills an expectation, is noted, or is kept for one to come."""
        notes = list(self.expire(now))
        entry = self._pick_entry(call)
        if entry is None:
            self._kept.append(_Kept(call, now))
            self._kept_octets += len(call.raw)
            while len(self._kept) > self.limits.keep or self._kept_octets > self.limits.keep_octets:
                notes.append(_note("unexpected", self._pop_kept()))
            return Arrival(notes=tuple(notes))
        if entry.state is _State.WAITING:
            entry.state, entry.call = _State.FILLED, call
            return Arrival(entry.expectation.id, tuple(notes))
        notes.append(_note(_CLOSED_NOTE[entry.state], call, entry.expectation))
        if entry.state is _State.TIMED_OUT:
            entry.state = _State.CLAIMED
        return Arrival(notes=tuple(notes))

    def offer(self, call: Inbound, now: float) -> Arrival:
        """Shows a call that a simulated DFSP has taken already: fills an expectation, or nothing more comes of it."""
        notes = self.expire(now)
        entry = self._pick_entry(call)
        if entry is None or entry.state is not _State.WAITING:
            return Arrival(notes=notes)
        entry.state, entry.call = _State.FILLED, call
        return Arrival(entry.expectation.id, notes)

    def is_filled(self, expectation_id: str) -> bool:
        """Whether its call has come. Raises ``KeyError`` where the expectation is not open."""
        return self._open[expectation_id].state is _State.FILLED

    def close(self, expectation_id: str, now: float) -> Inbound | None:
        """Ends an expectation and returns its call, ``None`` where none came: from now on one is ``late``.

        Raises ``KeyError`` where the expectation is not open.
        """
        entry = self._open[expectation_id]
        self._shut(entry, _State.TIMED_OUT if entry.call is None else _State.CLAIMED, now)
        call, entry.call = entry.call, None
        return call

    def cancel(self, expectation_id: str, now: float) -> tuple[InboundNote, ...]:
        """Ends an expectation whose call nobody wants any more; one that has come is ``unexpected``, as is a later one.

        One that is not open is left as it is.
        """
        entry = self._open.get(expectation_id)
        if entry is None:
            return ()
        self._shut(entry, _State.CANCELLED, now)
        call, entry.call = entry.call, None
        return () if call is None else (_note("unexpected", call, entry.expectation),)

    def expire(self, now: float) -> tuple[InboundNote, ...]:
        """Forgets what is too old; returns a note for each call that nobody came for."""
        notes = []
        while self._kept and now - self._kept[0].since > self.limits.keep_s:
            notes.append(_note("unexpected", self._pop_kept()))
        while self._open and now - (oldest := next(iter(self._open.values()))).since > self.limits.open_s:
            notes.extend(self._abandon(oldest.expectation.id))
        while self._closed and (
            len(self._closed) > self.limits.remember
            or now - next(iter(self._closed.values())).since > self.limits.remember_s
        ):
            self._unlink(self._closed.popitem(last=False)[1])
        return tuple(notes)

    def finish(self) -> tuple[InboundNote, ...]:
        """Ends everything; returns a note ``unexpected`` for each call that nobody took."""
        notes = [_note("unexpected", kept.call) for kept in self._kept]
        notes += [_note("unexpected", e.call, e.expectation) for e in self._open.values() if e.call is not None]
        for store in (self._kept, self._open, self._closed, self._by_route):
            store.clear()
        self._kept_octets = 0
        return tuple(notes)

    def _pick_entry(self, call: Inbound) -> _Entry | None:
        """The order of preference, first match decides.

        1. waiting with the call's trace id;  2. any other with the call's trace id: its second copy, not a stranger's;
        3. waiting longest;  4. timed out, longest ago;  5. opened last.
        """
        entries = [
            entry for entry in self._by_route.get((call.method, call.path), ()) if entry.expectation.may_be(call)
        ]
        waiting = [entry for entry in entries if entry.state is _State.WAITING]
        if (trace_id := call.trace_id) is not None:
            same = [entry for entry in entries if entry.expectation.trace_id == trace_id]
            for entry in same:
                if entry.state is _State.WAITING:
                    return entry
            if same:
                return next((entry for entry in same if entry.state is _State.TIMED_OUT), same[-1])
        if waiting:
            return waiting[0]
        timed_out = (entry for entry in entries if entry.state is _State.TIMED_OUT)
        return next(timed_out, entries[-1] if entries else None)

    def _pick_kept(self, expectation: Expectation) -> _Kept | None:
        fitting = [
            kept
            for kept in self._kept
            if (kept.call.method, kept.call.path) in expectation.routes
            and expectation.may_be(kept.call)
            and not _of_another(kept.call, expectation)
        ]
        same_trace = (kept for kept in fitting if kept.call.trace_id and kept.call.trace_id == expectation.trace_id)
        return next(same_trace, fitting[0] if fitting else None)

    def _pop_kept(self) -> Inbound:
        call = self._kept.popleft().call
        self._kept_octets -= len(call.raw)
        return call

    def _shut(self, entry: _Entry, state: _State, now: float) -> None:
        del self._open[entry.expectation.id]
        entry.state, entry.since = state, now
        self._closed[entry.expectation.id] = entry

    def _abandon(self, expectation_id: str) -> list[InboundNote]:
        entry = self._open.pop(expectation_id)
        self._unlink(entry)
        return [] if entry.call is None else [_note("unexpected", entry.call, entry.expectation)]

    def _unlink(self, entry: _Entry) -> None:
        for route in dict.fromkeys(entry.expectation.routes):
            rest = [other for other in self._by_route[route] if other is not entry]
            if rest:
                self._by_route[route] = rest
            else:
                del self._by_route[route]


def _note(kind: str, call: Inbound, expectation: Expectation | None = None) -> InboundNote:
    return InboundNote(
        kind=kind,
        method=call.method,
        path=call.path,
        source=call.source,
        destination=call.destination,
        case=expectation.case if expectation else None,
        step=expectation.step if expectation else None,
        received_at=call.received_at,
    )


def _of_another(call: Inbound, expectation: Expectation) -> bool:
    """Whether a call that came before its exchange began says that it belongs to another one."""
    return None not in (call.trace_id, expectation.trace_id) and call.trace_id != expectation.trace_id
