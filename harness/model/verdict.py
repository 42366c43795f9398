"""What the judge says: gates, reasons, one verdict. Frozen, and the same bytes for the same evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.model.outcome import GateName, GateStatus, VerdictKind
from harness.model.rehearsal import REHEARSAL

__all__ = ["Gate", "Reason", "Suspect", "Verdict"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that weighs on the verdict, and what would change it."""

    code: str
    """A stable word for the kind of reason: ``regressed``, ``missing``, ``pin-differs``, …"""
    gate: GateName
    status: GateStatus
    text: str
    remedy: str = ""
    checks: tuple[str, ...] = ()
    """The check or case ids it is about."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One question of the verdict with its answer."""

    name: GateName
    status: GateStatus
    summary: str


@dataclass(frozen=True, slots=True)
class Suspect:
    """A component that stands behind regressed checks."""

    component: str
    checks: int
    version: str | None
    baseline_version: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision on one run."""

    kind: VerdictKind
    rehearsal: bool
    product: str
    release: str
    run_id: str
    gates: tuple[Gate, ...]
    reasons: tuple[Reason, ...]
    """Heaviest first."""
    counts: dict[str, int]
    """Checks per comparison class; every class is present."""
    suspects: tuple[Suspect, ...]
    next_action: str
    inputs: dict[str, Any] = field(default_factory=dict)
    """What was judged, with digests: journal, suite, baseline, criteria, waivers, release, target, tool."""
    notes: tuple[str, ...] = ()
    """What a reader should see and what weighs nothing: waivers that cover nothing, known issues that may explain."""

    @property
    def text(self) -> str:
        """The verdict as it is shown and stored everywhere: ``APPROVED (rehearsal on the embedded hub)``."""
        return f"{self.kind.value} ({REHEARSAL})" if self.rehearsal else self.kind.value
