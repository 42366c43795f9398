"""How a run is told to stop: SIGTERM and SIGINT end it in order, and never in the middle of a record.

A signal's handler runs between any two steps of the main thread; raised while a record is written, it would leave a gap
in the journal that looks like lost evidence.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Any, final

__all__ = ["Interruption"]

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@final
class Interruption:
    """The handler of both signals, from ``install`` to ``restore``. Only for the main thread."""

    def __init__(self) -> None:
        self.reason: str | None = None
        """Which signal came; ``None`` while none did."""
        self._held = False
        self._pending = False
        self._previous: dict[signal.Signals, Any] = {}

    def install(self) -> None:
        """Takes both signals."""
        for number in _SIGNALS:
            self._previous[number] = signal.signal(number, self._arrived)

    def restore(self) -> None:
        """Gives both signals back. Safe to call twice."""
        while self._previous:
            signal.signal(*self._previous.popitem())

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Lets a signal that comes in the meantime take effect at the end: ``KeyboardInterrupt`` is raised then."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._pending:
            self._pending = False
            raise KeyboardInterrupt(self.reason)

    def _arrived(self, number: int, _frame: FrameType | None) -> None:
        self.reason = signal.Signals(number).name
        if self._held:
            self._pending = True
            return
        raise KeyboardInterrupt(self.reason)
