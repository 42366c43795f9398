"""The official collections, unmodified, give the outcomes that the reference engine recorded against a real hub."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.engine.recorder import CaseRecorder
from harness.engine.ttk.inputs import load_inputs
from harness.engine.ttk.runner import Context, RunVariables, run_case
from harness.engine.ttk.script import ScriptHost, World
from harness.errors import CollectionError
from harness.model.outcome import Outcome
from harness.suite.ttk.loader import load_collection
from tests.engine.ttk.recorded import RecordedTransport

OSS = Path(__file__).parents[4] / "shared" / "oss"
ROOT = OSS / "collections" / "v17.1.0" / "collections"
HAPPY = ROOT / "hub" / "golden_path" / "feature_tests" / "p2p_money_transfer" / "p2p_happy_path.json"
ENVIRONMENT = OSS / "environments" / "official-v17.1.0-env.json"
THEIR_WORD = {"SUCCESS": "passed", "SKIPPED": "hollow", "FAILED": "failed"}

pytestmark = pytest.mark.skipif(
    not OSS.is_dir(), reason=f"{OSS} is not here: official data is read from beside the project"
)


def report(name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((OSS / "ttk-reports" / name).read_text("utf-8"))["test_cases"]
    return cases


@pytest.mark.parametrize("listening", [True, False], ids=["as recorded", "without websockets"])
def test_the_happy_path_runs_against_a_transport_that_answers_as_the_hub_did(listening: bool) -> None:
    cases = report("official-v17.1.0-golden-path-1.json")
    recorded = next(one for one in cases if one["fileInfo"]["path"].endswith("/p2p_happy_path.json"))
    case = load_collection(HAPPY, root=ROOT).cases[0]
    recorder, transport = CaseRecorder(case.case_id), RecordedTransport(recorded["requests"])
    inputs = load_inputs(ENVIRONMENT, {} if listening else {"ENABLE_WS_ASSERTIONS": False})
    with ScriptHost() as host:
        run_case(case, Context(recorder, transport, host, RunVariables.starting(inputs), sleep=lambda seconds: None))
    theirs = [
        THEIR_WORD[assertion["resultStatus"]["status"]]
        for one in recorded["requests"]
        for assertion in (one["request"].get("tests") or {}).get("assertions", [])
    ]
    sources = [assertion.source for request in case.requests for assertion in request.assertions]
    differing = [
        (check.check, check.outcome.value, check.message)
        for check, status, source in zip(recorder.checks, theirs, sources, strict=True)
        if check.outcome.value != status and "environment.ENABLE_WS_ASSERTIONS" not in source
    ]
    assert differing == []
    assert transport.late == []
    assert [check.check for check in recorder.checks] == [str(check) for check in case.checks]
    # The report does not hold websocket messages: what hangs on them is an error with them on, hollow with them off.
    behind = {
        check.outcome.value
        for check, source in zip(recorder.checks, sources, strict=True)
        if "ENABLE_WS_ASSERTIONS" in source
    }
    assert behind == ({"error"} if listening else {"hollow"})


@pytest.mark.parametrize(
    "name",
    [
        "official-v17.1.0-golden-path-1.json",
        "official-v17.1.0-golden-path-misconfigured.json",
        "official-v17.1.0-provisioning.json",
    ],
)
def test_every_recorded_assertion_that_scripts_did_not_feed_has_the_same_outcome_and_message(name: str) -> None:
    compared: Counter[str] = Counter()
    differing = []
    with ScriptHost() as host:
        for one in (one for case in report(name) for one in case["requests"] if one.get("response")):
            assertions = (one["request"].get("tests") or {}).get("assertions", [])
            ids = Counter(assertion["id"] for assertion in assertions)
            sources = ["\n".join(assertion["exec"]) for assertion in assertions]
            world = World({}, {}, one["request"], one["request"], one["response"], one.get("callback"))
            for assertion, source, ours in zip(assertions, sources, host.run_assertions(sources, world), strict=True):
                if "environment" in source or "requestVariables" in source:
                    continue
                # Of assertions that share an id, the reference engine keeps the last one's result.
                if ids[assertion["id"]] > 1:
                    continue
                theirs = assertion["resultStatus"]
                compared[theirs["status"]] += 1
                said = ours.message if ours.outcome is Outcome.FAILED else ""
                if (ours.outcome.value, said) != (THEIR_WORD[theirs["status"]], theirs.get("message", "")):
                    differing.append((source, theirs, ours))
    assert differing == []
    assert compared.total() > 400


def test_the_official_environment_is_read_and_overridden() -> None:
    inputs = load_inputs(ENVIRONMENT, {"currency": "USD"})
    assert inputs["currency"] == "USD"
    assert inputs["HUB_NAME"] == "Hub"


def test_a_file_that_is_no_environment_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "env.json"
    file.write_text('{"inputValues": []}')
    with pytest.raises(CollectionError, match=r"env\.json, line 1, column 17 .*must hold inputValues"):
        load_inputs(file)
