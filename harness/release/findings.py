"""What is to be said about a release's documents: how bad, where, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from harness.model.artefacts import Shortfall

__all__ = ["Finding", "Weight"]


class Weight(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    """Something demanded is not there, or a line could not be read."""
    WARNING = "warning"
    """It was read, but two things contradict each other or were surely meant otherwise."""
    NOTE = "note"
    """It was read; a person may want to know how."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. ``where`` is a line of the document, or the document."""

    weight: Weight
    where: str
    text: str
    remedy: str = ""
    """What to do; empty where nothing is to be done."""
    shortfall: Shortfall | None = None
    """What it means for the release's verdict, where that does not follow from its weight."""

    def __str__(self) -> str:
        remedy = f". {self.remedy}" if self.remedy else ""
        return f"{self.weight.value:<8} {self.where}: {self.text}{remedy}"
