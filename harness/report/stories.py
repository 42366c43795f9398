"""What happened to each case, told case by case from the journal and the comparison.

The writers of reports read these stories; nothing is decided here that the journal or the judge has not said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from harness.model.ids import SEPARATOR, unescape_label
from harness.model.outcome import ComparisonClass, Outcome
from harness.model.records import (
    CaseFinished,
    CasePlanned,
    CaseStarted,
    CheckRecorded,
    InboundNoted,
    Interrupted,
    Record,
    RunFinished,
    RunStarted,
    StepFinished,
    WorkerLost,
)

__all__ = ["CaseStory", "CheckStory", "JudgedCheck", "RunStory", "StepStory", "tell"]


@dataclass(frozen=True, slots=True)
class JudgedCheck:
    """One row of the comparison: a check, or a whole case whose fate no check of it shows."""

    check: str
    """The check's id, or the case's."""
    comparison: ComparisonClass
    outcome: str
    """An ``Outcome`` as text, or empty where this run has none."""
    message: str
    case: str
    step: str
    """Empty where the row stands for a whole case."""
    definition_changed: bool = False
    """Same id, but it asks something else than in the baseline."""


@dataclass(frozen=True, slots=True)
class CheckStory:
    """One check: what was recorded (if anything was) and how it was judged (if it was)."""

    check: str
    label: str
    record: CheckRecorded | None
    judged: JudgedCheck | None

    @property
    def outcome(self) -> Outcome | None:
        """What the journal holds; ``None`` where it holds nothing."""
        return self.record.outcome if self.record else None

    @property
    def comparison(self) -> ComparisonClass | None:
        """The class the judge gave; ``None`` where it gave none."""
        return self.judged.comparison if self.judged else None

    @property
    def message(self) -> str:
        """Why the check is not passed, as far as anybody said; else empty."""
        recorded = self.record.message if self.record else ""
        return recorded or (self.judged.message if self.judged else "")


@dataclass(frozen=True, slots=True)
class StepStory:
    """One step with its checks. ``record`` is ``None`` where only its checks are known."""

    label: str
    record: StepFinished | None
    checks: tuple[CheckStory, ...]


@dataclass(frozen=True, slots=True)
class CaseStory:
    """One case, from its plan to its end, as far as the journal goes."""

    case: str
    planned: CasePlanned | None
    started: CaseStarted | None
    finished: CaseFinished | None
    lost: WorkerLost | None
    judged: JudgedCheck | None
    """How the case as a whole was judged, where no check of it shows that."""
    cause: str
    """Why it did not pass, a ``Cause`` with what was seen; empty where it passed or nobody can tell."""
    steps: tuple[StepStory, ...]
    inbound: tuple[InboundNoted, ...] = ()
    """Calls of the hub out of the ordinary that belong to it, in the order noted."""

    @property
    def title(self) -> str:
        """The case's title, or the last segment of its id where it was never planned."""
        title = self.planned.title if self.planned else ""
        return title or _last_label(self.case) or self.case or "unnamed"

    @property
    def checks(self) -> tuple[CheckStory, ...]:
        """All checks of all steps, in order."""
        return tuple(check for step in self.steps for check in step.checks)

    @property
    def selected(self) -> bool:
        """Whether the case was to run. A case that left a trace was, whatever the plan says."""
        if self.planned is None or self.planned.selected or self.started or self.finished or self.lost:
            return True
        return any(step.record or any(check.record for check in step.checks) for step in self.steps)

    @property
    def worker(self) -> str:
        """The worker that had the case; empty where none had."""
        for record in (self.finished, self.started, self.lost):
            if record is not None:
                return record.worker
        return ""


@dataclass(frozen=True, slots=True)
class RunStory:
    """The whole run. ``cases`` holds every planned case once, in plan order, then any that ran unplanned."""

    started: RunStarted | None
    finished: RunFinished | None
    interrupted: Interrupted | None
    cases: tuple[CaseStory, ...]
    removed: tuple[JudgedCheck, ...]
    """Checks the baseline's suite has and this run's has not."""
    stray: tuple[InboundNoted, ...] = ()
    """Calls of the hub out of the ordinary that belong to no case."""


# Of two endings of one case (a case run again after its worker died) the worse is told.
_WORSE_LAST = (Outcome.PASSED, Outcome.SKIPPED, Outcome.HOLLOW, Outcome.ERROR, Outcome.FAILED)


@dataclass(slots=True)
class _Step:
    label: str
    record: StepFinished | None = None
    checks: list[CheckStory] = field(default_factory=list)


@dataclass(slots=True)
class _Case:
    planned: CasePlanned | None = None
    started: CaseStarted | None = None
    finished: CaseFinished | None = None
    lost: WorkerLost | None = None
    judged: JudgedCheck | None = None
    steps: list[_Step] = field(default_factory=list)
    inbound: list[InboundNoted] = field(default_factory=list)
    latest: dict[str, _Step] = field(default_factory=dict)

    def step(self, step: str) -> _Step:
        found = self.latest.get(step)
        return found if found is not None else self.new_step(step, _last_label(step))

    def new_step(self, step: str, label: str) -> _Step:
        self.latest[step] = _Step(label=label)
        self.steps.append(self.latest[step])
        return self.latest[step]

    def add_step(self, record: StepFinished) -> None:
        step = self.step(record.step)
        if step.record is not None:
            step = self.new_step(record.step, record.label)
        step.record, step.label = record, record.label or step.label

    def finish(self, record: CaseFinished) -> None:
        if self.finished is None or _worse(record.outcome, self.finished.outcome):
            self.finished = record


class _Teller:
    """Takes the records one after another."""

    def __init__(self, judged: Mapping[str, JudgedCheck]) -> None:
        self.judged = judged
        self.cases: dict[str, _Case] = {}
        self.recorded: set[str] = set()
        self.started: RunStarted | None = None
        self.finished: RunFinished | None = None
        self.interrupted: Interrupted | None = None
        self.noted: list[InboundNoted] = []

    def case(self, case: str) -> _Case:
        return self.cases.setdefault(case, _Case())

    def take(self, record: Record) -> None:
        match record:
            case CasePlanned():
                self.case(record.case).planned = record
            case CaseStarted():
                self.case(record.case).started = record
            case CaseFinished():
                self.case(record.case).finish(record)
            case StepFinished():
                self.case(record.case).add_step(record)
            case CheckRecorded():
                self.recorded.add(record.check)
                self.case(record.case).step(record.step).checks.append(
                    CheckStory(
                        check=record.check,
                        label=record.label or _last_label(record.check),
                        record=record,
                        judged=self.judged.get(record.check),
                    )
                )
            case WorkerLost(case=str() as name):
                self.case(name).lost = record
            case InboundNoted():
                self.noted.append(record)
            case RunStarted():
                self.started = record
            case RunFinished():
                self.finished = record
            case Interrupted():
                self.interrupted = record
            case _:
                pass


def tell(
    records: Iterable[Record],
    judged: Sequence[JudgedCheck],
    causes: Mapping[str, str] = MappingProxyType({}),
    owner: Callable[[InboundNoted], str | None] = lambda note: note.case,
) -> RunStory:
    """Returns the story of every case that was planned or left a trace, each case once, whatever the records are.

    ``causes`` maps a case to why it did not pass; where it is silent, what was recorded with the case stands.
    ``owner`` says which case a call out of the ordinary belongs to.
    """
    teller = _Teller({row.check: row for row in judged})
    for record in records:
        teller.take(record)
    stray: list[InboundNoted] = []
    for note in teller.noted:
        case = teller.cases.get(owner(note) or "")
        (stray if case is None else case.inbound).append(note)
    removed = []
    for row in judged:
        if row.check in teller.recorded:
            continue
        if row.comparison is ComparisonClass.REMOVED:
            removed.append(row)
        elif not row.step:
            teller.case(row.case or row.check).judged = row
        elif row.case in teller.cases or row.comparison is ComparisonClass.MISSING:
            teller.case(row.case).step(row.step).checks.append(
                CheckStory(check=row.check, label=_last_label(row.check), record=None, judged=row)
            )
    return RunStory(
        started=teller.started,
        finished=teller.finished,
        interrupted=teller.interrupted,
        cases=tuple(_closed(name, case, causes.get(name, "")) for name, case in teller.cases.items()),
        removed=tuple(removed),
        stray=tuple(stray),
    )


def _closed(name: str, case: _Case, cause: str) -> CaseStory:
    cause = cause or (case.finished.cause if case.finished else "")
    steps = tuple(StepStory(step.label, step.record, tuple(step.checks)) for step in case.steps)
    return CaseStory(
        name, case.planned, case.started, case.finished, case.lost, case.judged, cause, steps, tuple(case.inbound)
    )


def _last_label(identity: str) -> str:
    """The label in the last segment of an id, for a person to read."""
    return unescape_label(identity.rsplit(SEPARATOR, 1)[-1])


def _worse(one: Outcome, other: Outcome) -> bool:
    return _WORSE_LAST.index(one) > _WORSE_LAST.index(other)
