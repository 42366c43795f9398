"""How is a case shown as a sequence diagram? Inline SVG: a lifeline for each who took part, an arrow for each message.

Kinds of message differ by line, arrow head and word, so that no colour is needed to tell them apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from rich.cells import cell_len

from harness.report.sequence_events import HARNESS, Event, Gap, Kind, Row, StepHead, events_of
from harness.report.stories import CaseStory
from harness.report.text import crop, elide, one_line

__all__ = ["SEQUENCE_CSS", "sequence_figure", "sequence_svg", "xml_text"]

SEQUENCE_CSS: Final = """
.sequence{font:11px/1 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;color:var(--ink,#1b1f24)}
.sequence .paper{fill:var(--paper,#fff)}
.sequence text{fill:currentColor;stroke:var(--paper,#fff);stroke-width:3px;paint-order:stroke;stroke-linejoin:round}
.sequence text{white-space:pre}
.sequence .who rect{fill:var(--raised,#f2f4f6);stroke:var(--line,#8a939d)}
.sequence .who text,.sequence .tag text{stroke:none}
.sequence .who text{font-weight:600;text-anchor:middle}
.sequence .life{stroke:var(--line,#8a939d);stroke-dasharray:1 4;fill:none}
.sequence .step path{stroke:var(--line,#8a939d);fill:none}
.sequence .step text{font-weight:600}
.sequence .time,.sequence .gap,.sequence .key{opacity:.75}
.sequence .time{text-anchor:end}
.sequence .end{text-anchor:end}
.sequence .m path{stroke:currentColor;stroke-width:1.4;fill:none}
.sequence .m .head{fill:currentColor}
.sequence .response .line{stroke-dasharray:5 3}
.sequence .response .head,.sequence .absent .head{fill:none}
.sequence .callback .line{stroke-width:2.8}
.sequence .absent .line{stroke-dasharray:1.5 4;stroke-width:2}
.sequence .stray .line{stroke-dasharray:9 3 2 3;stroke-width:2}
.sequence .bad{color:var(--bad,#b3261e)}
.sequence .tag rect{fill:none;stroke:currentColor;stroke-width:1.2}
.sequence .tag text{font-weight:700}
""".strip()
"""What a diagram needs to be seen as meant; ``sequence_svg`` carries it, a page with many figures has it once.

The page may set ``--ink --paper --raised --line --bad``.
"""

_DARK: Final = (
    "@media(prefers-color-scheme:dark){.sequence{--ink:#e6e9ec;--paper:#15181c;--raised:#22272d;--line:#79838e;"
    "--bad:#ff8a80}}"
)
_CELL: Final = 6.65
"""Width of a character of an 11 px monospaced font: 0.6 em, and a little for fonts that are wider."""
_GUTTER: Final = 66
_COLUMN: Final = 190
_WIDTH_AT_LEAST: Final = 640
_LIFELINES_AT_MOST: Final = 8
_OTHERS: Final = "others"
_TOP: Final = 44
_ROW: Final = 27
_STEP: Final = 33
_GAP: Final = 24
_KEY: Final = {
    Kind.REQUEST: "request",
    Kind.RESPONSE: "response",
    Kind.CALLBACK: "callback",
    Kind.ABSENT: "did not come",
    Kind.STRAY: "out of the ordinary",
}


def sequence_svg(case: CaseStory, exchanges: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns the diagram of ``case`` as an SVG document of its own: XML 1.0, readable in light and dark.

    The same case gives the same text. It draws 40 steps and 24 calls out of the ordinary at most, those that failed
    first, and says what it leaves out; so it is at most some 100 kB and 5,000 px high. ``exchanges`` are those of
    ``ReportInput``.
    """
    return _drawn(case, exchanges, f"<style>{escape(SEQUENCE_CSS, quote=False)}{_DARK}</style>")


def sequence_figure(case: CaseStory, exchanges: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns the same for a page that has ``SEQUENCE_CSS`` in its own style sheet."""
    return _drawn(case, exchanges, "")


def xml_text(text: str) -> str:
    """Returns ``text`` on one line, escaped for XML and HTML, without any character that XML 1.0 does not allow."""
    return escape(one_line(text).translate({0xFFFE: "\\ufffe", 0xFFFF: "\\uffff"}), quote=True)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Where everything stands."""

    names: tuple[str, ...]
    merged: frozenset[str]
    width: float
    column: float

    def x(self, name: str) -> float:
        """The middle of a lifeline."""
        shown = _OTHERS if name in self.merged else name
        return _GUTTER + self.column * (self.names.index(shown) + 0.5)


def _drawn(case: CaseStory, exchanges: Mapping[str, Mapping[str, Any]], style: str) -> str:
    rows = events_of(case, exchanges)
    sheet = _sheet([row for row in rows if isinstance(row, Event)])
    parts, height = [], float(_TOP)
    for row in rows:
        match row:
            case StepHead():
                parts.append(_step(row, sheet, height))
                height += _STEP
            case Event():
                parts.append("".join(_message(row, sheet, height)))
                height += _ROW
            case Gap():
                parts.append(f'<text class="gap" x="{_GUTTER}" y="{height + 14:g}">{xml_text(row.text)}</text>')
                height += _GAP
    if not rows:
        parts.append(f'<text class="gap" x="{_GUTTER}" y="{height + 14:g}">nothing of this case was recorded</text>')
        height += _GAP
    body = height + 6
    key = _key(rows, body + 18)
    height = body + (32 if key else 8)
    mark = "s" + hashlib.sha256(case.case.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sequence" role="img" aria-labelledby="{mark}t {mark}d" '
        f'width="{sheet.width:g}" height="{height:g}" viewBox="0 0 {sheet.width:g} {height:g}">'
        f'<title id="{mark}t">Sequence diagram: {xml_text(crop(case.title[:800], 200))}</title>'
        f'<desc id="{mark}d">{xml_text(_told(rows))}</desc>{style}'
        f'<rect class="paper" width="{sheet.width:g}" height="{height:g}"/>'
        f"{''.join(_lifelines(sheet, body))}{''.join(parts)}{key}</svg>"
    )


def _sheet(events: Sequence[Event]) -> _Sheet:
    """Payers stand on the left, the hub's services in the middle, who only receives on the right."""
    senders = dict.fromkeys(event.sender for event in events if event.kind is Kind.REQUEST)
    services = dict.fromkeys(
        event.receiver if event.kind is Kind.REQUEST else event.sender
        for event in events
        if (event.receiver if event.kind is Kind.REQUEST else event.sender) not in senders
    )
    targets = dict.fromkeys(
        event.receiver for event in events if event.receiver not in senders and event.receiver not in services
    )
    first = next(iter(senders), None)
    # A DFSP that sends after another one answers it: the payee, which stands on the other side.
    left = [name for name in senders if name in (first, HARNESS)]
    right = [name for name in senders if name not in left]
    ordered = [*left, *services, *right, *targets]
    merged = frozenset(ordered[_LIFELINES_AT_MOST - 1 :]) if len(ordered) > _LIFELINES_AT_MOST else frozenset()
    names = (*(name for name in ordered if name not in merged), *([_OTHERS] if merged else []))
    width = max(_WIDTH_AT_LEAST, _GUTTER + _COLUMN * len(names))
    return _Sheet(names, merged, width, (width - _GUTTER) / max(len(names), 1))


def _lifelines(sheet: _Sheet, bottom: float) -> Iterator[str]:
    for name in sheet.names:
        x = _others_x(sheet) if name == _OTHERS else sheet.x(name)
        label = f"{_OTHERS} ({len(sheet.merged)})" if name == _OTHERS else elide(name, int((sheet.column - 22) / _CELL))
        wide = max(cell_len(label) * _CELL + 16, 60)
        yield (
            f'<path class="life" d="M{x:g} 30V{bottom:g}"/><g class="who">'
            f'<rect x="{x - wide / 2:.1f}" y="8" width="{wide:.1f}" height="22" rx="3"/>'
            f'<text x="{x:g}" y="23">{xml_text(label)}</text></g>'
        )


def _others_x(sheet: _Sheet) -> float:
    return _GUTTER + sheet.column * (sheet.names.index(_OTHERS) + 0.5)


def _step(step: StepHead, sheet: _Sheet, y: float) -> str:
    checks = f"✕ {step.checks}" if step.failed else step.checks
    room = int((sheet.width - 24) / _CELL) - cell_len(checks) - 4
    label = crop(f"{step.number}. {step.label}", max(room, 12))
    right, css = sheet.width - 8, "end bad" if step.failed else "end"
    return (
        f'<g class="step"><path d="M8 {y + 7:g}H{right:g}"/><text x="8" y="{y + 22:g}">{xml_text(label)}</text>'
        f'<text class="{css}" x="{right:g}" y="{y + 22:g}">{xml_text(checks)}</text></g>'
    )


def _message(event: Event, sheet: _Sheet, y: float) -> Iterator[str]:
    start, end = sheet.x(event.sender), sheet.x(event.receiver)
    line = y + 19
    yield f'<g class="m {event.kind.value}{" bad" if event.bad else ""}">'
    if event.after_ms is not None:
        yield f'<text class="time" x="{_GUTTER - 8}" y="{line + 4:g}">{_clock(event.after_ms)}</text>'
    if start == end:
        yield f'<path class="line" d="M{start:g} {line - 6:g}h26v8h-20"/>'
        yield f'<path class="head" d="M{start + 10:g} {line - 2:g}l-8 4 8 4z"/>'
        start, end = start + 26, start + 26
    else:
        way = 1 if end > start else -1
        if event.kind is Kind.ABSENT:
            # It ends before it arrives, in a cross.
            stop = (start + 2 * end) / 3
            yield f'<path class="line" d="M{start:g} {line:g}H{stop:g}"/>'
            yield f'<path class="head" d="M{stop - 5:g} {line - 5:g}l10 10m0-10l-10 10"/>'
        else:
            yield f'<path class="line" d="M{start:g} {line:g}H{end - way * 2:g}"/>'
            closed = "" if event.kind is Kind.RESPONSE else "z"
            tail = end - way * 9
            yield (
                f'<path class="head" d="M{tail:g} {line - 4.5:g}L{end - way:g} {line:g}'
                f'L{tail:g} {line + 4.5:g}{closed}"/>'
            )
    yield from _words(event, sheet, min(start, end) + 9, max(start, end) - 9, line - 5)
    yield "</g>"


def _words(event: Event, sheet: _Sheet, left: float, right: float, y: float) -> Iterator[str]:
    """The tags and the text over an arrow: from its left end, or up to its right end where there is more room."""
    tags = [tag.upper() for tag in event.tags]
    tag_width = sum(cell_len(tag) * _CELL + 14 for tag in tags)
    text = f"✕ {event.text}" if event.bad else event.text
    needed = cell_len(text) * _CELL + tag_width
    x = left if left + needed <= sheet.width - 6 else max(min(right - needed, left), _GUTTER)
    for tag in tags:
        wide = cell_len(tag) * _CELL + 8
        yield (
            f'<g class="tag"><rect x="{x:.1f}" y="{y - 10:g}" width="{wide:.1f}" height="13" rx="2"/>'
            f'<text x="{x + 4:.1f}" y="{y:g}">{xml_text(tag)}</text></g>'
        )
        x += wide + 6
    room = int((sheet.width - 6 - x) / _CELL)
    yield f'<text x="{x:.1f}" y="{y:g}">{xml_text(crop(text, max(room, 8)))}</text>'


def _key(rows: Sequence[Row], y: float) -> str:
    used = {row.kind for row in rows if isinstance(row, Event)}
    x, parts = float(_GUTTER), []
    for kind, word in _KEY.items():
        if kind in used:
            head = (
                f'<path class="head" d="M{x + 23:g} {y - 8:g}l8 8m0-8l-8 8"/>'
                if kind is Kind.ABSENT
                else f'<path class="head" d="M{x + 22:g} {y - 8:g}l8 4l-8 4{"" if kind is Kind.RESPONSE else "z"}"/>'
            )
            long = 22 if kind is Kind.ABSENT else 28
            parts.append(
                f'<g class="m {kind.value}"><path class="line" d="M{x:g} {y - 4:g}h{long}"/>{head}'
                f'<text x="{x + 38:g}" y="{y:g}">{word}</text></g>'
            )
            x += 38 + cell_len(word) * _CELL + 22
    return f'<g class="key">{"".join(parts)}</g>' if parts else ""


def _told(rows: Sequence[Row]) -> str:
    """The diagram in words, for who listens."""
    said = []
    for row in rows:
        match row:
            case StepHead():
                said.append(f"Step {row.number}, {row.label}: {row.checks}.")
            case Event():
                tags = f" ({', '.join(row.tags)})" if row.tags else ""
                said.append(f"{_KEY[row.kind].capitalize()}{tags}, {row.sender} to {row.receiver}: {row.text}.")
            case Gap():
                said.append(row.text + ".")
    return " ".join(said) or "Nothing of this case was recorded."


def _clock(milliseconds: float) -> str:
    """Time since the case's first exchange, in at most eight characters."""
    whole = round(milliseconds)
    if abs(whole) < 10_000:
        return f"{whole:+d} ms" if whole else "0 ms"
    return f"{whole / 1000:+.1f} s" if abs(whole) < 10_000_000 else f"{whole / 3_600_000:+.1f} h"
