"""How money is written in FSPIOP (data type Amount) and held here: a Decimal, never a float."""

from __future__ import annotations

import re
from decimal import Decimal

__all__ = ["AMOUNT_PATTERN", "format_amount", "is_amount", "parse_amount"]

AMOUNT_PATTERN = r"(0|[1-9]\d{0,17})(\.\d{0,3}[1-9])?"
"""At most 18 digits before the point and four after it, no leading and no trailing zero."""

_AMOUNT = re.compile(AMOUNT_PATTERN, re.ASCII)


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
