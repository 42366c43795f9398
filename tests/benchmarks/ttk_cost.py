"""What does a step of a collection cost? CPU milliseconds per step with both scripts and ten assertions (bound: 5 ms).

Measured in one process, on the embedded hub in a process of its own, and as a ratio to httpx sending the same request.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import httpx

from harness.engine.exchange import Exchanger
from harness.engine.recorder import CaseRecorder
from harness.engine.ttk.hosts import AllowedHosts, HostServices
from harness.engine.ttk.runner import Context, RunVariables, run_case
from harness.engine.ttk.script import ScriptHost
from harness.hub.process import HubProcess
from harness.model.outcome import Outcome
from harness.release.manifest import load_manifest
from harness.suite.ttk.loader import load_collection
from tests.benchmarks.engine_cost import BOUND_MS, cpu_ms
from tests.support import RELEASE, REPOSITORY

CASES = 60
STEPS = 5
"""Steps of a case, about the mean of the official golden path (631 requests in 129 cases)."""
INPUTS = 400
"""Input values, about as many as the official environment has."""


def collection(folder: Path) -> Path:
    """Writes a collection of one case, whose steps have two scripts and ten assertions each; returns the file."""
    assertions = [
        {"id": str(i), "description": f"check {i}", "exec": ["expect(response.status).to.equal(200)", *more]}
        for i in range(5)
        for more in ([], ["expect(environment.count).to.be.above(0)", "expect(response.body).to.be.an('object')"])
    ]
    requests = [
        {
            "id": str(i),
            "description": f"Health {i}",
            "apiVersion": {"type": "central_admin", "majorVersion": 1, "minorVersion": 0},
            "method": "get",
            "url": "{$inputs.HOST}",
            "operationPath": "/health",
            "headers": {"Date": "{$function.generic.curDate}", "FSPIOP-Source": "{$inputs.key1}"},
            "scriptingEngine": "javascript",
            "scripts": {
                "preRequest": {"exec": ["environment.count = (environment.count || 0) + 1", "requestVariables.a = {}"]},
                "postRequest": {"exec": ["environment.last = response.body", "console.log(environment.count)"]},
            },
            "tests": {"assertions": assertions},
        }
        for i in range(STEPS)
    ]
    file = folder / "cost.json"
    file.write_text(json.dumps({"test_cases": [{"id": "cost", "name": "Cost", "requests": requests}]}))
    return file


def main() -> None:
    """Prints the figures."""
    release = load_manifest(REPOSITORY / "baselines" / "mojaloop" / RELEASE / "release.yaml")
    with HubProcess.start(release) as process, tempfile.TemporaryDirectory() as folder:
        base = process.services["central-ledger"]
        hosts = HostServices(AllowedHosts.of(process.services.values()))
        exchanger = Exchanger(None)
        case = load_collection(collection(Path(folder)), root=Path(folder)).cases[0]
        inputs = {f"key{i}": f"value {i}" for i in range(INPUTS)} | {"HOST": base}
        variables = RunVariables.starting(inputs)
        with ScriptHost(functions=hosts.functions()) as scripts, httpx.Client(trust_env=False) as bare:

            def whole_case() -> None:
                recorder = CaseRecorder(case.case_id)
                run_case(case, Context(recorder, exchanger, scripts, variables, process.services, hosts=hosts))
                assert {check.outcome for check in recorder.checks} == {Outcome.PASSED}

            def request_alone() -> None:
                bare.get(f"{base}/health").raise_for_status()

            step = cpu_ms(whole_case, CASES) / STEPS
            sent = cpu_ms(request_alone, CASES * STEPS)
        exchanger.close()
        hosts.close()
    print(
        f"one step of a collection (2 scripts, 10 assertions): {step:.2f} ms of CPU (at most {BOUND_MS:g}), "
        f"{step / sent:.1f} x httpx sending the request alone ({sent:.2f} ms)"
    )


if __name__ == "__main__":
    main()
