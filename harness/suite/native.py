"""What a native case says of itself: title, labels, severity, and the releases it holds for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, final

from harness.errors import SuiteError
from harness.model.outcome import Severity
from harness.model.release import ReleaseVersion

__all__ = ["CaseDefinition", "case", "definition_of"]

Function = TypeVar("Function", bound=Callable[..., Any])
_ATTRIBUTE = "__harness_case__"


@final
@dataclass(frozen=True, slots=True)
class CaseDefinition:
    """A native case. ``since`` and ``until`` are inclusive; ``None`` leaves that end open."""

    title: str
    labels: tuple[str, ...]
    severity: Severity
    since: ReleaseVersion | None
    until: ReleaseVersion | None

    def holds_for(self, release: ReleaseVersion) -> bool:
        """Whether the case belongs to the suite of ``release``."""
        return (self.since is None or self.since <= release) and (self.until is None or release <= self.until)


def case(
    title: str,
    *,
    labels: Sequence[str] = (),
    severity: Severity | str = Severity.MAJOR,
    since: str | None = None,
    until: str | None = None,
) -> Callable[[Function], Function]:
    """Marks a test function of a suite as the case ``title``. The title is part of every check id of the case.

    Raises ``SuiteError`` on a version or severity that is none, so a suite with one does not load.
    """
    try:
        definition = CaseDefinition(
            title=title,
            labels=tuple(labels),
            severity=Severity(severity),
            since=None if since is None else ReleaseVersion.parse(since),
            until=None if until is None else ReleaseVersion.parse(until),
        )
    except ValueError as problem:
        raise SuiteError(f"case {title!r}: {problem}", remedy="Correct its @case") from problem

    def mark(function: Function) -> Function:
        setattr(function, _ATTRIBUTE, definition)
        return function

    return mark


def definition_of(function: object) -> CaseDefinition | None:
    """Returns what ``@case`` said of ``function``, or ``None`` where it was not marked."""
    found = getattr(function, _ATTRIBUTE, None)
    return found if isinstance(found, CaseDefinition) else None
