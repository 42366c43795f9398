"""Evaluated again, every replayable assertion of a recorded report says what it said, and nothing unknown counts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.engine.ttk.replay import Replayed, ReplayResult, format_matrix, replay
from harness.engine.ttk.script import ScriptHost
from harness.model.outcome import Outcome
from harness.suite.report.reader import load_report

REPORTS = Path(__file__).parents[4] / "shared" / "oss" / "ttk-reports"
WEBSOCKET, INBOUND, AXIOS = "a websocket message", "an inbound event", "the answer to an axios call"
SHARED = "shared assertion id: the result of a later assertion took its place"


@pytest.fixture(scope="module")
def host() -> Iterator[ScriptHost]:
    with ScriptHost() as host:
        yield host


@pytest.mark.skipif(
    not REPORTS.is_dir(), reason=f"{REPORTS} is not here: official data is read from beside the project"
)
class TestOfficialReports:
    @pytest.mark.parametrize(
        ("name", "matrix"),
        [
            (
                "official-v17.1.0-golden-path-1",
                {
                    "SUCCESS": {"passed": 1897, "not replayable": 597},
                    "SKIPPED": {"hollow": 118, "skipped": 5},
                },
            ),
            (
                "official-v17.1.0-golden-path-misconfigured",
                {
                    "SUCCESS": {"passed": 1779, "not replayable": 477},
                    "SKIPPED": {"hollow": 118, "skipped": 5},
                    "FAILED": {"failed": 123, "not replayable": 115},
                },
            ),
            ("official-v17.1.0-provisioning", {"SUCCESS": {"passed": 454}, "SKIPPED": {"hollow": 6}}),
            (
                "core-harness-golden-path",
                {
                    "SUCCESS": {"passed": 1676, "not replayable": 496},
                    "SKIPPED": {"hollow": 134, "skipped": 294, "not replayable": 25},
                },
            ),
            (
                "core-harness-provisioning",
                {"SUCCESS": {"passed": 426}, "SKIPPED": {"hollow": 6, "skipped": 28}},
            ),
        ],
    )
    def test_every_replayable_assertion_agrees_message_included(
        self, host: ScriptHost, name: str, matrix: dict[str, dict[str, int]]
    ) -> None:
        host.renew()
        result = replay(load_report(REPORTS / f"{name}.json"), host)
        assert result.disagreements == ()
        assert result.matrix == matrix
        assert set(result.not_replayable) <= {WEBSOCKET, INBOUND, AXIOS, SHARED}
        assert result.agrees

    def test_the_three_runs_of_one_hub_are_replayable_alike(self, host: ScriptHost) -> None:
        found = []
        for run in (2, 3):
            host.renew()
            result = replay(load_report(REPORTS / f"official-v17.1.0-golden-path-{run}.json"), host)
            assert result.disagreements == ()
            found.append([(one.check, one.outcome) for one in result.assertions])
        assert found[0] == found[1]

    def test_no_assertion_that_reads_a_message_is_said_to_agree(self, host: ScriptHost) -> None:
        report = load_report(REPORTS / "official-v17.1.0-golden-path-1.json")
        host.renew()
        outcomes = {one.check: one.outcome for one in replay(report, host).assertions}
        reading = [
            str(one.assertion.check)
            for case in report.cases
            for _, one in case.assertions
            if "environment.testfsp1callbackst." in one.assertion.source
        ]
        assert len(reading) > 20
        assert {outcomes[check] for check in reading} == {None}


def recorded(tmp_path: Path, host: ScriptHost, *requests: dict[str, Any], **inputs: Any) -> ReplayResult:
    """Each request is ``{"pre"|"post": script, "checks": {source: (status, message)}}`` and the recorded answer."""
    said = []
    for i, one in enumerate(requests):
        assertions = [
            {"id": str(k), "description": str(k), "exec": [source], "resultStatus": {"status": s, "message": m}}
            for k, (source, (s, m)) in enumerate(one.get("checks", {}).items())
        ]
        sent = {
            "id": str(i),
            "description": str(i),
            "method": "get",
            "operationPath": "/x",
            "scriptingEngine": one.get("engine", "javascript"),
            "scripts": {"preRequest": {"exec": [one.get("pre", "")]}, "postRequest": {"exec": [one.get("post", "")]}},
            "tests": {"assertions": assertions},
        }
        response = one.get("response", {"status": 200, "statusText": "OK", "headers": {}, "body": {"n": 5}})
        said.append({"request": sent, "status": one.get("status", "SUCCESS"), "response": response})
    case = {"id": "c", "name": "c", "fileInfo": {"path": "collections/f.json"}, "requests": said}
    file = tmp_path / "report.json"
    file.write_text(json.dumps({"name": "r", "inputValues": inputs, "test_cases": [case]}))
    host.renew()
    return replay(load_report(file), host)


PASSED = ("SUCCESS", "")
GET = "const m = await websocket.getMessage('m')"


def sources(*given: str, said: tuple[str, str] = PASSED) -> dict[str, tuple[str, str]]:
    return dict.fromkeys(given, said)


def outcomes(result: ReplayResult) -> list[str]:
    return [one.reason or (one.outcome.value if one.outcome else "") for one in result.assertions]


class TestWhatScriptsWrote:
    def test_it_is_derived_again_in_order(self, host: ScriptHost, tmp_path: Path) -> None:
        first = {"post": "environment.sum = environment.start + response.body.n; requestVariables.own = 1"}
        second = {
            "engine": "postman",
            "pre": "pm.environment.set('twice', pm.environment.get('sum') * 2)",
            "checks": sources("expect(environment.twice).to.equal(12)", "expect(requestVariables.own).to.be.undefined"),
        }
        assert outcomes(recorded(tmp_path, host, first, second, start=1)) == ["passed", "passed"]

    def test_objects_of_scripts_are_shown_as_those_of_another_realm(self, host: ScriptHost, tmp_path: Path) -> None:
        said = ("FAILED", "expected Object{ a: 1 } to deeply equal { a: 2 }")
        theirs = ("FAILED", "expected { n: 5 } to deeply equal { n: 6 }")
        checks = {
            "expect(environment.made).to.deep.equal({ a: 2 })": said,
            "expect(environment.got).to.deep.equal({ n: 6 })": theirs,
        }
        post = "environment.made = { a: 1 }; environment.got = response.body"
        assert recorded(tmp_path, host, {"post": post, "checks": checks}).agrees


class TestWhatTheReportLacks:
    @pytest.mark.parametrize(
        ("post", "reason"),
        [
            ("environment.x = await websocket.getMessage('m')", WEBSOCKET),
            ("environment.x = (await websocket.getMessage('m')).data.deep[0]", WEBSOCKET),
            ("environment.x = [await inboundEvent.getMessage('m')][0]", INBOUND),
            ("environment.x = (await axios.get('u')).data", AXIOS),
            ("try { environment.x = (await axios({ url: 'u' })).status } catch (e) { console.log(e) }", AXIOS),
            (f"let ok = false; {GET}; if (m.a === 1) ok = true; environment.x = ok", WEBSOCKET),
            (GET + "; environment.x = `${m.a}`.length", WEBSOCKET),
            (GET + "; if (m) environment.x = 1", WEBSOCKET),
            ("await axios.put('u'); environment.x = 1", AXIOS),
            (GET + "; requestVariables.m = m; environment.x = requestVariables.m.a + 1", WEBSOCKET),
            (GET + "; environment.x = custom.jws.validateCallback(m.headers, {}, 'k')", WEBSOCKET),
        ],
    )  # fmt: skip
    def test_what_hangs_on_it_is_not_replayable(self, host: ScriptHost, tmp_path: Path, post: str, reason: str) -> None:
        checks = sources("expect(environment.x).to.not.equal('never')", "expect(response.status).to.equal(200)")
        result = recorded(tmp_path, host, {"post": post, "checks": checks})
        assert outcomes(result) == [reason, "passed"]
        assert result.agreeing == 1

    def test_it_stays_so_for_later_scripts_and_cases(self, host: ScriptHost, tmp_path: Path) -> None:
        first = {"post": "environment.m = await websocket.getMessage('m')"}
        second = {
            "pre": "if (environment.m) { environment.seen = true } environment.copy = environment.m",
            "checks": sources("expect(environment.copy.a).to.exist", "expect(environment.seen).to.equal(true)"),
        }
        assert outcomes(recorded(tmp_path, host, first, second)) == [WEBSOCKET, WEBSOCKET]

    def test_what_does_not_hang_on_it_is_replayed(self, host: ScriptHost, tmp_path: Path) -> None:
        post = """
          environment.before = 1
          requestVariables.m = await websocket.getMessage('m')
          console.log(requestVariables.m)
          environment.after = response.body.n
          for (let i = 0; i < 3; i += 1) { if (environment.after === 5) break; await axios.get('u') }"""
        checks = sources(
            "expect(environment.before + environment.after).to.equal(6)", "expect(requestVariables.m.a).to.exist"
        )
        assert outcomes(recorded(tmp_path, host, {"post": post, "checks": checks})) == ["passed", WEBSOCKET]

    def test_a_guard_that_is_off_keeps_it_out(self, host: ScriptHost, tmp_path: Path) -> None:
        post = "environment.m = await websocket.getMessage('m')"
        source = "if (environment.ON === true) { expect(environment.m.a).to.exist }"
        result = recorded(tmp_path, host, {"post": post, "checks": sources(source, said=("SKIPPED", ""))}, ON=False)
        assert outcomes(result) == ["hollow"]
        assert result.agrees


class TestJudging:
    @pytest.mark.parametrize(
        ("status", "their_message", "outcome", "message", "agrees"),
        [
            ("SUCCESS", "", Outcome.PASSED, "", True),
            ("SUCCESS", "", Outcome.HOLLOW, "", False),
            ("SUCCESS", "", None, "", False),
            ("SKIPPED", "", Outcome.HOLLOW, "", True),
            ("SKIPPED", "", Outcome.SKIPPED, "", True),
            ("SKIPPED", "", Outcome.PASSED, "", False),
            ("FAILED", "a", Outcome.FAILED, "a", True),
            ("FAILED", "a", Outcome.FAILED, "b", False),
            ("FAILED", "x is not defined", Outcome.ERROR, "unknown name: x is not defined", True),
            ("FAILED", "x is not defined", Outcome.ERROR, "was stopped", False),
            ("SUCCESS", "", Outcome.ERROR, "", False),
        ],
    )
    def test_what_agrees(
        self, status: str, their_message: str, outcome: Outcome | None, message: str, agrees: bool
    ) -> None:
        assert Replayed("c", status, their_message, outcome, message).agrees is agrees

    def test_a_difference_is_shown_by_check_with_both_messages(self, host: ScriptHost, tmp_path: Path) -> None:
        checks = {
            "expect(response.status).to.equal(202)": PASSED,
            "expect(response.body.n).to.equal(6)": ("FAILED", "expected 4 to equal 6"),
        }
        result = recorded(tmp_path, host, {"checks": checks})
        assert not result.agrees
        text = format_matrix(result)
        assert "f.json::c::0::0\n  theirs: SUCCESS\n  ours:   failed expected 200 to equal 202" in text
        assert "  theirs: FAILED expected 4 to equal 6\n  ours:   failed expected 5 to equal 6" in text
        found = result.to_json()
        assert [one["check"] for one in found["disagreements"]] == ["f.json::c::0::0", "f.json::c::0::1"]
        assert found["matrix"] == {"SUCCESS": {"failed": 1}, "FAILED": {"failed": 1}}

    def test_a_request_that_a_script_skips_is_skipped_and_one_that_none_skips_is_no_agreement(
        self, host: ScriptHost, tmp_path: Path
    ) -> None:
        said = {"status": "SKIPPED", "response": None, "checks": sources("expect(1).to.equal(1)", said=("SKIPPED", ""))}
        assert recorded(tmp_path, host, {**said, "pre": "custom.skipRequest()"}).agrees
        assert outcomes(recorded(tmp_path, host, said)) == ["error"]

    def test_a_report_without_a_replayable_assertion_does_not_agree(self, host: ScriptHost, tmp_path: Path) -> None:
        assert not recorded(tmp_path, host, {}).agrees
