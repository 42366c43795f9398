"""Was the night told to stop? SIGTERM and SIGINT are noted, not raised: what cleans up is never cut off by them."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any, Self, final

__all__ = ["Stop"]

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@final
class Stop:
    """Both signals, as a word that is looked at between steps. A context manager, for the main thread."""

    def __init__(self) -> None:
        self.reason = ""
        """Which signal came; empty while none did."""
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            self._previous[number] = signal.signal(number, self._arrived)
        return self

    def __exit__(self, *_: object) -> None:
        while self._previous:
            signal.signal(*self._previous.popitem())

    def _arrived(self, number: int, _frame: FrameType | None) -> None:
        self.reason = self.reason or signal.Signals(number).name
