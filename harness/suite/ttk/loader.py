"""Reads a TTK collection file: which cases, steps and checks does it plan?

Nothing is passed over: what is not as the format says is a ``CollectionError`` with file, line, column and JSON path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from harness.errors import CollectionError
from harness.model.ids import SEPARATOR, CheckId, Numbering, fingerprint
from harness.suite.ttk.checked import Checked
from harness.suite.ttk.jsontext import JsonPath, read_json
from harness.suite.ttk.model import ApiVersion, Assertion, Case, Collection, Request

__all__ = ["collection_of", "load_collection"]

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_ENGINES = ("javascript", "postman")
_PREVIOUS = re.compile(r"\{\$prev\.([^.}]*)")


def load_collection(path: Path, *, root: Path) -> Collection:
    """Returns the collection in ``path``; its ids are relative to ``root``.

    Raises ``CollectionError`` where the file is malformed, or not under ``root``.
    """
    try:
        relative = path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError as problem:
        raise CollectionError(
            f"is not under the suite's root {root}", file=path, remedy="Name a root that holds the file"
        ) from problem
    value, text = read_json(path)
    return collection_of(value, text, file=path, path=relative)


def collection_of(value: Any, text: str, *, file: Path, path: str) -> Collection:
    """Returns the collection that ``value`` is, read from ``text`` of ``file``; its ids begin with ``path``.

    Raises ``CollectionError`` where it is malformed.
    """
    if SEPARATOR in path:
        raise CollectionError(f"has {SEPARATOR!r} in its path", file=file, remedy="Rename the file or folder")
    return _Reader(file, text, path).collection(value)


@final
@dataclass(frozen=True, slots=True)
class _Reader(Checked):
    path: str

    def collection(self, value: Any) -> Collection:
        top = self.need(value, dict, ())
        cases = self.field(top, "test_cases", list, ())
        numbering = Numbering()
        return Collection(
            path=self.path,
            name=self.optional(top, "name", str, (), ""),
            cases=tuple(self.case(one, ("test_cases", i), numbering) for i, one in enumerate(cases)),
        )

    def case(self, value: Any, at: JsonPath, numbering: Numbering) -> Case:
        case = self.need(value, dict, at)
        ident = self.ident(case, at)
        name = self.optional(case, "name", str, at, "")
        segment = numbering.segment(name.strip() or ident)
        options = self.optional(case, "options", dict, at, {})
        meta = self.optional(case, "meta", dict, at, {})
        file_info = self.optional(case, "fileInfo", dict, at, {})
        order = options.get("executionOrder", meta.get("executionOrder"))
        requests = self.field(case, "requests", list, at)
        steps = self.steps(requests, (*at, "requests"))
        built = tuple(self.request(one, (*at, "requests", i), segment, steps) for i, one in enumerate(requests))
        self.unique_ids(built, at)
        return Case(
            id=ident,
            name=name.strip() or ident,
            case_id=SEPARATOR.join((self.path, segment)),
            info=self.optional(meta, "info", str, (*at, "meta"), ""),
            labels=tuple(map(str, self.optional(file_info, "labels", list, (*at, "fileInfo"), []))),
            execution_order=float(order) if isinstance(order, int | float) and not isinstance(order, bool) else None,
            break_on_error=options.get("breakOnError") is True or case.get("breakOnError") is True,
            requests=built,
        )

    def steps(self, requests: Iterable[Any], at: JsonPath) -> Mapping[str, str]:
        """Segment per request id. Of one id given twice the first counts; ``unique_ids`` refuses it."""
        numbering = Numbering()
        found: dict[str, str] = {}
        for i, value in enumerate(requests):
            request = self.need(value, dict, (*at, i))
            ident = self.ident(request, (*at, i))
            found.setdefault(ident, numbering.segment(self.label(request, ident, (*at, i))))
        return found

    def label(self, request: Mapping[str, Any], ident: str, at: JsonPath) -> str:
        return self.optional(request, "description", str, at, "").strip() or ident

    def request(self, value: Any, at: JsonPath, case: str, steps: Mapping[str, str]) -> Request:
        request = self.need(value, dict, at)
        ident = self.ident(request, at)
        label = self.label(request, ident, at)
        segment = steps[ident]
        method = self.field(request, "method", str, at).upper()
        if method not in _METHODS:
            self.refuse(f"is no HTTP method: {method!r}", (*at, "method"))
        operation = self.field(request, "operationPath", str, at)
        for name, kind in (("url", str), ("headers", dict), ("params", dict), ("queryParams", dict)):
            self.optional(request, name, kind, at, None)
        self.scripts(request, at)
        engine = self.optional(request, "scriptingEngine", str, at, "postman")
        if engine not in _ENGINES:
            self.refuse(f"is no scripting engine: {engine!r} (known: {', '.join(_ENGINES)})", (*at, "scriptingEngine"))
        return Request(
            id=ident,
            label=label,
            step_id=SEPARATOR.join((self.path, case, segment)),
            method=method,
            operation_path=operation,
            api=self.api(request, at),
            disabled=self.optional(request, "disabled", bool, at, False),
            ignores_callbacks=self.optional(request, "ignoreCallbacks", bool, at, False),
            retries=int(self.number(request, "retries", at)),
            scripting_engine=engine,
            assertions=tuple(self.assertions(request, at, case, ident, steps)),
            document=request,
        )

    def assertions(
        self, request: Mapping[str, Any], at: JsonPath, case: str, ident: str, steps: Mapping[str, str]
    ) -> Iterable[Assertion]:
        tests = self.optional(request, "tests", dict, at, {})
        numbering = Numbering()
        for i, value in enumerate(self.optional(tests, "assertions", list, (*at, "tests"), [])):
            here = (*at, "tests", "assertions", i)
            assertion = self.need(value, dict, here)
            own = self.ident(assertion, here)
            label = self.optional(assertion, "description", str, here, "").strip() or own
            source = "\n".join(self.lines(assertion, here))
            yield Assertion(
                id=own,
                label=label,
                source=source,
                check=CheckId(self.path, case, steps[ident], numbering.segment(label)),
                fingerprint=fingerprint(request["method"], request["operationPath"], _meaning(source, steps)),
            )

    def scripts(self, request: Mapping[str, Any], at: JsonPath) -> None:
        scripts = self.optional(request, "scripts", dict, at, {})
        for name in ("preRequest", "postRequest"):
            script = self.optional(scripts, name, dict, (*at, "scripts"), None)
            if script is not None:
                self.lines(script, (*at, "scripts", name))

    def api(self, request: Mapping[str, Any], at: JsonPath) -> ApiVersion:
        version = self.optional(request, "apiVersion", dict, at, {})
        here = (*at, "apiVersion")
        return ApiVersion(
            type=self.optional(version, "type", str, here, ""),
            major=int(self.number(version, "majorVersion", here)),
            minor=int(self.number(version, "minorVersion", here)),
        )

    def unique_ids(self, requests: Iterable[Request], at: JsonPath) -> None:
        seen: set[str] = set()
        for i, request in enumerate(requests):
            if request.id in seen:
                self.refuse(f"is the id of an earlier request of this case: {request.id!r}", (*at, "requests", i, "id"))
            seen.add(request.id)

    # --- single values

    def ident(self, value: Mapping[str, Any], at: JsonPath) -> str:
        """An id: text since v17.0.0, a whole number before."""
        ident = value.get("id")
        if isinstance(ident, bool) or not isinstance(ident, str | int) or ident == "":
            self.refuse("must be given, as text or a whole number", (*at, "id"))
        return str(ident)

    def lines(self, value: Mapping[str, Any], at: JsonPath) -> list[str]:
        lines = self.field(value, "exec", list, at)
        for i, line in enumerate(lines):
            self.need(line, str, (*at, "exec", i))
        return lines

    def number(self, value: Mapping[str, Any], name: str, at: JsonPath) -> float:
        """A number, or its text; 0 where absent."""
        given = value.get(name)
        if given is None:
            return 0
        try:
            number = float("nan") if isinstance(given, bool | list | dict) else float(given or 0)
        except (ValueError, OverflowError):
            number = float("nan")
        if not 0 <= number < float("inf"):
            self.refuse("must be a number, 0 or more", (*at, name))
        return number


def _meaning(source: str, steps: Mapping[str, str]) -> str:
    """``source`` with each request it refers to named by its step: other ids do not make it another question."""
    return _PREVIOUS.sub(lambda found: f"{{$prev.{steps.get(found[1], found[1])}", source)
