"""A Scheme's own tests run beside the release's suite: they can refuse a release, and none of them speaks for it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from harness.errors import CollectionError, SuiteError
from harness.model.release import ReleaseVersion
from harness.recording import baseline_from_runs
from harness.run.plan import native_case
from harness.run.reader import read_journal
from harness.run.what import SuiteToRun, find_suite
from harness.validation import Against, judge_folder
from harness.workspace import Workspace
from tests.run.test_collection import collection, request
from tests.support import CRITERIA, HEALTH, RELEASE, approved_workspace, environment, harness, outcomes

OWN = "scheme_rules/example/suites/mojaloop"
NATIVE = """
from harness.suite.native import case

@case("The quoting service is well", labels=["smoke"])
def test_quoting(hub):
    hub.health("quoting-service").status({status})
"""
PASSES = collection(request("a", {"is up": "expect(response.status).to.equal(200)"}))
HOLLOW = collection(request("a", {"is up": "if (false) { expect(1).to.equal(1) }"}))
RUN = ("run", RELEASE, "--scheme", "example")


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which a run is approved, with a Scheme that demands its own tests and has two."""
    workspace = approved_workspace(tmp_path_factory.mktemp("workspace"))
    criteria = workspace / "scheme_rules/example/criteria.yaml"
    document = yaml.safe_load(criteria.read_text())
    own = {"id": "own-tests", "kind": "required-folders", "folders": [OWN], "severity": "major"}
    document["rules"] = [*CRITERIA["rules"], {**own, "title": "Ours pass", "rationale": "They are ours"}]
    criteria.write_text(yaml.safe_dump(document))
    (workspace / OWN / "more").mkdir(parents=True)
    (workspace / OWN / "test_ours.py").write_text(NATIVE.format(status=200))
    (workspace / OWN / "more" / "ours.json").write_text(PASSES)
    ended = harness(*RUN, "-n", "0", "--run-id", "own", cwd=workspace)
    assert ended.code == 0, ended
    return workspace


@pytest.fixture
def workspace(approved: Path, tmp_path: Path) -> Path:
    return shutil.copytree(approved, tmp_path / "workspace", ignore=shutil.ignore_patterns("runs", "__pycache__"))


def verdict(workspace: Path, run: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((workspace / f"reports/runs/{run}/verdict.json").read_text())
    return found


def test_they_run_with_the_suite_under_their_folder_and_meet_the_demand(approved: Path) -> None:
    shown = outcomes(approved / "reports/runs/own")
    ours = {check for check in shown if check.startswith(f"{OWN}/")}
    assert {check.partition("::")[0] for check in ours} == {f"{OWN}/test_ours.py", f"{OWN}/more/ours.json"}
    assert set(shown.values()) == {"passed"}
    assert len(shown) - len(ours) == 3
    found = verdict(approved, "own")
    assert found["kind"] == "APPROVED"
    assert found["counts"]["new-pass"] == len(ours) == 2
    assert found["inputs"]["suite"]["pin"] == "match"
    assert found["inputs"]["suite"]["scheme"]["folder"] == OWN
    assert {rule["id"]: rule["status"] for rule in found["rules"]}["own-tests"] == "pass"


def test_a_baseline_knows_nothing_of_them(approved: Path) -> None:
    made = baseline_from_runs([approved / "reports/runs/own"])
    assert not made.results["check"].str.startswith("scheme_rules/").any()
    assert len(made.results) == 3


def test_a_run_without_them_does_not_meet_the_demand(approved: Path) -> None:
    judged = judge_folder(Workspace(approved), approved / "reports/runs/first").judged
    assert judged.verdict.kind.value == "INCONCLUSIVE"
    assert f"no case of this run is in {OWN}" in str(judged.verdict.reasons)


def test_one_of_them_that_fails_rejects_the_release(workspace: Path) -> None:
    (workspace / OWN / "test_ours.py").write_text(NATIVE.format(status=201))
    ended = harness(*RUN, "-n", "0", "--run-id", "fails", cwd=workspace)
    assert ended.code == 1, ended
    assert verdict(workspace, "fails")["counts"]["new-fail"] == 1
    # whether or not the Scheme's criteria ask for the folder
    lenient = workspace / "lenient.yaml"
    lenient.write_text(yaml.safe_dump({"scheme": "example", "title": "t", **CRITERIA}))
    again = judge_folder(Workspace(workspace), workspace / "reports/runs/fails", Against(criteria=lenient)).judged
    assert again.verdict.kind.value == "REJECTED"


def test_one_that_cannot_be_loaded_one_without_a_case_and_one_that_asserts_nothing_approve_nothing(
    workspace: Path,
) -> None:
    (workspace / OWN / "more" / "ours.json").write_text(HOLLOW)
    (workspace / OWN / "test_broken.py").write_text("import nothing_of_that_name\n")
    (workspace / OWN / "test_empty.py").write_text("# nothing yet\n")
    ended = harness(*RUN, "-n", "2", "--run-id", "spoilt", cwd=workspace)
    assert ended.code == 2, ended
    told = str(verdict(workspace, "spoilt")["reasons"])
    for part in ("cannot collect", "test_broken.py", "test_empty.py", "asserted nothing"):
        assert part in told


def test_plain_pytest_runs_them_too(approved: Path) -> None:
    arguments = ["suites/mojaloop", "--harness-target", "embedded", "--harness-release", RELEASE, "-q"]
    arguments += ["--harness-scheme", "example", "--harness-run-id", "plain"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments, "-p", "no:cacheprovider"],
        cwd=approved, env=environment(), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert outcomes(approved / "reports/runs/plain") == outcomes(approved / "reports/runs/own")
    assert read_journal(approved / "reports/runs/plain").records[0].selection["complete"] is True  # type: ignore[attr-defined]


def found(workspace: Path, *paths: str, scheme: str | None = "example", **more: Any) -> SuiteToRun:
    release = ReleaseVersion.parse(RELEASE)
    given = [workspace / path for path in paths]
    return find_suite(Workspace(workspace), "mojaloop", release, paths=given, scheme=scheme, **more)


@pytest.mark.parametrize(
    ("paths", "whole", "ours"),
    [
        ((), True, True),
        (("suites/mojaloop",), True, True),
        (("suites/mojaloop", OWN), True, True),
        (("suites/mojaloop/test_health.py",), False, False),
        (("suites/mojaloop", f"{OWN}/more"), False, True),
        ((OWN,), False, True),
    ],
)
def test_a_part_of_what_there_is_is_known_as_a_part(
    workspace: Path, paths: tuple[str, ...], whole: bool, ours: bool
) -> None:
    assert (workspace / "suites/mojaloop/test_health.py").read_text() == HEALTH
    suite = found(workspace, *paths)
    assert (suite.whole, suite.scheme is not None) == (whole, ours)
    assert len(suite.collections) == ours


def test_without_the_scheme_none_of_its_tests_run(workspace: Path) -> None:
    assert found(workspace, scheme=None).scheme is None
    (workspace / OWN).rename(workspace / "scheme_rules/example/suites/other")
    assert found(workspace).scheme is None


def test_a_malformed_collection_of_its_own_stops_the_run_or_is_a_problem_of_it(workspace: Path) -> None:
    (workspace / OWN / "more" / "bad.json").write_text("{")
    with pytest.raises(CollectionError, match=r"bad\.json"):
        found(workspace)
    assert any("bad.json" in problem for problem in found(workspace, keep_going=True).problems)


def test_a_product_suite_cannot_pass_for_a_scheme(workspace: Path) -> None:
    suite = workspace / "suites/mojaloop"
    item = SimpleNamespace(path=suite / OWN / "test_ours.py", name="test_ours")
    with pytest.raises(SuiteError, match="would pass for a Scheme's"):
        native_case(item, suite, ReleaseVersion.parse(RELEASE), workspace / OWN, OWN)  # type: ignore[arg-type]
