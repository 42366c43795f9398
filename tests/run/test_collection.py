"""A Testing Toolkit collection runs through the same spine as native cases."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.model.records import CasePlanned, CheckRecorded
from harness.run.reader import read_journal
from tests.support import RELEASE, REPOSITORY, environment, harness, make_workspace

OSS = REPOSITORY.parent / "shared" / "oss"
P2P = OSS / "collections/v17.1.0/collections/hub/golden_path/feature_tests/p2p_money_transfer/p2p_happy_path.json"
official = pytest.mark.skipif(not P2P.exists(), reason=f"the official collections are not at {OSS}")


def request(ident: str, assertions: dict[str, str], **more: Any) -> dict[str, Any]:
    return {
        "id": ident,
        "description": f"Request {ident}",
        "apiVersion": {"type": "central_admin", "majorVersion": 1, "minorVersion": 0, "asynchronous": False},
        "operationPath": "/health",
        "path": "/health",
        "method": "get",
        "url": "{$inputs.HOST_CENTRAL_LEDGER}",
        "headers": {},
        "tests": {
            "assertions": [
                {"id": f"{ident}-{number}", "description": label, "exec": [code]}
                for number, (label, code) in enumerate(assertions.items())
            ]
        },
        **more,
    }


def collection(*requests: dict[str, Any]) -> str:
    return json.dumps({"name": "small", "test_cases": [{"id": "1", "name": "One case", "requests": list(requests)}]})


def outcomes(folder: Path) -> dict[str, str]:
    records = read_journal(folder).records
    return {record.label: record.outcome.value for record in records if isinstance(record, CheckRecorded)}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("workspace"))


@official
def test_the_official_p2p_collection_runs_unmodified(workspace: Path) -> None:
    ended = harness("run", RELEASE, "--collection", str(P2P), "--run-id", "p2p", cwd=workspace)
    assert ended.code == 2, ended
    folder = workspace / "reports/runs/p2p"
    records = read_journal(folder).records
    checks = [record for record in records if isinstance(record, CheckRecorded)]
    (planned,) = [record for record in records if isinstance(record, CasePlanned)]
    assert planned.checks == [check.check for check in checks]
    told = {check.check: check.message for check in checks if check.outcome.value != "passed"}
    assert not told, "the simulators' test API is there, so what is guarded by the websocket switch asserts too"
    assert len(checks) == 40
    assert list(folder.glob("allure-results/*-result.json"))


@official
def test_a_defect_fails_the_official_collection(workspace: Path) -> None:
    ended = harness(
        "run",
        RELEASE,
        "--collection",
        str(P2P),
        "--defect",
        "quote-amount-altered",
        "--run-id",
        "broken",
        cwd=workspace,
    )
    assert ended.code in (1, 2)
    assert "APPROVED" not in ended.out
    assert (
        outcomes(workspace / "reports/runs/broken")["Callback transferAmount (amount & currency)to match the request"]
        == "failed"
    )


def test_every_outcome_is_told_apart(workspace: Path, tmp_path: Path) -> None:
    path = tmp_path / "small.json"
    path.write_text(
        collection(
            request(
                "a",
                {
                    "passes": "expect(response.status).to.equal(200)",
                    "fails": "expect(response.body.status).to.equal('NOT OK')",
                    "hollow": "if (false) { expect(1).to.equal(1) }",
                    "empty": "",
                    "broken": "this is no JavaScript",
                    "endless": "while (true) {}",
                    "unknown chain": "expect(1).to.be.nearlyTrue()",
                },
            ),
            request("b", {"skipped": "expect(1).to.equal(1)"}, disabled=True),
            request("c", {"no host": "expect(response.status).to.equal(500)"}, url="http://127.0.0.1:9"),
            request("d", {"after all that": "expect(response.status).to.equal(200)"}),
        )
    )
    ended = harness("run", RELEASE, "--collection", str(path), "--run-id", "small", cwd=workspace)
    assert ended.code in (1, 2), ended
    assert "APPROVED" not in ended.out
    assert outcomes(workspace / "reports/runs/small") == {
        "passes": "passed",
        "fails": "failed",
        "hollow": "hollow",
        "empty": "hollow",
        "broken": "error",
        "endless": "error",
        "unknown chain": "error",
        "skipped": "skipped",
        "no host": "error",
        "after all that": "passed",
    }


def test_a_malformed_collection_stops_before_anything_is_written(workspace: Path, tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text(collection(request("a", {}))[:-3])
    ended = harness("run", RELEASE, "--collection", str(path), "--run-id", "never", cwd=workspace)
    assert ended.code == 3
    assert "broken.json" in ended.err
    assert "line 1" in ended.err
    assert not (workspace / "reports/runs/never").exists()


@official
def test_plain_pytest_runs_it_too(workspace: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", str(P2P), "-c", os.devnull, "--rootdir", str(workspace)),
            *("-p", "no:cacheprovider", "--harness-target", "embedded", "--harness-release", RELEASE),
            *("--harness-run-id", "plain"),
        ],
        cwd=workspace,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout
    assert len(outcomes(workspace / "reports/runs/plain")) > 20
