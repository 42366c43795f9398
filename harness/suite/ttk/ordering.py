"""Which cases must stay in one worker, in their order? Errs on the side of order: a false alarm costs more than time.

Four rules, each a reason: the cases of one file; a value that one file's scripts leave in ``environment`` and another
reads; a suite that provisions or cleans up; the hub's own state (participants, positions, settlement windows).
What a script does only under a condition counts as done.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import final

from harness.suite.ttk.folder import Suite, SuiteFile
from harness.suite.ttk.model import Request

__all__ = ["Group", "needs_order"]

_ANY = "*"
_NAME = r"[A-Za-z_$][\w$]*"
_USE = re.compile(
    r"(?P<set>setEnvironmentVariable|clearEnvironmentVariable)\s*\(\s*(?P<set_key>['\"][^'\"]*['\"])?"
    r"|(?P<get>getEnvironmentVariable)\s*\(\s*(?P<get_key>['\"][^'\"]*['\"])?"
    r"|\benvironment\s*(?:"
    r"\??\.\s*(?P<call>set|unset|get|has)\s*\(\s*(?P<call_key>['\"][^'\"]*['\"])?"
    rf"|\??\.\s*(?P<field>{_NAME})|\[\s*(?P<item>['\"][^'\"]*['\"])\s*\]|(?P<other>))"
)
_ASSIGNED = re.compile(r"\s*(?:\[[^\]\n]*\]|\.[\w$]+)*\s*(?P<sign>[-+*/%|&^?]*=(?![=>])|\+\+|--)")
_PLACEHOLDER = re.compile(r"\{\$environment\.([A-Za-z_$][\w$]*)?")
_CALLS_OUT = re.compile(
    r"\baxios\b|\bsendRequest\b|\bwebsocket\b|\binboundEvent\b|\brequire\b(?!\s*\(\s*['\"](?:uuid|atob)['\"])"
)
_SETS_STAGE = ("provisioning", "cleanup")
_HARMLESS = frozenset({"health"})
_LOOKS_UP = frozenset({"parties", "quotes", "fxQuotes", "bulkQuotes", "authorizations", "transactionRequests"})
_MOVES_MONEY = frozenset({"transfers", "fxTransfers", "bulkTransfers"})


@final
@dataclass(frozen=True, slots=True)
class Group:
    """Files, and their cases, that one worker runs in this order. ``reasons`` say why files share it."""

    files: tuple[str, ...]
    cases: tuple[str, ...]
    reasons: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class _Uses:
    """What a file does to ``environment``: the keys it reads without having written them, and those it writes."""

    reads: frozenset[str]
    writes: frozenset[str]

    def takes_from(self, earlier: _Uses) -> str | None:
        """The first key that this file reads and ``earlier`` may have left."""
        if _ANY in earlier.writes and self.reads:
            return min(self.reads)
        if _ANY in self.reads and earlier.writes:
            return min(earlier.writes)
        return min(self.reads & earlier.writes, default=None)


def needs_order(suite: Suite) -> tuple[Group, ...]:
    """Returns every case of ``suite`` in exactly one group, groups and cases in the suite's order.

    Groups may run at the same time, in workers that each have an ``environment`` of their own.
    """
    files = suite.files
    links = [*_by_stage(files), *_by_environment(files), *_by_state(files)]
    leader = list(range(len(files)))

    def find(index: int) -> int:
        while leader[index] != index:
            leader[index] = leader[leader[index]]
            index = leader[index]
        return index

    for first, second, _ in links:
        one, other = sorted((find(first), find(second)))
        leader[other] = one
    members: dict[int, list[int]] = {}
    for index in range(len(files)):
        members.setdefault(find(index), []).append(index)
    reasons: dict[int, dict[str, None]] = {}
    for first, _, reason in links:
        reasons.setdefault(find(first), {})[reason] = None
    return tuple(
        Group(
            files=tuple(files[index].collection.path for index in group),
            cases=tuple(case.case_id for index in group for case in files[index].collection.cases),
            reasons=tuple(reasons.get(head, ())),
        )
        for head, group in members.items()
    )


_Link = tuple[int, int, str]


def _by_stage(files: Sequence[SuiteFile]) -> Iterator[_Link]:
    for index, file in enumerate(files):
        for part in file.collection.path.split("/"):
            if part.startswith(_SETS_STAGE):
                yield from ((index, other, f"{part} sets the stage") for other in range(len(files)) if other != index)
                return


def _by_environment(files: Sequence[SuiteFile]) -> Iterator[_Link]:
    uses = [_uses(file) for file in files]
    for index, mine in enumerate(uses):
        for earlier in range(index):
            key = mine.takes_from(uses[earlier])
            if key is not None:
                yield earlier, index, f"environment.{key}"


def _by_state(files: Sequence[SuiteFile]) -> Iterator[_Link]:
    touching: list[int] = []
    looking: list[int] = []
    changes_participants = False
    for index, file in enumerate(files):
        requests = [request for case in file.collection.cases for request in case.requests]
        resources = {_resource(request) for request in requests}
        calls_out = any(_CALLS_OUT.search(source) for request in requests for source in _sources(request))
        if calls_out or resources - _HARMLESS - _LOOKS_UP:
            touching.append(index)
            changes_participants |= calls_out or any(
                request.method != "GET" and _resource(request) not in _HARMLESS | _LOOKS_UP | _MOVES_MONEY
                for request in requests
            )
        elif resources & _LOOKS_UP:
            looking.append(index)
    for index in touching[1:]:
        yield touching[0], index, "the hub's state"
    if changes_participants:
        for index in looking:
            yield touching[0], index, "the hub's participants"


def _resource(request: Request) -> str:
    return request.operation_path.strip("/").partition("/")[0]


def _uses(file: SuiteFile) -> _Uses:
    reads: set[str] = set()
    writes: set[str] = set()
    for case in file.collection.cases:
        for request in case.requests:
            for key, is_write in _events(request):
                if is_write:
                    writes.add(key)
                # What was written under a name worked out at run time cannot be known to be the one that is read.
                elif key == _ANY or key not in writes:
                    reads.add(key)
    return _Uses(frozenset(reads), frozenset(writes))


def _events(request: Request) -> Iterator[tuple[str, bool]]:
    before, after = _scripts(request)
    yield from _script_events(before)
    for found in _PLACEHOLDER.finditer(json.dumps(request.document)):
        yield found[1] or _ANY, False
    yield from _script_events(after)
    for assertion in request.assertions:
        yield from _script_events(assertion.source)


def _scripts(request: Request) -> tuple[str, str]:
    scripts = request.document.get("scripts") or {}
    before, after = ("\n".join((scripts.get(name) or {}).get("exec", ())) for name in ("preRequest", "postRequest"))
    return before, after


def _sources(request: Request) -> Iterable[str]:
    return (*_scripts(request), *(assertion.source for assertion in request.assertions))


def _script_events(source: str) -> Iterator[tuple[str, bool]]:
    """Every read and write, in the order they take effect: a line's writes after its reads."""
    for line in _PLACEHOLDER.sub("", source).splitlines():
        found = list(_line_events(line))
        yield from (event for event in found if not event[1])
        yield from (event for event in found if event[1])


def _line_events(line: str) -> Iterator[tuple[str, bool]]:
    for use in _USE.finditer(line):
        if use["set"] or use["call"] in ("set", "unset"):
            yield _key(use["set_key"] or use["call_key"]), True
        elif use["get"] or use["call"]:
            yield _key(use["get_key"] or use["call_key"]), False
        elif use["field"] or use["item"]:
            key = use["field"] or _key(use["item"])
            assigned = _ASSIGNED.match(line, use.end())
            partial = assigned and (assigned["sign"] != "=" or assigned.start("sign") > use.end() + 1)
            if assigned:
                yield key, True
            if not assigned or partial:
                yield key, False
        else:
            yield _ANY, False
            yield _ANY, True


def _key(literal: str | None) -> str:
    return literal[1:-1] if literal else _ANY
