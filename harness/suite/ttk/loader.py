"""Reads a TTK collection file: which cases, steps and checks does it plan?

Nothing is passed over: what is not as the format says is a ``CollectionError`` with file, line, column and JSON path.
"""

from __future__ import annotations

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
        steps = Numbering()
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

    def request(self, value: Any, at: JsonPath, case: str, numbering: Numbering) -> Request:
        request = self.need(value, dict, at)
        ident = self.ident(request, at)
        label = self.optional(request, "description", str, at, "").strip() or ident
        segment = numbering.segment(label)
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
            retries_delay_ms=self.number(request, "retriesDelay", at),
            scripting_engine=engine,
            assertions=tuple(self.assertions(request, at, case, segment, method, operation)),
            document=request,
        )

    def assertions(
        self, request: Mapping[str, Any], at: JsonPath, case: str, step: str, method: str, operation: str
    ) -> Iterable[Assertion]:
        tests = self.optional(request, "tests", dict, at, {})
        numbering = Numbering()
        for i, value in enumerate(self.optional(tests, "assertions", list, (*at, "tests"), [])):
            here = (*at, "tests", "assertions", i)
            assertion = self.need(value, dict, here)
            ident = self.ident(assertion, here)
            label = self.optional(assertion, "description", str, here, "").strip() or ident
            source = "\n".join(self.lines(assertion, here))
            yield Assertion(
                id=ident,
                label=label,
                source=source,
                check=CheckId(self.path, case, step, numbering.segment(label)),
                fingerprint=fingerprint(method, operation, source),
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
