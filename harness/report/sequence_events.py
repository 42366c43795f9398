"""Who called whom with what in one case? Its exchanges and the hub's other calls as a list of events, in order.

A case may have hundreds of exchanges, and a hub that runs wild may call a thousand times: what went as it should is
folded first, and what is folded is counted.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from harness.model.records import InboundNoted, StepFinished
from harness.report.fate import Standing, check_fate
from harness.report.stories import CaseStory, StepStory
from harness.report.text import one_line

__all__ = ["HARNESS", "HUB", "STEPS_AT_MOST", "Event", "Gap", "Kind", "Row", "StepHead", "events_of"]

HARNESS: Final = "harness"
"""Who sends what no DFSP signs for: administration, health."""
HUB: Final = "hub"
"""Who calls where no exchange tells which service it was."""
STEPS_AT_MOST: Final = 40
NOTES_AT_MOST: Final = 24
_LONGEST: Final = 160
_KEPT_IN_FRONT: Final = 3
_LONG_ID: Final = re.compile(r"\b([0-9a-f]{8})(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)


class Kind(StrEnum):
    """What an event is, and so how it is drawn."""

    REQUEST = "request"
    RESPONSE = "response"
    CALLBACK = "callback"
    ABSENT = "absent"
    """Was to come, and did not."""
    STRAY = "stray"
    """A call of the hub that no exchange took: late, duplicate, unexpected, …"""


@dataclass(frozen=True, slots=True)
class Event:
    """One message, or its absence."""

    kind: Kind
    sender: str
    receiver: str
    text: str
    after_ms: float | None = None
    """Since the case's first exchange; ``None`` where nobody noted the time."""
    bad: bool = False
    """Whether it carries an error. In a negative test that is as it should be."""
    tags: tuple[str, ...] = ()
    """What is out of the ordinary, in words: ``late``, ``duplicate``, ``sent again``."""


@dataclass(frozen=True, slots=True)
class StepHead:
    """Where a step begins, and what its checks showed."""

    number: int
    label: str
    checks: str
    failed: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """What is not drawn."""

    text: str


Row = Event | StepHead | Gap


@dataclass(frozen=True, slots=True)
class _Drawn:
    head: StepHead
    events: tuple[Event, ...]

    @property
    def telling(self) -> bool:
        return self.head.failed or any(event.tags or event.kind is Kind.ABSENT for event in self.events)


def events_of(case: CaseStory, exchanges: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """Returns the case from top to bottom. Strings are on one line, free of control characters, and bounded."""
    found = [_of(step.record, exchanges) for step in case.steps]
    start = next((moment for exchange in found if (moment := _moment(exchange.get("started_at"))) is not None), None)
    special = {(note.kind, note.path, note.received_at) for note in case.inbound}
    seen: Counter[tuple[str, str, str]] = Counter()
    drawn: list[_Drawn] = []
    before: tuple[str, str, str] | None = None
    for number, (step, exchange) in enumerate(zip(case.steps, found, strict=True), start=1):
        events: tuple[Event, ...] = ()
        if step.record is not None:
            key = _identity(step.record, exchange)
            seen[key] += 1
            again = seen[key] > 1 and (key[0] != "GET" or key == before)
            before = key
            events = tuple(_exchange(step.record, exchange, start, special, seen[key] if again else 0))
        drawn.append(_Drawn(_head(number, step), events))
    components = {step.record.step: step.record.component for step in case.steps if step.record}
    strays = [
        _stray(note, components.get(note.step or "", ""), start) for note in case.inbound if note.kind not in _TAGGED
    ]
    return _placed(_folded(drawn), strays)


# -- one exchange ------------------------------------------------------------------------------------------------------

_TAGGED: Final = ("early", "misdirected")
"""Notes on calls that were delivered all the same: they mark an arrow instead of making one."""


def _exchange(
    record: StepFinished,
    exchange: Mapping[str, Any],
    start: float | None,
    special: set[tuple[str, str, str]],
    again: int,
) -> Iterator[Event]:
    request, response, callback = (_part(exchange, name) for name in ("request", "response", "callback"))
    headers = _headers(request)
    sender, service = _name(headers.get("fspiop-source"), HARNESS), _name(record.component, HUB)
    method, _, template = record.operation.partition(" ")
    sent = _since(_moment(exchange.get("started_at")), start)
    what = f"{_word(request.get('method') or method)} {_path(request.get('url') or record.url) or template}"
    tags = (f"sent again, {_ordinal(again)} time",) if again else ()
    yield Event(Kind.REQUEST, sender, service, _short(what), sent, tags=tags)

    answered = []
    called_back = bool(callback) or record.callback_received
    error = one_line(f"{record.error_code} {record.error_text}"[:_LONGEST])
    status = response.get("status", record.status)
    latency = None if status is None else _number(response.get("latency_ms", record.latency_ms))
    if status is not None:
        # The journal has the error of the callback or, where none came, of the response.
        said = "" if called_back else error
        text = f"{_word(status)} {_word(response.get('reason'))}".rstrip()
        bad = (_number(status) or 0) >= 400 or bool(said)
        text = " · ".join(part for part in (text, said, _took(latency)) if part)
        answered.append(Event(Kind.RESPONSE, service, sender, _short(text), _plus(sent, latency), bad=bad))
    else:
        why = record.error or "nothing came back"
        answered.append(Event(Kind.ABSENT, service, sender, _short(f"no response: {why}"), bad=True))

    if called_back:
        given = _headers(callback)
        target = _name(given.get("fspiop-destination"), sender)
        came = _number(callback.get("latency_ms", record.callback_ms))
        moment = _since(_moment(callback.get("received_at")), start)
        what = f"{_word(callback.get('method'))} {_path(callback.get('path'))}".strip() or "callback"
        text = " · ".join(part for part in (what, error, _took(came)) if part)
        marks = [
            kind for kind in _TAGGED if (kind, str(callback.get("path")), str(callback.get("received_at"))) in special
        ]
        if came is not None and latency is not None and came < latency:
            marks.append("before its response")
        event = Event(
            Kind.CALLBACK, service, target, _short(text), _plus(sent, came) if came is not None else moment,
            bad=bool(error), tags=tuple(marks),
        )  # fmt: skip
        answered.insert(0 if "before its response" in marks else 1, event)
    elif record.callback_awaited and (status is None or (_number(status) or 0) < 400):
        why = record.error if record.error_kind == "callback-timeout" else ""
        answered.append(Event(Kind.ABSENT, service, sender, _short(why or "no callback came"), bad=True))
    yield from answered


def _stray(note: InboundNoted, component: str, start: float | None) -> Event:
    """``note`` as an event. Its source is who speaks through the hub; what arrives comes from the hub."""
    source = f" from {one_line(note.source[:_LONGEST])}" if note.source else ""
    return Event(
        Kind.STRAY,
        _name(component, ""),
        _name(note.destination, "nobody known"),
        _short(f"{_word(note.method)} {_path(note.path)}{source}"),
        _since(_moment(note.received_at), start),
        tags=(_word(note.kind).replace("-", " "),),
    )


def _head(number: int, step: StepStory) -> StepHead:
    counts = Counter(check_fate(check).standing for check in step.checks)
    parts = [f"{counts[one]} {one.word}" for one in sorted(Standing, reverse=True) if counts[one]]
    failed = counts[Standing.FAILED] > 0 or counts[Standing.BROKEN] > 0
    return StepHead(number, _short(step.label) or "unnamed", ", ".join(parts) or "no checks", failed)


def _identity(record: StepFinished, exchange: Mapping[str, Any]) -> tuple[str, str, str]:
    """What makes two requests the same one, sent again: method, URL and body."""
    request = _part(exchange, "request")
    if not request:
        return "", record.step, ""
    return (
        str(request.get("method")),
        str(request.get("url")),
        json.dumps(request.get("body"), sort_keys=True, default=str),
    )


# -- the whole ---------------------------------------------------------------------------------------------------------


def _folded(steps: Sequence[_Drawn]) -> list[_Drawn | Gap]:
    """Returns at most ``STEPS_AT_MOST`` steps: those that tell something first, with the one before each."""
    count = len(steps)
    if count <= STEPS_AT_MOST:
        return list(steps)
    telling = [index for index, step in enumerate(steps) if step.telling]
    wanted = [*telling, *(index - 1 for index in telling if index), *range(_KEPT_IN_FRONT), count - 1, *range(count)]
    kept = set(list(dict.fromkeys(wanted))[:STEPS_AT_MOST])
    folded: list[_Drawn | Gap] = []
    left: list[_Drawn] = []
    for index, step in enumerate(steps):
        if index not in kept:
            left.append(step)
            continue
        if left:
            folded.append(_gap(left))
            left = []
        folded.append(step)
    return [*folded, _gap(left)] if left else folded


def _gap(steps: Sequence[_Drawn]) -> Gap:
    wrong = sum(step.telling for step in steps)
    which = f"{wrong} of them failed or out of the ordinary" if wrong else "none failed"
    one = len(steps) == 1
    return Gap(f"… {len(steps)} more {'step' if one else 'steps'}, not drawn: {which}")


def _placed(steps: Iterable[_Drawn | Gap], strays: Sequence[Event]) -> list[Row]:
    """Puts each stray call after the last event that is not later than it."""
    rows: list[Row] = []
    for step in steps:
        rows.extend([step] if isinstance(step, Gap) else [step.head, *step.events])
    ordered = sorted(strays, key=lambda one: (one.after_ms is None, one.after_ms or 0.0))
    for event in reversed(ordered[:NOTES_AT_MOST]):
        place = len(rows)
        if event.after_ms is not None:
            earlier = [
                index
                for index, row in enumerate(rows)
                if isinstance(row, Event)
                and row.kind is not Kind.STRAY
                and row.after_ms is not None
                and row.after_ms <= event.after_ms
            ]
            place = earlier[-1] + 1 if earlier else place
        rows.insert(place, event if event.sender else replace(event, sender=_service_before(rows[:place])))
    if left := ordered[NOTES_AT_MOST:]:
        kinds = Counter(" ".join(event.tags) for event in left)
        told = ", ".join(f"{number:,} {kind}" for kind, number in sorted(kinds.items()))
        rows.append(Gap(f"… {len(left):,} more calls out of the ordinary, not drawn: {told}"))
    return rows


def _service_before(rows: Sequence[Row]) -> str:
    """The service of the exchange that came last: where nothing says who called, that one is the most likely."""
    requests = (row.receiver for row in reversed(rows) if isinstance(row, Event) and row.kind is Kind.REQUEST)
    return next(requests, HUB)


# -- words, from whatever was recorded ---------------------------------------------------------------------------------


def _of(record: StepFinished | None, exchanges: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    exchange = exchanges.get(record.exchange) if record and record.exchange else None
    return exchange if isinstance(exchange, Mapping) else {}


def _part(exchange: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = exchange.get(name)
    return part if isinstance(part, Mapping) else {}


def _headers(part: Mapping[str, Any]) -> dict[str, Any]:
    headers = part.get("headers")
    return {str(name).lower(): value for name, value in headers.items()} if isinstance(headers, Mapping) else {}


def _name(value: Any, otherwise: str) -> str:
    return (one_line(value[:_LONGEST]) if isinstance(value, str) else "") or otherwise


def _word(value: Any) -> str:
    return "" if value is None else one_line(str(value)[:40])


def _short(text: str) -> str:
    line = one_line(text[: 4 * _LONGEST])
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _path(url: Any) -> str:
    """The path with its query, for the host says nothing that the receiver's name does not. Ids are shortened."""
    text = _LONG_ID.sub(r"\1…", str(url or "")[: 4 * _LONGEST])
    try:
        parts = urlsplit(text)
    except ValueError:
        return text
    return (parts.path + (f"?{parts.query}" if parts.query else "")) if parts.path else text


def _moment(value: Any) -> float | None:
    """Milliseconds since 1970."""
    try:
        parsed = datetime.fromisoformat(str(value))
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() * 1000
    except (ValueError, OverflowError, OSError):
        return None


def _since(moment: float | None, start: float | None) -> float | None:
    return None if moment is None or start is None else moment - start


def _plus(moment: float | None, more: float | None) -> float | None:
    return moment if moment is None or more is None else moment + more


def _number(value: Any) -> float | None:
    number = float(value) if isinstance(value, int | float) and abs(value) < 1e15 else None
    return None if number is None or number != number else number


def _took(milliseconds: float | None) -> str:
    if milliseconds is None:
        return ""
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 10_000 else f"{milliseconds:.0f} ms"


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
