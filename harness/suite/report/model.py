"""What a recorded TTK report holds: a suite's cases, and for each request what came back and what was said of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, final

from harness.suite.ttk.model import Assertion, Case, Request

__all__ = ["STATUSES", "RecordedAssertion", "RecordedCase", "RecordedReport", "RecordedRequest"]

STATUSES = ("SUCCESS", "SKIPPED", "FAILED")
"""What the reference engine says of an assertion. ``SKIPPED`` is one that executed no ``expect``, or never ran."""


@final
@dataclass(frozen=True, slots=True)
class RecordedAssertion:
    """One assertion as it was evaluated (placeholders filled), and what the reference engine said of it."""

    assertion: Assertion
    status: str
    """One of ``STATUSES``; empty where the report says nothing of it."""
    message: str
    """Why it failed; empty otherwise."""
    overwritten: bool
    """Whether a later assertion of this request has its id: then ``status`` and ``message`` are that one's."""


@final
@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request as it was sent, with its answer. ``request.document`` has its placeholders filled."""

    request: Request
    status: str
    """``SUCCESS``, ``ERROR`` (a status above 299, an error callback or none) or ``SKIPPED``."""
    response: Mapping[str, Any] | None
    """``status``, ``statusText``, ``headers``, ``body``; ``None`` where nothing was sent or nothing came."""
    callback: Mapping[str, Any] | None
    """``url`` (method and path), ``headers``, ``body``."""
    assertions: tuple[RecordedAssertion, ...]
    duration_ms: float | None
    """From the first placeholder to the last assertion: delay, scripts and callback included."""

    @property
    def sent(self) -> bool:
        """Whether it was sent at all."""
        return self.status != "SKIPPED"


@final
@dataclass(frozen=True, slots=True)
class RecordedCase:
    """One case, with its requests in the order in which they were sent."""

    case: Case
    requests: tuple[RecordedRequest, ...]
    started: datetime | None
    duration_ms: float | None

    @property
    def assertions(self) -> Iterator[tuple[RecordedRequest, RecordedAssertion]]:
        """Every assertion with its request, in order."""
        return ((request, one) for request in self.requests for one in request.assertions)


@final
@dataclass(frozen=True, slots=True)
class RecordedReport:
    """One report: a run of a suite with the reference engine."""

    file: Path
    sha256: str
    """Of the file, in hexadecimal."""
    name: str
    inputs: Mapping[str, Any]
    cases: tuple[RecordedCase, ...]
    """In the order in which they ran."""
    started: datetime | None
    duration_ms: float | None
    total: int
    """Assertions by the report's own count."""
    total_passed: int
    """By the reference engine's counting, in which what never asserted has passed."""

    @property
    def assertions(self) -> int:
        """How many assertions there are."""
        return sum(len(request.assertions) for case in self.cases for request in case.requests)

    def to_json(self) -> dict[str, Any]:
        """Returns where the report comes from: name, digest, times and counts."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "started": None if self.started is None else self.started.isoformat(),
            "duration_ms": self.duration_ms,
            "cases": len(self.cases),
            "requests": sum(len(case.requests) for case in self.cases),
            "assertions": self.assertions,
        }
