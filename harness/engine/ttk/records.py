"""Turns a recorded TTK report into the records of a journal: what did the reference engine's run show, check by check?

Nothing is taken for more than it is: what never asserted is hollow, what never ran skipped, what is not known an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from harness.engine.ttk import messages
from harness.engine.ttk.values import is_falsy, js_text
from harness.fspiop.errors import error_said
from harness.fspiop.money import currencies_in
from harness.fspiop.resources import Operation
from harness.model.ids import SEPARATOR
from harness.model.outcome import Outcome, Severity
from harness.model.records import (
    CaseFinished,
    CasePlanned,
    CaseStarted,
    CheckRecorded,
    PlanComplete,
    Record,
    RunFinished,
    StepFinished,
)
from harness.suite.report.model import RecordedAssertion, RecordedCase, RecordedReport, RecordedRequest

__all__ = ["WORKER", "records_from_report"]

WORKER = "ttk"
"""The name under which the reference engine stands where a worker's would."""
_OUTCOMES: Mapping[str, Outcome] = {"SUCCESS": Outcome.PASSED, "FAILED": Outcome.FAILED, "SKIPPED": Outcome.HOLLOW}
_WORST = (Outcome.ERROR, Outcome.FAILED, Outcome.HOLLOW, Outcome.SKIPPED, Outcome.PASSED)


def records_from_report(
    report: RecordedReport,
    *,
    fingerprints: Mapping[str, str] | None = None,
    settled: Mapping[str, Outcome] | None = None,
    services: Mapping[str, str] | None = None,
) -> list[Record]:
    """Returns plan, steps, checks and end of the run in ``report``; start and probes are for the caller to say.

    ``fingerprints`` are the suite's, by check id: a report holds assertions with their placeholders filled, of which no
    two runs give the same. Without them they are empty. ``settled`` gives outcomes for checks whose result a later
    assertion with the same id took over (``ReplayResult.settled``); else those are skipped. ``services`` maps component
    to base URL, where the host in a URL does not tell.

    The engine recorded one duration per request, delay and scripts included. It is taken as latency only where the
    request had neither, and was sent once: then it is the response's, or the callback's where one was awaited.
    """
    records: list[Record] = []
    for case in report.cases:
        path = case.case.case_id.partition(SEPARATOR)[0]
        records.append(
            CasePlanned(
                case=case.case.case_id,
                title=case.case.name,
                feature=path.rpartition("/")[2].removesuffix(".json"),
                labels=list(case.case.labels),
                severity=Severity.MAJOR.value,
                file=path,
                checks=[str(check) for check in case.case.checks],
            )
        )
    records.append(PlanComplete(cases=len(report.cases), selected=len(report.cases)))
    for case in report.cases:
        records.extend(_case(case, fingerprints or {}, settled or {}, services or {}))
    records.append(
        RunFinished(cases=len(report.cases), checks=report.assertions, duration_ms=report.duration_ms or 0.0)
    )
    return records


def _case(
    case: RecordedCase, fingerprints: Mapping[str, str], settled: Mapping[str, Outcome], services: Mapping[str, str]
) -> list[Record]:
    ident = case.case.case_id
    records: list[Record] = [CaseStarted(case=ident, worker=WORKER)]
    outcomes: set[Outcome] = set()
    for request in case.requests:
        step, operation = _step(ident, request, services), _operation(request)
        records.append(step)
        for one in request.assertions:
            check = str(one.assertion.check)
            outcome, message = _said(request, one, settled.get(check))
            asked = request.request
            decider = messages.decided_by(asked.method, asked.operation_path, one.assertion.source, operation)
            if not (one.overwritten and outcome is Outcome.SKIPPED):
                # A result that was lost says nothing against the case: it ran, and the engine had the result.
                outcomes.add(outcome)
            records.append(
                CheckRecorded(
                    check=check,
                    case=ident,
                    step=request.request.step_id,
                    label=one.assertion.label,
                    outcome=outcome,
                    message=message,
                    fingerprint=fingerprints.get(check, ""),
                    component="" if decider == step.component else decider,
                )
            )
    started = case.started or datetime.fromtimestamp(0, UTC)
    records.append(
        CaseFinished(
            case=ident,
            outcome=next((worst for worst in _WORST if worst in outcomes), Outcome.HOLLOW),
            duration_ms=case.duration_ms or 0.0,
            worker=WORKER,
            started_at=started.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        )
    )
    return records


def _said(request: RecordedRequest, one: RecordedAssertion, settled: Outcome | None) -> tuple[Outcome, str]:
    if not request.sent or request.request.disabled:
        return Outcome.SKIPPED, "the request was not sent"
    if fault := _no_answer(request):
        return Outcome.ERROR, fault
    if one.overwritten:
        reason = "a later assertion with the same id took its result"
        return (Outcome.SKIPPED, reason) if settled is None else (settled, "" if settled is Outcome.PASSED else reason)
    if not one.status:
        return Outcome.ERROR, "the report holds no status for it"
    outcome = _OUTCOMES[one.status]
    return outcome, "no expectation was executed" if outcome is Outcome.HOLLOW else one.message


def _no_answer(request: RecordedRequest) -> str:
    """Why nothing is known of the hub; empty where it answered.

    The reference engine reports a connection that failed as status 500, with the exception's text and without headers.
    """
    response = request.response
    if response is None:
        return "no response"
    if response.get("status") == 500 and "headers" not in response:
        return f"no response: {response.get('statusText') or 'the connection failed'}"
    return ""


def _step(case: str, recorded: RecordedRequest, services: Mapping[str, str]) -> StepFinished:
    request = recorded.request
    document = {**request.document, "path": _path(recorded)}
    operation = _operation(recorded)
    url = messages.target_url(document) if document.get("url") else js_text(document["path"])
    fault = _no_answer(recorded) if recorded.sent else ""
    awaited = bool(
        operation is not None and operation.callback is not None and recorded.sent and not request.ignores_callbacks
    )
    status = None if fault or recorded.response is None else recorded.response.get("status")
    latency = recorded.duration_ms if status is not None and _is_bare(document) else None
    code, text = error_said((recorded.callback or {}).get("body"))
    if not code:
        code, text = error_said((recorded.response or {}).get("body"))
    return StepFinished(
        case=case,
        step=request.step_id,
        label=request.label,
        operation=f"{request.method} {request.operation_path}" if operation is None else operation.key,
        url=url,
        component=messages.component_for(url, services, operation),
        status=status,
        latency_ms=None if awaited else latency,
        callback_ms=latency if awaited and recorded.callback else None,
        callback_awaited=awaited,
        callback_received=recorded.callback is not None,
        error=fault,
        error_kind="connection" if fault else "",
        error_code="" if fault else code,
        error_text="" if fault else text,
        currencies=currencies_in([document.get("body"), (recorded.callback or {}).get("body")]),
    )


def _path(recorded: RecordedRequest) -> Any:
    return recorded.request.document.get("path") or recorded.request.operation_path


def _operation(recorded: RecordedRequest) -> Operation | None:
    return messages.operation_of(recorded.request.api.type, recorded.request.method, _path(recorded))


def _is_bare(document: Mapping[str, Any]) -> bool:
    """Whether the request's duration is the exchange's: no delay, no script, no second attempt."""
    scripts = document.get("scripts") or {}
    lines = [line for script in scripts.values() for line in (script or {}).get("exec") or ()]
    return is_falsy(document.get("delay")) and not document.get("retry") and not "".join(map(str, lines)).strip()
