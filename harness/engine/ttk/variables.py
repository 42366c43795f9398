"""Placeholders of TTK collections: what becomes of ``{$inputs.K}``, ``{$prev.REQ.path}``, ``{$request.path}``, …?

They stand in any text of a request, scripts and assertions included. A value goes in as text, and only into the text it
stands in: whatever it holds, the request stays well-formed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, final

from harness.engine.ttk.values import ABSENT, get_path, is_falsy, js_text
from harness.fspiop.dates import http_date, iso_ms
from harness.fspiop.ids import new_ulid, new_uuid

__all__ = ["FUNCTIONS", "Sources", "fill_early", "fill_path", "fill_request", "fill_values", "unresolved"]

_PLACEHOLDER = re.compile(r"\{\$([^}]+)\}")
_PATH_PARAMETER = re.compile(r"\{([^}]+)\}")

FUNCTIONS: Mapping[str, Callable[[], str]] = {
    "generic.curDate": http_date,
    "generic.curDateISO": iso_ms,
    "generic.generateUUID": new_uuid,
    "generic.generateID": new_ulid,
    "generic.generateULID": new_ulid,
}
"""The functions in use in the official suites. The reference engine's ``generateID`` gives a ULID: see its reports."""


@final
@dataclass(frozen=True, slots=True)
class Sources:
    """Where the first replacement takes its values from.

    ``previous`` holds, by request id, the case's earlier requests: ``request``, ``response``, ``callback``.
    """

    inputs: Mapping[str, Any]
    previous: Mapping[str, Any] = field(default_factory=dict)
    functions: Mapping[str, Callable[[], str]] = field(default_factory=lambda: FUNCTIONS)


def fill_early(document: Any, sources: Sources) -> Any:
    """Returns ``document`` after the replacement that comes before the pre-request script.

    Functions, earlier requests, the request itself and inputs; then the request itself once more, as it has become. An
    input or earlier value that is falsy or absent leaves its placeholder, and so does one that is misspelt.
    """

    def value_of(name: str) -> Any:
        source, _, rest = name.partition(".")
        match source:
            case "function":
                function = sources.functions.get(rest)
                return ABSENT if function is None else function()
            case "prev":
                ident, _, path = rest.partition(".")
                return _truthy(get_path(sources.previous.get(ident, ABSENT), path) if path else ABSENT)
            case "request":
                value = get_path(document, rest)
                # What still holds placeholders is taken in the second round, when they are filled.
                return ABSENT if unresolved(value) else _truthy(value)
            case "inputs":
                return _truthy(sources.inputs.get(rest, ABSENT))
            case _:
                return ABSENT

    return fill_request(_replace(document, value_of))


def fill_request(document: Any) -> Any:
    """Returns ``document`` with each ``{$request.path}`` replaced by what stands there in it."""
    return fill_values(document, "request", document)


def fill_values(document: Any, source: str, values: Any) -> Any:
    """Returns ``document`` with ``{$source.path}`` replaced by what ``path`` leads to in ``values``.

    Only what is absent leaves its placeholder: null, false and 0 go in as text. This is the rule of ``environment`` and
    ``requestVariables``, after the pre-request script.
    """

    def value_of(name: str) -> Any:
        given, _, path = name.partition(".")
        return get_path(values, path) if given == source else ABSENT

    return _replace(document, value_of)


def fill_path(operation_path: str, params: Mapping[str, Any] | None) -> str:
    """Returns ``operation_path`` with ``{Name}`` replaced from ``params``; a falsy or absent one is left as it is."""

    def replacement(match: re.Match[str]) -> str:
        value = (params or {}).get(match[1], ABSENT)
        return match[0] if is_falsy(value) else js_text(value)

    return _PATH_PARAMETER.sub(replacement, operation_path)


def unresolved(document: Any) -> list[str]:
    """Returns the placeholders that still stand in ``document``, each once, in order: ``{$inputs.amount}``."""
    found: dict[str, None] = {}

    def note(name: str) -> Any:
        found[f"{{${name}}}"] = None
        return ABSENT

    _replace(document, note)
    return list(found)


def _truthy(value: Any) -> Any:
    return ABSENT if is_falsy(value) else value


def _replace(document: Any, value_of: Callable[[str], Any]) -> Any:
    """Returns a copy of ``document`` in which every text, keys included, has its placeholders replaced once."""

    def replacement(match: re.Match[str]) -> str:
        value = value_of(match[1])
        return match[0] if value is ABSENT else js_text(value)

    def walk(node: Any) -> Any:
        if isinstance(node, str):
            return _PLACEHOLDER.sub(replacement, node) if "{$" in node else node
        if isinstance(node, Mapping):
            return {walk(key): walk(value) for key, value in node.items()}
        if isinstance(node, list | tuple):
            return [walk(item) for item in node]
        return node

    return walk(document)
