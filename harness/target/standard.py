"""What does production have around the hub, as the Scheme declares it? ``scheme_rules/<scheme>/standard.yaml``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import final

from pydantic import BaseModel, ConfigDict, Field

from harness.errors import TargetError
from harness.target.model import Stage, Target
from harness.yaml_document import parse_yaml, read_text, validated

__all__ = ["Element", "ElementKind", "Standard", "load_standard"]


class ElementKind(StrEnum):
    """What an element of a standard can be."""

    GATEWAY = "gateway"
    DMZ = "dmz"
    ZONE = "zone"
    COMPONENT = "component"
    CUSTOMISATION = "customisation"


class Element(BaseModel):
    """One thing that production has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    kind: ElementKind
    title: str = Field(min_length=1)
    why: str = Field(min_length=1)
    """What a run cannot show where it is lacking."""


class _StandardFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    scheme: str = Field(min_length=1)
    elements: list[Element]


@final
@dataclass(frozen=True, slots=True)
class Standard:
    """The elements, in the order they are declared."""

    file: Path
    elements: tuple[Element, ...]

    def held_by(self, target: Target) -> dict[str, bool | None]:
        """Returns of each element whether ``target`` has it; ``None`` where it does not say.

        Production that does not say has all: the standard is what production has. Raises ``TargetError`` where the
        target names an element that is not declared.
        """
        known = [element.id for element in self.elements]
        if unknown := sorted(set(target.has or ()) - set(known)):
            raise TargetError(
                f"target {target.name} has {', '.join(unknown)}, which the standard does not declare",
                file=self.file,
                remedy=f"Declared are: {', '.join(known)}",
            )
        if target.has is None:
            return dict.fromkeys(known, True if target.stage is Stage.PRODUCTION else None)
        return {name: name in target.has for name in known}


def load_standard(path: Path) -> Standard:
    """Returns the standard in ``path``. Raises ``TargetError`` where it is absent or does not fit."""
    document = parse_yaml(read_text(path, TargetError, what="declared standard"), path, TargetError)
    data = validated(document, _StandardFile, TargetError)
    seen: set[str] = set()
    for number, element in enumerate(data.elements):
        if element.id in seen:
            place = document.place(("elements", number))
            raise TargetError(f"element {element.id} is declared twice", file=path, place=place, remedy="Keep one")
        seen.add(element.id)
    return Standard(path, tuple(data.elements))
