"""How long does a pause of a collection last? As long as it says; in a dry run shorter, but not too short.

Collections pause where the hub needs time. A dry run shortens that by a factor, and a busy machine does not keep up:
so there a pause goes on, up to what was asked for, while something is still under way.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, final

__all__ = ["Pauses"]

_LOOK_S: Final = 0.05


@final
@dataclass(frozen=True, slots=True)
class Pauses:
    """Sleeps for a collection. ``silence_lasts`` tells whether nothing is under way for so many seconds."""

    time_scale: float = 1.0
    silence_lasts: Callable[[float], bool] | None = None

    def sleep(self, seconds: float) -> None:
        """Pauses for ``seconds``, as the collection counts them."""
        least = self.least_s(seconds)
        time.sleep(least)
        self.settle(seconds - least)

    def least_s(self, seconds: float) -> float:
        """Returns how long a pause of ``seconds`` lasts at least."""
        return seconds * self.time_scale

    def settle(self, most_s: float) -> None:
        """Waits until nothing is under way, at most for ``most_s`` seconds; at once where nobody tells."""
        if self.silence_lasts is None:
            return
        deadline = time.monotonic() + most_s
        while (left := deadline - time.monotonic()) > 0 and not self.silence_lasts(0.0):
            time.sleep(min(left, _LOOK_S))
