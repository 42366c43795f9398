"""Where in a JSON text is it? Parses strictly (no duplicate keys, no NaN) and finds line and column of any place.

Positions are worked out only once something is wrong: the usual way is the plain, fast decoder.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Never

from harness.errors import CollectionError

__all__ = ["JsonPath", "place_of", "read_json"]

JsonPath = tuple[str | int, ...]
_SPACE = " \t\n\r"
_DECODER = json.JSONDecoder()
_BRACKETS = re.compile(r'"(?:\\.|[^"\\])*"|[\[{]|[\]}]', re.DOTALL)
_HALF_PAIR = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


class _RefusedError(ValueError):
    pass


def read_json(file: Path) -> tuple[Any, str]:
    """Returns the value in ``file`` and its text. Raises ``CollectionError`` with line and column of what is wrong."""
    try:
        data = file.read_bytes()
    except OSError as problem:
        raise CollectionError(f"cannot be read: {problem.strerror or problem}", file=file) from problem
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        place = _line_column(data[: problem.start].decode("utf-8-sig", "replace") + "?", -1)
        raise CollectionError(
            f"is not UTF-8: byte {problem.start}", file=file, place=place, remedy="Save the file as UTF-8"
        ) from problem
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except json.JSONDecodeError as problem:
        place = f"line {problem.lineno}, column {problem.colno}"
        raise CollectionError(f"is not JSON: {problem.msg}", file=file, place=place) from problem
    except _RefusedError as problem:
        raise CollectionError(str(problem), file=file, place=_first_refused(text)) from problem
    except RecursionError as problem:
        raise CollectionError("is nested too deeply", file=file, place=_deepest(text)) from problem
    except ValueError as problem:
        place = _longest_number(text)
        raise CollectionError("holds a number of too many digits", file=file, place=place) from problem
    if half := _HALF_PAIR.search(text):
        _refuse_half_pairs(value, file, _line_column(text, half.start()))
    return value, text


def place_of(text: str, path: JsonPath) -> str:
    """Returns ``line 3, column 7 ($.test_cases[0].name)``: where the value at ``path`` begins.

    Where the path leads nowhere, the place is that of the last value on the way.
    """
    best = 0
    # What json read may still be too deep to walk: then the place is the last one reached.
    with contextlib.suppress(RecursionError):
        for found, offset in _walk(text):
            if path[: len(found)] == found:
                best = offset
            if found == path:
                break
    return f"{_line_column(text, best)} ({_written(path)})"


def _written(path: JsonPath) -> str:
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)


def _line_column(text: str, offset: int) -> str:
    offset = offset if offset >= 0 else len(text) + offset
    line = text.count("\n", 0, offset) + 1
    column = offset - (text.rfind("\n", 0, offset) + 1) + 1
    return f"line {line}, column {column}"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _RefusedError(f"has the key {key!r} twice in one object")
            seen.add(key)
    return found


def _refuse(name: str) -> Never:
    raise _RefusedError(f"holds {name}, which is no JSON value")


def _first_refused(text: str) -> str:
    seen: set[JsonPath] = set()
    offset = 0
    with contextlib.suppress(RecursionError):
        for path, offset in _walk(text):
            if path in seen or text.startswith(("NaN", "Infinity", "-Infinity"), offset):
                break
            seen.add(path)
    return _line_column(text, offset)


def _deepest(text: str) -> str:
    depth = most = offset = 0
    for token in _BRACKETS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth > most:
            most, offset = depth, token.start()
    return _line_column(text, offset)


def _longest_number(text: str) -> str:
    longest = max(re.finditer(r"\d+", text), key=lambda digits: len(digits[0]))
    return _line_column(text, longest.start())


def _refuse_half_pairs(value: Any, file: Path, place: str) -> None:
    # A lone surrogate can be written to no journal and no report.
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as problem:
        message = "holds half of a surrogate pair, which is no character"
        raise CollectionError(message, file=file, place=place) from problem


def _walk(text: str) -> Iterator[tuple[JsonPath, int]]:
    """Yields each value's path and offset, in the order of the text, which must be JSON."""
    return _values(text, _skip(text, 0), (), [0])


def _values(text: str, at: int, path: JsonPath, end: list[int]) -> Iterator[tuple[JsonPath, int]]:
    yield path, at
    opening = text[at]
    if opening not in "{[":
        end[0] = _DECODER.raw_decode(text, at)[1]
        return
    closing = "}" if opening == "{" else "]"
    at = _skip(text, at + 1)
    count = 0
    while text[at] != closing:
        step: str | int = count
        if opening == "{":
            step, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        yield from _values(text, at, (*path, step), end)
        at = _skip(text, end[0])
        if text[at] == ",":
            at = _skip(text, at + 1)
        count += 1
    end[0] = at + 1


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] and text[at] in _SPACE:
        at += 1
    return at
