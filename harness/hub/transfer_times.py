"""When does a transfer expire, and when may a DFSP say that it completed one?

The check of completedTimestamp is that of ml-api-adapter.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import final

from harness.fspiop.dates import parse_iso
from harness.fspiop.errors import FspiopError
from harness.hub.faults import Fault

__all__ = ["Deadlines", "check_completed", "expires_at"]

_MAX_AGE = timedelta(seconds=300)
"""MAX_FULFIL_TIMEOUT_DURATION_SECONDS of ml-api-adapter's config/default.json."""

_MAX_LEAD = timedelta(milliseconds=200)
"""MAX_CALLBACK_TIME_LAG_DILATION_MILLISECONDS there: how far a DFSP's clock may be ahead."""


@final
class Deadlines:
    """When which transfer or conversion expires. ``is_open`` tells whether it still can: one that ended never does."""

    def __init__(self, is_open: Callable[[str], bool]) -> None:
        self._is_open = is_open
        self._heap: list[tuple[datetime, str]] = []

    def add(self, moment: datetime, ident: str) -> None:
        """Notes that ``ident`` expires at ``moment``."""
        heapq.heappush(self._heap, (moment, ident))

    def due(self, now: datetime) -> Iterator[str]:
        """Yields, and forgets, those whose moment has come and that are open when it is their turn."""
        while self._heap and self._heap[0][0] <= now:
            ident = heapq.heappop(self._heap)[1]
            if self._is_open(ident):
                yield ident

    def next(self) -> datetime | None:
        """Returns when the next open one expires; ``None`` where none is open."""
        while self._heap and not self._is_open(self._heap[0][1]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None


def expires_at(text: str, now: datetime, time_scale: float) -> datetime:
    """Returns the moment in ``text``; in a dry run (``time_scale`` below 1) as much sooner as time runs faster.

    Raises ``ValueError`` where it is no date and time.
    """
    moment = parse_iso(text)
    return now + (moment - now) * time_scale if moment > now else moment


def check_completed(text: str | None, now: datetime) -> None:
    """Raises ``Fault`` 3100 where completedTimestamp lies ahead, or too far back."""
    if text is None:
        return
    try:
        moment = parse_iso(text)
    except ValueError as error:
        raise Fault(FspiopError.VALIDATION, "completedTimestamp is not a date and time") from error
    if moment > now + _MAX_LEAD:
        raise Fault(FspiopError.VALIDATION, "completedTimestamp fails because future timestamp was provided")
    if moment < now - _MAX_AGE:
        raise Fault(
            FspiopError.VALIDATION,
            "completedTimestamp fails because provided timestamp exceeded the maximum timeout duration",
        )
