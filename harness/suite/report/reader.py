"""Reads a TTK JSON report in either layout: which checks ran, and what did the reference engine see and say?

The engine's own layout keeps results beside each request under ``appended``; the CLI moves the request inside.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Never, TypeVar, final

from harness.errors import CollectionError
from harness.model.ids import SEPARATOR, CheckId, Numbering, fingerprint
from harness.suite.report.model import STATUSES, RecordedAssertion, RecordedCase, RecordedReport, RecordedRequest
from harness.suite.ttk.jsontext import JsonPath, place_of, read_json
from harness.suite.ttk.model import ApiVersion, Assertion, Case, Request

__all__ = ["load_report"]

_T = TypeVar("_T")
_NAMES = {dict: "an object", list: "an array", str: "text", int: "a whole number"}
_REMEDY = "Name a JSON report of the Testing Toolkit"
_Object = Mapping[str, Any]


def load_report(file: Path) -> RecordedReport:
    """Returns the report in ``file``; ids are those that the suite's own collections give.

    Raises ``CollectionError`` with line and column where it is no TTK report.
    """
    value, text = read_json(file)
    return _Reader(file, text).report(value, hashlib.sha256(file.read_bytes()).hexdigest())


@final
@dataclass(frozen=True, slots=True)
class _Said:
    """One request in either layout, taken apart."""

    request: dict[str, Any]
    """As it was sent."""
    label: str
    """Its description as it stands in the collection, where the layout keeps it."""
    results: Mapping[str, Any] | None
    """Result by assertion id; ``None`` where each assertion holds its own."""
    outer: dict[str, Any]
    """Where status, response and callback stand."""


@final
@dataclass(frozen=True, slots=True)
class _Reader:
    file: Path
    text: str
    cases_of: dict[str, Numbering] = field(default_factory=dict)

    def report(self, value: Any, digest: str) -> RecordedReport:
        top = self.need(value, dict, ())
        cases = self.need(top.get("test_cases"), list, ("test_cases",))
        run = self.optional(top, "runtimeInformation", dict, ())
        return RecordedReport(
            file=self.file,
            sha256=digest,
            name=str(top.get("name") or self.file.stem),
            inputs=self.optional(top, "inputValues", dict, ()),
            cases=tuple(self.case(one, ("test_cases", i)) for i, one in enumerate(cases)),
            started=_moment(run.get("startedTS")),
            duration_ms=_number(run.get("runDurationMs")),
            total=int(_number(run.get("totalAssertions")) or 0),
            total_passed=int(_number(run.get("totalPassedAssertions")) or 0),
        )

    def case(self, value: Any, at: JsonPath) -> RecordedCase:
        case = self.need(value, dict, at)
        ident = str(case.get("id") or "")
        name = str(case.get("name") or "").strip() or ident
        if not name:
            self.refuse("has neither id nor name", at)
        info = self.optional(case, "fileInfo", dict, at)
        path = _under_root(str(info.get("path") or ""), self.file)
        segment = self.cases_of.setdefault(path, Numbering()).segment(name)
        steps = Numbering()
        requests = tuple(
            self.request(one, (*at, "requests", i), path, segment, steps)
            for i, one in enumerate(self.need(case.get("requests"), list, (*at, "requests")))
        )
        options = self.optional(case, "options", dict, at)
        order = _number(options.get("executionOrder"))
        result = self.optional(case, "testResult", dict, at)
        return RecordedCase(
            case=Case(
                id=ident,
                name=name,
                case_id=SEPARATOR.join((path, segment)),
                info=str(self.optional(case, "meta", dict, at).get("info") or ""),
                labels=tuple(map(str, info.get("labels") or ())),
                execution_order=order,
                break_on_error=options.get("breakOnError") is True or case.get("breakOnError") is True,
                requests=tuple(one.request for one in requests),
            ),
            requests=requests,
            started=_moment(result.get("startedTS")),
            duration_ms=_number(result.get("runDurationMs")),
        )

    def request(self, value: Any, at: JsonPath, path: str, case: str, steps: Numbering) -> RecordedRequest:
        said = self.said(self.need(value, dict, at), at)
        request = said.request
        ident = str(request.get("id") or "")
        label = said.label.strip() or ident
        if not label:
            self.refuse("has neither id nor description", at)
        segment = steps.segment(label)
        method = str(request.get("method") or "").upper()
        operation = str(request.get("operationPath") or "")
        assertions = tuple(self.assertions(said, at, CheckId(path, case, segment, "-"), method, operation))
        version = self.optional(request, "apiVersion", dict, at)
        timing = self.optional(said.outer, "testResult", dict, at)
        return RecordedRequest(
            request=Request(
                id=ident,
                label=label,
                step_id=SEPARATOR.join((path, case, segment)),
                method=method,
                operation_path=operation,
                api=ApiVersion(
                    type=str(version.get("type") or ""),
                    major=int(_number(version.get("majorVersion")) or 0),
                    minor=int(_number(version.get("minorVersion")) or 0),
                ),
                disabled=request.get("disabled") is True,
                ignores_callbacks=request.get("ignoreCallbacks") is True,
                retries=int(_number(request.get("retries")) or 0),
                scripting_engine=str(request.get("scriptingEngine") or "postman"),
                assertions=tuple(one.assertion for one in assertions),
                document=request,
            ),
            status=str(said.outer.get("status") or ""),
            response=self.answer(said.outer, "response", at),
            callback=self.answer(said.outer, "callback", at),
            assertions=assertions,
            duration_ms=_number(timing.get("runDurationMs")),
        )

    def said(self, value: dict[str, Any], at: JsonPath) -> _Said:
        if isinstance(appended := value.get("appended"), dict):
            sent = self.need(appended.get("request") or value, dict, (*at, "appended", "request"))
            # Named assertionResults by newer engines, testResult by older ones, where it was not yet a timing.
            results = appended.get("assertionResults") or appended.get("testResult") or {}
            found = self.optional(results, "results", dict, (*at, "appended"))
            return _Said(sent, str(value.get("description") or ""), found, appended)
        sent = self.need(value.get("request"), dict, (*at, "request"))
        return _Said(sent, str(sent.get("description") or ""), None, value)

    def assertions(
        self, said: _Said, at: JsonPath, step: CheckId, method: str, operation: str
    ) -> Iterator[RecordedAssertion]:
        tests = self.optional(said.request, "tests", dict, at)
        given = [self.need(one, dict, (*at, "tests")) for one in tests.get("assertions") or ()]
        ids = Counter(str(one.get("id") or "") for one in given)
        numbering = Numbering()
        for one in given:
            ident = str(one.get("id") or "")
            ids[ident] -= 1
            source = "\n".join(map(str, self.need(one.get("exec"), list, (*at, "tests", "assertions"))))
            label = str(one.get("description") or "").strip() or ident
            result = (one.get("resultStatus") if said.results is None else said.results.get(ident)) or {}
            status = str(result.get("status") or "")
            if status not in ("", *STATUSES):
                self.refuse(f"holds the unknown status {status!r} (known: {', '.join(STATUSES)})", at)
            check = CheckId(step.path, step.case, step.step, numbering.segment(label))
            yield RecordedAssertion(
                assertion=Assertion(ident, label, source, check, fingerprint(method, operation, source)),
                status=status,
                message=str(result.get("message") or ""),
                overwritten=ids[ident] > 0,
            )

    def answer(self, outer: _Object, name: str, at: JsonPath) -> _Object | None:
        """The recorded response or callback. The engine writes text where it met an exception: that is no answer."""
        given = outer.get(name)
        return given if isinstance(given, dict) else None

    # --- single values

    def optional(self, value: _Object, name: str, kind: type[_T], at: JsonPath) -> _T:
        given = value.get(name)
        return kind() if given is None else self.need(given, kind, (*at, name))

    def need(self, value: Any, kind: type[_T], at: JsonPath) -> _T:
        if not isinstance(value, kind):
            self.refuse(f"must be {_NAMES[kind]}", at)
        return value

    def refuse(self, message: str, at: JsonPath) -> Never:
        raise CollectionError(message, file=self.file, place=place_of(self.text, at), remedy=_REMEDY)


def _under_root(path: str, file: Path) -> str:
    """Returns the path under the suite's root: what follows the first folder ``collections``; else the file's name."""
    parts = [part for part in path.replace("\\", "/").split("/") if part]
    if "collections" in parts[:-1]:
        parts = parts[parts.index("collections") + 1 :]
    return "/".join(parts) or file.stem


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _moment(value: Any) -> datetime | None:
    """The moment that ``value`` milliseconds after 1970 are, UTC."""
    number = _number(value)
    return None if number is None else datetime.fromtimestamp(number / 1000, UTC)
