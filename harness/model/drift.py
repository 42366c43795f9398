"""Is what is deployed what was released? Where a service runs another version than its release has, and in what way."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from harness.model.component import component_behind
from harness.model.records import ServiceProbed

__all__ = ["Drift", "bare_version", "drifts"]

_NUMBERS = re.compile(r"\d+")


@final
@dataclass(frozen=True, slots=True)
class Drift:
    """One service whose version differs from that of the release."""

    service: str
    version: str
    expected: str
    others_as_released: int
    """How many other components of the target run as released; 0 where this one is not the only one that differs."""
    twin: str = ""
    """Another service of the target whose released version this is: the two may be swapped."""

    @property
    def text(self) -> str:
        """One sentence without its full stop."""
        said = f"{self.service} runs {self.version}, the release has {self.expected}"
        if self.twin:
            return f"{said}: that is the version of {self.twin}"
        if self.others_as_released:
            others = "component runs" if self.others_as_released == 1 else "components run"
            return (
                f"{said}: alone {self._direction} it, while {self.others_as_released} other {others} as released, "
                f"so a hotfix is out of sync with the release"
            )
        return said

    @property
    def remedy(self) -> str:
        """What to do about it."""
        if self.twin:
            return f"See whether the base URLs of {self.service} and {self.twin} are swapped in the target file"
        deploy = f"Deploy {self.service} {self.expected}"
        return (
            f"{deploy}, or validate the release that the hotfix is part of"
            if self.others_as_released
            else (f"{deploy} and run again")
        )

    @property
    def _direction(self) -> str:
        return "ahead of" if _order(self.version) > _order(self.expected) else "behind"


def bare_version(version: str) -> str:
    """Returns ``version`` without the ``v`` that some put before it."""
    return version.strip().removeprefix("v")


def drifts(probes: Iterable[ServiceProbed]) -> list[Drift]:
    """Returns the services that run another version than expected, in the order of ``probes``.

    Services of one component count as one when it is told whether a component differs alone.
    """
    known = [probe for probe in probes if probe.version and probe.expected_version]
    apart = [probe for probe in known if not _same(probe)]
    parts = {component_behind(probe.service) for probe in apart}
    kept = {component_behind(probe.service) for probe in known if _same(probe)} - parts
    found = []
    for probe in apart:
        twins = [
            other.service
            for other in known
            if component_behind(other.service) != component_behind(probe.service)
            and bare_version(other.expected_version or "") == bare_version(probe.version or "")
        ]
        lone = len(parts) == 1 and len(kept) > 1
        found.append(
            Drift(
                service=probe.service,
                version=probe.version or "",
                expected=probe.expected_version or "",
                others_as_released=len(kept) if lone else 0,
                twin=twins[0] if twins else "",
            )
        )
    return found


def _same(probe: ServiceProbed) -> bool:
    return bare_version(probe.version or "") == bare_version(probe.expected_version or "")


def _order(version: str) -> tuple[list[int], bool, str]:
    """What versions are sorted by: numbers, then a release after its snapshots, then the text."""
    plain, _, extra = bare_version(version).partition("-")
    return [int(number) for number in _NUMBERS.findall(plain)], not extra, extra
