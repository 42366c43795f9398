"""Which cases and checks of a product were renamed? ``baselines/<product>/renames.yaml``, checked before it is used.

A rename is a fact that a person states; whatever follows from the checks themselves needs no entry here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal, final

from pydantic import BaseModel, ConfigDict, Field

from harness.errors import BaselineError
from harness.model.ids import SEPARATOR
from harness.yaml_document import YamlDocument, parse_yaml, read_text, validated

__all__ = ["NO_RENAMES", "RENAMES_FILE", "Renames", "load_renames", "parse_renames"]

RENAMES_FILE: Final = "renames.yaml"
_LEVELS: Final = ("path", "path::case", "path::case::step", "path::case::step::check")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Rename(_Part):
    before: Annotated[str, Field(min_length=1)]
    after: Annotated[str, Field(min_length=1)]
    reason: Annotated[str, Field(min_length=1)]


class _Document(_Part):
    format: Literal[1]
    renames: tuple[_Rename, ...]


@final
@dataclass(frozen=True, slots=True)
class Renames:
    """Names before and after, each one to one: a path, a case, a step or a check with all that is below it."""

    after: Mapping[str, str] = field(default_factory=dict)
    """By name before. No name leads back to itself."""
    digest: str = ""
    """SHA-256 of the file; empty where there is none."""
    before: Mapping[str, str] = field(init=False)
    """The same, by name after."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "before", {new: old for old, new in self.after.items()})

    def __bool__(self) -> bool:
        return bool(self.after)

    def forms(self, check: str) -> Iterator[str]:
        """Yields the other names of ``check``, nearest first: those it got later, then those it had earlier."""
        for names in (self.after, self.before):
            name, seen = check, {check}
            while (renamed := _renamed(name, names)) is not None and renamed not in seen:
                yield renamed
                seen.add(renamed)
                name = renamed


NO_RENAMES: Final = Renames()


def load_renames(folder: Path) -> Renames:
    """Returns the renames of the product whose baselines lie in ``folder``: none where there is no such file.

    Raises ``BaselineError`` with the line where the file is malformed or contradicts itself.
    """
    file = folder / RENAMES_FILE
    return parse_renames(read_text(file, BaselineError, what="rename table"), file) if file.exists() else NO_RENAMES


def parse_renames(text: str, file: Path | str) -> Renames:
    """Returns the renames that ``text`` of ``file`` states. Raises ``BaselineError`` with the line."""
    document = parse_yaml(text, file, BaselineError)
    stated = validated(document, _Document, BaselineError).renames
    after: dict[str, str] = {}
    earlier: dict[str, int] = {}
    for at, one in enumerate(stated):
        depth, other = (name.count(SEPARATOR) for name in (one.before, one.after))
        if depth != other or depth >= len(_LEVELS):
            kinds = [_LEVELS[n] if n < len(_LEVELS) else "no name" for n in (depth, other)]
            _refuse(document, at, f"renames a {kinds[0]} to a {kinds[1]}", "Name the same level on both sides")
        if one.before == one.after:
            _refuse(document, at, f"renames {one.before!r} to itself", "Remove the entry")
        if one.before in after:
            _refuse(document, at, f"{one.before!r} is renamed twice", "Keep one; which it became must be certain")
        if one.after in earlier:
            text_ = f"{one.after!r} is what two names became (the other is renames[{earlier[one.after]}])"
            _refuse(document, at, text_, "Keep one; which it was must be certain")
        after[one.before] = one.after
        earlier[one.after] = at
        if (name := _end(one.before, after)) == one.before:
            _refuse(document, at, f"{name!r} leads back to itself", "Remove the entry that does not hold")
    return Renames(after, hashlib.sha256(text.encode()).hexdigest())


def _refuse(document: YamlDocument, at: int, fault: str, remedy: str) -> None:
    raise BaselineError(fault, file=document.file, place=document.place(("renames", at)), remedy=remedy)


def _end(name: str, after: Mapping[str, str]) -> str:
    """The name that ``name`` ends up with, or ``name`` itself where it comes back to it."""
    now = after[name]
    while now != name and now in after:
        now = after[now]
    return now


def _renamed(check: str, names: Mapping[str, str]) -> str | None:
    """``check`` after the rename of the longest part of it that has one; ``None`` where none has."""
    head, tail = check, ""
    while head:
        if head in names:
            return names[head] + tail
        head, separator, last = head.rpartition(SEPARATOR)
        tail = f"{separator}{last}{tail}"
    return None
