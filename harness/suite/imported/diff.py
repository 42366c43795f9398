"""What did a suite become in another release? Which cases and checks are new, gone, moved, or changed in meaning."""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import final

from harness.suite.ttk.folder import Suite
from harness.suite.ttk.model import Case

__all__ = ["Difference", "SuiteDiff", "diff"]

_PREVIOUS = re.compile(r"\{\$prev\.([^.}]*)")


@final
@dataclass(frozen=True, slots=True)
class Difference:
    """Ids, each in exactly one place. ``moved`` pairs the id before with the id after."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    moved: tuple[tuple[str, str], ...] = ()
    changed: tuple[str, ...] = ()
    """The same id, and another meaning."""
    unchanged: int = 0


@final
@dataclass(frozen=True, slots=True)
class SuiteDiff:
    """How two suites differ, by case and by check."""

    cases: Difference
    checks: Difference

    @property
    def is_empty(self) -> bool:
        """Whether both suites ask the same questions under the same names."""
        return not any(
            (part.added, part.removed, part.moved, part.changed) != ((), (), (), ())
            for part in (self.cases, self.checks)
        )


@final
@dataclass(frozen=True, slots=True)
class _Check:
    id: str
    path: str
    case: str
    case_label: str
    step: str
    label: str
    fingerprint: str


_KEYS: tuple[Callable[[_Check], Hashable], ...] = (
    lambda check: (check.path, check.step, check.label, check.fingerprint),
    lambda check: (check.case_label, check.step, check.label, check.fingerprint),
    lambda check: (check.step, check.label, check.fingerprint),
    lambda check: (check.label, check.fingerprint),
)


def diff(before: Suite, after: Suite) -> SuiteDiff:
    """Returns what differs from ``before`` to ``after``.

    A check with one id and another fingerprint is changed. A check is moved where one of the same description and
    fingerprint is in the other suite under another id; the one nearest in file, case and step is taken. A case is
    moved where most of its checks moved into one new case; changed where its steps, requests or checks did.
    """
    old, new = ({check.id: check for check in _checks(suite)} for suite in (before, after))
    shared = [key for key in old if key in new]
    changed = tuple(key for key in shared if old[key].fingerprint != new[key].fingerprint)
    gone = [check for key, check in old.items() if key not in new]
    come = [check for key, check in new.items() if key not in old]
    pairs = _paired(gone, come)
    left, right = {a.id for a, _ in pairs}, {b.id for _, b in pairs}
    return SuiteDiff(
        cases=_cases(before, after, pairs),
        checks=Difference(
            added=tuple(check.id for check in come if check.id not in right),
            removed=tuple(check.id for check in gone if check.id not in left),
            moved=tuple((a.id, b.id) for a, b in pairs),
            changed=changed,
            unchanged=len(shared) - len(changed),
        ),
    )


def _checks(suite: Suite) -> Iterable[_Check]:
    for file in suite.files:
        for case in file.collection.cases:
            for request in case.requests:
                for assertion in request.assertions:
                    yield _Check(
                        id=str(assertion.check),
                        path=file.collection.path,
                        case=case.case_id,
                        case_label=case.name,
                        step=request.label,
                        label=assertion.label,
                        fingerprint=assertion.fingerprint,
                    )


def _paired(gone: list[_Check], come: list[_Check]) -> list[tuple[_Check, _Check]]:
    pairs: dict[str, _Check] = {}
    for key in _KEYS:
        waiting: dict[Hashable, deque[_Check]] = {}
        for check in come:
            waiting.setdefault(key(check), deque()).append(check)
        for check in gone:
            if check.id not in pairs and (queue := waiting.get(key(check))):
                pairs[check.id] = queue.popleft()
        taken = {check.id for check in pairs.values()}
        come = [check for check in come if check.id not in taken]
    return [(check, pairs[check.id]) for check in gone if check.id in pairs]


def _cases(before: Suite, after: Suite, pairs: list[tuple[_Check, _Check]]) -> Difference:
    old = {case.case_id: case for case in before.cases}
    new = {case.case_id: case for case in after.cases}
    shared = [key for key in old if key in new]
    changed = tuple(key for key in shared if _meaning(old[key]) != _meaning(new[key]))
    went: dict[str, Counter[str]] = {}
    for a, b in pairs:
        if a.case not in new and b.case not in old:
            went.setdefault(a.case, Counter())[b.case] += 1
    moved: dict[str, str] = {}
    for case, targets in went.items():
        target, count = targets.most_common(1)[0]
        if 2 * count > len(old[case].checks) and target not in moved.values():
            moved[case] = target
    return Difference(
        added=tuple(key for key in new if key not in old and key not in moved.values()),
        removed=tuple(key for key in old if key not in new and key not in moved),
        moved=tuple(moved.items()),
        changed=changed,
        unchanged=len(shared) - len(changed),
    )


def _meaning(case: Case) -> str:
    """What a case does and asks, apart from the ids that only the format needs and that placeholders refer to."""
    place = {request.id: i for i, request in enumerate(case.requests)}
    steps = [
        (
            request.label,
            {name: value for name, value in request.document.items() if name not in ("id", "tests", "status")},
            [(assertion.label, "".join(assertion.source.split())) for assertion in request.assertions],
        )
        for request in case.requests
    ]
    text = json.dumps(steps, sort_keys=True)
    return _PREVIOUS.sub(lambda found: f"{{$prev.{place.get(found[1], found[1])}", text)
