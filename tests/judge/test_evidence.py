"""Evidence is what the journal says, and whatever does not add up is said, never smoothed over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.judge.evidence import CASE_COLUMNS, CHECK_COLUMNS, PLAN_COLUMNS, STEP_COLUMNS, evidence_from_records
from harness.model.outcome import Outcome
from harness.model.records import (
    CaseFinished,
    CasePlanned,
    CheckRecorded,
    Interrupted,
    PlanComplete,
    Record,
    RunFinished,
    RunStarted,
    StepFinished,
    WorkerLost,
)
from tests.judge.build import SOUND, F, P, Run, case, check_id, run

PAYS = SOUND[0].case


def test_a_sound_run_has_no_damage_and_every_table() -> None:
    evidence = run(SOUND).evidence()
    assert evidence.damage == ()
    assert tuple(evidence.checks.columns) == CHECK_COLUMNS
    assert tuple(evidence.steps.columns) == STEP_COLUMNS
    assert tuple(evidence.cases.columns) == CASE_COLUMNS
    assert tuple(evidence.planned.columns) == PLAN_COLUMNS
    assert len(evidence.checks) == 6
    assert evidence.begun == tuple(shape.case for shape in SOUND)
    assert evidence.journal_digest == "a" * 64


def test_an_empty_journal_gives_empty_tables() -> None:
    evidence = evidence_from_records([])
    assert evidence.started is None
    assert evidence.checks.empty
    assert tuple(evidence.checks.columns) == CHECK_COLUMNS
    assert evidence.planned["selected"].dtype == bool


def test_a_check_answers_for_its_own_component_or_else_its_steps() -> None:
    def own(record: Record) -> Record:
        if isinstance(record, CheckRecorded) and record.label == "c1":
            return replace(record, component="ledger")
        return record

    table = run([case("pays", P, P)]).each(own).evidence().checks.set_index("label")
    assert table["component"].to_dict() == {"c1": "ledger", "c2": "ml-api-adapter"}
    assert set(table["operation"]) == {"POST /transfers"}


def test_findings_of_the_reader_come_first() -> None:
    evidence = replace(run(SOUND), damage=("the last line is cut",)).evidence()
    assert evidence.damage == ("the last line is cut",)


def _again(kind: type[Record], **changes: object) -> Run:
    """The sound run with its first record of ``kind`` twice in a row, the second time changed."""
    records = list(run(SOUND).records)
    at = next(n for n, record in enumerate(records) if isinstance(record, kind))
    records.insert(at + 1, replace(records[at], **changes))
    return Run(tuple(records)).closed()


def test_of_two_results_of_a_check_the_worse_is_kept_and_told() -> None:
    for changes in ({"outcome": Outcome.FAILED}, {"outcome": Outcome.PASSED}):
        evidence = _again(CheckRecorded, **changes).evidence()
        assert any("more than one result" in text for text in evidence.damage)
        assert evidence.checks["check"].is_unique
        kept = evidence.checks.set_index("check").loc[check_id("pays", "c1"), "outcome"]
        assert kept == changes["outcome"].value


@pytest.mark.parametrize(
    ("spoilt", "finding"),
    [
        (_again(CaseFinished), f"case {PAYS} finished more than once"),
        (_again(CasePlanned), f"case {PAYS} is planned twice"),
        (_again(RunStarted), "the run began 2 times"),
        (_again(PlanComplete), "the run closed its plan 2 times"),
        (_again(RunFinished), "follows the end of the run"),
        (_again(CheckRecorded, check="no id"), "check no id does not name its case"),
        (_again(CheckRecorded, check="a::b::c::d", case="a::b"), "belongs to a case that was not planned"),
        (_again(StepFinished, step="a::b::c", case="a::b"), "step a::b::c belongs to a case that was not planned"),
        (_again(CaseFinished, case="a::b"), "case a::b finished but was not planned"),
        (_again(CheckRecorded, check=check_id("pays", "c9"), outcome=F), f"case {PAYS} is recorded as passed but 1"),
        (run(SOUND).changed(RunFinished, cases=2), "closes with 2 finished cases but holds 3"),
        (run(SOUND).changed(RunFinished, checks=7), "closes with 7 checks but holds 6"),
        (run(SOUND).changed(PlanComplete, cases=4), "closes with 4 planned cases but holds 3"),
        (run(SOUND).changed(PlanComplete, selected=4), "closes with 4 selected cases but holds 3"),
        (run(SOUND).changed(CasePlanned, selected=False).closed(), "belongs to a case that was not selected"),
        (run([case("pays", P, planned_checks=("x::y::z::c",))]), "which does not own it"),
        (run(SOUND).without(lambda record: isinstance(record, RunStarted)), "begins with 'service-probed'"),
    ],
)
def test_what_does_not_add_up_is_damage(spoilt: Run, finding: str) -> None:
    assert any(finding in text for text in spoilt.evidence().damage)


def test_a_case_planned_after_the_plan_was_closed_is_damage() -> None:
    records = list(run(SOUND).records)
    at = next(n for n, record in enumerate(records) if isinstance(record, PlanComplete))
    records.insert(at, records.pop(at + 1))
    first = next(n for n, record in enumerate(records) if isinstance(record, CasePlanned))
    records.insert(at + 1, records.pop(first))
    assert any("after the plan was closed" in text for text in Run(tuple(records)).evidence().damage)


def test_lost_workers_and_interruptions_are_kept() -> None:
    records = run(SOUND).records
    told = (WorkerLost(worker="gw1", case=None, message="killed"), Interrupted(reason="SIGTERM"))
    evidence = evidence_from_records((*records[:-1], *told, records[-1]))
    assert evidence.workers_lost == told[:1]
    assert evidence.interruptions == told[1:]
    assert evidence.damage == ()
