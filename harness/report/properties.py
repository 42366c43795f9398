"""How names and values are written into a Java ``.properties`` file, which is what Allure reads the environment from.

ASCII only, escaped as ``java.util.Properties.load`` defines it (Java SE API specification).
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["properties"]

_NAMED = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f"}


def properties(values: Mapping[str, str]) -> bytes:
    """Returns one ``key=value`` line per entry, in order."""
    return "".join(f"{_escape(key, ' :=#!')}={_value(value)}\n" for key, value in values.items()).encode("ascii")


def _value(value: str) -> str:
    bare = value.lstrip(" ")
    return "\\ " * (len(value) - len(bare)) + _escape(bare, "")


def _escape(text: str, special: str) -> str:
    return "".join(_character(char, special) for char in text)


def _character(char: str, special: str) -> str:
    if char in _NAMED:
        return _NAMED[char]
    if char in special:
        return f"\\{char}"
    if " " <= char <= "~":
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[index]:02x}{units[index + 1]:02x}" for index in range(0, len(units), 2))
