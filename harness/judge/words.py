"""How the judge puts counts and lists of ids into a sentence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["counted", "some_of"]

_SHOWN: Final = 3


def counted(number: int, noun: str) -> str:
    """Returns ``1 check``, ``2 checks``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def some_of(ids: Iterable[str]) -> str:
    """Returns the first few of ``ids`` for a sentence, and how many more there are."""
    listed = list(ids)
    more = len(listed) - _SHOWN
    return ", ".join(listed[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
