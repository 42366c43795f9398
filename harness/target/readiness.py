"""Is the target ready for a run? Every finding of preflight, in one order, from the records that the journal holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, final

from harness.model.drift import drifts
from harness.model.records import ServiceProbed

__all__ = ["CLOCK_S", "Finding", "findings_of", "with_finding"]

CLOCK_S: Final = 5.0
"""How far clocks may be apart, in seconds: FSPIOP's expirations are compared by both sides."""


@final
@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be: a sentence without its full stop, and what to do."""

    check: str
    """``health``, ``version``, ``clock``, ``participants``, ``liquidity``, ``oracles`` or ``callback``."""
    service: str
    text: str
    remedy: str


def findings_of(probes: Iterable[ServiceProbed]) -> list[Finding]:
    """Returns what keeps the target from being ready; nothing where it is."""
    probes = list(probes)
    found = [*_health(probes), *_versions(probes)]
    found += [
        Finding(str(one["check"]), probe.service, str(one["message"]), str(one["remedy"]))
        for probe in probes
        for one in probe.findings
    ]
    return list(dict.fromkeys(found))


def with_finding(probes: Iterable[ServiceProbed], finding: Finding) -> list[ServiceProbed]:
    """Returns ``probes`` with ``finding`` at its service; at the first one where that was not probed."""
    kept = list(probes)
    places = [number for number, probe in enumerate(kept) if probe.service == finding.service] or [0]
    one = {"check": finding.check, "message": finding.text, "remedy": finding.remedy}
    for number in places[: len(kept)]:
        if one not in kept[number].findings:
            kept[number] = replace(kept[number], findings=[*kept[number].findings, one])
    return kept


def _health(probes: Iterable[ServiceProbed]) -> Iterator[Finding]:
    for probe in probes:
        if probe.status != "ok":
            remedy = probe.remedy or f"Bring {probe.service} up"
            yield Finding("health", probe.service, f"{probe.service} is {probe.status}: {probe.message}", remedy)


def _versions(probes: list[ServiceProbed]) -> Iterator[Finding]:
    well = [probe for probe in probes if probe.status == "ok"]
    for drift in drifts(well):
        yield Finding("version", drift.service, drift.text, drift.remedy)
    for probe in well:
        if probe.expected_version and not probe.version:
            text = f"{probe.service} did not report its version; {probe.expected_version} is expected"
            yield Finding("version", probe.service, text, "Make its health endpoint report versionNumber")
