"""At which exchange did a case go wrong first, and what did that exchange show?

What fails after it within the case is taken to follow from it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from harness.judge.evidence import Evidence
from harness.model.outcome import Outcome

__all__ = ["Fault", "Traffic", "faults", "shape_of", "traffic"]

UNAVAILABLE: Final = frozenset({502.0, 503.0, 504.0})
"""A gateway or service that says it cannot serve (RFC 9110, sections 15.6.3 to 15.6.5)."""

_BROKE: Final = frozenset({"connection", "timeout", "script", "harness"})
_BAD: Final = (Outcome.FAILED.value, Outcome.ERROR.value)
# What V8 says when an assertion opens a message that never came.
_NOTHING_CAME: Final = re.compile(r"Cannot read properties of null \(reading '(headers|body|data|method|path)'\)")
_ABOUT_ERRORS: Final = re.compile(r"\berror", re.IGNORECASE)
_NOT_FOUND: Final = "32"
_LONGEST: Final = 120

_VARIABLE: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), mark)
    for pattern, mark in (
        (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<id>"),
        (r"\b[0-7][0-9a-hjkmnp-tv-z]{25}\b", "<id>"),
        (r"\b\d{4}-\d\d-\d\d(T[0-9:.]+(Z|[+-]\d\d:?\d\d)?)?", "<time>"),
        (r"\b\d\d:\d\d(:\d\d)?\b", "<time>"),
        (r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{10,}\b", "<id>"),
        (r"(?<![\w.])[-+]?\d+(\.\d+)?(?![\w.]*[a-z_])", "<n>"),
    )
)


@dataclass(frozen=True, slots=True)
class Fault:
    """The exchange at which a case went wrong first. Where no check failed there, ``message`` is empty."""

    step: str
    operation: str
    component: str
    """The one that answers for the first check that failed, else the one that was called."""
    status: float | None
    error_kind: str
    code: str
    """The code of the error that came back, else empty."""
    words: str
    message: str
    """Of the first check that failed."""
    silent: bool
    """Accepted, and what was to follow never came."""
    lost: bool
    """Silent, and asked about it later in the case the hub was silent again or did not know it."""
    about_errors: bool = False
    """Whether a check of this exchange asks for an error."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """How each operation fared in the whole run: exchanges that were accepted, and of these what became of them."""

    answered: Mapping[str, int] = field(default_factory=dict)
    """Accepted, and not among those whose answer failed to come."""
    carried_out: Mapping[str, int] = field(default_factory=dict)
    """Accepted, without an error, in no exchange at which a case went wrong."""


def shape_of(text: str) -> str:
    """Returns ``text`` with ids, amounts and times replaced by marks, so that the same fault reads the same."""
    for pattern, mark in _VARIABLE:
        text = pattern.sub(mark, text)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


@dataclass(slots=True)
class _Step:
    operation: str
    component: str
    status: float
    error_kind: str
    code: str
    words: str
    unanswered: bool
    failing: list[tuple[str, str]] = field(default_factory=list)
    """Message and component of each check that failed here."""

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300

    @property
    def wrong(self) -> bool:
        return bool(self.failing) or self.error_kind in _BROKE or self.status in UNAVAILABLE

    @property
    def silent(self) -> bool:
        if not self.accepted or self.code:
            return False
        return self.unanswered or any(_NOTHING_CAME.search(message) for message, _ in self.failing)

    @property
    def asked_in_vain(self) -> bool:
        return self.silent or self.code.startswith(_NOT_FOUND)


def faults(evidence: Evidence, cases: Iterable[str]) -> dict[str, Fault]:
    """Returns the fault of each of ``cases`` that shows one in any exchange or check; by case."""
    wanted = set(cases)
    found: dict[str, dict[str, _Step]] = {}
    columns = [
        "case", "step", "operation", "component", "status", "error_kind", "error_code", "error_text",
        "callback_awaited", "callback_received",
    ]  # fmt: skip
    rows = evidence.steps.loc[evidence.steps["case"].isin(wanted), columns]
    for case, step, operation, component, status, kind, code, words, awaited, received in _tuples(rows):
        seen = _Step(operation, component, status, kind, code, words, awaited and not received)
        found.setdefault(case, {})[step] = seen
    checks = evidence.checks.loc[
        evidence.checks["case"].isin(wanted), ["case", "step", "outcome", "message", "component", "operation", "label"]
    ]
    failing = checks[checks["outcome"].isin(_BAD)]
    for case, step, _, message, component, operation, _ in _tuples(failing):
        steps = found.setdefault(case, {})
        at = steps.setdefault(step, _Step(operation, component, float("nan"), "", "", "", unanswered=False))
        at.failing.append((message, component))
    first = {case: fault for case, steps in found.items() if (fault := _first(steps)) is not None}
    there = checks.loc[checks["step"].isin({fault.step for fault in first.values()}), ["step", "label"]]
    asking = {step for step, label in _tuples(there) if _ABOUT_ERRORS.search(label)}
    return {case: replace(fault, about_errors=fault.step in asking) for case, fault in first.items()}


def _first(steps: Mapping[str, _Step]) -> Fault | None:
    listed = list(steps.items())
    at = next((index for index, (_, step) in enumerate(listed) if step.wrong), None)
    if at is None:
        return None
    name, step = listed[at]
    message, component = step.failing[0] if step.failing else ("", "")
    return Fault(
        step=name,
        operation=step.operation,
        component=component or step.component,
        status=step.status if step.status == step.status else None,
        error_kind=step.error_kind,
        code=step.code,
        words=step.words,
        message=message,
        silent=step.silent,
        lost=step.silent and _lost(step, [later for _, later in listed[at + 1 :]]),
    )


def _lost(step: _Step, later: Sequence[_Step]) -> bool:
    question = "GET " + step.operation.partition(" ")[2].partition("/{")[0] + "/{"
    return any(one.operation.startswith(question) and one.accepted and one.asked_in_vain for one in later)


def traffic(evidence: Evidence, found: Mapping[str, Fault]) -> Traffic:
    """Returns how each operation fared, given the faults of the cases that failed."""
    steps = evidence.steps
    accepted = (steps["status"] >= 200) & (steps["status"] < 300) & (steps["error_kind"] == "")
    silent = Counter(fault.operation for fault in found.values() if fault.silent and not fault.error_kind)
    wrong = steps["step"].isin({fault.step for fault in found.values()})
    fine = accepted & ~wrong & (steps["error_code"] == "")
    return Traffic(
        answered={
            str(name): int(count) - silent[str(name)]
            for name, count in steps.loc[accepted, "operation"].value_counts().items()
        },
        carried_out={str(name): int(count) for name, count in steps.loc[fine, "operation"].value_counts().items()},
    )


def _tuples(frame: Any) -> Iterable[tuple[Any, ...]]:
    return zip(*(frame[name].tolist() for name in frame.columns), strict=True) if len(frame) else ()
