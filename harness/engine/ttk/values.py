"""JavaScript's view of JSON values: which are falsy, what text they become, and what a lodash path leads to."""

from __future__ import annotations

import math
import re
from typing import Any, Final, final

__all__ = ["ABSENT", "MARK", "Absent", "get_path", "is_falsy", "js_text", "merged"]


@final
class Absent:
    """The type of ``ABSENT``: JavaScript's ``undefined``."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()

MARK: Final = "$harness"
"""Key of an object that stands for a value which JSON does not have: NaN, an infinity, a date."""

_DEEP = re.compile(r"\.|\[(?:[^\[\]]*|([\"'])(?:(?!\1)[^\\]|\\.)*?\1)\]")
_PLAIN = re.compile(r"\w*")
_STEP = re.compile(
    r"[^.\[\]]+"
    r"|\[(?:(?P<number>-?\d+(?:\.\d+)?)|(?P<quote>[\"'])(?P<quoted>(?:(?!(?P=quote))[^\\]|\\.)*?)(?P=quote))\]"
    r"|(?=(?:\.|\[\])(?:\.|\[\]|$))"
)
_SAFE_INTEGER = 2**53


def is_falsy(value: object) -> bool:
    """Whether JavaScript takes ``value`` for false: absent, null, false, 0, NaN and the empty text."""
    if value is ABSENT or value is None or value is False or value == "":
        return True
    return isinstance(value, int | float) and (value == 0 or value != value)


def js_text(value: object) -> str:
    """Returns ``String(value)`` as JavaScript gives it (ECMA-262, section 7.1.17) for a JSON value."""
    if value is ABSENT:
        return "undefined"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return _number_text(value)
    if isinstance(value, dict) and MARK in value:
        return str(value.get("iso") or value[MARK])
    if isinstance(value, list | tuple):
        return ",".join("" if item is None else js_text(item) for item in value)
    return "[object Object]"


def _number_text(value: float) -> str:
    """ECMA-262, section 6.1.6.1.20: the shortest digits that read back, exponents only beyond 1e21 and below 1e-6."""
    if isinstance(value, int) and -_SAFE_INTEGER <= value <= _SAFE_INTEGER:
        return str(value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf if value > 0 else -math.inf
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0:
        return "0"
    mantissa, _, exponent = f"{abs(number)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole.lstrip("0")) if whole.strip("0") else -(len(fraction) - len(fraction.lstrip("0")))
    point += int(exponent or 0)
    digits = digits.rstrip("0")
    sign = "-" if number < 0 else ""
    if 0 < point <= 21:
        text = digits.ljust(point, "0") if len(digits) <= point else f"{digits[:point]}.{digits[point:]}"
    elif -6 < point <= 0:
        text = f"0.{'0' * -point}{digits}"
    else:
        power = point - 1
        text = f"{digits[0]}{'.' + digits[1:] if len(digits) > 1 else ''}e{'+' if power > 0 else '-'}{abs(power)}"
    return sign + text


def get_path(value: object, path: str) -> Any:
    """Returns what lodash's ``get(value, path)`` gives; ``ABSENT`` where it leads nowhere.

    A path that is itself a key of ``value`` is taken as that key, dots and all.
    """
    for key in _steps(value, path):
        if value is None or value is ABSENT:
            return ABSENT
        value = _member(value, key)
    return value


def _steps(value: object, path: str) -> list[str]:
    if _PLAIN.fullmatch(path) or not _DEEP.search(path) or (isinstance(value, dict) and path in value):
        return [path]
    steps = [""] if path.startswith(".") else []
    for match in _STEP.finditer(path):
        if match["quote"]:
            steps.append(re.sub(r"\\(\\)?", r"\1", match["quoted"]))
        else:
            steps.append(match["number"] or match[0])
    return steps


def _member(value: object, key: str) -> Any:
    if isinstance(value, dict):
        return value.get(key, ABSENT)
    if isinstance(value, list | str):
        if key == "length":
            return len(value)
        if key.isascii() and key.isdigit() and str(int(key)) == key and int(key) < len(value):
            return value[int(key)]
    return ABSENT


def merged(value: Any, other: Any) -> Any:
    """Returns ``value`` with ``other`` laid over it as lodash's ``merge`` does: objects and arrays member by member."""
    if isinstance(value, dict) and isinstance(other, dict):
        return {**value, **{key: merged(value.get(key), one) for key, one in other.items()}}
    if isinstance(value, list) and isinstance(other, list):
        return [merged(one, two) for one, two in zip(value, other, strict=False)] + (
            other[len(value) :] or value[len(other) :]
        )
    return other
