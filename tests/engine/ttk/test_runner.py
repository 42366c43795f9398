"""A case runs step by step as the format says, and yields every planned check once, whatever happens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.engine.exchange import Exchange, Request
from harness.engine.recorder import CaseRecorder
from harness.engine.ttk.hosts import AllowedHosts, HostServices
from harness.engine.ttk.runner import Context, RunVariables, Transport, run_case
from harness.engine.ttk.script import ScriptHost
from harness.fspiop.jws import body_text, signature_fault
from harness.model.outcome import Outcome
from harness.suite.ttk.loader import load_collection
from harness.suite.ttk.model import Case
from tests.engine.ttk.recorded import Answer, ScriptedTransport

FSPIOP = {"type": "fspiop", "majorVersion": 1, "minorVersion": 1, "asynchronous": True}
PUT = {"url": "put /transfers/t1", "headers": {"FSPIOP-Source": "payee"}, "body": {"transferState": "COMMITTED"}}
ACCEPTED = "expect(response.status).to.equal(202)"
CALLED_BACK = "expect(callback.body.transferState).to.equal('COMMITTED')"


@pytest.fixture(scope="module")
def host() -> Iterator[ScriptHost]:
    with ScriptHost() as host:
        yield host


def transfer(ident: str = "send", *sources: str, **changes: Any) -> dict[str, Any]:
    assertions = [{"id": str(i), "description": f"check {i}", "exec": [one]} for i, one in enumerate(sources)]
    return {
        "id": ident,
        "description": f"Send {ident}",
        "apiVersion": FSPIOP,
        "method": "post",
        "url": "{$inputs.HOST}",
        "operationPath": "/transfers",
        "headers": {"FSPIOP-Source": "payer", "baggage": "a=b"},
        "body": {"transferId": "t1", "note": "{$inputs.note}"},
        "scriptingEngine": "javascript",
        "tests": {"assertions": assertions},
    } | changes


class Bench:
    """Runs one case made of requests and keeps what came of it."""

    def __init__(self, host: ScriptHost, folder: Path) -> None:
        self.host, self.folder = host, folder
        self.variables = RunVariables.starting({"HOST": "http://hub:1/", "note": 'say "hi"', "on": True})
        self.slept: list[float] = []
        self.services = {"ml-api-adapter": "http://hub:1"}
        self.hosts: HostServices | None = None
        self.strict = False

    def case(self, *requests: Mapping[str, Any], **changes: Any) -> Case:
        file = self.folder / "x.json"
        file.write_text(json.dumps({"test_cases": [{"id": "c", "name": "Case", "requests": requests, **changes}]}))
        return load_collection(file, root=self.folder).cases[0]

    def run(self, case: Case, transport: Transport) -> CaseRecorder:
        recorder = CaseRecorder(case.case_id)
        context = Context(
            recorder,
            transport,
            self.host,
            self.variables,
            services=self.services,
            sleep=self.slept.append,
            hosts=self.hosts,
            strict=self.strict,
        )
        run_case(case, context)
        assert [check.check for check in recorder.checks] == [str(check) for check in case.checks]
        planned = [one.fingerprint for request in case.requests for one in request.assertions]
        assert [check.fingerprint for check in recorder.checks] == planned
        return recorder

    def outcomes(self, transport: Transport, *requests: Mapping[str, Any], **changes: Any) -> list[tuple[str, str]]:
        found = self.run(self.case(*requests, **changes), transport)
        return [(check.outcome.value, check.message) for check in found.checks]


@pytest.fixture
def bench(host: ScriptHost, tmp_path: Path) -> Bench:
    return Bench(host, tmp_path)


def answering(status: int = 202, callback: Mapping[str, Any] | None = PUT) -> Callable[[Request], Answer]:
    return lambda request: (status, "", callback)


class TestSending:
    def test_the_request_is_sent_as_the_reference_engine_sends_it(self, bench: Bench) -> None:
        transport = ScriptedTransport(answering())
        found = bench.run(
            bench.case(transfer("send", ACCEPTED, queryParams={"a": "x y", "b": [1, 2], "c": None})), transport
        )
        sent = transport.sent[0]
        assert (sent.method, sent.url) == ("POST", "http://hub:1/transfers?a=x+y&b[]=1&b[]=2")
        assert sent.body == {"transferId": "t1", "note": 'say "hi"'}
        assert sent.headers["fspiop-source"] == "payer"
        assert sent.headers["baggage"] == "a=b,testCaseId=c,requestId=send"
        version, trace, parent, flags = sent.headers["traceparent"].split("-")
        assert (version, len(trace), len(parent), flags) == ("00", 32, 16, "01")
        step = found.steps[0]
        assert (step.operation, step.component, step.url) == ("POST /transfers", "ml-api-adapter", sent.url)

    @pytest.mark.parametrize(
        ("changes", "routes"),
        [
            ({}, ["/transfers/t1", "/transfers/t1/error"]),
            ({"ignoreCallbacks": True}, None),
            ({"apiVersion": {"type": "central_admin"}}, None),
            ({"apiVersion": FSPIOP | {"asynchronous": False}}, ["/transfers/t1", "/transfers/t1/error"]),
            ({"method": "put", "operationPath": "/transfers/{ID}", "params": {"ID": "t1"}}, None),
            (
                {
                    "method": "get",
                    "operationPath": "/parties/{Type}/{ID}",
                    "params": {"Type": "MSISDN", "ID": "{$inputs.on}"},
                },
                ["/parties/MSISDN/true", "/parties/MSISDN/true/error"],
            ),
            ({"body": [{"transferId": "t1"}]}, None),
            (
                {"apiVersion": {"type": "iso20022"}, "body": {"CdtTrfTxInf": {"PmtId": {"TxId": "t2"}}}},
                ["/transfers/t2", "/transfers/t2/error"],
            ),
            ({"apiVersion": {"type": "iso20022"}, "body": {"CdtTrfTxInf": "t2"}}, None),
        ],
    )
    def test_a_callback_is_awaited_where_the_api_has_one(
        self, bench: Bench, changes: dict[str, Any], routes: list[str] | None
    ) -> None:
        transport = ScriptedTransport()
        bench.run(bench.case(transfer("send", **changes)), transport)
        awaited = transport.awaited[0]
        assert (None if awaited is None else [path for _, path in awaited.routes]) == routes
        if awaited is not None:
            assert awaited.fsp == "payer"

    def test_delays_are_slept_and_odd_ones_are_none(self, bench: Bench) -> None:
        requests = [transfer(str(i), delay=delay) for i, delay in enumerate(["250", None, "{$input.none}", "-1", 40])]
        bench.run(bench.case(*requests), ScriptedTransport())
        assert bench.slept == [0.25, 0.04]

    def test_a_base_url_without_value_is_named_and_nothing_is_sent(self, bench: Bench) -> None:
        transport = ScriptedTransport()
        found = bench.outcomes(transport, transfer("send", ACCEPTED, url="{$inputs.ELSEWHERE}"))
        assert found == [("error", "not sent: {$inputs.ELSEWHERE} has no value in the environment")]
        assert transport.sent == []


class TestOutcomes:
    def test_response_and_callback_are_seen(self, bench: Bench) -> None:
        sources = [ACCEPTED, CALLED_BACK, "expect(callback.headers['fspiop-source']).to.equal('payee')"]
        found = bench.run(bench.case(transfer("send", *sources)), ScriptedTransport(answering()))
        assert [check.outcome for check in found.checks] == [Outcome.PASSED] * 3
        # The transfer is decided by central-ledger, whatever adapter took it.
        assert [check.component for check in found.checks] == ["", "central-ledger", "central-ledger"]

    def test_no_callback_fails_what_reads_it(self, bench: Bench) -> None:
        found = bench.outcomes(ScriptedTransport(answering(callback=None)), transfer("send", ACCEPTED, CALLED_BACK))
        assert found == [("passed", ""), ("failed", "Cannot read properties of null (reading 'body')")]

    def test_an_unreachable_service_is_an_error_of_the_environment_never_a_500(self, bench: Bench) -> None:
        case = bench.case(transfer("send", "expect(response.status).to.equal(500)", "if (0) expect(1)"))
        found = bench.run(case, ScriptedTransport(lambda request: None))
        assert [(one.outcome, one.message) for one in found.checks] == [
            (Outcome.ERROR, "no response: cannot reach it")
        ] * 2
        assert (found.steps[0].error_kind, found.steps[0].error) == ("connection", "cannot reach it")

    def test_a_disabled_request_is_skipped_and_not_sent(self, bench: Bench) -> None:
        transport = ScriptedTransport()
        found = bench.outcomes(transport, transfer("send", ACCEPTED, disabled=True))
        assert found == [("skipped", "the request is disabled in the collection")]
        assert transport.sent == []

    def test_a_request_that_its_script_skips_is_skipped(self, bench: Bench) -> None:
        skips = {"preRequest": {"exec": ["custom.skipRequest()"]}}
        assert bench.outcomes(ScriptedTransport(), transfer("send", ACCEPTED, scripts=skips))[0][0] == "skipped"

    def test_a_case_that_breaks_on_error_skips_what_follows(self, bench: Bench) -> None:
        requests = [transfer("one", "expect(1).to.equal(2)"), transfer("two", ACCEPTED)]
        broken = bench.outcomes(ScriptedTransport(), *requests, options={"breakOnError": True})
        assert [outcome for outcome, _ in broken] == ["failed", "skipped"]
        assert [outcome for outcome, _ in bench.outcomes(ScriptedTransport(), *requests)] == ["failed", "passed"]

    def test_a_failing_request_is_sent_again_with_the_ids_it_had(self, bench: Bench) -> None:
        statuses = iter([500, 500, 202])
        transport = ScriptedTransport(lambda request: (next(statuses), "", None))
        body = {"transferId": "{$function.generic.generateID}"}
        found = bench.outcomes(transport, transfer("send", ACCEPTED, retries=5, retriesDelay=30, body=body))
        assert found == [("passed", "")]
        assert len({one.body["transferId"] for one in transport.sent}) == 1
        assert bench.slept == [0.03, 0.03]

    def test_our_own_fault_ends_the_step_as_error_and_the_case_goes_on(self, bench: Bench) -> None:
        class Broken(ScriptedTransport):
            def exchange(self, request: Request, **given: Any) -> Exchange:
                if given["step"].endswith("one"):
                    raise RuntimeError("a fault")
                return super().exchange(request, **given)

        found = bench.outcomes(Broken(), transfer("one", ACCEPTED, ACCEPTED), transfer("two", ACCEPTED))
        assert found == [("error", "the harness broke: RuntimeError: a fault")] * 2 + [("passed", "")]


class TestScripts:
    def test_what_a_script_writes_reaches_the_request_and_later_cases(self, bench: Bench) -> None:
        scripts = {
            "preRequest": {"exec": ["environment.amount = 7; requestVariables.why = 'because'"]},
            "postRequest": {"exec": ["environment.code = response.code + ' ' + response.status"]},
        }
        body = {"amount": "{$environment.amount}", "why": "{$requestVariables.why}"}
        transport = ScriptedTransport()
        source = "expect(requestVariables.why + environment.code).to.equal('because202 Accepted')"
        assert bench.outcomes(transport, transfer("send", source, scripts=scripts, body=body)) == [("passed", "")]
        assert transport.sent[0].body == {"amount": "7", "why": "because"}
        later = "expect('{$environment.code}').to.equal('202 Accepted')"
        assert bench.outcomes(transport, transfer("send", later)) == [("passed", "")]

    def test_an_earlier_request_is_reached_with_headers_in_lower_case(self, bench: Bench) -> None:
        transport = ScriptedTransport(answering())
        second = transfer(
            "two",
            body={"s": "{$prev.one.request.headers.fspiop-source}", "c": "{$prev.one.callback.body.transferState}"},
        )
        bench.run(bench.case(transfer("one"), second), transport)
        assert transport.sent[1].body == {"s": "payer", "c": "COMMITTED"}

    def test_a_script_that_throws_is_seen_in_the_step_and_fails_nothing(self, bench: Bench) -> None:
        scripts = {"postRequest": {"exec": ["throw new Error('no luck')"]}}
        found = bench.run(bench.case(transfer("send", ACCEPTED, scripts=scripts)), ScriptedTransport())
        assert found.checks[0].outcome is Outcome.PASSED
        assert (found.steps[0].error, found.steps[0].error_kind) == ("postRequest script: no luck", "script")

    def test_a_request_that_a_script_signs_goes_out_signed(self, bench: Bench) -> None:
        facts = json.loads((Path(__file__).parent / "jws_facts.json").read_text("utf-8"))
        bench.variables = RunVariables.starting({"HOST": "http://hub:1", "note": "é", "KEY": facts["pkcs8"]})
        scripts = {"preRequest": {"exec": ["custom.jws.signRequest(environment.KEY)"]}}
        source = "expect(requestSent.headers['fspiop-signature']).to.have.string('protectedHeader')"
        transport = ScriptedTransport()
        assert bench.outcomes(transport, transfer("send", source, scripts=scripts)) == [("passed", "")]
        sent = transport.sent[0]
        assert signature_fault(sent.headers, body_text(sent.body), facts["public"]) == ""
        assert sent.headers["fspiop-uri"] == "/transfers"

    def test_a_key_that_cannot_sign_is_seen_and_the_request_goes_out_unsigned(self, bench: Bench) -> None:
        scripts = {"preRequest": {"exec": ["custom.jws.signRequest('nonsense')"]}}
        transport = ScriptedTransport()
        found = bench.run(bench.case(transfer("send", ACCEPTED, scripts=scripts)), transport)
        assert "fspiop-signature" not in transport.sent[0].headers
        assert "custom.jws.signRequest: there is no RSA key" in found.steps[0].error

    def test_what_a_script_appends_is_merged_into_the_body(self, bench: Bench) -> None:
        appended = (
            "custom.appendRequestBody({ list: [{ b: 2 }, 3], note: '{$environment.why}' }); environment.why = 'x'"
        )
        scripts = {"preRequest": {"exec": [appended]}}
        transport = ScriptedTransport()
        body = {"list": [{"a": 1}], "kept": True}
        bench.run(bench.case(transfer("send", ACCEPTED, scripts=scripts, body=body)), transport)
        assert transport.sent[0].body == {"list": [{"a": 1, "b": 2}, 3], "kept": True, "note": "x"}

    def test_each_attempt_runs_its_scripts_anew(self, bench: Bench) -> None:
        scripts = {
            "preRequest": {"exec": ["requestVariables.n = (requestVariables.n || 0) + 1"]},
            "postRequest": {"exec": ["environment.tries = (environment.tries || 0) + 1"]},
        }
        source = "expect([environment.tries, requestVariables.n]).to.deep.equal([3, 1])"
        found = bench.outcomes(ScriptedTransport(), transfer("send", source, scripts=scripts, retries=4))
        assert found == [("passed", "")]
        assert bench.slept == [0.5, 1.0]

    def test_what_a_script_may_not_reach_is_seen_in_the_step(self, tmp_path: Path) -> None:
        hosts = HostServices(AllowedHosts.of(["http://hub:1"]))
        with ScriptHost(functions=hosts.functions()) as host:
            bench = Bench(host, tmp_path)
            bench.hosts = hosts
            source = "try { await axios.get('http://elsewhere:9/x') } catch (e) {}"
            scripts = {"postRequest": {"exec": [source]}}
            found = bench.run(bench.case(transfer("send", ACCEPTED, scripts=scripts)), ScriptedTransport())
        hosts.close()
        assert "the target names no host elsewhere:9" in found.steps[0].error

    def test_what_needs_a_host_function_that_is_not_there_is_an_error_not_a_failure(self, bench: Bench) -> None:
        scripts = {"postRequest": {"exec": ["environment.heard = await websocket.getMessage('x', 1)"]}}
        sources = ["expect(environment.heard.headers).to.exist", "expect(response.status).to.equal(400)"]
        found = bench.run(bench.case(transfer("send", *sources, scripts=scripts)), ScriptedTransport())
        assert [check.outcome for check in found.checks] == [Outcome.ERROR, Outcome.FAILED]
        assert "websocket.getMessage, not available" in found.checks[0].message
        assert found.steps[0].error_kind == "harness"


class TestStrictSteps:
    @pytest.mark.parametrize(("strict", "failures"), [(False, 0), (True, 1)])
    def test_a_5xx_without_an_assertion_fails_the_case_where_asked_for(
        self, bench: Bench, strict: bool, failures: int
    ) -> None:
        bench.strict = strict
        found = bench.run(bench.case(transfer("send"), transfer("again", "expect(1).to.equal(1)")), said(503))
        assert len(found.failures) == failures
        assert all(failure == "Send send: HTTP 503, and no assertion to say so" for failure in found.failures)

    def test_a_4xx_or_an_assertion_about_it_does_not(self, bench: Bench) -> None:
        bench.strict = True
        assert bench.run(bench.case(transfer("send")), said(404)).failures == []
        assert bench.run(bench.case(transfer("send", "expect(1).to.equal(1)")), said(500)).failures == []


def said(status: int) -> ScriptedTransport:
    return ScriptedTransport(answering(status, None))


@pytest.mark.parametrize(
    ("given", "seconds"), [("1500", 1.5), ("'x'", None), ("0", None), ("true", None), ("1/0", None)]
)
def test_a_script_sets_the_time_that_its_request_may_take(bench: Bench, given: str, seconds: float | None) -> None:
    transport = said(202)
    script = {"preRequest": {"exec": [f"custom.setRequestTimeout({given})"]}}
    bench.run(bench.case(transfer("send", scripts=script), transfer("next")), transport)
    assert transport.timeouts_s == [seconds, None]
