"""How is one exchange shown on a page? Its parts as text of bounded length, with a line to send it again.

Whatever is cut says how much of it was.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from harness.report.curl import curl_line

__all__ = ["ExchangeView", "Part", "exchange_view", "shortened", "shown"]

_TEXT_AT_MOST: Final = 4_000
_STRING_AT_MOST: Final = 400
_ITEMS_AT_MOST: Final = 20
_KEYS_AT_MOST: Final = 60
_DEPTH_AT_MOST: Final = 8
_CURL_AT_MOST: Final = 4_000


@dataclass(frozen=True, slots=True)
class Part:
    """Request, response or callback: one line of what it is, then headers and body."""

    title: str
    line: str
    text: str


@dataclass(frozen=True, slots=True)
class ExchangeView:
    """One exchange. ``curl`` is empty where the request was not recorded."""

    parts: tuple[Part, ...]
    curl: str
    error: str


def exchange_view(exchange: Mapping[str, Any]) -> ExchangeView:
    """Returns what a page shows of a line of ``exchanges.jsonl``, whatever that line holds."""
    request, response, callback = (_mapping(exchange.get(name)) for name in ("request", "response", "callback"))
    parts = []
    if request:
        parts.append(_part("Request", f"{_word(request.get('method'))} {_word(request.get('url'))}", request))
    if response:
        line = f"{_word(response.get('status'))} {_word(response.get('reason'))}{_took(response)}"
        parts.append(_part("Response", line, response))
    if callback:
        line = f"{_word(callback.get('method'))} {_word(callback.get('path'))}{_took(callback)}"
        parts.append(_part("Callback", line, callback))
    return ExchangeView(
        tuple(parts), curl_line(request, longest=_CURL_AT_MOST) if request else "", _word(exchange.get("error"))
    )


def shown(value: Any, length: int = _TEXT_AT_MOST) -> str:
    """Returns a value as indented JSON, a text as it is; shortened to about ``length`` characters."""
    if value is None or value == "":
        return ""
    short = shortened(value)
    text = short if isinstance(short, str) else _json(short, indent=2)
    return _cut(text, length)


def shortened(value: Any, depth: int = 0) -> Any:
    """Returns ``value`` with long texts, lists and objects cut, and what lies too deep left out; each says so."""
    match value:
        case str():
            return _cut(value, _STRING_AT_MOST if depth else _TEXT_AT_MOST)
        case Mapping():
            if depth >= _DEPTH_AT_MOST:
                return f"… an object of {len(value):,} keys"
            kept = list(value.items())[:_KEYS_AT_MOST]
            short = {_cut(str(key), 100): shortened(item, depth + 1) for key, item in kept}
            return short | ({"…": f"{len(value) - len(kept):,} more keys"} if len(kept) < len(value) else {})
        case list() | tuple():
            if depth >= _DEPTH_AT_MOST:
                return f"… a list of {len(value):,} items"
            items = [shortened(item, depth + 1) for item in value[:_ITEMS_AT_MOST]]
            return [*items, f"… {len(value) - _ITEMS_AT_MOST:,} more items"] if len(value) > _ITEMS_AT_MOST else items
        case float() if not math.isfinite(value):
            return str(value)
        case None | bool() | float():
            return value
        case int():
            return value if abs(value) < 10**40 else "… a number of more than 40 digits"
        case _:
            return _cut(str(value), _STRING_AT_MOST)


def _part(title: str, line: str, part: Mapping[str, Any]) -> Part:
    texts = ("\n".join(_headers(part)), shown(part.get("body")))
    return Part(title, line.strip(), _cut("\n\n".join(text for text in texts if text), 2 * _TEXT_AT_MOST))


def _headers(part: Mapping[str, Any]) -> Iterator[str]:
    headers = _mapping(part.get("headers"))
    for name, value in list(headers.items())[:_KEYS_AT_MOST]:
        yield f"{_cut(str(name), 100)}: {_word(value)}"
    if len(headers) > _KEYS_AT_MOST:
        yield f"… {len(headers) - _KEYS_AT_MOST:,} more headers"


def _took(part: Mapping[str, Any]) -> str:
    latency = part.get("latency_ms")
    return f" · after {latency:.1f} ms" if isinstance(latency, int | float) and abs(latency) < 1e12 else ""


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]} … {len(text) - length:,} more characters"


def _word(value: Any) -> str:
    return "" if value is None else _cut(str(value) if not isinstance(value, str) else value, _STRING_AT_MOST)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _json(value: Any, indent: int | None = None) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, indent=indent, default=str)
    except (ValueError, RecursionError) as problem:
        return f"… not shown: {problem}"
