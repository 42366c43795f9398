"""What a release consists of, read from and written to ``baselines/<product>/<version>/release.yaml``.

Everything but product, version, source and components may be absent: older manifests have no more.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from harness.errors import ReleaseError
from harness.model.release import BreakingChange, ExpectedFailures, KnownIssue, Release, ReleaseVersion
from harness.yaml_document import read_yaml

__all__ = ["load_manifest", "manifest_data", "manifest_text", "write_manifest"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _KnownIssue(_Part):
    title: str = Field(min_length=1)
    source: str = Field(min_length=1)
    components: list[str] = []
    operations: list[str] = []
    group: str = ""


class _BreakingChange(_Part):
    component: str = ""
    change: str = Field(min_length=1)


class _ExpectedFailures(_Part):
    count: int = Field(ge=1)
    setting: str = Field(min_length=1)
    parameter: str = ""


class _ManifestFile(_Part):
    product: str = Field(min_length=1)
    version: str
    date: str | None = None
    source: str = Field(min_length=1)
    previous_release: str | None = None
    suite_version: str | None = None
    components: dict[str, str] = Field(min_length=1)
    previous: dict[str, str] = {}
    apis: dict[str, list[str]] = {}
    dependencies: dict[str, str] = {}
    expected_failures: list[_ExpectedFailures] = []
    breaking_changes: list[_BreakingChange] = []
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
            KnownIssue(issue.title, issue.source, tuple(issue.components), tuple(issue.operations), issue.group)
            for issue in data.known_issues
        ),
        previous_release=data.previous_release,
        previous=data.previous,
        apis={name: tuple(versions) for name, versions in data.apis.items()},
        dependencies=data.dependencies,
        suite_version=data.suite_version,
        expected_failures=tuple(ExpectedFailures(**found.model_dump()) for found in data.expected_failures),
        breaking_changes=tuple(BreakingChange(**found.model_dump()) for found in data.breaking_changes),
    )


def manifest_data(release: Release) -> dict[str, Any]:
    """Returns ``release`` as a manifest holds it: in its order, without what the release does not have."""
    data: dict[str, Any] = {
        "product": release.product,
        "version": str(release.version),
        "date": release.date,
        "source": release.source,
        "previous_release": release.previous_release,
        "suite_version": release.suite_version,
        "components": dict(sorted(release.components.items())),
        "previous": dict(sorted(release.previous.items())),
        "apis": {name: list(versions) for name, versions in release.apis.items()},
        "dependencies": dict(release.dependencies),
        "expected_failures": [
            _filled(count=found.count, setting=found.setting, parameter=found.parameter)
            for found in release.expected_failures
        ],
        "breaking_changes": [_filled(component=one.component, change=one.change) for one in release.breaking_changes],
        "known_issues": [
            _filled(
                title=issue.title,
                source=issue.source,
                group=issue.group,
                components=list(issue.components),
                operations=list(issue.operations),
            )
            for issue in release.known_issues
        ],
    }
    return _filled(**data)


def _filled(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


class _Dumper(yaml.SafeDumper):
    """Quotes every version, so that a reader never takes ``15.10`` for a number."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    digits = value[:1].isdigit()
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"' if digits else None)


_Dumper.add_representer(str, _text)


def manifest_text(release: Release) -> str:
    """Returns the manifest of ``release`` as it is written."""
    head = f"# What {release.product} {release.version} consists of, as its release notes say.\n"
    body = yaml.dump(manifest_data(release), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)
    return head + body


def write_manifest(release: Release, path: Path) -> None:
    """Writes the manifest of ``release``. Raises ``ReleaseError`` where the file cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(manifest_text(release), encoding="utf-8")
    except OSError as problem:
        raise ReleaseError(
            f"the manifest cannot be written: {problem.strerror or problem}",
            file=path,
            remedy="Make room, or make the folder writable, and import again",
        ) from problem
