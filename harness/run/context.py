"""What a worker must know of the run it works for. Made by the controller, handed over as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, final

from harness.engine.inbound.messages import InboundAddress
from harness.model.release import Release, ReleaseVersion
from harness.target.model import Target

__all__ = ["PlannedCase", "RunContext"]


@final
@dataclass(frozen=True, slots=True)
class RunContext:
    """One run, as every process that takes part in it sees it."""

    run_id: str
    workspace: Path
    product: str
    release: Release
    """The release under validation."""
    hub_release: Release
    """What the hub is expected to be: the core's release, and on top of it what is under validation."""
    target: Target
    inbound: InboundAddress
    suite: Path
    """The suite folder that case paths are relative to."""
    labels: tuple[str, ...]
    plan_folder: Path
    """Where a worker leaves its plan for the controller."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """Input values for collections."""
    scheme_suite: str = ""
    """The folder of the Scheme's own cases, relative to the workspace; empty where none run."""
    collections: Mapping[str, str] = field(default_factory=dict)
    """The paths of the collections to run, in order, each with the group that must stay in one worker."""
    worker: str = "main"
    strict_steps: bool = False
    """Whether a 5xx fails a case of a collection where the request has no assertions."""

    def to_json(self) -> dict[str, Any]:
        """Returns all of it, credentials included: for the way from process to process, never for writing."""
        return {
            "run_id": self.run_id,
            "workspace": str(self.workspace),
            "product": self.product,
            "release": _release_to_json(self.release),
            "hub_release": _release_to_json(self.hub_release),
            "target": self.target.to_json(),
            "inbound": self.inbound.to_json(),
            "suite": str(self.suite),
            "scheme_suite": self.scheme_suite,
            "labels": list(self.labels),
            "plan_folder": str(self.plan_folder),
            "inputs": dict(self.inputs),
            "collections": dict(self.collections),
            "worker": self.worker,
            "strict_steps": self.strict_steps,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Reads what ``to_json`` gave."""
        return cls(
            run_id=data["run_id"],
            workspace=Path(data["workspace"]),
            product=data["product"],
            release=_release_from_json(data["release"]),
            hub_release=_release_from_json(data["hub_release"]),
            target=Target.from_json(data["target"]),
            inbound=InboundAddress.from_json(data["inbound"]),
            suite=Path(data["suite"]),
            scheme_suite=data["scheme_suite"],
            labels=tuple(data["labels"]),
            plan_folder=Path(data["plan_folder"]),
            inputs=data["inputs"],
            collections=data["collections"],
            worker=data["worker"],
            strict_steps=data["strict_steps"],
        )


def _release_to_json(release: Release) -> dict[str, Any]:
    return {
        "product": release.product,
        "version": str(release.version),
        "components": dict(release.components),
        "source": release.source,
        "date": release.date,
    }


def _release_from_json(data: Mapping[str, Any]) -> Release:
    return Release(**{**data, "version": ReleaseVersion.parse(data["version"])})


@final
@dataclass(frozen=True, slots=True)
class PlannedCase:
    """A case as collected. ``node`` is pytest's id of the item, ``case`` ours."""

    case: str
    node: str
    title: str
    feature: str
    labels: tuple[str, ...]
    severity: str
    file: str
    selected: bool
    checks: tuple[str, ...] | None = None
    group: str | None = None
    """Cases of one group keep their order within one worker."""

    def to_json(self) -> dict[str, Any]:
        """Returns a JSON-ready object."""
        return {
            "case": self.case,
            "node": self.node,
            "title": self.title,
            "feature": self.feature,
            "labels": list(self.labels),
            "severity": self.severity,
            "file": self.file,
            "selected": self.selected,
            "checks": None if self.checks is None else list(self.checks),
            "group": self.group,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Reads what ``to_json`` gave."""
        checks = data["checks"]
        return cls(**{**data, "labels": tuple(data["labels"]), "checks": None if checks is None else tuple(checks)})
