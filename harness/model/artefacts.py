"""What was found in a release's documents and evidence, as the judge takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.model.scheme import Artefact

__all__ = ["ArtefactFinding", "ArtefactsFound", "Shortfall"]


class Shortfall(StrEnum):
    """In what way a document falls short."""

    ABSENT = "absent"
    """It is not there."""
    LACKING = "lacking"
    """It is there and cannot be read, is a placeholder, lacks a part, or contradicts the release."""
    FAILED = "failed"
    """It is evidence, of tests that failed."""
    DOUBTFUL = "doubtful"
    """It is there; a person should look at one thing."""
    REMARKED = "remarked"
    """It is all there; its wording or form could be better."""
    DECLARED = "declared"
    """It is a link that somebody declared, which was not read."""


@dataclass(frozen=True, slots=True)
class ArtefactFinding:
    """One thing that was found. ``where`` is a line of the document, or the document."""

    artefact: Artefact
    shortfall: Shortfall
    where: str
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class ArtefactsFound:
    """What a release's documents lack, and which documents were looked at."""

    findings: tuple[ArtefactFinding, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    """Artefact to ``sha256:…`` of its file, or to the link that was declared."""
