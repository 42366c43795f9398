"""What is this environment made of, and what does one lack of another? Sections of names and values, side by side.

A fingerprint is what could be seen of a target at one moment and what its file states; it can be kept as a file, for
production is seldom in reach of where releases are validated.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self, final

from harness.errors import TargetError
from harness.model.component import component_behind
from harness.model.drift import bare_version
from harness.model.records import ServiceProbed
from harness.target.model import Target
from harness.target.standard import Standard

__all__ = ["SECTIONS", "Fingerprint", "Parity", "Row", "compare_fingerprints", "fingerprint_of", "read_fingerprint"]

SECTIONS = ("components", "dependencies", "facts", "standard")
_FORMAT = 1


@final
@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A target at one moment. A value of ``None`` is not known."""

    target: str
    stage: str
    sections: Mapping[str, Mapping[str, str | None]]
    """Each of ``SECTIONS``: name to value."""

    @property
    def digest(self) -> str:
        """16 hex digits; the same for environments of which the same is known."""
        text = json.dumps(self.sections, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """Returns a JSON-ready object."""
        sections = {name: dict(sorted(self.sections[name].items())) for name in SECTIONS}
        return {
            "format": _FORMAT, "target": self.target, "stage": self.stage, "digest": self.digest, **sections
        }  # fmt: skip

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Reads what ``to_json`` gave. Raises ``ValueError`` where it does not fit, or was changed since."""
        if data.get("format") != _FORMAT:
            raise ValueError(f"not a fingerprint of format {_FORMAT}")
        sections: dict[str, dict[str, str | None]] = {}
        for name in SECTIONS:
            section = data.get(name)
            if not isinstance(section, Mapping) or not all(isinstance(v, str | None) for v in section.values()):
                raise ValueError(f"{name} is not an object of texts")
            sections[name] = dict(section)
        read = cls(str(data.get("target", "")), str(data.get("stage", "")), sections)
        if data.get("digest") != read.digest:
            raise ValueError("its digest does not fit: it was changed by hand")
        return read


class Parity(StrEnum):
    """How two environments stand to each other in one thing."""

    SAME = "same"
    DIFFERS = "differs"
    ONLY_FIRST = "only in the first"
    ONLY_SECOND = "only in the second"
    UNKNOWN = "not known"


@final
@dataclass(frozen=True, slots=True)
class Row:
    """One thing of two environments."""

    section: str
    name: str
    first: str | None
    second: str | None
    parity: Parity


def fingerprint_of(target: Target, probes: Iterable[ServiceProbed], standard: Standard | None) -> Fingerprint:
    """Returns the fingerprint of ``target`` as ``probes`` found it.

    Components are what is deployed, as health says; facts, versions of dependencies and ``has`` what its file states.
    """
    components: dict[str, str | None] = {}
    dependencies: dict[str, str | None] = {}
    for probe in probes:
        component = component_behind(probe.service)
        version = bare_version(probe.version) if probe.version else None
        if component in components and version not in (None, components[component]) and components[component]:
            # one component at two versions is a state of its own
            version = f"{components[component]} and {version}"
        components[component] = version or components.get(component)
        dependencies |= {f"{name} of {component}": "in health" for name in probe.dependencies}
    dependencies |= dict(target.dependencies)
    words = {True: "has", False: "lacks", None: None}
    held = {} if standard is None else standard.held_by(target)
    return Fingerprint(
        target=target.name,
        stage="" if target.stage is None else target.stage.value,
        sections={
            "components": components,
            "dependencies": dependencies,
            "facts": {name: json.dumps(value, sort_keys=True) for name, value in target.facts.items()},
            "standard": {name: words[value] for name, value in held.items()},
        },
    )


def read_fingerprint(path: Path) -> Fingerprint:
    """Returns the fingerprint kept in ``path``. Raises ``TargetError``."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Fingerprint.from_json(data if isinstance(data, dict) else {})
    except FileNotFoundError:
        raise TargetError("there is no fingerprint here", file=path, remedy="Check the path") from None
    except (OSError, ValueError, RecursionError) as problem:
        remedy = "Make it again: harness target fingerprint TARGET --json"
        raise TargetError(f"not a fingerprint: {problem}", file=path, remedy=remedy) from None


def compare_fingerprints(first: Fingerprint, second: Fingerprint) -> list[Row]:
    """Returns every name of either side once, by section and name. What is not known of a side is never the same."""
    rows = []
    for section in SECTIONS:
        one, other = first.sections[section], second.sections[section]
        rows += [
            Row(section, name, one.get(name), other.get(name), _parity(one, other, name))
            for name in sorted(one.keys() | other.keys())
        ]
    return rows


def _parity(one: Mapping[str, str | None], other: Mapping[str, str | None], name: str) -> Parity:
    if name not in other:
        return Parity.ONLY_FIRST
    if name not in one:
        return Parity.ONLY_SECOND
    if one[name] is None or other[name] is None:
        return Parity.UNKNOWN
    return Parity.SAME if one[name] == other[name] else Parity.DIFFERS
