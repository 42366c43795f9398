"""A recorded report becomes the records of a run: each check once, and nothing counts for more than it showed."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.engine.ttk.records import records_from_report
from harness.judge.evidence import evidence_from_records
from harness.model.outcome import Outcome
from harness.model.records import CaseFinished, CheckRecorded, StepFinished
from harness.suite.report.reader import load_report

REPORTS = Path(__file__).parents[4] / "shared" / "oss" / "ttk-reports"
OK = {"status": 202, "statusText": "Accepted", "headers": {}, "body": ""}
FSPIOP = {"type": "fspiop", "majorVersion": 1, "minorVersion": 1}


def request(*statuses: str, ids: str = "abcdef", **outer: Any) -> dict[str, Any]:
    assertions = [
        {"id": ids[i], "description": f"check {i}", "exec": ["x"], "resultStatus": {"status": status, "message": "m"}}
        for i, status in enumerate(statuses)
    ]
    sent = {
        "id": "1",
        "description": "Step",
        "method": "post",
        "url": "http://ml-api-adapter:3000",
        "operationPath": "/transfers",
        "path": "/transfers",
        "apiVersion": FSPIOP,
        "tests": {"assertions": assertions},
        **outer.pop("sent", {}),
    }
    said = {"status": "SUCCESS", "response": OK, "testResult": {"runDurationMs": 40}}
    return {"request": sent, **said, **outer}


def recorded(folder: Path, *requests: dict[str, Any], **given: Any) -> tuple[list[Any], list[Any], CaseFinished]:
    case = {"id": "c", "name": "c", "fileInfo": {"path": "collections/f.json"}, "requests": requests}
    file = folder / "r.json"
    file.write_text(json.dumps({"test_cases": [case]}))
    records = records_from_report(load_report(file), **given)
    checks = [one for one in records if isinstance(one, CheckRecorded)]
    steps = [one for one in records if isinstance(one, StepFinished)]
    return checks, steps, next(one for one in records if isinstance(one, CaseFinished))


def outcomes(checks: list[CheckRecorded]) -> list[str]:
    return [check.outcome.value for check in checks]


def test_each_status_is_what_it_showed(tmp_path: Path) -> None:
    checks, _, case = recorded(
        tmp_path, request("SUCCESS", "SKIPPED", "FAILED"), fingerprints={"f.json::c::Step::check 0": "ff"}
    )
    assert outcomes(checks) == ["passed", "hollow", "failed"]
    assert [check.fingerprint for check in checks] == ["ff", "", ""]
    assert (case.outcome, checks[2].message) == (Outcome.FAILED, "m")


def test_what_was_not_sent_is_skipped(tmp_path: Path) -> None:
    off = request("SKIPPED", status="SKIPPED", response=None, sent={"disabled": True})
    checks, steps, case = recorded(tmp_path, off)
    assert (outcomes(checks), case.outcome) == (["skipped"], Outcome.SKIPPED)
    assert (steps[0].status, steps[0].error) == (None, "")


@pytest.mark.parametrize("response", [None, {"status": 500, "statusText": "connect ECONNREFUSED"}])
def test_a_connection_that_failed_shows_nothing_of_the_hub(tmp_path: Path, response: Any) -> None:
    checks, steps, case = recorded(tmp_path, request("SUCCESS", "FAILED", response=response))
    assert (outcomes(checks), case.outcome) == (["error", "error"], Outcome.ERROR)
    assert (steps[0].error_kind, steps[0].status, steps[0].latency_ms) == ("connection", None, None)


def test_a_500_of_the_hub_is_its_answer(tmp_path: Path) -> None:
    checks, steps, _ = recorded(tmp_path, request("SUCCESS", response={**OK, "status": 500}))
    assert (outcomes(checks), steps[0].status) == (["passed"], 500)


def test_a_result_that_another_took_tells_nothing_unless_it_is_settled(tmp_path: Path) -> None:
    one = request("SUCCESS", "SUCCESS", ids="aa")
    checks, _, case = recorded(tmp_path, one)
    assert (outcomes(checks), case.outcome) == (["skipped", "passed"], Outcome.PASSED)
    settled = {"f.json::c::Step::check 0": Outcome.HOLLOW}
    assert outcomes(recorded(tmp_path, one, settled=settled)[0]) == ["hollow", "passed"]


CALLBACK = {"url": "put /transfers/1", "headers": {}, "body": {}}
SCRIPT = {"scripts": {"postRequest": {"exec": ["await custom.sleep(5000)"]}}}


@pytest.mark.parametrize(
    ("sent", "outer", "latency", "callback"),
    [
        ({"ignoreCallbacks": True}, {}, 40, None),
        ({}, {"callback": CALLBACK}, None, 40),
        ({}, {}, None, None),
        ({"ignoreCallbacks": True, "delay": "100"}, {}, None, None),
        ({"ignoreCallbacks": True, "retry": 1}, {}, None, None),
        ({"ignoreCallbacks": True, **SCRIPT}, {}, None, None),
    ],
)
def test_a_duration_is_a_latency_only_where_nothing_else_is_in_it(
    tmp_path: Path, sent: Any, outer: Any, latency: float | None, callback: float | None
) -> None:
    step = recorded(tmp_path, request("SUCCESS", sent=sent, **outer))[1][0]
    assert (step.latency_ms, step.callback_ms) == (latency, callback)
    assert (step.operation, step.component) == ("POST /transfers", "ml-api-adapter")


@pytest.mark.parametrize(
    ("outer", "code"),
    [
        ({"response": {**OK, "body": {"errorInformation": {"errorCode": "3100", "errorDescription": "no"}}}}, "3100"),
        ({"callback": {**CALLBACK, "body": {"errorInformation": {"errorCode": "3208"}}}}, "3208"),
        ({"callback": CALLBACK}, ""),
        ({"response": None}, ""),
    ],
)
def test_the_error_that_came_back_is_kept_with_its_step(tmp_path: Path, outer: Any, code: str) -> None:
    sent = {"body": {"amount": {"amount": "1", "currency": "XOF"}}}
    step = recorded(tmp_path, request("FAILED", sent=sent, **outer))[1][0]
    assert (step.error_code, step.currencies) == (code, ["XOF"])


def test_a_check_of_a_callback_asks_the_component_that_decides_what_it_says(tmp_path: Path) -> None:
    one = request("FAILED", "FAILED")
    one["request"]["tests"]["assertions"][0]["exec"] = ["expect(callback.body.transferState).to.equal('COMMITTED')"]
    checks, steps, _ = recorded(tmp_path, one)
    assert (steps[0].component, [check.component for check in checks]) == ("ml-api-adapter", ["central-ledger", ""])


def test_what_a_scenario_of_the_simulator_says_is_the_sdks(tmp_path: Path) -> None:
    sent = {"url": "http://sim:3003", "operationPath": "/scenarios", "path": "/scenarios", "apiVersion": {"type": "x"}}
    said = {**OK, "body": {"s1": {"result": {"message": "must NOT have additional properties", "statusCode": 400}}}}
    checks, steps, _ = recorded(tmp_path, request("FAILED", sent=sent, response=said))
    assert (checks[0].component, steps[0].error_code) == ("sdk-scheme-adapter", "400")


@pytest.mark.skipif(
    not REPORTS.is_dir(), reason=f"{REPORTS} is not here: official data is read from beside the project"
)
def test_an_official_report_is_a_whole_run_to_the_judge() -> None:
    report = load_report(REPORTS / "official-v17.1.0-provisioning.json")
    evidence = evidence_from_records(records_from_report(report))
    # All that lacks is what only the caller knows: what was asked of which target.
    assert [fault for fault in evidence.damage if "run-started" not in fault and "start" not in fault] == []
    assert (len(evidence.planned), len(evidence.cases), len(evidence.checks)) == (49, 49, 460)
    assert Counter(evidence.checks["outcome"]) == {"passed": 454, "hollow": 6}
    assert evidence.steps["latency_ms"].count() > 400
