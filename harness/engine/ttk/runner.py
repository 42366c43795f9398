"""Runs one case of a TTK collection: each request in the order of the document, each assertion to an outcome.

Whatever happens on the way, every planned check is recorded once. The world is reached only through ``Context``.
"""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, final

from harness.engine.exchange import CallbackRoutes, Exchange
from harness.engine.exchange import Request as Sent
from harness.engine.recorder import CaseRecorder, StepRecorder
from harness.engine.ttk import messages
from harness.engine.ttk.hosts import HostServices
from harness.engine.ttk.script import AssertionResult, ScriptHost, World
from harness.engine.ttk.values import js_text, merged
from harness.engine.ttk.variables import FUNCTIONS, Sources, fill_early, fill_path, fill_values, unresolved
from harness.errors import UsageError
from harness.fspiop.jws import signed_headers
from harness.model.outcome import Outcome
from harness.suite.ttk.model import Assertion, Case, Request

__all__ = ["Context", "RunVariables", "Transport", "run_case"]

_WRITTEN_BY_SCRIPTS = re.compile(r"\b(environment|requestVariables)\b")
_READS_CALLBACK = re.compile(r"\bcallback\b")
_RETRY_DELAYS_MS = (250.0, 500.0, 1000.0, 2000.0, 4000.0)
"""The reference engine's own pauses before an attempt; its first one is never used, because it counts from 1."""
_LONGEST_RETRY_DELAY_MS = 5000.0


class Transport(Protocol):
    """What carries out exchanges: ``harness.engine.exchange.Exchanger``, or a recording of them."""

    def exchange(
        self,
        request: Sent,
        *,
        awaiting: CallbackRoutes | None = None,
        case: str = "",
        step: str = "",
        request_timeout_s: float | None = None,
    ) -> Exchange:
        """Returns the exchange as it went; never raises on what the hub does."""


@final
@dataclass(slots=True)
class RunVariables:
    """Inputs, which never change in a run, and ``environment``, which scripts write and which lives as long as it."""

    inputs: Mapping[str, Any]
    environment: Mapping[str, Any]

    @classmethod
    def starting(cls, inputs: Mapping[str, Any]) -> RunVariables:
        """Returns what a run begins with: ``environment`` is a copy of the inputs."""
        return cls(inputs=dict(inputs), environment=dict(inputs))


@final
@dataclass(frozen=True, slots=True)
class Context:
    """What a case needs of the world. ``services`` maps component to base URL; ``sleep`` takes seconds.

    ``hosts`` is what stands behind the host functions that ``scripts`` was given; ``None`` where it was given none.
    """

    recorder: CaseRecorder
    transport: Transport
    scripts: ScriptHost
    variables: RunVariables
    services: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, Callable[[], str]] = field(default_factory=lambda: FUNCTIONS)
    sleep: Callable[[float], None] = time.sleep
    hosts: HostServices | None = None
    strict: bool = False
    """Whether a 5xx fails a case where the request has no assertions."""


def run_case(case: Case, context: Context) -> None:
    """Runs ``case`` and records each of its steps and checks in ``context.recorder``, once.

    Outcomes: as ``harness.engine.ttk.script.classify`` says; *skipped* where the request is disabled, skipped by its
    script or comes after a failure in a case that breaks on error; *error* where no response came (nothing is known of
    the hub, so nothing is evaluated), where the harness broke, and where a failing assertion reads what a script of
    this case should have written with a host function that is not there.
    """
    context.scripts.begin_case()
    state = _CaseState()
    for request in case.requests:
        step = context.recorder.step(
            request.label,
            operation=f"{request.method} {request.operation_path}",
            url=js_text(request.document.get("url") or ""),
            component="unknown",
        )
        try:
            if request.disabled:
                _close(step, request, Outcome.SKIPPED, "the request is disabled in the collection")
            elif state.broken_by:
                _close(step, request, Outcome.SKIPPED, f"the case stops at its first failure: {state.broken_by}")
            else:
                _Step(case, request, context, state, step).run()
        except Exception as problem:
            step.broke(f"{type(problem).__name__}: {problem}", "harness")
            _close(step, request, Outcome.ERROR, f"the harness broke: {type(problem).__name__}: {problem}")
        if case.break_on_error and any(check.outcome in (Outcome.FAILED, Outcome.ERROR) for check in step.checks):
            state.broken_by = state.broken_by or request.label


def retry_delay_ms(given: Any, attempt: int) -> float:
    """Returns the pause before ``attempt`` (from 1), milliseconds.

    ``given`` is a number or a text of numbers, comma between: attempt ``n`` takes the one after the ``n``-th, or the
    last.
    """
    parts = js_text(given).split(",") if given else []
    try:
        delays = [float(part or 0) for part in parts] or list(_RETRY_DELAYS_MS)
    except ValueError:
        delays = [0.0]
    found = delays[min(attempt, len(delays) - 1)]
    return found if 0 < found < float("inf") else _LONGEST_RETRY_DELAY_MS


def _close(step: StepRecorder, request: Request, outcome: Outcome, message: str) -> None:
    """Records ``outcome`` for every check of ``request`` that has none yet."""
    for assertion in request.assertions[len(step.checks) :]:
        step.check(assertion.label, outcome, message, fingerprint=assertion.fingerprint)


@final
@dataclass(slots=True)
class _CaseState:
    """What one step leaves for the next."""

    previous: dict[str, Any] = field(default_factory=dict)
    unavailable: dict[str, None] = field(default_factory=dict)
    broken_by: str = ""


@final
@dataclass(slots=True)
class _Step:
    """One request on its way."""

    case: Case
    request: Request
    context: Context
    state: _CaseState
    step: StepRecorder
    request_variables: Mapping[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    decided_by: str = ""

    def run(self) -> None:
        document = self._prepare()
        for attempt in range(self.request.retries + 1):
            if attempt:
                self.context.sleep(retry_delay_ms(self.request.document.get("retriesDelay"), attempt) / 1000)
                self.problems.clear()
            document = self._before(document)
            if self.request_variables.get("SKIP_REQUEST"):
                return self._not_sent(Outcome.SKIPPED, "its script skipped the request")
            if left := [name for name in unresolved(document["url"]) if name.startswith("{$inputs.")]:
                reason = f"{', '.join(left)} has no value in the environment"
                self.step.broke(reason, "harness")
                return self._not_sent(Outcome.ERROR, f"not sent: {reason}")
            exchange, results = self._attempt(document)
            if not any(result.outcome in (Outcome.FAILED, Outcome.ERROR) for result in results):
                break
        self.step.sent(exchange)
        if self.context.strict and not self.request.assertions and exchange.response is not None:
            status = exchange.response.status
            if status >= 500:
                self.context.recorder.failures.append(
                    f"{self.request.label}: HTTP {status}, and no assertion to say so"
                )
        self._note_problems(exchange)
        for assertion, result in zip(self.request.assertions, results, strict=True):
            self._record(assertion, result)
        self.state.previous[self.request.id] = {
            "status": "SUCCESS" if exchange.response else "ERROR",
            "request": messages.assertion_request(document),
            "response": messages.response_seen(exchange) or {},
            "callback": messages.callback_seen(exchange),
        }
        return None

    def _not_sent(self, outcome: Outcome, message: str) -> None:
        self._end_hosts()
        self._note_problems(None)
        _close(self.step, self.request, outcome, message)

    def _prepare(self) -> dict[str, Any]:
        """Returns the request with its first placeholders filled, after its delay: the same for every attempt."""
        sources = Sources(self.context.variables.inputs, self.state.previous, self.context.functions)
        document: dict[str, Any] = fill_early(self.request.document, sources)
        document.setdefault("url", "")
        self._wait(document.get("delay"))
        document["path"] = fill_path(self.request.operation_path, document.get("params"))
        return document

    def _before(self, document: dict[str, Any]) -> dict[str, Any]:
        """Returns the request ready to be sent: pre-request script, what it appended, placeholders again."""
        variables = self.context.variables
        self.request_variables = {}
        for_script = fill_values(document, "environment", variables.environment)
        world = World(variables.environment, self.request_variables, request=messages.script_request(for_script))
        self._script("preRequest", for_script, world)
        appended = self.request_variables.get("OVERRIDE_REQUEST")
        if isinstance(appended, dict) and isinstance(document.get("body"), dict | list):
            document = {**document, "body": merged(copy.deepcopy(document["body"]), appended.get("body"))}
        document = fill_values(document, "environment", variables.environment)
        document = fill_values(document, "requestVariables", self.request_variables)
        document[messages.WRITTEN] = list(document.get("headers") or ())
        document["headers"] = messages.sent_headers(document, case=self.case.id, request=self.request.id)
        self._name(document)
        return document

    def _wait(self, delay: Any) -> None:
        """Sleeps ``delay`` milliseconds; what is no number is no delay, as in the reference engine."""
        try:
            seconds = float(delay or 0) / 1000
        except (TypeError, ValueError):
            return
        if 0 < seconds < float("inf"):
            self.context.sleep(seconds)

    def _name(self, document: Mapping[str, Any]) -> None:
        """Says in the step what is called, and who answers for it."""
        operation = messages.operation_of(self.request.api.type, self.request.method, document["path"])
        self.step.url = messages.target_url(document)
        self.step.component = messages.component_for(self.step.url, self.context.services, operation)
        if operation is not None:
            self.step.operation = operation.key
            self.decided_by = operation.decided_by

    def _attempt(self, document: Mapping[str, Any]) -> tuple[Exchange, list[AssertionResult]]:
        """Sends once and evaluates: the exchange and one result per assertion."""
        sent = self._signed(messages.sent_request(document))
        awaiting = None if self.request.ignores_callbacks else messages.callback_routes(self.request.api.type, document)
        exchange = self.context.transport.exchange(
            sent,
            awaiting=awaiting,
            case=self.request.step_id.rpartition("::")[0],
            step=self.request.step_id,
            request_timeout_s=self._request_timeout_s(),
        )
        if exchange.response is None:
            self._end_hosts()
            result = AssertionResult(Outcome.ERROR, f"no response: {exchange.error}")
            return exchange, [result] * len(self.request.assertions)
        callback = messages.callback_seen(exchange)
        seen = World(
            self.context.variables.environment,
            self.request_variables,
            request=messages.script_request(document),
            response=messages.script_response(exchange),
            callback=callback,
        )
        self._script("postRequest", document, seen)
        self._end_hosts()
        world = World(
            self.context.variables.environment,
            self.request_variables,
            request=messages.assertion_request({**document, "headers": sent.headers}),
            request_sent=messages.request_sent(sent, document),
            response=messages.response_seen(exchange),
            callback=callback,
        )
        lines = [one["exec"] for one in (document.get("tests") or {}).get("assertions") or []]
        return exchange, self.context.scripts.run_assertions(["\n".join(exec_) for exec_ in lines], world)

    def _request_timeout_s(self) -> float | None:
        """What ``custom.setRequestTimeout`` asked for, in milliseconds there; ``None`` where nothing usable."""
        given = self.request_variables.get("REQUEST_TIMEOUT")
        if isinstance(given, bool) or not isinstance(given, int | float):
            return None
        return given / 1000 if 0 < given < float("inf") else None

    def _signed(self, sent: Sent) -> Sent:
        """Returns the request with a signature where a script asked for one; a key that cannot sign is a problem."""
        key = self.request_variables.get("TTK_JWS_SIGN_KEY")
        if not key:
            return sent
        try:
            added = signed_headers(sent.headers, method=sent.method, url=sent.url, body=sent.body, key=str(key))
        except UsageError as problem:
            self.problems.append(f"custom.jws.signRequest: {problem}")
            return sent
        return Sent(sent.method, sent.url, {**sent.headers, **added}, sent.body)

    def _end_hosts(self) -> None:
        """Ends what the scripts left open, and shows what they were not allowed to reach."""
        if self.context.hosts is not None:
            self.problems.extend(f"script: {refusal}" for refusal in self.context.hosts.end_request())

    def _script(self, name: str, document: Mapping[str, Any], world: World) -> None:
        script = (document.get("scripts") or {}).get(name) or {}
        source = "\n".join(script.get("exec") or [])
        if not source.strip():
            return
        result = self.context.scripts.run_script(source, world, engine=self.request.scripting_engine)
        self.context.variables.environment = result.environment
        self.request_variables = result.request_variables
        self.state.unavailable.update(dict.fromkeys(result.unavailable))
        if result.error:
            self.problems.append(f"{name} script: {result.error}")
        elif result.unavailable:
            missing = ", ".join(result.unavailable)
            self.problems.append(f"{name} script: {missing} is not available in this version of the harness")

    def _note_problems(self, exchange: Exchange | None) -> None:
        """Shows what scripts met beside what the exchange met; the exchange's kind is the step's."""
        if not self.problems:
            return
        error, kind = (exchange.error, exchange.error_kind) if exchange is not None else ("", "")
        ours = "harness" if self.state.unavailable else "script"
        self.step.broke("; ".join(filter(None, [error, *self.problems])), kind or ours)

    def _record(self, assertion: Assertion, result: AssertionResult) -> None:
        outcome, message = result.outcome, result.message
        if outcome is Outcome.FAILED and self.state.unavailable and _WRITTEN_BY_SCRIPTS.search(assertion.source):
            missing = ", ".join(self.state.unavailable)
            outcome = Outcome.ERROR
            message = f"{message} (a script of this case needs {missing}, not available in this version of the harness)"
        reads_callback = bool(_READS_CALLBACK.search(assertion.source))
        component = self.decided_by if reads_callback and self.decided_by != self.step.component else ""
        self.step.check(
            assertion.label,
            outcome,
            message,
            expected=result.expected,
            actual=result.actual,
            fingerprint=assertion.fingerprint,
            component=component,
        )
