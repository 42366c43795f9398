"""What preflight finds stops a run before its first case; who ignores it gets no approval."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from harness.hub.process import HubProcess
from harness.release.manifest import load_manifest
from tests.support import RELEASE, approved_workspace, harness


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return approved_workspace(tmp_path_factory.mktemp("workspace"))


def test_one_changed_component_is_named_and_the_core_does_not_run_unless_it_is_ignored(workspace: Path) -> None:
    manifest = load_manifest(workspace / "baselines/mojaloop" / RELEASE / "release.yaml")
    changed = type(manifest)(
        manifest.product, manifest.version, {**manifest.components, "central-ledger": "19.8.4"}, manifest.source
    )
    with HubProcess.start(changed) as hub:
        callback = {"host": "127.0.0.1", "public_url": "http://127.0.0.1:1"}
        target = workspace / "hotfix.yaml"
        target.write_text(yaml.safe_dump({"name": "hotfix", "services": hub.services, "callback": callback}))
        run = ("run", RELEASE, "--scheme", "example", "--target", str(target), "-n", "0")
        stopped = harness(*run, "--run-id", "stopped", cwd=workspace)
        ignored = harness(*run, "--run-id", "ignored", "--ignore-preflight", cwd=workspace)
        checked = harness("target", "check", str(target), "--release", RELEASE, cwd=workspace)
    said = "central-ledger runs 19.8.4, the release has 19.8.3: alone ahead of it"
    for ended in (stopped, ignored, checked):
        assert ended.code == 2
        assert said in ended.out
    journals = {run: (workspace / f"reports/runs/{run}/journal.jsonl").read_text() for run in ("stopped", "ignored")}
    assert '"type":"case-started"' not in journals["stopped"]
    assert '"type":"case-finished"' in journals["ignored"]
    verdict = json.loads((workspace / "reports/runs/ignored/verdict.json").read_text())
    assert verdict["verdict"].startswith("INCONCLUSIVE")
    assert "--ignore-preflight" in json.dumps(verdict)


def test_who_ignores_a_preflight_that_finds_nothing_gets_no_approval_either(workspace: Path) -> None:
    ended = harness("run", RELEASE, "--scheme", "example", "-n", "0", "--ignore-preflight", cwd=workspace)
    assert ended.code == 2
    assert "--ignore-preflight" in ended.out
