"""What a release consists of, read from ``baselines/<product>/<version>/release.yaml``."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from harness.errors import ReleaseError
from harness.model.release import KnownIssue, Release, ReleaseVersion
from harness.yaml_document import read_yaml

__all__ = ["load_manifest"]


class _KnownIssue(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(min_length=1)
    source: str = Field(min_length=1)
    components: list[str] = []
    operations: list[str] = []


class _ManifestFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    product: str = Field(min_length=1)
    version: str
    date: str | None = None
    source: str = Field(min_length=1)
    components: dict[str, str] = Field(min_length=1)
    known_issues: list[_KnownIssue] = []


def load_manifest(path: Path) -> Release:
    """Returns the manifest in ``path``. Raises ``ReleaseError`` where it is absent or does not fit."""
    data = read_yaml(path, _ManifestFile, ReleaseError, what="release manifest")
    try:
        version = ReleaseVersion.parse(data.version)
    except ValueError as problem:
        raise ReleaseError(str(problem), file=path, place="version", remedy="Correct this value") from problem
    return Release(
        product=data.product,
        version=version,
        components=data.components,
        source=data.source,
        date=data.date,
        known_issues=tuple(
            KnownIssue(issue.title, issue.source, tuple(issue.components), tuple(issue.operations))
            for issue in data.known_issues
        ),
    )
