"""When is a regression opened, and when closed? The figures that a Scheme may set otherwise, with their defaults.

What they mean, and where they are from: ``docs/history.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, final

from harness.errors import UsageError
from harness.judge.baseline import RUNS_FOR_A_RATE
from harness.judge.rates import Repeats

__all__ = ["CLEAN_NIGHTS", "DEFAULT_RULES", "NIGHTS_FOR_A_RATE", "HistoryRules"]

NIGHTS_FOR_A_RATE: Final = 14
"""With fewer nights of a release that say something of a check, it is compared exactly; with more, as a rate."""

CLEAN_NIGHTS: Final = 3
"""So many nights in a row must a check pass before its regression is closed."""


@final
@dataclass(frozen=True, slots=True)
class HistoryRules:
    """When a regression is opened and closed. Raises ``UsageError`` for senseless values."""

    nights_for_a_rate: int = NIGHTS_FOR_A_RATE
    clean_nights: int = CLEAN_NIGHTS
    repeats: Repeats = field(default_factory=Repeats)
    """Confidence of the test, and how few failures are never a regression by their rate."""

    def __post_init__(self) -> None:
        if self.nights_for_a_rate < RUNS_FOR_A_RATE:
            raise UsageError(
                f"{self.nights_for_a_rate} nights are too few for a rate", remedy=f"Give {RUNS_FOR_A_RATE} or more"
            )
        if self.clean_nights < 1:
            raise UsageError("a regression that no clean night closes is never closed", remedy="Give 1 or more")


DEFAULT_RULES: Final = HistoryRules()
