"""The smaller commands, each tried as a person would."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import httpx
import pytest
import yaml

from harness.hub.defects import DEFECTS
from harness.hub.process import HubProcess
from harness.release.manifest import load_manifest
from tests.support import RELEASE, REPOSITORY, approved_workspace, harness, make_workspace, start


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a pin, a baseline and one run called ``first``."""
    return approved_workspace(tmp_path_factory.mktemp("workspace"))


def test_hub_serve_runs_until_it_is_stopped(workspace: Path) -> None:
    process = start("hub", "serve", "--release", RELEASE, "--defect", "transfer-slow", cwd=workspace)
    assert process.stdout is not None
    services = {}
    for line in process.stdout:
        if line.startswith("ready"):
            break
        name, url = line.split()
        services[name] = url
    health = httpx.get(f"{services['central-ledger']}/health", trust_env=False).json()
    assert (health["status"], health["versionNumber"]) == ("OK", "19.8.3")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_hub_defects_lists_every_one_with_its_component(workspace: Path) -> None:
    lines = harness("hub", "defects", cwd=workspace).out.splitlines()
    assert [line.split()[0] for line in lines] == list(DEFECTS)
    assert all(defect.component in line for defect, line in zip(DEFECTS.values(), lines, strict=True))


def test_suite_list_and_verify_see_a_change(workspace: Path, tmp_path: Path) -> None:
    assert f"mojaloop {RELEASE}: 2 cases, pin match" in harness("suite", "list", cwd=workspace).out
    assert harness("suite", "verify", RELEASE, cwd=workspace).code == 0
    changed = make_workspace(tmp_path)
    assert harness("suite", "verify", RELEASE, cwd=changed).code == 3
    assert harness("suite", "pin", RELEASE, cwd=changed).code == 0
    (changed / "suites/mojaloop/test_more.py").write_text(
        "from harness.suite.native import case\n"
        "@case('New')\ndef test_new(hub):\n    hub.health('central-ledger').status(200)\n"
    )
    ended = harness("suite", "verify", RELEASE, cwd=changed)
    assert ended.code == 1
    assert "case test_more.py::New is new" in ended.out
    assert "pin differs" in harness("suite", "list", cwd=changed).out


def test_baseline_list_names_the_source(workspace: Path) -> None:
    assert f"mojaloop {RELEASE}: 3 checks, 1 runs, source embedded" in harness("baseline", "list", cwd=workspace).out


def test_a_run_with_a_defect_cannot_become_a_baseline(workspace: Path) -> None:
    run = ("run", RELEASE, "--scheme", "example", "-n", "0")
    harness(*run, "--defect", "transfer-slow", "--run-id", "spoilt", cwd=workspace)
    ended = harness("baseline", "record", "spoilt", cwd=workspace)
    assert ended.code == 3
    assert "defect" in ended.err


def test_target_check_compares_versions(workspace: Path, tmp_path: Path) -> None:
    release = load_manifest(REPOSITORY / "baselines/mojaloop" / RELEASE / "release.yaml")
    with HubProcess.start(release) as hub:
        target = tmp_path / "hub.yaml"
        callback = {"public_url": "http://127.0.0.1:1"}
        target.write_text(yaml.safe_dump({"name": "hub", "services": hub.services, "callback": callback}))
        same = harness("target", "check", str(target), "--release", RELEASE, cwd=workspace)
        assert same.code == 0, same
        assert "central-ledger" in same.out
        other = workspace / "baselines/mojaloop/v16.0.0"
        other.mkdir(exist_ok=True)
        manifest = (REPOSITORY / "baselines/mojaloop/v16.0.0/release.yaml").read_text()
        (other / "release.yaml").write_text(manifest)
        differs = harness("target", "check", str(target), "--release", "v16.0.0", cwd=workspace)
        assert differs.code == 2
        assert "19.8.3 (released: 17.6.0)" in differs.out
    gone = harness("target", "check", str(target), cwd=workspace)
    assert gone.code == 2
    assert "down" in gone.out


def test_target_check_starts_the_embedded_hub_to_ask_it(workspace: Path) -> None:
    ready = harness("target", "check", "embedded", cwd=workspace)
    assert ready.code == 0, ready
    assert re.search(r"^central-ledger +ok +19\.8\.3", ready.out, re.MULTILINE)
    assert "started for this check and stopped again" in ready.out
    told = json.loads(harness("target", "check", "embedded", "--release", RELEASE, "--json", cwd=workspace).out)
    assert (told["target"], told["ready"], len(told["services"])) == ("embedded", True, 7)
    with pytest.raises(httpx.ConnectError):
        httpx.get(told["services"][0]["url"], timeout=5)


def test_what_the_embedded_hub_cannot_answer_for_is_refused_with_what_to_do(workspace: Path) -> None:
    product = harness("target", "check", "embedded", "--product", "payment-manager", cwd=workspace)
    assert (product.code, "Leave --product out" in product.err) == (3, True)
    for asked in (("fingerprint", "embedded"), ("diff", "embedded", "embedded")):
        ended = harness("target", *asked, cwd=workspace)
        assert (ended.code, "harness target check embedded" in ended.err) == (3, True), ended


def test_report_writes_allure_again(workspace: Path) -> None:
    results = workspace / "reports/runs/first/allure-results"
    assert harness("judge", "first", cwd=workspace).code == 0
    before = {path.name: path.read_bytes() for path in results.iterdir()}
    for path in results.iterdir():
        path.unlink()
    ended = harness("report", "first", "--format", "allure-results", cwd=workspace)
    assert ended.code == 0
    assert {path.name: path.read_bytes() for path in results.iterdir()} == before


def test_json_is_all_that_is_printed(workspace: Path) -> None:
    ended = harness("run", RELEASE, "--scheme", "example", "-n", "0", "--json", cwd=workspace)
    verdict = json.loads(ended.out)
    assert ended.code == verdict["exit_code"] == 0
    assert verdict["verdict"] == "APPROVED (rehearsal on the embedded hub)"


def test_nothing_but_plain_text_goes_to_what_is_no_terminal(workspace: Path) -> None:
    ended = harness("run", RELEASE, "--scheme", "example", "-n", "0", cwd=workspace)
    assert "\x1b" not in ended.out + ended.err


def test_the_version_is_told(workspace: Path) -> None:
    assert harness("--version", cwd=workspace).out.startswith("mojaloop-harness ")


def test_a_target_that_is_down_is_told_at_once_and_no_case_runs(workspace: Path, tmp_path: Path) -> None:
    names = ("account-lookup-service", "quoting-service", "ml-api-adapter", "central-ledger")
    target = tmp_path / "down.yaml"
    services = dict.fromkeys(names, "http://127.0.0.1:9")
    target.write_text(
        yaml.safe_dump({"name": "down", "services": services, "callback": {"public_url": "http://127.0.0.1:1"}})
    )
    for workers in ("0", "2"):
        run = ("run", RELEASE, "--scheme", "example", "--target", str(target), "-n", workers)
        ended = harness(*run, "--run-id", f"down-{workers}", cwd=workspace)
        assert ended.code == 2, ended
        assert "INCONCLUSIVE" in ended.out
        assert "central-ledger" in ended.out
        journal = (workspace / f"reports/runs/down-{workers}/journal.jsonl").read_text()
        assert '"type":"case-started"' not in journal
        assert '"type":"interrupted"' in journal


def test_baseline_record_makes_the_runs_too(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "workspace")
    assert harness("suite", "pin", RELEASE, cwd=workspace).code == 0
    ended = harness("baseline", "record", RELEASE, "--runs", "2", "-n", "0", cwd=workspace)
    assert ended.code == 0, ended
    assert ended.out.count("run ") >= 2
    assert "from 2 runs" in ended.out
    wrong = harness("baseline", "record", RELEASE, "latest", "--runs", "2", cwd=workspace)
    assert (wrong.code, "one release" in wrong.err) == (3, True)
