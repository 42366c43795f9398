"""Reports of the reference engine become a baseline of the suite they ran, and of no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harness.errors import BaselineError, SuiteError
from harness.judge.baseline import BaselineSource
from harness.judge.baseline_store import load_baseline, write_baseline
from harness.recording import baseline_from_reports
from harness.suite.imported.store import imported_folder
from harness.workspace import Workspace
from tests.suite.imported.support import RELEASE, SMALL, brought_in, zipped
from tests.support import REPOSITORY, harness, make_workspace

REPORTS = REPOSITORY.parent / "shared" / "oss" / "ttk-reports"
Ran = Callable[..., Path]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """One with a small official suite: a golden path of one file, and provisioning."""
    workspace = Workspace(make_workspace(tmp_path / "workspace"))
    folder = imported_folder(workspace.root / "suites", "mojaloop", RELEASE)
    brought_in(zipped(tmp_path / "suite.zip", SMALL), folder)
    return workspace


@pytest.fixture
def ran(tmp_path: Path) -> Ran:
    """Writes a report of that suite as the reference engine would have."""

    def write(name: str, *, status: str = "SUCCESS", drop: bool = False, hour: int | None = 12) -> Path:
        document = json.loads(json.dumps(SMALL["collections/hub/golden_path/a.json"]))
        for case in document["test_cases"]:
            case["fileInfo"] = {"path": "collections/hub/golden_path/a.json"}
            case["requests"] = [recorded(request, status, name) for request in case["requests"]]
            if drop:
                case["requests"][-1]["request"]["tests"]["assertions"].pop()
        if hour is not None:
            started = datetime(2026, 11, 22, hour, tzinfo=UTC)
            document["runtimeInformation"] = {"testReportId": name, "startedTS": started.timestamp() * 1000}
        file = tmp_path / f"{name}.json"
        file.write_text(json.dumps(document))
        return file

    return write


def recorded(request: dict[str, Any], status: str, name: str) -> dict[str, Any]:
    said = {"status": status, "message": "" if status == "SUCCESS" else "expected 1 to equal 2"}
    for assertion in request["tests"]["assertions"]:
        assertion["resultStatus"] = said
    request.setdefault("url", "http://central-ledger:3001")
    request.setdefault("path", request["operationPath"])
    answer = {"status": 200, "statusText": name, "headers": {}, "body": {}}
    return {"request": request, "status": "SUCCESS", "response": answer}


def test_each_report_is_a_run_of_the_suite(workspace: Workspace, ran: Ran) -> None:
    files = [ran("first"), ran("second", status="FAILED", hour=13)]
    made = baseline_from_reports(workspace, "mojaloop", RELEASE, files, engine_version="18.14.1", remark="one machine")
    assert (made.runs, made.source, made.suite_name) == (2, BaselineSource.OSS, "official")
    assert (made.recorded_by, made.recorded_at) == ("ml-testing-toolkit 18.14.1", "2026-11-22T13:00:00.000Z")
    assert made.provenance["remark"] == "one machine"
    assert {report["file"] for report in made.provenance["reports"]} == {"first.json", "second.json"}
    assert len(made.results) > 0
    assert set(made.results["passed"]) == set(made.results["failed"]) == {1}
    assert all(check.startswith("hub/golden_path/") for check in made.results["check"])
    folder = workspace.baseline("mojaloop", RELEASE, "official")
    assert write_baseline(made, folder).digest == load_baseline(folder).digest


def test_what_ran_is_declared_never_made_up(workspace: Workspace, ran: Ran) -> None:
    made = baseline_from_reports(workspace, "mojaloop", RELEASE, [ran("one")], components={"central-ledger": "19.8.3"})
    assert made.components == {"central-ledger": "19.8.3"}
    assert made.provenance["components"] == "declared"
    assert any("declared" in limit for limit in made.limits)


def test_a_report_that_lacks_a_check_is_no_run_of_the_suite(workspace: Workspace, ran: Ran) -> None:
    with pytest.raises(BaselineError, match=r"short\.json.*does not hold 1 checks, e\.g\. hub/golden_path/a\.json"):
        baseline_from_reports(workspace, "mojaloop", RELEASE, [ran("short", drop=True)])


def test_the_same_report_twice_is_no_second_run(workspace: Workspace, ran: Ran, tmp_path: Path) -> None:
    copy = tmp_path / "copy.json"
    copy.write_bytes(ran("one").read_bytes())
    with pytest.raises(BaselineError, match="given twice"):
        baseline_from_reports(workspace, "mojaloop", RELEASE, [tmp_path / "one.json", copy])


def test_a_report_without_a_date_is_refused(workspace: Workspace, ran: Ran) -> None:
    with pytest.raises(BaselineError, match="does not say when"):
        baseline_from_reports(workspace, "mojaloop", RELEASE, [ran("undated", hour=None)])


def test_a_suite_that_was_changed_since_its_import_is_refused(workspace: Workspace, ran: Ran) -> None:
    folder = imported_folder(workspace.root / "suites", "mojaloop", RELEASE)
    file = folder / "collections/hub/golden_path/a.json"
    file.write_text(file.read_text() + " ")
    with pytest.raises(SuiteError):
        baseline_from_reports(workspace, "mojaloop", RELEASE, [ran("one")])


def test_the_command_says_what_it_kept_and_what_that_cannot_tell(workspace: Workspace, ran: Ran) -> None:
    ended = harness(
        "baseline", "import", str(ran("one")), "--release", str(RELEASE), "--component", "central-ledger=19.8.3",
        cwd=workspace.root,
    )  # fmt: skip
    assert ended.code == 0, ended
    assert ended.out.startswith("baselines/mojaloop/v17.1.0/official: ")
    assert "from 1 reports" in ended.out
    assert "mojaloop v17.1.0 official" in harness("baseline", "list", cwd=workspace.root).out
    wrong = harness(
        "baseline", "import", str(ran("two")), "--release", str(RELEASE), "--component", "nonsense", cwd=workspace.root
    )
    assert (wrong.code, "NAME=VERSION" in wrong.err) == (3, True)


@pytest.mark.skipif(not REPORTS.is_dir(), reason=f"the recorded reports are not at {REPORTS}")
def test_the_recorded_official_runs_make_a_baseline(tmp_path: Path) -> None:
    workspace = Workspace(make_workspace(tmp_path / "workspace"))
    source = REPORTS.parent / "collections" / str(RELEASE)
    brought_in(source, imported_folder(workspace.root / "suites", "mojaloop", RELEASE))
    files = [REPORTS / f"official-v17.1.0-golden-path-{number}.json" for number in (1, 2, 3)]
    made = baseline_from_reports(workspace, "mojaloop", RELEASE, files)
    assert (made.runs, len(made.cases), len(made.results)) == (3, 129, 2617)
    counts = made.results[["passed", "failed", "hollow", "skipped", "error"]].sum().to_dict()
    # 25 checks a run share an id with a later one: their results were lost, and replay settles all but 8.
    assert counts == {"passed": 3 * 2486, "failed": 0, "hollow": 3 * 118, "skipped": 3 * 13, "error": 0}
    provisioning = REPORTS / "official-v17.1.0-provisioning.json"
    with pytest.raises(BaselineError, match="no run of the whole golden path"):
        baseline_from_reports(workspace, "mojaloop", RELEASE, [provisioning])
