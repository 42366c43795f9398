"""What Allure shall show of one case: the case, its steps and their checks as one Allure test result.

Identities derive from the case id and the run id alone, so that writing twice, or in another order, gives the same.
"""

from __future__ import annotations

import hashlib
import math
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from allure_commons.model2 import (
    Attachment,
    Label,
    Link,
    Parameter,
    StatusDetails,
    TestResult,
    TestStepResult,
)
from allure_commons.types import AttachmentType, LabelType, LinkType
from attr import define

from harness.model.ids import SEPARATOR
from harness.model.outcome import Severity
from harness.model.records import StepFinished
from harness.report.allure_attachments import attached
from harness.report.concerns import NOTHING, Concern
from harness.report.fate import Fate, Standing, case_fate, check_fate
from harness.report.files import utf8
from harness.report.moments import milliseconds
from harness.report.sequence import sequence_svg
from harness.report.stories import CaseStory, CheckStory, RunStory, StepStory
from harness.report.text import clean, compact, one_line

__all__ = ["CaseResult", "case_result", "stable_id", "stable_uuid"]

# Allure's severities; ours map onto the three that order the same way (allure_commons.types.Severity).
_SEVERITY = {Severity.BLOCKER: "blocker", Severity.MAJOR: "critical", Severity.MINOR: "minor"}
# A tag of this form would be taken for an instruction (Allure 3 reads ids and labels from tags), and two cases with
# one id would be shown as one.
_INSTRUCTION = re.compile(r"^@?allure\.(id|label\b)", re.IGNORECASE)


@define(slots=False)
class _Details(StatusDetails):
    """Allure 3 shows these two side by side; the model of the Python package does not name them."""

    expected: str | None = None
    actual: str | None = None


@dataclass(frozen=True, slots=True)
class CaseResult:
    """An Allure result and the attachments it names: file name to content."""

    result: TestResult
    attachments: Mapping[str, bytes]


def stable_id(*parts: str) -> str:
    """Returns 32 hex digits that stand for ``parts``."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def stable_uuid(*parts: str) -> str:
    """Returns a UUID (RFC 9562, version 8: its content is our own) that stands for ``parts``."""
    number = int(stable_id(*parts), 16) & ~(0xF << 76) & ~(0x3 << 62)
    return str(uuid.UUID(int=number | 0x8 << 76 | 0x2 << 62))


def _duration(value: float | None) -> int:
    """A duration in whole milliseconds; 0 for none, for nonsense and for less than nothing."""
    return round(value) if value is not None and math.isfinite(value) and value > 0 else 0


def case_result(
    case: CaseStory, run: RunStory, exchanges: Mapping[str, Mapping[str, Any]], concern: Concern = NOTHING
) -> CaseResult:
    """Returns the Allure result of ``case``; there is one for every case, finished or not."""
    run_id = run.started.run_id if run.started else ""
    identity = stable_uuid(run_id, case.case)
    fate = case_fate(case, run)
    clock = _Clock(case, exchanges)
    attachments: dict[str, bytes] = {}
    steps = [
        _step(step, clock, _attach(step.record, f"{run_id}\x1f{case.case}\x1f{number}", exchanges, attachments))
        for number, step in enumerate(case.steps)
    ]
    start, stop = clock.window
    result = TestResult(
        uuid=identity,
        historyId=stable_id(case.case),
        testCaseId=stable_id(case.case),
        fullName=case.case or "unnamed",
        name=one_line(case.title) or "unnamed",
        titlePath=[part for part in case.case.split(SEPARATOR)[0].split("/") if part],
        status=fate.standing.word,
        statusDetails=_whole(fate, concern),
        stage="finished" if case.finished else "pending" if start is None else "interrupted",
        labels=_labels(case, run, concern),
        links=_links(concern),
        steps=steps,
        attachments=_diagram(case, identity, exchanges, attachments),
        start=start,
        stop=stop,
    )
    return CaseResult(result, attachments)


class _Clock:
    """Places steps in time. The journal has the case's start and length, and each step's own length and order.

    A step begins where its exchange says it began, else where the step before it ended, and never outside the case.
    """

    def __init__(self, case: CaseStory, exchanges: Mapping[str, Mapping[str, Any]]) -> None:
        self._exchanges = exchanges
        if case.finished is not None:
            self.start = milliseconds(case.finished.started_at)
            self.stop = None if self.start is None else self.start + _duration(case.finished.duration_ms)
        else:
            known = [began for step in case.steps if (began := self._began(step.record)) is not None]
            self.start, self.stop = (min(known), None) if known else (None, None)
        self._now = self.start
        self._last = self.start

    @property
    def window(self) -> tuple[int | None, int | None]:
        """Start and end of the case; an unfinished one ends where its last known step did."""
        return self.start, self.stop if self.stop is not None else self._last

    def _began(self, record: StepFinished | None) -> int | None:
        exchange = self._exchanges.get(record.exchange) if record and record.exchange else None
        return milliseconds(exchange.get("started_at")) if exchange else None

    def place(self, record: StepFinished | None) -> tuple[int | None, int | None]:
        """Returns start and end of the next step; ``None`` where nothing is known of the case's time."""
        if self.start is None or self._now is None:
            return None, None
        began = self._began(record)
        length = max(_duration(record.latency_ms), _duration(record.callback_ms)) if record else 0
        start = self._inside(self._now if began is None else began)
        self._now = self._inside(start + length)
        self._last = max(self._last or self._now, self._now)
        return start, self._now

    def _inside(self, moment: int) -> int:
        later = max(moment, self.start or moment)
        return later if self.stop is None else min(later, self.stop)


def _step(step: StepStory, clock: _Clock, attachments: list[Attachment]) -> TestStepResult:
    start, stop = clock.place(step.record)
    fates = [check_fate(check) for check in step.checks]
    error = one_line(step.record.error) if step.record else ""
    worst = max((fate.standing for fate in fates), default=Standing.PASSED)
    # A step that nothing was asserted of is not shown as passed when its exchange broke.
    standing = max(worst, Standing.BROKEN) if error and worst is not Standing.FAILED else worst
    message = error or next((fate.message for fate in fates if fate.standing is worst and worst), "")
    return TestStepResult(
        name=one_line(step.label) or "unnamed",
        status=standing.word,
        statusDetails=StatusDetails(message=message) if message and standing is not Standing.PASSED else None,
        stage="finished",
        steps=[_check(check, fate, stop) for check, fate in zip(step.checks, fates, strict=True)],
        attachments=attachments,
        parameters=_facts(step.record),
        start=start,
        stop=stop,
    )


def _check(check: CheckStory, fate: Fate, moment: int | None) -> TestStepResult:
    record = check.record
    compared = record is not None and not (record.expected is None and record.actual is None)
    details = _details(fate)
    if details is not None and record is not None and compared and fate.standing is Standing.FAILED:
        details.expected, details.actual = compact(record.expected), compact(record.actual)
    return TestStepResult(
        name=one_line(check.label) or "unnamed",
        status=fate.standing.word,
        statusDetails=details,
        stage="finished",
        start=moment,
        stop=moment,
    )


def _details(fate: Fate) -> _Details | None:
    if not fate.message:
        return None
    return _Details(message=clean(fate.message), flaky=fate.flaky or None)


def _whole(fate: Fate, concern: Concern) -> _Details | None:
    """The case's message; its first word, by which it is put into a category, stays what it is."""
    known = [f"may be explained by a known issue: {issue.name}" for issue in concern.known_issues]
    return _details(replace(fate, message="\n".join(filter(None, (fate.message, *concern.waived, *known)))))


def _links(concern: Concern) -> list[Link]:
    tickets = [*concern.waivers, *concern.known_issues]
    return [
        Link(type=str(LinkType.ISSUE), url=ticket.url, name=one_line(ticket.name)) for ticket in tickets if ticket.url
    ]


def _facts(record: StepFinished | None) -> list[Parameter]:
    """A step's facts. They belong to the step: a result's own parameters would part its history."""
    if record is None:
        return []
    facts = {
        "operation": record.operation,
        "component": record.component,
        "url": record.url,
        "HTTP status": "none" if record.status is None else str(record.status),
        "latency": "" if record.latency_ms is None else f"{record.latency_ms:.1f} ms",
        "callback": "" if record.callback_ms is None else f"after {record.callback_ms:.1f} ms",
    }
    if record.callback_awaited and not record.callback_received:
        facts["callback"] = "none came"
    return [Parameter(name=name, value=clean(value)) for name, value in facts.items() if value]


def _attach(
    record: StepFinished | None, scope: str, exchanges: Mapping[str, Mapping[str, Any]], files: dict[str, bytes]
) -> list[Attachment]:
    """Puts the step's exchange into ``files``, a part at a time, and returns the references to them."""
    exchange = exchanges.get(record.exchange) if record and record.exchange else None
    if not exchange:
        return []
    references = []
    for part in attached(exchange, record.operation if record else ""):
        file = f"{stable_uuid(scope, part.key)}-attachment.{part.extension}"
        files[file] = part.content
        references.append(Attachment(name=part.name, source=file, type=part.type))
    return references


def _diagram(
    case: CaseStory, scope: str, exchanges: Mapping[str, Mapping[str, Any]], files: dict[str, bytes]
) -> list[Attachment]:
    """Puts a picture of who called whom into ``files``, where anybody did, and returns the reference to it."""
    if not any(step.record and step.record.exchange in exchanges for step in case.steps):
        return []
    kind = AttachmentType.SVG
    file = f"{stable_uuid(scope, 'sequence')}-attachment.{kind.extension}"
    files[file] = utf8(sequence_svg(case, exchanges))
    return [Attachment(name="who called whom", source=file, type=kind.mime_type)]


def _labels(case: CaseStory, run: RunStory, concern: Concern) -> list[Label]:
    planned, started = case.planned, run.started
    path = case.case.split(SEPARATOR)[0]
    suite = str(started.suite.get("name") or "") if started else ""
    pairs = [
        (LabelType.EPIC, started.product if started else ""),
        (LabelType.FEATURE, planned.feature if planned else ""),
        (LabelType.STORY, (planned.file if planned else "") or path),
        (LabelType.SUITE, suite),
        (LabelType.SUB_SUITE, path),
        (LabelType.SEVERITY, _severity(planned.severity if planned else "")),
        (LabelType.HOST, str(started.target.get("name") or "") if started else ""),
        (LabelType.THREAD, case.worker),
        (LabelType.FRAMEWORK, "mojaloop-harness"),
        ("cause", concern.cause),
        ("component", concern.component),
        *(("class", name) for name in sorted({check.comparison.value for check in case.checks if check.comparison})),
        *(("waiver", ticket.name.removeprefix("waiver ")) for ticket in concern.waivers),
        *((LabelType.TAG, _tag(label)) for label in (planned.labels if planned else [])),
    ]
    return [Label(name=str(name), value=one_line(value)) for name, value in pairs if value]


def _severity(severity: str) -> str:
    return _SEVERITY[Severity(severity)] if severity in set(Severity) else "normal"


def _tag(label: str) -> str:
    return f"label {label}" if _INSTRUCTION.match(label) else label
