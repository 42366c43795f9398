"""What the hub sent to each DFSP, and what each sent to it, in order: bounded in number and in octets."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Generic, TypeVar, final

__all__ = ["Log"]

T = TypeVar("T")


@final
class Log(Generic[T]):
    """One ring of entries per DFSP. The oldest entry goes first; so does the DFSP that was silent longest."""

    def __init__(
        self, size_of: Callable[[T], int], *, entries: int = 5_000, octets: int = 64 << 20, dfsps: int = 256
    ) -> None:
        """``entries`` counts per DFSP, ``octets`` for all of them together."""
        self._size_of = size_of
        self._entries = entries
        self._octets = octets
        self._dfsps = dfsps
        self._size = 0
        self._rings: OrderedDict[str, deque[T]] = OrderedDict()

    def add(self, fsp: str, entry: T) -> None:
        """Appends ``entry`` to what is known of ``fsp``."""
        ring = self._rings.setdefault(fsp, deque())
        self._rings.move_to_end(fsp)
        ring.append(entry)
        self._size += self._size_of(entry)
        if len(ring) > self._entries:
            self._drop(fsp)
        while len(self._rings) > self._dfsps or (self._size > self._octets and (len(self._rings) > 1 or len(ring) > 1)):
            self._drop(next(iter(self._rings)))

    def of(self, fsp: str) -> tuple[T, ...]:
        """Returns the entries of ``fsp``, oldest first."""
        return tuple(self._rings.get(fsp, ()))

    def all(self) -> tuple[T, ...]:
        """Returns every entry, DFSP by DFSP."""
        return tuple(entry for ring in self._rings.values() for entry in ring)

    def _drop(self, fsp: str) -> None:
        ring = self._rings[fsp]
        self._size -= self._size_of(ring.popleft())
        if not ring:
            del self._rings[fsp]
