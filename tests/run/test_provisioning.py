"""Provisioning runs files side by side, folder after folder, and tells what did not pass."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.engine.inbound.server import InboundServer
from harness.engine.recorder import CaseRecorder
from harness.hub.process import HubProcess
from harness.model.records import Provisioned
from harness.release.manifest import load_manifest
from harness.run.provisioning import provision
from harness.suite.ttk.folder import load_folder
from harness.target.model import Target
from tests.suite.ttk.support import master
from tests.support import RELEASE, REPOSITORY


def request(ident: str, path: str, body: Any, check: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": ident,
        "description": ident,
        "apiVersion": {"type": "central_admin"},
        "method": "post" if body else "get",
        "url": "{$inputs.LEDGER}",
        "operationPath": path,
        "headers": {},
        "body": body,
        "scriptingEngine": "javascript",
        "tests": {"assertions": [{"id": "1", "description": "c", "exec": [check]}]},
    } | changes


def participant(name: str, status: int = 201) -> dict[str, Any]:
    made = request(
        "make", "/participants", {"name": name, "currency": "XXX"}, f"expect(response.status).to.equal({status})"
    )
    later = request(
        "later", f"/participants/{name}", None, "expect(response.status).to.equal(200)", delay="300",
        scripts={"postRequest": {"exec": [f"environment.{name} = response.body.name"]}},
    )  # fmt: skip
    return {"test_cases": [{"id": "1", "name": name, "requests": [made, later]}]}


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    manifest = load_manifest(REPOSITORY / "baselines/mojaloop" / RELEASE / "release.yaml")
    with HubProcess.start(manifest) as hub:
        yield Target(name="embedded", kind="embedded", services=hub.services)


def shown(root: Path, files: dict[str, Any], target: Target) -> tuple[Provisioned, list[CaseRecorder]]:
    for name, document in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
    done: list[CaseRecorder] = []
    with InboundServer.start() as inbound:
        inputs = {"LEDGER": target.services["central-ledger"]}
        suite = load_folder(root)
        return provision(suite.files, target, inbound.address, inputs, threads=4, on_case=done.append), done


def hub_accounts() -> dict[str, Any]:
    kinds = ("HUB_MULTILATERAL_SETTLEMENT", "HUB_RECONCILIATION")
    made = [
        request(kind, "/participants/Hub/accounts", {"type": kind, "currency": "XXX"}, "expect(1).to.equal(1)")
        for kind in kinds
    ]
    return {"test_cases": [{"id": "1", "name": "hub", "requests": made}]}


def test_participants_are_made_in_the_order_of_the_files_and_folders_build_on_each_other(
    tmp_path: Path, target: Target
) -> None:
    names = [f"dfsp{letter}" for letter in "dbca"]
    reader = request(
        "read", "/participants", None, "expect(environment.dfspa + environment.dfspd).to.equal('dfspadfspd')"
    )
    files = {
        "master.json": master(*({"name": name, "type": "folder"} for name in ("first", "second", "third"))),
        "first/hub.json": hub_accounts(),
        "second/master.json": master(*({"name": f"{name}.json", "type": "file"} for name in names)),
        **{f"second/{name}.json": participant(name) for name in names},
        "third/read.json": {"test_cases": [{"id": "1", "name": "read", "requests": [reader]}]},
    }
    found, done = shown(tmp_path, files, target)
    assert found.failures == []
    assert (found.cases, found.checks, found.passed) == (6, 11, 11)
    assert [recorder.case.partition("::")[0] for recorder in done] == found.collections
    (listed,) = [step.exchange for recorder in done for step in recorder.steps if step.label == "read"]
    assert listed is not None
    assert listed.response is not None
    assert [one["name"] for one in listed.response.body if one["name"].startswith("dfsp")] == names


def test_what_did_not_pass_is_told_and_the_others_go_on(tmp_path: Path, target: Target) -> None:
    files = {"a.json": participant("good"), "b.json": participant("bad", status=999), "c.json": {"test_cases": []}}
    files["c.json"] = {"test_cases": [{"id": "1", "name": "c", "requests": [
        request("dead", "/x", None, "expect(1).to.equal(1)", url="http://127.0.0.1:9")
    ]}]}  # fmt: skip
    found, _ = shown(tmp_path, files, target)
    assert [failure["check"].partition("::")[0] for failure in found.failures] == ["b.json", "c.json"]
    assert "999" in found.failures[0]["message"]
    assert found.checks - found.passed == 2
