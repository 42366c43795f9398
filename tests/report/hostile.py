"""A run in which every word that a hub, a suite or an environment has a say in tries to be more than text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.judge.baseline import BaselineSource, baseline_from_evidence
from harness.judge.evidence import evidence_from_records
from harness.judge.verdict import judge
from harness.model.outcome import Outcome
from harness.model.records import (
    CaseFinished,
    CasePlanned,
    CheckRecorded,
    InboundNoted,
    PlanComplete,
    Record,
    RunFinished,
    ServiceProbed,
    StepFinished,
)
from harness.report.interface import ReportInput
from tests.report import scenarios

__all__ = ["LONG", "WORDS", "hostile", "huge"]

WORDS = (
    "<script>canary()</script>",
    "\"><img src=x onerror=canary()><svg onload=canary()>'><b onmouseover='canary()' autofocus onfocus=canary()>",
    "javascript:canary()//http://evil.invalid/",
    "</script><script>canary()</script>",
    "</style></title></textarea></pre></svg><script>canary()</script>",
    "<iframe src=javascript:canary()></iframe><object data='data:text/html,<script>parent.canary()</script>'></object>",
    "<meta http-equiv=refresh content='0;url=http://evil.invalid/'><base href='http://evil.invalid/'>",
    "<link rel=stylesheet href=http://evil.invalid/x.css><style>@import 'http://evil.invalid/y.css';</style>",
    "{{ ''.__class__.__mro__ }}{% for x in range(9) %}canary(){% endfor %}${canary()}`${canary()}`",
    "<![CDATA[<script>canary()</script>]]><!--<script>canary()</script>-->",
    "a\x00b\x1b[2J\x07c\r\nd\u2028e\ufeff\ufffe\uffff",
    "\u202egnp.exe\u2066\u2069\u200f half \ud83d of a pair \udc80",
    "&lt;script&gt;canary()&lt;/script&gt;&#60;script&#62;",
    "=cmd|' /C calc'!A0 '; rm -rf / #$(canary)`canary`",
)
LONG = "<script>canary()</script>" + "A" * 10_000_000


def _case(number: int, word: str) -> list[Record]:
    path, step = f"{word}.json", f"{word}.json::case {number} {word}::step {word}"
    case = f"{path}::case {number} {word}"
    note: dict[str, Any] = {"method": word, "path": f"/{word}", "source": word, "destination": word}
    return [
        StepFinished(
            case=case, step=step, label=word, operation=f"POST /{word}", url=f"http://{word}/{word}", component=word,
            status=202, latency_ms=3.0, callback_awaited=True, callback_received=number % 2 == 0,
            exchange=f"h{number}", error=word, error_kind="callback-timeout" if number % 2 else "", error_code=word,
            error_text=word,
        ),
        *(
            CheckRecorded(
                check=f"{step}::{word} {n}", case=case, step=step, label=f"{word} {n}", outcome=outcome, message=word,
                expected={word: [word]}, actual=word,
            )
            for n, outcome in enumerate((Outcome.FAILED, Outcome.ERROR, Outcome.HOLLOW, Outcome.PASSED))
        ),
        InboundNoted(kind=word, case=case, step=step, received_at=word, **note),
        InboundNoted(kind="duplicate", case=None, received_at="2026-01-02T03:04:05.000Z", **note),
        CaseFinished(
            case=case, outcome=Outcome.FAILED, duration_ms=9.0, worker=word, started_at=word, message=word
        ),
    ]  # fmt: skip


def _plan(number: int, word: str) -> CasePlanned:
    case = f"{word}.json::case {number} {word}"
    return CasePlanned(case=case, title=word, feature=word, labels=[word], severity=word, file=word)


def _exchange(number: int, word: str) -> dict[str, Any]:
    message = {"method": word, "path": word, "headers": {word: word, f"@{word}": word}, "body": {word: word}}
    return {
        "id": f"h{number}",
        "case": word,
        "started_at": word,
        "request": message | {"url": f"javascript:{word}"},
        "response": {"status": word, "reason": word, "headers": {word: word}, "body": word, "latency_ms": word},
        "callback": message | {"headers": {"fspiop-destination": word}, "received_at": word},
        "error": word,
    }


def _ran(words: tuple[str, ...]) -> list[Record]:
    joined = " ".join(words)[:2_000]
    target = {"name": joined, "kind": "environment", "services": {}, "facts": {joined: joined}, "defects": [joined]}
    manifest = {
        "product": "mojaloop", "version": "v17.1.0", "components": {word[:300]: word[:300] for word in words},
        "source": joined, "known_issues": [
            {"title": word, "source": word, "components": [word], "operations": [f"POST /{word}"]} for word in words
        ],
    }  # fmt: skip
    suite = scenarios.started().suite | {"name": joined}
    records: list[Record] = [
        scenarios.started(target=target, release_manifest=manifest, scheme=joined, suite=suite, tool={"name": joined}),
        *(
            ServiceProbed(
                service=word, url=word, status=word, version=word, expected_version=word, message=word, remedy=word,
                findings=[{"check": word, "message": word, "remedy": word}], dependencies={word: word},
            )
            for word in words
        ),
        *(_plan(number, word) for number, word in enumerate(words)),
        CasePlanned(case=f"{words[0]}::lost", title=joined, feature="", labels=[], severity="", file=""),
        PlanComplete(cases=len(words) + 1, selected=len(words) + 1),
        *(record for number, word in enumerate(words) for record in _case(number, word)),
        RunFinished(cases=len(words), checks=4 * len(words), duration_ms=1.0, problems=list(words)),
    ]  # fmt: skip
    return records


def hostile(words: tuple[str, ...] = WORDS) -> ReportInput:
    """The run, judged against a baseline in which all of it passed and more was there."""
    records = _ran(words)
    before = [
        replace(record, outcome=Outcome.PASSED) if isinstance(record, CheckRecorded | CaseFinished) else record
        for record in scenarios.whole_run([*scenarios.cases(2)])
    ]
    baseline = baseline_from_evidence(
        [evidence_from_records(before)],
        source=BaselineSource.EMBEDDED,
        recorded_at=words[0],
        recorded_by=words[0],
    )
    judged = judge(evidence_from_records(records, ended_at="2026-01-02T03:04:05Z"), baseline, scenarios.CRITERIA, None)
    exchanges = {f"h{number}": _exchange(number, word) for number, word in enumerate(words)}
    return ReportInput(judged=judged, records=records, exchanges=exchanges, folder=scenarios.FOLDER)


def huge() -> ReportInput:
    """A rejected run in which one check's message and every callback are ten megabytes long."""
    run = scenarios.rejected()
    records = [
        replace(record, message=LONG, actual=LONG) if isinstance(record, CheckRecorded) and number == 70 else record
        for number, record in enumerate(run.records)
    ]
    big = {name: {**exchange, "callback": {"body": [LONG], "headers": {}}} for name, exchange in run.exchanges.items()}
    return replace(run, records=records, exchanges=big)
