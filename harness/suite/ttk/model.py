"""What a TTK collection holds: cases, their requests in order, and each request's assertions. Frozen.

Labels name a check, not the format's ids: those were all renumbered at v17.0.0, and the words stayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from harness.model.ids import CheckId

__all__ = ["ApiVersion", "Assertion", "Case", "Collection", "Request"]


@final
@dataclass(frozen=True, slots=True)
class ApiVersion:
    """The API a request belongs to: ``fspiop`` 1.1 for instance. Empty ``type`` where the request names none."""

    type: str = ""
    major: int = 0
    minor: int = 0


@final
@dataclass(frozen=True, slots=True)
class Assertion:
    """One assertion as written. ``source`` is its lines, joined."""

    id: str
    label: str
    source: str
    check: CheckId
    fingerprint: str


@final
@dataclass(frozen=True, slots=True)
class Request:
    """One step. ``document`` is the request as it stands in the file; placeholders may be anywhere in it."""

    id: str
    label: str
    """The description, else the id."""
    step_id: str
    """``path::case::step``."""
    method: str
    """In upper case."""
    operation_path: str
    api: ApiVersion
    disabled: bool
    ignores_callbacks: bool
    retries: int
    scripting_engine: str
    """``javascript`` or ``postman``; what names none is ``postman``."""
    assertions: tuple[Assertion, ...]
    document: Mapping[str, Any]


@final
@dataclass(frozen=True, slots=True)
class Case:
    """One test case."""

    id: str
    name: str
    case_id: str
    """``path::case``."""
    info: str
    labels: tuple[str, ...]
    execution_order: float | None
    break_on_error: bool
    requests: tuple[Request, ...]

    @property
    def checks(self) -> tuple[CheckId, ...]:
        """Every check the case will yield, in order."""
        return tuple(assertion.check for request in self.requests for assertion in request.assertions)


@final
@dataclass(frozen=True, slots=True)
class Collection:
    """One file of a suite."""

    path: str
    """Relative to the suite's root, with ``/``."""
    name: str
    cases: tuple[Case, ...]

    @property
    def checks(self) -> tuple[CheckId, ...]:
        """Every check of every case, in order."""
        return tuple(check for case in self.cases for check in case.checks)
