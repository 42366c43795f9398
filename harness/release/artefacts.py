"""Where are a release's documents and its evidence? Declared in ``artefacts.yaml`` beside its manifest, or by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import final

from pydantic import BaseModel, ConfigDict

from harness.errors import ReleaseError, UsageError
from harness.yaml_document import read_yaml

__all__ = ["Artefacts", "Evidence", "evidence_named", "load_artefacts"]


class Evidence(StrEnum):
    """What the Definition of Done demands evidence of, beside notes and runbook."""

    UNIT = "unit"
    INTEGRATION = "integration"
    REGRESSION = "regression"
    """The regression suite on merge."""
    REVIEW = "review"
    """Review by peers."""


class _ArtefactsFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    notes: str | None = None
    runbook: str | None = None
    evidence: dict[Evidence, str] = {}


@final
@dataclass(frozen=True, slots=True)
class Artefacts:
    """The files of a release. Evidence is a JUnit XML report (a path) or a link that somebody declares."""

    notes: Path | None = None
    runbook: Path | None = None
    evidence: Mapping[Evidence, Path | str] = field(default_factory=dict)

    def with_given(
        self, notes: Path | None, runbook: Path | None, evidence: Mapping[Evidence, Path | str]
    ) -> Artefacts:
        """Returns these artefacts, what is given by hand in place of what was declared."""
        return Artefacts(notes or self.notes, runbook or self.runbook, {**self.evidence, **evidence})


def load_artefacts(file: Path) -> Artefacts:
    """Returns what ``file`` declares, paths in it relative to its folder; nothing where there is no such file.

    Raises ``ReleaseError`` where it does not fit.
    """
    if not file.exists():
        return Artefacts()
    data = read_yaml(file, _ArtefactsFile, ReleaseError, what="list of artefacts")
    folder = file.parent
    return Artefacts(
        notes=folder / data.notes if data.notes else None,
        runbook=folder / data.runbook if data.runbook else None,
        evidence={kind: _evidence(value, folder) for kind, value in data.evidence.items()},
    )


def evidence_named(given: str) -> tuple[Evidence, Path | str]:
    """Returns the evidence that ``KIND=PATH`` or ``KIND=URL`` declares. Raises ``UsageError`` for anything else."""
    kind, equals, value = given.partition("=")
    if not equals or not value or kind not in set(Evidence):
        kinds = ", ".join(Evidence)
        raise UsageError(f"{given!r} is not KIND=PATH or KIND=URL", remedy=f"KIND is one of {kinds}")
    return Evidence(kind), _evidence(value, Path())


def _evidence(value: str, folder: Path) -> Path | str:
    return value if value.startswith(("https://", "http://")) else folder / value
