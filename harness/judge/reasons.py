"""What can weigh on a verdict? Every kind of reason in the order of its weight, and what lies before the judge.

A reason with status ``pass`` is a known issue: it lets a release through and is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from harness.judge.baseline import Baseline
from harness.judge.cause import CaseCause
from harness.judge.compare import Comparison, Mask
from harness.judge.criteria import Criteria
from harness.judge.evidence import Evidence
from harness.judge.parts import Parts
from harness.judge.vocabulary import ExpectedFailures
from harness.judge.waiving import WaiverFinding
from harness.model.outcome import GateName, GateStatus
from harness.model.release import Release, ReleaseVersion
from harness.model.verdict import Reason

__all__ = ["CUT_OFF", "FAIL", "KNOWN", "UNKNOWN", "Case", "Code", "reason_of", "same_version"]

FAIL, UNKNOWN, KNOWN = GateStatus.FAIL, GateStatus.UNKNOWN, GateStatus.PASS


class Code(StrEnum):
    """Every kind of reason, heaviest first. The order is the order in which reasons are shown."""

    JOURNAL_DAMAGED = "journal-damaged"
    NOT_STARTED = "not-started"
    PLAN_ABSENT = "plan-absent"
    NOT_FINISHED = "not-finished"
    INTERRUPTED = "interrupted"
    WORKER_LOST = "worker-lost"
    RUN_PROBLEM = "run-problem"
    NO_CASES = "no-cases"
    NO_CHECKS = "no-checks"
    ENVIRONMENT = "environment"
    SERVICE_NOT_OK = "service-not-ok"
    VERSION_DIFFERS = "version-differs"
    VERSION_NOT_REPORTED = "version-not-reported"
    VERSION_UNPROVEN = "version-unproven"
    NOT_READY = "not-ready"
    NOT_PROBED = "not-probed"
    REGRESSED = "regressed"
    NEW_FAIL = "new-fail"
    MISSING = "missing"
    PRODUCT_REJECTED = "product-rejected"
    ARTEFACT_FAILED = "artefact-failed"
    CRITERION = "criterion"
    NOTHING_PASSED = "nothing-passed"
    TARGET_UNKNOWN = "target-unknown"
    BASELINE_ABSENT = "baseline-absent"
    BASELINE_REHEARSAL = "baseline-rehearsal"
    BASELINE_OTHER_RELEASE = "baseline-other-release"
    BASELINE_OTHER_SUITE = "baseline-other-suite"
    NOTHING_COMPARED = "nothing-compared"
    PIN_ABSENT = "pin-absent"
    PIN_DIFFERS = "pin-differs"
    PARTIAL = "partial"
    UNKNOWN = "unknown"
    HOLLOW = "hollow"
    REMOVED = "removed"
    STEP_UNCHECKED = "step-unchecked"
    DEFINITION_CHANGED = "definition-changed"
    FLAKY = "flaky"
    CORE_DIFFERS = "core-differs"
    PRODUCT_DIFFERS = "product-differs"
    PRODUCT_INCONCLUSIVE = "product-inconclusive"
    PRODUCT_ABSENT = "product-absent"
    PRODUCT_UNLISTED = "product-unlisted"
    PRODUCT_UNSUPPORTED = "product-unsupported"
    REQUIRED_PRODUCT = "required-product"
    SCHEME_ABSENT = "scheme-absent"
    CRITERIA_ABSENT = "criteria-absent"
    CRITERIA_IDLE = "criteria-idle"
    MANIFEST_ABSENT = "manifest-absent"
    MANIFEST_DIFFERS = "manifest-differs"
    ARTEFACT_LACKING = "artefact-lacking"
    ARTEFACT_ABSENT = "artefact-absent"
    CRITERIA_OF_ANOTHER = "criteria-of-another"
    PRODUCT_KNOWN_ISSUES = "product-known-issues"
    ARTEFACT_DOUBTFUL = "artefact-doubtful"
    WAIVED = "waived"
    EXPECTED_FAILURE = "expected-failure"
    UNCHANGED_FAIL = "unchanged-fail"


CUT_OFF: Final = frozenset(
    {
        Code.JOURNAL_DAMAGED, Code.NOT_STARTED, Code.PLAN_ABSENT, Code.NOT_FINISHED, Code.INTERRUPTED,
        Code.WORKER_LOST, Code.RUN_PROBLEM, Code.NO_CASES, Code.NO_CHECKS, Code.ENVIRONMENT,
    }
)  # fmt: skip
"""With any of these nothing the run shows can be relied on, failures included."""


@dataclass(frozen=True, slots=True)
class Case:
    """All that lies before the judge."""

    evidence: Evidence
    baseline: Baseline | None
    baseline_problem: str
    criteria: Criteria | None
    release: Release | None
    comparison: Comparison
    causes: tuple[CaseCause, ...]
    baseline_reasons: tuple[Reason, ...]
    """Why the baseline cannot speak for this run."""
    suite_reasons: tuple[Reason, ...]
    """Why the suite is not the one that was pinned and recorded."""
    proven: Mask
    """The rows of the comparison that stand as failures in spite of the flaws of the inputs."""
    waivers: tuple[WaiverFinding, ...]
    """What became of each waiver."""
    expected: tuple[tuple[ExpectedFailures, Mask], ...]
    """The Scheme's expectations in force, each with the rows that fail as it has them."""
    parts: Parts
    """What belongs to the release beside this run."""

    @property
    def excused(self) -> Mask:
        """The rows that a waiver or an expectation in force names."""
        masks = [*(found.covered for found in self.waivers), *(rows for _, rows in self.expected)]
        nothing: Mask = np.zeros(len(self.comparison.table), dtype=bool)
        return np.logical_or.reduce(masks) if masks else nothing


def reason_of(
    code: Code, gate: GateName, status: GateStatus, text: str, remedy: str = "", checks: Iterable[str] = ()
) -> Reason:
    """Returns a reason with its code as text."""
    return Reason(code=code.value, gate=gate, status=status, text=text, remedy=remedy, checks=tuple(checks))


def same_version(one: str, other: str) -> bool:
    """Returns whether two release versions are the same, with or without ``v``."""
    try:
        return ReleaseVersion.parse(one) == ReleaseVersion.parse(other)
    except ValueError:
        return one == other
