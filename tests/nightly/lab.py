"""A workspace with a suite of a handful of cases, a hub on loopback as its environment, and nights run on it."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from harness.hub.config import HUB_SERVICES
from harness.hub.process import HubProcess
from harness.nightly.record import NightRecord
from harness.release.manifest import load_manifest
from tests.nightly.support import plan_of
from tests.support import RELEASE, REPOSITORY, Ended, command, environment, harness, make_workspace
from tests.target.servers import free_port

SUITE = """
import os, time
from pathlib import Path
from harness.fspiop.ids import new_uuid
from harness.suite.native import case

HERE = Path(__file__).parent

@case("The ledger is well")
def test_a_ledger(hub):
    hub.health("central-ledger").status(200)

@case("A quote is accepted")
def test_b_quote(payer, payee):
    payer.quote(payee, payee.has_party(registered=False), "100").accepted()

@case("A transfer that nobody sent is not found")
def test_c_unknown(payer):
    query = payer.get_transfer(new_uuid())
    query.declined_by_hub("3208")

@case("A look-up of nobody is declined")
def test_d_look_up(payer):
    from harness.engine.inbound.behaviour import Party
    payer.hub.has_oracle("MSISDN")
    payer.look_up(Party(id_type="MSISDN", identifier="99", name="nobody")).declined_by_hub("3204")

@case("Waits where it is told to")
def test_e_waits(hub):
    hub.health("ml-api-adapter").status(200)
    if (HERE / "spend").exists():
        accounts = hub.prepare("GET", "/participants/nightfsp/accounts?currency=USD")
        number = next(one["id"] for one in accounts if one["ledgerAccountType"] == "SETTLEMENT")
        amount = {"amount": "7", "currency": "USD"}
        body = {"transferId": new_uuid(), "externalReference": "x", "action": "recordFundsIn", "reason": "x"}
        hub.prepare("POST", f"/participants/nightfsp/accounts/{number}", {**body, "amount": amount})
    if (HERE / "hold").exists():
        (HERE / "waiting").write_text(str(os.getpid()))
        for _ in range(1200):
            if not (HERE / "hold").exists():
                break
            time.sleep(0.05)
"""

CLEAN_UP = {
    "name": "clean-up",
    "test_cases": [
        {
            "id": "1",
            "name": "The ledger is left well",
            "requests": [
                {
                    "id": "1",
                    "description": "ask it",
                    "apiVersion": {"type": "central_admin"},
                    "operationPath": "/participants/{name}",
                    "path": "/participants/nightfsp",
                    "params": {"name": "nightfsp"},
                    "method": "get",
                    "url": "{$inputs.HOST_CENTRAL_LEDGER}",
                    "headers": {},
                    "tests": {
                        "assertions": [
                            {"id": "1", "description": "it is there", "exec": ["expect(response.status).to.equal(200)"]}
                        ]
                    },
                }
            ],
        }
    ],
}


PLAN = "scheme_rules/example/nightly.yaml"
QUICK = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "harness.run.plugin,xdist.plugin"}
"""The plugins of our own tests have no part in nights, and cost each of them a second and a half."""


@dataclass
class Lab:
    """Where nights are run."""

    root: Path
    ports: dict[str, int]

    @property
    def suite(self) -> Path:
        return self.root / "suites" / "mojaloop"

    @property
    def plan(self) -> Path:
        return self.root / "scheme_rules" / "example" / "nightly.yaml"

    def write(self, *jobs: dict[str, Any], channels: Sequence[dict[str, Any]] = (), **more: Any) -> Path:
        given = [{"name": "night", "target": "lab", "release": RELEASE, "workers": 0, **job} for job in jobs or ({},)]
        return plan_of(self.plan.parent, *channels, jobs=given, **more)

    @contextlib.contextmanager
    def hub(self, *defects: str) -> Iterator[HubProcess]:
        """The environment, broken as ``defects`` say, with one participant that has funds."""
        manifest = load_manifest(REPOSITORY / "baselines/mojaloop" / RELEASE / "release.yaml")
        with (
            HubProcess.start(manifest, defects=defects, ports=self.ports) as hub,
            httpx.Client(trust_env=False) as http,
        ):
            base = hub.services["central-ledger"]

            def post(path: str, body: dict[str, Any]) -> None:
                http.post(f"{base}{path}", json=body).raise_for_status()

            for kind in ("HUB_MULTILATERAL_SETTLEMENT", "HUB_RECONCILIATION"):
                post("/participants/Hub/accounts", {"type": kind, "currency": "USD"})
            post("/participants", {"name": "nightfsp", "currency": "USD"})
            limit = {"type": "NET_DEBIT_CAP", "value": 100}
            body = {"currency": "USD", "limit": limit, "initialPosition": 0}
            post("/participants/nightfsp/initialPositionAndLimits", body)
            yield hub

    def clear(self) -> None:
        """Forgets every night."""
        shutil.rmtree(self.root / "reports", ignore_errors=True)
        for name in ("hold", "waiting", "spend"):
            (self.suite / name).unlink(missing_ok=True)

    def nightly(self, *arguments: str) -> Ended:
        """Runs ``harness nightly`` to its end."""
        return harness("nightly", PLAN, *arguments, cwd=self.root, **QUICK)

    def start(self) -> subprocess.Popen[str]:
        """Starts ``harness nightly``."""
        return subprocess.Popen(
            command(["nightly", PLAN]), cwd=self.root, env=environment(**QUICK), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def nights(self) -> list[NightRecord]:
        found = [NightRecord.read(path.parent) for path in self.root.glob("reports/nightly/*/*/nightly.json")]
        return sorted((one for one in found if one is not None), key=lambda one: one.started_at)


def make_lab(root: Path) -> Lab:
    """Returns a lab whose suite is pinned and has a baseline."""
    workspace = make_workspace(root, {"test_lab.py": SUITE})
    ports = {service: free_port() for service in HUB_SERVICES}
    callback = free_port()
    target = {
        "name": "lab",
        "services": {name: f"http://127.0.0.1:{port}" for name, port in ports.items()},
        "callback": {"host": "127.0.0.1", "port": callback, "public_url": f"http://127.0.0.1:{callback}"},
        "participants": [{"name": "nightfsp", "endpoints": []}],
    }
    folder = workspace / "scheme_rules" / "example"
    (folder / "targets").mkdir()
    (folder / "targets" / "lab.yaml").write_text(yaml.safe_dump(target), encoding="utf-8")
    (folder / "clean-up.json").write_text(json.dumps(CLEAN_UP), encoding="utf-8")
    for arguments in (
        ["suite", "pin", RELEASE],
        ["run", RELEASE, "--scheme", "example", "-n", "0", "--run-id", "first"],
        ["baseline", "record", "first"],
    ):
        ended = harness(*arguments, cwd=workspace, **QUICK)
        assert ended.code in (0, 2), ended
        assert ", 1 failed" not in ended.out, ended
    return Lab(workspace, ports)
