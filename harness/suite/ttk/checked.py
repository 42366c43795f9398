"""Is a JSON document shaped as its format says? What is not is named with file, line, column and JSON path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Never, TypeVar

from harness.errors import CollectionError
from harness.suite.ttk.jsontext import JsonPath, place_of

__all__ = ["Checked"]

_T = TypeVar("_T")
_NAMES = {dict: "an object", list: "an array", str: "text", bool: "true or false", int: "a whole number"}


@dataclass(frozen=True, slots=True)
class Checked:
    """Takes values out of the document ``text`` of ``file``. Every method raises ``CollectionError`` at the place."""

    file: Path
    text: str

    def field(self, value: Mapping[str, Any], name: str, kind: type[_T], at: JsonPath) -> _T:
        """The value of ``name``, which must be there."""
        if name not in value:
            self.refuse(f"lacks {name!r}", at)
        return self.need(value[name], kind, (*at, name))

    def optional(self, value: Mapping[str, Any], name: str, kind: type[_T], at: JsonPath, default: Any) -> Any:
        """The value of ``name``; ``default`` where it is absent or null."""
        given = value.get(name)
        return default if given is None else self.need(given, kind, (*at, name))

    def need(self, value: Any, kind: type[_T], at: JsonPath) -> _T:
        """``value``, which must be of this kind."""
        if not isinstance(value, kind):
            self.refuse(f"must be {_NAMES[kind]}", at)
        return value

    def refuse(self, message: str, at: JsonPath) -> Never:
        """Says what is wrong with the value at ``at``."""
        raise CollectionError(message, file=self.file, place=self.place(at))

    def place(self, at: JsonPath) -> str:
        """Line, column and path of the value at ``at``."""
        return place_of(self.text, at)
