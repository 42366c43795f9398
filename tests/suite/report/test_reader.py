"""A recorded report gives the very checks that its suite has, in either layout, with what the reference engine said."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.errors import CollectionError
from harness.suite.report.model import RecordedReport
from harness.suite.report.reader import load_report
from harness.suite.ttk.loader import load_collection

OSS = Path(__file__).parents[4] / "shared" / "oss"
REPORTS = OSS / "ttk-reports"
SUITE = OSS / "collections" / "v17.1.0" / "collections"
official = pytest.mark.skipif(
    not OSS.is_dir(), reason=f"{OSS} is not here: official data is read from beside the project"
)


def request(**changes: Any) -> dict[str, Any]:
    assertions = [
        {"id": "a", "description": "is 202", "exec": ["expect(response.status).to.equal(202)"]},
        {"id": "b", "description": "is 202", "exec": ["expect(1).to.equal(2)"]},
        {"id": "a", "description": "", "exec": ["// nothing"]},
    ]
    one = {"id": 7, "description": "Send {$inputs.what}", "method": "post", "operationPath": "/transfers"}
    return {**one, "tests": {"assertions": assertions}, **changes}


RESPONSE = {"status": 202, "statusText": "Accepted", "headers": {}, "body": ""}
CALLBACK = {"url": "put /transfers/1", "headers": {"date": "x"}, "body": {}}
RESULTS = {"a": {"status": "SKIPPED"}, "b": {"status": "FAILED", "message": "expected 1 to equal 2"}}


def write(folder: Path, *requests: dict[str, Any], **changes: Any) -> Path:
    case = {
        "id": 1,
        "name": "Case ",
        "fileInfo": {"path": "collections/hub/x.json", "labels": ["p2p"]},
        "requests": requests,
        "testResult": {"startedTS": 1795335688612, "runDurationMs": 12},
    }
    run = {"startedTS": 1795335688608, "runDurationMs": 15, "totalAssertions": 3, "totalPassedAssertions": 2}
    file = folder / "report.json"
    file.write_text(
        json.dumps({"name": "r", "inputValues": {"K": 1}, "test_cases": [case], "runtimeInformation": run} | changes)
    )
    return file


def appended(folder: Path) -> Path:
    sent = request(description="Send money")
    results = {"results": RESULTS, "passedCount": 2}
    said = {"status": "SUCCESS", "assertionResults": results, "response": RESPONSE, "callback": CALLBACK}
    return write(folder, {**request(), "appended": {**said, "request": sent}})


def by_cli(folder: Path) -> Path:
    sent = request()
    for assertion in sent["tests"]["assertions"]:
        assertion["resultStatus"] = RESULTS[assertion["id"]]
    said = {"status": "SUCCESS", "response": RESPONSE, "callback": CALLBACK, "additionalInfo": {}}
    return write(folder, {"request": sent, **said})


@pytest.mark.parametrize("layout", [appended, by_cli])
def test_both_layouts_say_the_same(layout: Any, tmp_path: Path) -> None:
    report: RecordedReport = load_report(layout(tmp_path))
    case = report.cases[0]
    found = [(str(one.assertion.check), one.status, one.message, one.overwritten) for _, one in case.assertions]
    step = "hub/x.json::Case::Send {$inputs.what}"
    assert found == [
        (f"{step}::is 202", "SKIPPED", "", True),
        (f"{step}::is 202#2", "FAILED", "expected 1 to equal 2", False),
        (f"{step}::a", "SKIPPED", "", False),
    ]
    assert (case.requests[0].response, case.requests[0].callback) == (RESPONSE, CALLBACK)
    assert (case.case.labels, case.duration_ms, report.inputs) == (("p2p",), 12, {"K": 1})
    assert (report.total, report.total_passed, report.assertions) == (3, 2, 3)
    assert report.started is not None
    assert report.started.isoformat() == "2026-11-22T08:21:28.608000+00:00"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"test_cases": {}}, r"line 1, column 54 \(\$\.test_cases\): must be an array"),
        ({"test_cases": [{"name": "x", "requests": [{}]}]}, r"test_cases\[0\]\.requests\[0\].*must be an object"),
        ({"test_cases": [{"requests": []}]}, r"test_cases\[0\].*has neither id nor name"),
        ({"runtimeInformation": []}, "runtimeInformation.*must be an object"),
    ],
)
def test_what_is_no_report_is_refused_with_its_place(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match=said):
        load_report(write(tmp_path, **changes))


def test_an_unknown_status_is_refused(tmp_path: Path) -> None:
    sent = request()
    sent["tests"]["assertions"][0]["resultStatus"] = {"status": "MAYBE"}
    with pytest.raises(CollectionError, match="unknown status 'MAYBE'"):
        load_report(write(tmp_path, {"request": sent}))


@official
@pytest.mark.parametrize(
    ("name", "cases", "requests", "statuses"),
    [
        ("official-v17.1.0-golden-path-1", 129, 631, {"SUCCESS": 2494, "SKIPPED": 123}),
        ("official-v17.1.0-golden-path-misconfigured", 129, 631, {"SUCCESS": 2256, "SKIPPED": 123, "FAILED": 238}),
        ("official-v17.1.0-provisioning", 49, 455, {"SUCCESS": 454, "SKIPPED": 6}),
        ("core-harness-golden-path", 124, 583, {"SUCCESS": 2172, "SKIPPED": 453}),
        ("core-harness-provisioning", 49, 455, {"SUCCESS": 426, "SKIPPED": 34}),
    ],
)
def test_official_reports_have_the_published_counts(
    name: str, cases: int, requests: int, statuses: dict[str, int]
) -> None:
    report = load_report(REPORTS / f"{name}.json")
    assert (len(report.cases), sum(len(case.requests) for case in report.cases)) == (cases, requests)
    assert Counter(one.status for case in report.cases for _, one in case.assertions) == statuses
    assert report.total == report.assertions == sum(statuses.values())
    ids = [str(one.assertion.check) for case in report.cases for _, one in case.assertions]
    assert len(set(ids)) == len(ids)


@official
@pytest.mark.parametrize("name", ["official-v17.1.0-golden-path-1", "official-v17.1.0-provisioning"])
def test_the_ids_are_those_of_the_collections_that_ran(name: str) -> None:
    report = load_report(REPORTS / f"{name}.json")
    recorded: dict[str, list[str]] = {}
    for case in report.cases:
        recorded.setdefault(case.case.case_id.partition("::")[0], []).extend(map(str, case.case.checks))
    planned = {path: list(map(str, load_collection(SUITE / path, root=SUITE).checks)) for path in recorded}
    assert recorded == planned
    assert len(planned) > 15
