"""Which case does a call of the hub belong to that nobody waited for? The only one that is about its resource.

Without that, a hub that tells a DFSP twice would be seen in the journal only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from harness.model.records import InboundNoted

__all__ = ["owners"]

# What names one resource of one case: a UUID (RFC 9562) or a ULID, both of which FSPIOP allows as ids.
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-7][0-9a-hjkmnp-tv-z]{25}\b", re.IGNORECASE)


def owners(
    notes: Iterable[InboundNoted], exchanges: Mapping[str, Mapping[str, Any]]
) -> Callable[[InboundNoted], str | None]:
    """Returns a function from a note to its case: its own, else the only case whose exchanges name its resource."""
    wanted = {found for note in notes if note.case is None for found in _ids(note.path)}
    cases: dict[str, set[str]] = {}
    for exchange in exchanges.values() if wanted else ():
        for found in wanted.intersection(_named(exchange)):
            cases.setdefault(found, set()).add(str(exchange.get("case") or ""))

    def owner(note: InboundNoted) -> str | None:
        if note.case is not None:
            return note.case
        possible = set().union(*(cases.get(found, set()) for found in _ids(note.path)))
        return possible.pop() if len(possible) == 1 else None

    return owner


def _ids(text: str) -> list[str]:
    return [found.lower() for found in _ID.findall(text[:2_000])]


def _named(exchange: Mapping[str, Any]) -> Iterator[str]:
    for name, place in (("request", "url"), ("callback", "path")):
        part = exchange.get(name)
        if isinstance(part, Mapping):
            yield from _ids(str(part.get(place) or ""))
            body = part.get("body")
            for value in body.values() if isinstance(body, Mapping) else ():
                if isinstance(value, str) and len(value) <= 36:
                    yield from _ids(value)
