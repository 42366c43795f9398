"""What a check may demand of a value, and how it says so."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, final

__all__ = [
    "ABSENT",
    "Absent",
    "Matcher",
    "absent",
    "amount",
    "at_most",
    "contains",
    "equals",
    "matches",
    "one_of",
    "pick",
    "present",
]


@final
class Absent:
    """What stands where there is nothing: no callback, no such element. Equal to nothing but itself."""

    def __repr__(self) -> str:
        return "nothing"

    def __bool__(self) -> bool:
        return False


ABSENT = Absent()


@final
@dataclass(frozen=True, slots=True)
class Matcher:
    """A demand: ``relation`` is part of a check's fingerprint, ``expected`` what it is measured against."""

    relation: str
    expected: Any
    test: Callable[[Any], bool]

    def describe(self) -> str:
        """Returns for instance ``to equal 'COMMITTED'``."""
        return f"to {self.relation}" + ("" if self.expected is None else f" {self.expected!r}")


def equals(expected: Any) -> Matcher:
    """Equal, and of the same JSON type: ``1`` is neither ``"1"`` nor ``true``."""
    return Matcher("equal", expected, lambda actual: type(actual) is type(expected) and actual == expected)


def amount(expected: Decimal | str | int) -> Matcher:
    """The same amount of money, whether the hub writes it as text or as a number."""
    wanted = Decimal(expected)

    def test(actual: Any) -> bool:
        if isinstance(actual, bool) or not isinstance(actual, str | int | float | Decimal):
            return False
        try:
            return Decimal(str(actual)) == wanted
        except InvalidOperation:
            return False

    return Matcher("be the amount", str(wanted), test)


def contains(expected: str) -> Matcher:
    """Text that holds ``expected``."""
    return Matcher("contain", expected, lambda actual: isinstance(actual, str) and expected in actual)


def matches(pattern: str) -> Matcher:
    """Text that as a whole fits the regular expression ``pattern``."""
    return Matcher(
        "match", pattern, lambda actual: isinstance(actual, str) and re.fullmatch(pattern, actual) is not None
    )


def one_of(expected: Collection[Any]) -> Matcher:
    """One of a few values."""
    return Matcher("be one of", list(expected), lambda actual: any(equals(value).test(actual) for value in expected))


def at_most(limit: float) -> Matcher:
    """A number no greater than ``limit``."""
    return Matcher(
        "be at most",
        limit,
        lambda actual: isinstance(actual, int | float) and not isinstance(actual, bool) and actual <= limit,
    )


def present() -> Matcher:
    """Anything that is there and not null."""
    return Matcher("be present", None, lambda actual: actual is not ABSENT and actual is not None)


def absent() -> Matcher:
    """Nothing there."""
    return Matcher("be absent", None, lambda actual: actual is ABSENT)


def pick(value: Any, path: str) -> Any:
    """Returns the element at ``path`` (``party.partyIdInfo.fspId``, ``list.0.key``), ``ABSENT`` where there is none."""
    for part in path.split("."):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return ABSENT
    return value
