"""The closed vocabularies: what a check, a case, a gate and a verdict can be."""

from __future__ import annotations

from enum import IntEnum, StrEnum

__all__ = ["Cause", "ComparisonClass", "ExitCode", "GateName", "GateStatus", "Outcome", "Severity", "VerdictKind"]


class Outcome(StrEnum):
    """What one check (or the case that holds it) showed."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    HOLLOW = "hollow"
    """Ran, but asserted nothing."""
    ERROR = "error"
    """The harness or the script broke: nothing is known."""


class ComparisonClass(StrEnum):
    """Where a check stands against the baseline. Every check is in exactly one."""

    UNCHANGED_PASS = "unchanged-pass"
    UNCHANGED_FAIL = "unchanged-fail"
    REGRESSED = "regressed"
    FIXED = "fixed"
    NEW_PASS = "new-pass"
    NEW_FAIL = "new-fail"
    FLAKY = "flaky"
    MISSING = "missing"
    """Expected in this run, no result."""
    REMOVED = "removed"
    """In the baseline's suite, not in this one."""
    HOLLOW = "hollow"
    UNKNOWN = "unknown"
    """Error, skipped or not selected: nothing is known."""


class GateName(StrEnum):
    """The questions a verdict is made of, in the order they are asked."""

    PREFLIGHT = "preflight"
    CORE = "core"
    PRODUCTS = "products"
    SCHEME = "scheme"
    ARTEFACTS = "artefacts"


class GateStatus(StrEnum):
    """The answer to a gate's question."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"


class VerdictKind(StrEnum):
    """The one decision."""

    APPROVED = "APPROVED"
    APPROVED_WITH_KNOWN_ISSUES = "APPROVED WITH KNOWN ISSUES"
    REJECTED = "REJECTED"
    INCONCLUSIVE = "INCONCLUSIVE"

    @property
    def exit_code(self) -> ExitCode:
        """The process exit code that goes with this verdict."""
        if self is VerdictKind.REJECTED:
            return ExitCode.REJECTED
        if self is VerdictKind.INCONCLUSIVE:
            return ExitCode.INCONCLUSIVE
        return ExitCode.APPROVED


class ExitCode(IntEnum):
    """What a ``harness`` process ends with, everywhere."""

    APPROVED = 0
    REJECTED = 1
    INCONCLUSIVE = 2
    USAGE = 3
    INTERNAL = 4


class Severity(StrEnum):
    """How much a case or criterion weighs."""

    BLOCKER = "blocker"
    MAJOR = "major"
    MINOR = "minor"


class Cause(StrEnum):
    """Why a case failed, as far as its exchanges tell."""

    ENVIRONMENT = "environment"
    PROVISIONING = "provisioning"
    TIMING = "timing"
    PRODUCT = "product"
    HARNESS = "harness"
