"""Runs to write reports of: records as a run leaves them, compared by the real judge with a baseline of their suite."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.judge.baseline import BaselineSource, baseline_from_evidence
from harness.judge.criteria import ClassAtMost, Criteria
from harness.judge.evidence import evidence_from_records
from harness.judge.verdict import judge
from harness.model.ids import fingerprint
from harness.model.outcome import ComparisonClass, Outcome, Severity
from harness.model.records import (
    CaseFinished,
    CasePlanned,
    CaseStarted,
    CheckRecorded,
    Interrupted,
    PlanComplete,
    Record,
    RunFinished,
    RunStarted,
    ServiceProbed,
    StepFinished,
    WorkerLost,
)
from harness.report.interface import ReportInput

RUN_ID = "20260102-030405-embedded"
DIGEST = "ab" * 32
FOLDER = Path("reports/runs") / RUN_ID
COMPONENTS: Mapping[str, str] = MappingProxyType(
    {"account-lookup-service": "17.15.2", "central-ledger": "19.10.6", "ml-api-adapter": "16.7.1"}
)


CRITERIA = Criteria(
    scheme="example",
    title="Example",
    rules=(
        ClassAtMost(
            id="no-regressions",
            title="Nothing regressed",
            severity=Severity.BLOCKER,
            rationale="what worked must work",
            kind="class-at-most",
            classes=(ComparisonClass.REGRESSED,),
            at_most=0,
        ),
    ),
)


@dataclass(frozen=True)
class Check:
    """One check of a scenario's case."""

    label: str
    outcome: Outcome = Outcome.PASSED
    message: str = ""
    expected: Any = None
    actual: Any = None


@dataclass(frozen=True)
class Case:
    """One case of a scenario, of one step."""

    id: str
    checks: tuple[Check, ...]
    title: str = ""
    feature: str = "transfers"
    operation: str = "POST /transfers"
    component: str = "central-ledger"

    @property
    def step(self) -> str:
        return f"{self.id}::send it"


def cases(count: int = 12) -> list[Case]:
    """Cases of three passing checks each, in two files."""
    made = []
    for number in range(count):
        file, feature = ("test_transfers.py", "transfers") if number % 2 else ("test_quotes.py", "quotes")
        made.append(
            Case(
                id=f"mojaloop/{file}::a payer sends {number + 1} USD",
                title=f"A payer sends {number + 1} USD",
                feature=feature,
                operation="POST /transfers" if number % 2 else "POST /quotes",
                component="central-ledger" if number % 2 else "account-lookup-service",
                checks=(Check("accepted with 202"), Check("the callback came"), Check("the state is COMMITTED")),
            )
        )
    return made


def failing(case: Case) -> Case:
    """The case with its last check failed."""
    last = replace(
        case.checks[-1],
        outcome=Outcome.FAILED,
        message="the transfer's state after the callback",
        expected="COMMITTED",
        actual="ABORTED",
    )
    return replace(case, checks=(*case.checks[:-1], last))


def outcome_of(case: Case) -> Outcome:
    """The worst of its checks."""
    order = [Outcome.PASSED, Outcome.SKIPPED, Outcome.HOLLOW, Outcome.ERROR, Outcome.FAILED]
    return max((check.outcome for check in case.checks), key=order.index, default=Outcome.HOLLOW)


def started(run_id: str = RUN_ID, **changes: Any) -> RunStarted:
    """The run's first record."""
    values: dict[str, Any] = {
        "run_id": run_id,
        "product": "mojaloop",
        "release": "v17.1.0",
        "scheme": "example",
        "suite": {
            "name": "mojaloop",
            "digest": "ab" * 32,
            "pin": "match",
            "pinned_digest": "ab" * 32,
            "source": "native",
        },
        "target": {"name": "embedded", "kind": "embedded", "services": {}, "facts": {}, "defects": []},
        "selection": {"complete": True, "labels": [], "keyword": None, "paths": []},
        "tool": {"name": "mojaloop-harness", "version": "0.1.0", "python": "3.11", "platform": "linux", "pytest": "9"},
        "release_manifest": {
            "product": "mojaloop",
            "version": "v17.1.0",
            "components": dict(COMPONENTS),
            "source": "notes",
        },
    }
    return RunStarted(**values | changes)


def planned(case: Case, *, selected: bool = True) -> CasePlanned:
    """The case's record in the plan."""
    return CasePlanned(
        case=case.id,
        title=case.title,
        feature=case.feature,
        labels=["smoke"],
        severity="major",
        file=f"suites/{case.id.split('::')[0]}",
        selected=selected,
    )


def ran(case: Case, number: int, worker: str = "gw0") -> list[Record]:
    """What a case that came to its end leaves in the journal."""
    second = number % 60
    records: list[Record] = [
        CaseStarted(case=case.id, worker=worker),
        StepFinished(
            case=case.id,
            step=case.step,
            label="send it",
            operation=case.operation,
            url="http://127.0.0.1:3000/transfers",
            component=case.component,
            status=202,
            latency_ms=12.5,
            callback_ms=40.0,
            callback_awaited=True,
            callback_received=True,
            exchange=f"x{number}",
        ),
    ]
    records += [
        CheckRecorded(
            check=f"{case.step}::{check.label}",
            case=case.id,
            step=case.step,
            label=check.label,
            outcome=check.outcome,
            message=check.message,
            expected=check.expected,
            actual=check.actual,
            fingerprint=fingerprint("POST", case.operation, check.label),
        )
        for check in case.checks
    ]
    records.append(
        CaseFinished(
            case=case.id,
            outcome=outcome_of(case),
            duration_ms=80.0,
            worker=worker,
            started_at=f"2026-01-02T03:04:{second:02d}.500Z",
        )
    )
    return records


def whole_run(
    run_cases: Sequence[Case], run_id: str = RUN_ID, components: Mapping[str, str] = COMPONENTS
) -> list[Record]:
    """The journal of a run that came to its end."""
    return [
        started(run_id),
        *(
            ServiceProbed(
                service=service,
                url="http://127.0.0.1:3001",
                status="ok",
                version=version,
                expected_version=version,
            )
            for service, version in components.items()
        ),
        *(planned(case) for case in run_cases),
        PlanComplete(cases=len(run_cases), selected=len(run_cases)),
        *(record for number, case in enumerate(run_cases) for record in ran(case, number)),
        RunFinished(cases=len(run_cases), checks=sum(len(case.checks) for case in run_cases), duration_ms=4000.0),
    ]


def crashed_run(run_cases: Sequence[Case], done: int) -> list[Record]:
    """The journal of a run that lost a worker after ``done`` cases and was then told to stop."""
    victim = run_cases[done]
    return [
        *(r for r in whole_run(run_cases[:done]) if not isinstance(r, CasePlanned | PlanComplete | RunFinished)),
        *(planned(case) for case in run_cases),
        PlanComplete(cases=len(run_cases), selected=len(run_cases)),
        CaseStarted(case=victim.id, worker="gw1"),
        WorkerLost(worker="gw1", case=victim.id, message="killed by signal 9"),
        Interrupted(reason="SIGTERM"),
    ]


def exchanges(count: int) -> dict[str, Mapping[str, Any]]:
    """The redacted exchanges of ``count`` cases."""
    return {
        f"x{number}": {
            "id": f"x{number}",
            "started_at": f"2026-01-02T03:04:{number % 60:02d}.510Z",
            "request": {"method": "POST", "headers": {"authorization": "[redacted]"}, "body": {"amount": "1"}},
            "response": {"status": 202, "headers": {}, "body": None},
            "callback": {"method": "PUT", "body": {"transferState": "COMMITTED"}},
        }
        for number in range(count)
    }


def exchanges_of(records: Sequence[Record]) -> dict[str, Mapping[str, Any]]:
    """The exchanges that the records refer to."""
    named = {record.exchange for record in records if isinstance(record, StepFinished)}
    return {name: exchange for name, exchange in exchanges(len(records)).items() if name in named}


def judged(
    records: Sequence[Record], before: Sequence[Case], upgraded: Mapping[str, str] = MappingProxyType({})
) -> Any:
    """The run as the real judge sees it, against a baseline in which ``before`` ran with other component versions."""
    good = whole_run(before, "20251201-000000-embedded", dict(COMPONENTS) | dict(upgraded))
    baseline = baseline_from_evidence(
        [evidence_from_records(good)],
        source=BaselineSource.EMBEDDED,
        recorded_at="2025-12-01T00:00:00Z",
        recorded_by="mojaloop-harness 0.1.0",
    )
    return judge(evidence_from_records(records), baseline, CRITERIA, None)


def report_input(records: Sequence[Record], before: Sequence[Case], folder: Path = FOLDER, **more: Any) -> ReportInput:
    """What a report is given."""
    return ReportInput(
        judged=judged(records, before, **more), records=records, exchanges=exchanges_of(records), folder=folder
    )


def approved(folder: Path = FOLDER) -> ReportInput:
    """Everything passed, as before."""
    return report_input(whole_run(cases()), cases(), folder)


def known_issues(folder: Path = FOLDER) -> ReportInput:
    """Two cases fail as they did before."""
    now = [failing(case) if number < 2 else case for number, case in enumerate(cases())]
    return report_input(whole_run(now), now, folder)


def rejected(folder: Path = FOLDER, rename: Callable[[str], str] = str) -> ReportInput:
    """Fourteen of forty cases fail that passed before; central-ledger was upgraded."""
    before = [replace(case, id=rename(case.id)) for case in cases(40)]
    now = [failing(case) if number < 14 else case for number, case in enumerate(before)]
    return report_input(whole_run(now), before, folder, upgraded={"central-ledger": "19.9.0"})


def inconclusive(folder: Path = FOLDER) -> ReportInput:
    """A worker was lost in the sixth of twelve cases, and the run was stopped."""
    return report_input(crashed_run(cases(), 5), cases(), folder)
