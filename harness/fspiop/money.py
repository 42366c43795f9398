"""How money is written in FSPIOP (data type Amount) and held here: a Decimal, never a float."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

__all__ = ["AMOUNT_PATTERN", "currencies_in", "format_amount", "is_amount", "parse_amount"]

AMOUNT_PATTERN = r"(0|[1-9]\d{0,17})(\.\d{0,3}[1-9])?"
"""At most 18 digits before the point and four after it, no leading and no trailing zero."""

_AMOUNT = re.compile(AMOUNT_PATTERN, re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_DEPTH = 6


def is_amount(text: object) -> bool:
    """Whether ``text`` is an Amount as FSPIOP writes it."""
    return isinstance(text, str) and _AMOUNT.fullmatch(text) is not None


def parse_amount(text: str) -> Decimal:
    """Returns the amount in major units. Raises ``ValueError`` where ``text`` is not an Amount."""
    if not is_amount(text):
        raise ValueError(f"not an FSPIOP amount: {text!r}")
    return Decimal(text)


def format_amount(value: Decimal) -> str:
    """Returns ``value`` as FSPIOP writes it, ``100.50`` as ``100.5``. Raises ``ValueError`` where it cannot be."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if not is_amount(text):
        raise ValueError(f"cannot be written as an FSPIOP amount: {value}")
    return text


def currencies_in(body: Any) -> list[str]:
    """Returns the currencies that a message is about, sorted: every element ``currency`` (data type Currency)."""
    found: set[str] = set()
    waiting: list[tuple[Any, int]] = [(body, 0)]
    while waiting:
        part, depth = waiting.pop()
        if isinstance(part, dict):
            value = part.get("currency")
            if isinstance(value, str) and _CURRENCY.fullmatch(value):
                found.add(value)
        if depth < _DEPTH and isinstance(part, dict | list):
            waiting += [(item, depth + 1) for item in (part.values() if isinstance(part, dict) else part)]
    return sorted(found)
