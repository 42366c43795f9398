"""The Allure results hold every case once, in words that promise no more than was seen."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.judge.evidence import evidence_from_records
from harness.judge.verdict import judge
from harness.model.outcome import Cause, ComparisonClass, Outcome
from harness.model.records import (
    CaseFinished,
    CasePlanned,
    CaseStarted,
    CheckRecorded,
    Interrupted,
    Record,
    StepFinished,
    WorkerLost,
)
from harness.report.allure import AllureResults, categories
from harness.report.allure_results import case_result, stable_uuid
from harness.report.fate import case_fate
from harness.report.interface import ReportInput, story_of
from harness.report.moments import milliseconds
from tests.report import scenarios


def results_of(folder: Path) -> dict[str, dict[str, Any]]:
    """Case id to its result, as the files hold them; a case with two results is refused."""
    found: dict[str, dict[str, Any]] = {}
    for file in (folder / "allure-results").glob("*-result.json"):
        result = json.loads(file.read_text(encoding="utf-8"), parse_constant=pytest.fail)
        assert result["fullName"] not in found
        found[result["fullName"]] = result
    return found


def written(run: ReportInput, folder: Path) -> dict[str, dict[str, Any]]:
    AllureResults().write(run, folder)
    return results_of(folder)


_IDS = st.sampled_from([f"suite/test_{n}.py::case {n}" for n in range(4)])
_STEPS = st.sampled_from(["send", "wait", "read back"])
_TEXT = st.text(max_size=20) | st.sampled_from(["\x1b[2J", "\ud800", "allure.id=7", "a\nb", "’", "NaN"])
_NUMBERS = st.none() | st.floats()
_TIMES = st.sampled_from(["2026-01-02T03:04:05.678Z", "", "yesterday", "0001-01-01T00:00:00+23:59"])
_OUTCOMES = st.sampled_from(Outcome)


@st.composite
def _records(draw: st.DrawFn) -> Record:
    case, step = draw(_IDS), draw(_STEPS)
    kind = draw(st.integers(0, 6))
    if kind == 0:
        return CasePlanned(
            case=case,
            title=draw(_TEXT),
            feature=draw(_TEXT),
            labels=draw(st.lists(_TEXT, max_size=2)),
            severity=draw(st.sampled_from(["blocker", "major", "minor", "unheard of"])),
            file="suites/x.py",
            selected=draw(st.booleans()),
            checks=draw(st.none() | st.just([f"{case}::{step}::planned"])),
        )
    if kind == 1:
        return CaseStarted(case=case, worker="gw0")
    if kind == 2:
        return StepFinished(
            case=case,
            step=f"{case}::{step}",
            label=draw(_TEXT),
            operation="POST /transfers",
            url=draw(_TEXT),
            component="central-ledger",
            status=draw(st.none() | st.just(202)),
            latency_ms=draw(_NUMBERS),
            callback_ms=draw(_NUMBERS),
            exchange=draw(st.none() | st.sampled_from(["x0", "x1", "unknown"])),
            error=draw(_TEXT),
        )
    if kind == 3:
        return CheckRecorded(
            check=f"{case}::{step}::{draw(st.sampled_from(['one', 'two']))}",
            case=case,
            step=f"{case}::{step}",
            label=draw(_TEXT),
            outcome=draw(_OUTCOMES),
            message=draw(_TEXT),
            expected=draw(_NUMBERS),
            actual=draw(_TEXT),
        )
    if kind == 4:
        return CaseFinished(
            case=case,
            outcome=draw(_OUTCOMES),
            duration_ms=draw(st.floats()),
            worker="gw0",
            started_at=draw(_TIMES),
            message=draw(_TEXT),
            cause=draw(st.sampled_from(["", *Cause])),
        )
    if kind == 5:
        return WorkerLost(worker="gw0", case=draw(st.none() | _IDS), message=draw(_TEXT))
    return Interrupted(reason=draw(_TEXT))


def _input(records: list[Record], folder: Path) -> ReportInput:
    judged = judge(evidence_from_records(records), None, None, None)
    return ReportInput(judged=judged, records=records, exchanges=scenarios.exchanges(2), folder=folder)


@settings(max_examples=30, deadline=None)
@given(records=st.lists(_records(), max_size=25))
def test_every_case_has_exactly_one_result_whatever_the_journal_holds(
    records: list[Record], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("run")
    results = written(_input(records, folder), folder)
    planned = {record.case for record in records if isinstance(record, CasePlanned)}
    ran = {record.case for record in records if isinstance(record, CaseFinished | CaseStarted | StepFinished)}
    assert planned | ran <= results.keys()
    attachments = {path.name for path in (folder / "allure-results").glob("*-attachment.*")}
    for result in results.values():
        for step in result.get("steps", []):
            for attachment in step.get("attachments", []):
                assert attachment["source"] in attachments
                json.loads((folder / "allure-results" / attachment["source"]).read_text(encoding="utf-8"))


@settings(max_examples=60, deadline=None)
@given(records=st.lists(_records(), max_size=25))
def test_a_case_is_passed_only_where_it_ended_and_each_of_its_checks_was_seen_to_pass(records: list[Record]) -> None:
    run = story_of(_input(records, Path()))
    for case in run.cases:
        if case_fate(case, run).standing.word == "passed":
            assert case.finished is not None
            assert case.checks
            assert {check.outcome for check in case.checks} == {Outcome.PASSED}


@settings(max_examples=30, deadline=None)
@given(records=st.lists(_records(), max_size=25))
def test_steps_lie_within_their_case_and_never_end_before_they_begin(records: list[Record]) -> None:
    run = _input(records, Path())
    story = story_of(run)
    for case in story.cases:
        result = case_result(case, story, run.exchanges).result
        for step in result.steps:
            if result.start is None:
                assert step.start is None
            else:
                assert result.start <= step.start <= step.stop <= result.stop


@pytest.mark.parametrize("name", ["approved", "known_issues", "rejected", "inconclusive"])
def test_writing_twice_gives_the_same_files(name: str, tmp_path: Path) -> None:
    run = getattr(scenarios, name)(tmp_path)
    folder = tmp_path / "allure-results"

    def bytes_of() -> Mapping[str, bytes]:
        return {file.name: file.read_bytes() for file in folder.iterdir()}

    AllureResults().write(run, tmp_path)
    first = bytes_of()
    (folder / "stale-result.json").write_text("{}")
    AllureResults().write(run, tmp_path)
    assert bytes_of() == first
    assert [path.name for path in tmp_path.iterdir()] == ["allure-results"]


def test_the_history_of_a_case_does_not_depend_on_the_run_its_order_or_its_worker(tmp_path: Path) -> None:
    forward = scenarios.cases()
    one = written(scenarios.report_input(scenarios.whole_run(forward), forward), tmp_path / "one")
    other_records = [
        replace(record, worker="gw7") if isinstance(record, CaseStarted | CaseFinished) else record
        for record in scenarios.whole_run(forward[::-1], "20260203-040506-embedded")
    ]
    other = written(scenarios.report_input(other_records, forward), tmp_path / "other")
    assert one.keys() == other.keys()
    for case, result in one.items():
        for field in ("historyId", "testCaseId", "fullName"):
            assert result[field] == other[case][field]
        assert result["uuid"] != other[case]["uuid"]
    assert len({result["historyId"] for result in one.values()}) == len(one)


def test_a_regressed_case_says_its_class_and_the_values(tmp_path: Path) -> None:
    results = written(scenarios.rejected(), tmp_path)
    case = scenarios.cases()[0].id
    assert results[case]["status"] == "failed"
    message = results[case]["statusDetails"]["message"]
    assert message.splitlines()[0].startswith("regressed: 1 of 3 checks")
    assert 'expected "COMMITTED", got "ABORTED"' in message
    (step,) = results[case]["steps"]
    assert [check["status"] for check in step["steps"]] == ["passed", "passed", "failed"]
    assert step["steps"][-1]["statusDetails"]["actual"] == '"ABORTED"'
    assert [attachment["name"] for attachment in step["attachments"]] == ["POST /quotes → 202", "callback PUT"]


def test_a_known_failure_is_failed_and_not_called_accepted(tmp_path: Path) -> None:
    result = written(scenarios.known_issues(), tmp_path)[scenarios.cases()[0].id]
    assert result["status"] == "failed"
    assert "known" not in result["statusDetails"], "Allure shows what is known as accepted, which nobody did"
    assert result["statusDetails"]["message"].startswith("unchanged-fail: ")


def test_cases_without_an_end_are_broken_and_say_why(tmp_path: Path) -> None:
    results = written(scenarios.inconclusive(), tmp_path)
    everyone = scenarios.cases()
    assert [results[case.id]["status"] for case in everyone] == ["passed"] * 5 + ["broken"] * 7
    lost, absent = (results[everyone[index].id]["statusDetails"]["message"] for index in (5, 6))
    assert lost.startswith("missing: worker gw1 was lost in this case: killed by signal 9")
    assert absent.startswith("missing: not run; the run was interrupted (SIGTERM)")


@pytest.mark.parametrize(
    ("outcome", "status", "word"),
    [
        (Outcome.HOLLOW, "skipped", "hollow"),
        (Outcome.SKIPPED, "skipped", "skipped"),
        (Outcome.ERROR, "broken", "harness"),
    ],
)
def test_a_check_that_shows_nothing_keeps_its_case_from_passing(
    outcome: Outcome, status: str, word: str, tmp_path: Path
) -> None:
    first, *others = scenarios.cases(3)
    first = replace(first, checks=(replace(first.checks[0], outcome=outcome), *first.checks[1:]))
    result = written(scenarios.report_input(scenarios.whole_run([first, *others]), scenarios.cases(3)), tmp_path)[
        first.id
    ]
    assert result["status"] == status
    assert result["statusDetails"]["message"].startswith(word)
    assert result["steps"][0]["steps"][0]["status"] == status
    if outcome is Outcome.HOLLOW:
        assert result["steps"][0]["steps"][0]["statusDetails"]["message"] == "hollow: asserted nothing"


def test_a_case_that_was_left_out_is_skipped_with_the_reason(tmp_path: Path) -> None:
    first, *others = scenarios.cases(3)
    records = [
        replace(record, selection={"complete": False, "labels": ["smoke"], "keyword": "quote"})
        if record.type == "run-started"
        else replace(record, selected=False)
        if isinstance(record, CasePlanned) and record.case == first.id
        else record
        for record in scenarios.whole_run([first, *others])
        if getattr(record, "case", None) != first.id or isinstance(record, CasePlanned)
    ]
    result = written(scenarios.report_input(records, scenarios.cases(3)), tmp_path)[first.id]
    assert result["status"] == "skipped"
    message = result["statusDetails"]["message"]
    assert message == "not selected: this run was narrowed to labels smoke; keyword quote"


def test_each_case_falls_into_at_most_one_category() -> None:
    patterns = [re.compile(category["messageRegex"]) for category in categories()]
    for name in ("known_issues", "rejected", "inconclusive"):
        story = story_of(getattr(scenarios, name)())
        for case in story.cases:
            fate = case_fate(case, story)
            matching = [pattern for pattern in patterns if pattern.match(fate.message)]
            assert len(matching) == (0 if fate.standing.word == "passed" else 1), fate.message


def test_the_environment_names_the_rehearsal_and_the_components(tmp_path: Path) -> None:
    AllureResults().write(scenarios.approved(), tmp_path)
    lines = (tmp_path / "allure-results/environment.properties").read_text(encoding="ascii").splitlines()
    assert lines[0] == "Verdict=APPROVED (rehearsal on the embedded hub)"
    assert "Component\\ central-ledger=19.10.6" in lines
    executor = json.loads((tmp_path / "allure-results/executor.json").read_text())
    assert executor["buildName"] == scenarios.RUN_ID
    assert executor["reportName"] == "mojaloop v17.1.0: APPROVED (rehearsal on the embedded hub)"


def test_a_tag_cannot_pass_for_an_instruction_to_allure(tmp_path: Path) -> None:
    two = scenarios.cases(2)
    records = [
        replace(record, labels=["allure.id=1", "allure.label.epic:x"]) if isinstance(record, CasePlanned) else record
        for record in scenarios.whole_run(two)
    ]
    for result in written(scenarios.report_input(records, two), tmp_path).values():
        tags = [label["value"] for label in result["labels"] if label["name"] == "tag"]
        assert tags == ["label allure.id=1", "label allure.label.epic:x"]


def test_checks_that_are_no_longer_in_the_suite_are_told_by_name(tmp_path: Path) -> None:
    run = scenarios.report_input(scenarios.whole_run(scenarios.cases(3)), scenarios.cases(4))
    assert run.judged.verdict.counts[ComparisonClass.REMOVED] == 3
    AllureResults().write(run, tmp_path)
    (whole,) = (tmp_path / "allure-results").glob("*-globals.json")
    (attachment,) = json.loads(whole.read_text())["attachments"]
    names = json.loads((tmp_path / "allure-results" / attachment["source"]).read_text())
    assert len(names) == 3
    assert all(scenarios.cases(4)[3].id in name for name in names)


def test_identifiers_are_uuids_and_times_are_milliseconds() -> None:
    assert re.fullmatch(
        r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", stable_uuid("a", "\ud800")
    )
    assert milliseconds("1970-01-01T00:00:01.250Z") == 1250
    assert milliseconds("soon") is None
