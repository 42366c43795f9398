"""What did a run show? Turns journal records into tables, and says where the records do not add up.

Nothing is merged or repaired in silence: whatever does not fit is a finding of damage, and damage never approves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pandas as pd

from harness.model.ids import CheckId
from harness.model.outcome import Outcome
from harness.model.records import (
    CaseFinished,
    CasePlanned,
    CaseStarted,
    CheckRecorded,
    InboundNoted,
    Interrupted,
    PlanComplete,
    Provisioned,
    Record,
    RunFinished,
    RunStarted,
    ServiceProbed,
    StepFinished,
    WorkerLost,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

# With pyarrow installed pandas keeps text in Arrow's UTF-8, which cannot hold half of a surrogate pair, and a hub may
# answer with one: the judge must decide on it, not break over it.
pd.set_option("mode.string_storage", "python")

__all__ = [
    "CASE_COLUMNS",
    "CHECK_COLUMNS",
    "PLAN_COLUMNS",
    "STEP_COLUMNS",
    "Evidence",
    "evidence_from_records",
    "table",
]

CHECK_COLUMNS: Final = (
    "check", "case", "step", "label", "outcome", "message", "expected", "actual", "fingerprint", "component",
    "operation",
)  # fmt: skip
STEP_COLUMNS: Final = (
    "case", "step", "operation", "component", "status", "latency_ms", "callback_ms", "callback_awaited",
    "callback_received", "error", "error_kind", "error_code", "error_text",
    "currencies",
)  # fmt: skip
CASE_COLUMNS: Final = ("case", "outcome", "duration_ms", "message", "cause")
PLAN_COLUMNS: Final = ("case", "title", "feature", "labels", "severity", "file", "selected", "checks")

# Of two results for one thing the worse is kept, so that a repetition can hide nothing.
_WORST_FIRST: Final = (Outcome.FAILED, Outcome.ERROR, Outcome.HOLLOW, Outcome.SKIPPED, Outcome.PASSED)
_R = TypeVar("_R", CheckRecorded, CaseFinished)
_TRUTH: Final = frozenset({"callback_awaited", "callback_received", "selected"})
_NUMBERS: Final = frozenset({"latency_ms", "callback_ms", "duration_ms", "status"})


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """One run as tables. ``checks``, ``cases`` and ``planned`` hold each id once; ``damage`` says what did not fit."""

    started: RunStarted | None
    finished: RunFinished | None
    plan_complete: PlanComplete | None
    probes: tuple[ServiceProbed, ...]
    planned: pd.DataFrame
    """``PLAN_COLUMNS``, in the order planned."""
    checks: pd.DataFrame
    """``CHECK_COLUMNS``. ``component`` is the check's own or else its step's."""
    steps: pd.DataFrame
    """``STEP_COLUMNS``, in the order they were recorded."""
    cases: pd.DataFrame
    """``CASE_COLUMNS``: the cases that came to their end."""
    begun: tuple[str, ...] = ()
    """Cases that a worker took up, in order."""
    inbound: tuple[InboundNoted, ...] = ()
    workers_lost: tuple[WorkerLost, ...] = ()
    interruptions: tuple[Interrupted, ...] = ()
    provisioned: tuple[Provisioned, ...] = ()
    damage: tuple[str, ...] = ()
    journal_digest: str = ""
    ended_at: str = ""
    """When the last record was written, ISO 8601 in UTC; empty where that is not known."""


def table(rows: Iterable[Sequence[Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Returns a frame with ``columns``. Numbers become floats (absent: NaN), truth values bools, the rest objects."""
    by_column = list(zip(*rows, strict=True)) or [()] * len(columns)

    def kind(name: str) -> str:
        return "float64" if name in _NUMBERS else "bool" if name in _TRUTH else "object"

    return pd.DataFrame(
        {name: pd.Series(list(cells), dtype=kind(name)) for name, cells in zip(columns, by_column, strict=True)},
        columns=list(columns),
    )


def evidence_from_records(
    records: Iterable[Record], *, damage: Sequence[str] = (), journal_digest: str = "", ended_at: str = ""
) -> Evidence:
    """Returns the run that ``records`` tell of, in journal order.

    ``damage`` are the findings of whoever read the journal (a cut last line, a gap in the sequence); the findings made
    here are added to them. ``journal_digest`` is kept for the verdict's inputs; ``ended_at`` says whether waivers hold.
    """
    sorted_ = _Sorter()
    for record in records:
        sorted_.take(record)
    return sorted_.evidence(damage, journal_digest, ended_at)


@dataclass(slots=True)
class _Sorter:
    """Collects records by kind while it watches their order."""

    total: int = 0
    started: list[RunStarted] = field(default_factory=list)
    finished: list[RunFinished] = field(default_factory=list)
    complete: list[PlanComplete] = field(default_factory=list)
    probes: list[ServiceProbed] = field(default_factory=list)
    provisioned: list[Provisioned] = field(default_factory=list)
    planned: list[CasePlanned] = field(default_factory=list)
    begun: list[CaseStarted] = field(default_factory=list)
    steps: list[StepFinished] = field(default_factory=list)
    checks: list[CheckRecorded] = field(default_factory=list)
    cases: list[CaseFinished] = field(default_factory=list)
    inbound: list[InboundNoted] = field(default_factory=list)
    lost: list[WorkerLost] = field(default_factory=list)
    interruptions: list[Interrupted] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)

    def take(self, record: Record) -> None:
        if self.total == 0 and not isinstance(record, RunStarted):
            self.damage.append(f"the journal begins with {record.type!r} instead of 'run-started'")
        if self.finished:
            self.damage.append(f"a record of type {record.type!r} follows the end of the run")
        self.total += 1
        match record:
            case CheckRecorded():
                self.checks.append(record)
            case StepFinished():
                self.steps.append(record)
            case CaseFinished():
                self.cases.append(record)
            case CaseStarted():
                self.begun.append(record)
            case CasePlanned():
                if self.complete:
                    self.damage.append(f"case {record.case} was planned after the plan was closed")
                self.planned.append(record)
            case InboundNoted():
                self.inbound.append(record)
            case ServiceProbed():
                self.probes.append(record)
            case Provisioned():
                self.provisioned.append(record)
            case RunStarted():
                self.started.append(record)
            case PlanComplete():
                self.complete.append(record)
            case RunFinished():
                self.finished.append(record)
            case WorkerLost():
                self.lost.append(record)
            case Interrupted():
                self.interruptions.append(record)
            case _:
                self.damage.append(f"a record of an unknown type {record.type!r}")

    def evidence(self, damage: Sequence[str], journal_digest: str, ended_at: str) -> Evidence:
        for name, found in (("began", self.started), ("closed its plan", self.complete), ("ended", self.finished)):
            if len(found) > 1:
                self.damage.append(f"the run {name} {len(found)} times in one journal")
        plan = self._plan()
        steps = {step.step: step for step in self.steps}
        checks = self._checks(plan, steps)
        cases = self._cases(plan)
        self._contradictions(cases, checks)
        self._counts()
        return Evidence(
            started=self.started[0] if self.started else None,
            finished=self.finished[-1] if self.finished else None,
            plan_complete=self.complete[-1] if self.complete else None,
            probes=tuple(self.probes),
            planned=table(((*(getattr(p, name) for name in PLAN_COLUMNS),) for p in plan.values()), PLAN_COLUMNS),
            checks=table((_check_row(check, steps.get(check.step)) for check in checks.values()), CHECK_COLUMNS),
            steps=table(((*(getattr(s, name) for name in STEP_COLUMNS),) for s in self.steps), STEP_COLUMNS),
            cases=table(
                ((c.case, c.outcome.value, c.duration_ms, c.message, c.cause) for c in cases.values()), CASE_COLUMNS
            ),
            begun=tuple(begun.case for begun in self.begun),
            inbound=tuple(self.inbound),
            workers_lost=tuple(self.lost),
            interruptions=tuple(self.interruptions),
            provisioned=tuple(self.provisioned),
            damage=(*damage, *self.damage),
            journal_digest=journal_digest,
            ended_at=ended_at,
        )

    def _plan(self) -> dict[str, CasePlanned]:
        plan: dict[str, CasePlanned] = {}
        owner: dict[str, str] = {}
        for planned in self.planned:
            if planned.case in plan:
                self.damage.append(f"case {planned.case} is planned twice")
            plan[planned.case] = planned
            for check in planned.checks or ():
                if owner.setdefault(check, planned.case) != planned.case or _case_of(check) != planned.case:
                    self.damage.append(f"check {check} is planned for case {planned.case}, which does not own it")
        return plan

    def _checks(self, plan: Mapping[str, CasePlanned], steps: Mapping[str, StepFinished]) -> dict[str, CheckRecorded]:
        kept: dict[str, CheckRecorded] = {}
        for step in steps.values():
            if step.case not in plan:
                self.damage.append(f"step {step.step} belongs to a case that was not planned")
        for check in self.checks:
            if _case_of(check.check) != check.case:
                self.damage.append(f"check {check.check} does not name its case {check.case}")
            if (planned := plan.get(check.case)) is None:
                self.damage.append(f"check {check.check} belongs to a case that was not planned")
            elif not planned.selected:
                self.damage.append(f"check {check.check} belongs to a case that was not selected")
            if (before := kept.get(check.check)) is not None:
                self.damage.append(f"check {check.check} has more than one result")
                check = _worse(before, check)
            kept[check.check] = check
        return kept

    def _cases(self, plan: Mapping[str, CasePlanned]) -> dict[str, CaseFinished]:
        kept: dict[str, CaseFinished] = {}
        for case in self.cases:
            if (planned := plan.get(case.case)) is None:
                self.damage.append(f"case {case.case} finished but was not planned")
            elif not planned.selected:
                self.damage.append(f"case {case.case} finished but was not selected")
            if (before := kept.get(case.case)) is not None:
                self.damage.append(f"case {case.case} finished more than once")
                case = _worse(before, case)
            kept[case.case] = case
        return kept

    def _contradictions(self, cases: Mapping[str, CaseFinished], checks: Mapping[str, CheckRecorded]) -> None:
        """A case that calls itself passed over a check that failed or broke: one of the two records is wrong."""
        bad = Counter(c.case for c in checks.values() if c.outcome in (Outcome.FAILED, Outcome.ERROR))
        self.damage.extend(
            f"case {case} is recorded as passed but {count} of its checks failed or broke"
            for case, count in bad.items()
            if case in cases and cases[case].outcome is Outcome.PASSED
        )

    def _counts(self) -> None:
        def compare(what: str, said: int, found: int) -> None:
            if said != found:
                self.damage.append(f"the journal closes with {said} {what} but holds {found}")

        if self.complete:
            compare("planned cases", self.complete[-1].cases, len(self.planned))
            compare("selected cases", self.complete[-1].selected, sum(planned.selected for planned in self.planned))
        if self.finished:
            compare("finished cases", self.finished[-1].cases, len(self.cases))
            compare("checks", self.finished[-1].checks, len(self.checks))


def _case_of(check: str) -> str | None:
    try:
        return CheckId.parse(check).case_id
    except ValueError:
        return None


def _worse(one: _R, other: _R) -> _R:
    return min(one, other, key=lambda record: _WORST_FIRST.index(record.outcome))


def _check_row(check: CheckRecorded, step: StepFinished | None) -> tuple[Any, ...]:
    component = check.component or (step.component if step else "")
    operation = step.operation if step else ""
    return (
        check.check, check.case, check.step, check.label, check.outcome.value, check.message, check.expected,
        check.actual, check.fingerprint, component, operation,
    )  # fmt: skip
