"""``junit.xml``: the run for a build server that reads JUnit and nothing else.

Every check is a test case, and so is every gate and the verdict. The file is red exactly where the verdict is not
approved: in an approved run what failed and was excused is *skipped*, with the reason, and never passed; in any other
run the verdict itself fails, whatever else there is. What gave no result (missing, broke) is an *error*, what asserted
nothing is *skipped*. Elements and attributes are those that Jenkins, GitLab and Surefire have in common.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final
from xml.etree import ElementTree

from harness.model.ids import SEPARATOR
from harness.model.outcome import GateStatus, VerdictKind
from harness.model.verdict import Verdict
from harness.report.allure import environment
from harness.report.concerns import waived_checks
from harness.report.fate import Fate, Standing, case_fate, check_fate
from harness.report.files import write_file
from harness.report.interface import ReportInput, story_of
from harness.report.stories import CaseStory, CheckStory, RunStory, StepStory
from harness.report.text import clean, crop, one_line

__all__ = ["JUnitReport", "junit_xml"]

_MESSAGE: Final = 500
_DETAIL: Final = 4000
_OUTPUT: Final = 2000
_BAD: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 (section 2.2) has no place for, not even escaped."""


@final
class JUnitReport:
    """Writes ``junit.xml``."""

    name = "junit"

    def write(self, run: ReportInput, folder: Path) -> list[Path]:
        """Returns the path. Raises ``OSError``; then the file is as it was."""
        return [write_file(folder / "junit.xml", junit_xml(run))]


@dataclass(frozen=True, slots=True)
class _Row:
    """One test case. ``tag`` is ``failure``, ``error`` or ``skipped``; empty where it passed."""

    classname: str
    name: str
    tag: str = ""
    type: str = ""
    message: str = ""
    file: str = ""
    seconds: float = 0.0
    output: str = ""


def junit_xml(run: ReportInput) -> bytes:
    """Returns the document. The same run gives the same bytes."""
    verdict, story = run.judged.verdict, story_of(run)
    suites = [("verdict", list(_verdict(verdict)), "")]
    waived = waived_checks(run.judged)
    by_path: dict[str, list[CaseStory]] = {}
    for case in story.cases:
        by_path.setdefault(case.case.split(SEPARATOR)[0] or "unnamed", []).append(case)
    for path, cases in by_path.items():
        rows = [row for case in cases for row in _case(case, story, waived, verdict.kind)]
        began = min((case.finished.started_at for case in cases if case.finished), default="")
        suites.append((path, rows, began))
    if story.removed:
        gone = [
            _Row("removed", row.check, "skipped", "removed", "in the baseline's suite, not in this one")
            for row in story.removed
        ]
        suites.append(("removed from the suite", gone, ""))
    whole = ElementTree.Element("testsuites", {"name": _text(f"{verdict.product} {verdict.release}: {verdict.text}")})
    _count(whole, [row for _, rows, _ in suites for row in rows])
    target = str(story.started.target.get("name") or "") if story.started else ""
    for name, rows, began in suites:
        suite = ElementTree.SubElement(whole, "testsuite", {"name": _text(name)})
        _count(suite, rows)
        if moment := re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", began):
            suite.set("timestamp", moment[0])
        if target:
            suite.set("hostname", _text(target))
        if name == "verdict":
            _properties(suite, verdict, story)
        for row in rows:
            _testcase(suite, row)
    ElementTree.indent(whole)
    document: bytes = ElementTree.tostring(whole, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _verdict(verdict: Verdict) -> Iterator[_Row]:
    """The verdict and its gates: with them no reader of the file sees a run that was not approved as clean."""
    tags = {
        VerdictKind.APPROVED: "",
        VerdictKind.APPROVED_WITH_KNOWN_ISSUES: "",
        VerdictKind.REJECTED: "failure",
    }
    why = "\n".join(one_line(f"{reason.gate.value}: {reason.text}") for reason in verdict.reasons)
    tag = tags.get(verdict.kind, "error")
    message = f"{verdict.text}. {verdict.next_action}\n{why}" if tag else ""
    yield _Row("harness.verdict", "verdict", tag, verdict.kind.value if tag else "", message)
    gate_tags = {GateStatus.PASS: "", GateStatus.FAIL: "failure", GateStatus.UNKNOWN: "error"}
    for gate in verdict.gates:
        tag = gate_tags[gate.status]
        yield _Row("harness.verdict", f"gate {gate.name.value}", tag, gate.status.value if tag else "", gate.summary)


def _case(case: CaseStory, story: RunStory, waived: Mapping[str, str], kind: VerdictKind) -> Iterator[_Row]:
    file = case.planned.file if case.planned else ""
    path, _, rest = case.case.partition(SEPARATOR)
    classname = f"{path}.{rest}" if rest else path or "unnamed"
    whole = case_fate(case, story)
    if not case.selected or case.finished is None or not case.checks or case.judged is not None:
        # What becomes of the case shows in no check of it, or not in those alone.
        yield _row(classname, "the case as a whole", whole, "", kind, file=file)
    for step in case.steps:
        for number, check in enumerate(step.checks):
            excuse = f"waived by {waived[check.check]}" if check.check in waived else ""
            yield _row(
                classname,
                f"{step.label}: {check.label}",
                check_fate(check),
                excuse,
                kind,
                file=file,
                # A check takes no time; what its step took is told once, at the first of them.
                seconds=_seconds(step) if number == 0 else 0.0,
                output=_output(step, check),
            )


def _row(
    classname: str,
    name: str,
    fate: Fate,
    excuse: str,
    kind: VerdictKind,
    *,
    file: str,
    seconds: float = 0.0,
    output: str = "",
) -> _Row:
    tag = {
        Standing.PASSED: "",
        Standing.SKIPPED: "skipped",
        Standing.BROKEN: "error",
        Standing.FAILED: "failure",
    }[fate.standing]
    message = fate.message
    if tag in ("error", "failure") and (excuse or kind.exit_code == 0):
        tag, message = "skipped", f"{excuse or 'known issue of an approved run'}: {message}"
    if not tag:
        return _Row(classname, name, file=file, seconds=seconds)
    return _Row(classname, name, tag, fate.message.partition(":")[0].partition(" (")[0], message, file, seconds, output)


def _seconds(step: StepStory) -> float:
    record = step.record
    known = [value for value in (record.latency_ms, record.callback_ms) if value is not None] if record else []
    return max((value for value in known if 0 < value < float("inf")), default=0.0) / 1000


def _output(step: StepStory, check: CheckStory) -> str:
    """Where to look: what was called, how it ended, which line of ``exchanges.jsonl`` has the rest."""
    record = step.record
    if record is None:
        return ""
    facts = {
        "check": check.check,
        "operation": record.operation,
        "url": record.url,
        "component": record.component,
        "status": "none" if record.status is None else str(record.status),
        "callback": "" if not record.callback_awaited else "received" if record.callback_received else "none came",
        "error": record.error,
        "exchange": record.exchange or "",
    }
    return "\n".join(f"{name}: {one_line(value)}" for name, value in facts.items() if value)


def _count(element: ElementTree.Element, rows: Sequence[_Row]) -> None:
    element.set("tests", str(len(rows)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(sum(row.tag == tag for row in rows)))
    element.set("time", f"{sum(row.seconds for row in rows):.3f}")


def _properties(suite: ElementTree.Element, verdict: Verdict, story: RunStory) -> None:
    element = ElementTree.SubElement(suite, "properties")
    for name, value in {**environment(verdict, story), "Next": verdict.next_action}.items():
        if value:
            ElementTree.SubElement(element, "property", {"name": _text(name), "value": _text(value)})


def _testcase(suite: ElementTree.Element, row: _Row) -> None:
    attributes = {"classname": _text(row.classname), "name": _text(row.name)}
    if row.file:
        attributes["file"] = _text(row.file)
    element = ElementTree.SubElement(suite, "testcase", {**attributes, "time": f"{row.seconds:.3f}"})
    if row.tag:
        first = crop(one_line(row.message.partition("\n")[0]), _MESSAGE)
        trouble = ElementTree.SubElement(element, row.tag, {"message": _text(first)})
        if row.tag != "skipped":
            trouble.set("type", _text(row.type))
            trouble.text = _lines(row.message, _DETAIL)
    if row.output:
        ElementTree.SubElement(element, "system-out").text = _lines(row.output, _OUTPUT)


def _text(text: str) -> str:
    return _BAD.sub("\ufffd", one_line(text))


def _lines(text: str, at_most: int) -> str:
    shown = _BAD.sub("\ufffd", clean(text))
    return shown if len(shown) <= at_most else shown[:at_most] + " …"
