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
        self, size_of: Callable[[T], int], *, entries: int = 5_000, octets: int = 16 << 20, dfsps: int = 256
    ) -> None:
        self._size_of = size_of
        self._entries = entries
        self._octets = octets
        self._dfsps = dfsps
        self._rings: OrderedDict[str, deque[T]] = OrderedDict()
        self._sizes: dict[str, int] = {}

    def add(self, fsp: str, entry: T) -> None:
        """Appends ``entry`` to what is known of ``fsp``."""
        ring = self._rings.setdefault(fsp, deque())
        self._rings.move_to_end(fsp)
        ring.append(entry)
        size = self._sizes.get(fsp, 0) + self._size_of(entry)
        while len(ring) > 1 and (len(ring) > self._entries or size > self._octets):
            size -= self._size_of(ring.popleft())
        self._sizes[fsp] = size
        if len(self._rings) > self._dfsps:
            oldest, _ = self._rings.popitem(last=False)
            del self._sizes[oldest]

    def of(self, fsp: str) -> tuple[T, ...]:
        """Returns the entries of ``fsp``, oldest first."""
        return tuple(self._rings.get(fsp, ()))
