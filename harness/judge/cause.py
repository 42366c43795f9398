"""Why did a case not pass? What the exchange at which it went wrong first tells.

A cause says whom to ask. It changes nothing of what a check showed; read ``_cause`` from top to bottom.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from harness.judge.evidence import Evidence
from harness.judge.fault import UNAVAILABLE, Fault, Traffic, faults, shape_of, traffic
from harness.model.outcome import Cause, Outcome

__all__ = ["BROKER", "ENVIRONMENT_SHARE", "OUTSIDE", "CaseCause", "causes", "environment_share"]

ENVIRONMENT_SHARE: Final = 0.5
"""From this share of failing cases on, causes outside the product make a run say nothing about the product."""

OUTSIDE: Final = frozenset({Cause.ENVIRONMENT, Cause.PROVISIONING})

BROKER: Final = "message broker"
"""What the services of a hub share: where more than one of them falls silent now and then, it is suspected."""

# Unknown participants or parties, and lack of funds (FSPIOP API 1.1, section 7.6): what provisioning sees to.
_UNPROVISIONED: Final = frozenset({"3200", "3201", "3202", "3203", "3204", "4001"})
_STALLED: Final = (
    "accepted and never answered, in several services that answered others of the kind: the message broker that they "
    "share, or their consumers, stalled"
)


@dataclass(frozen=True, slots=True)
class CaseCause:
    """Why one case did not pass. ``text`` is what was seen, without the ids, amounts and times of this run."""

    case: str
    cause: Cause
    text: str
    component: str = ""
    """The one to look at; empty where the exchanges point at none."""
    step: str = ""
    """The exchange at which it went wrong first; empty where none shows it."""
    follows: str = ""
    """The earlier case of the same collection that this one's failure is taken to follow from; else empty."""


def causes(evidence: Evidence) -> tuple[CaseCause, ...]:
    """Returns the cause of each selected case that failed, broke or never finished, sorted by case."""
    outcomes = evidence.checks["outcome"]
    failed, broke = (
        set(evidence.checks.loc[outcomes == each.value, "case"]) for each in (Outcome.FAILED, Outcome.ERROR)
    )
    finished: dict[str, tuple[str, str]] = {
        case: (outcome, cause)
        for case, outcome, cause in zip(
            *(evidence.cases[name].tolist() for name in ("case", "outcome", "cause")), strict=True
        )
    }
    ended_badly = {case for case, (outcome, _) in finished.items() if outcome in (Outcome.FAILED, Outcome.ERROR)}
    unfinished = set(evidence.planned.loc[evidence.planned["selected"], "case"]) - finished.keys()
    # The engine that recorded a report may have lost a check's result in a case that ended well: it has no cause.
    ended_well = finished.keys() - ended_badly
    concerned = failed | (broke - ended_well) | ended_badly | unfinished
    found = faults(evidence, concerned)
    run = traffic(evidence, found)
    stalled = _stalled(found, run)
    told = {
        case: _cause(case, found.get(case), run, stalled, case in finished, finished.get(case, ("", ""))[1])
        for case in sorted(concerned)
    }
    return tuple(_followed(told, found, evidence).values())


def _cause(
    case: str, fault: Fault | None, run: Traffic, stalled: frozenset[str], finished: bool, given: str
) -> CaseCause:
    if given in set(Cause):
        # Who ran the case knew it at once; what was seen then is in the case's own message.
        where = fault.component if fault else ""
        return CaseCause(case, Cause(given), "recorded with the case", where, fault.step if fault else "")
    if fault is None:
        if not finished:
            return CaseCause(case, Cause.HARNESS, "the case never finished")
        return CaseCause(case, Cause.PRODUCT, "the exchanges took place and showed something else than expected")
    cause, text, component = _told_by(fault, run, stalled, finished)
    return CaseCause(case, cause, text, component, fault.step)


def _told_by(fault: Fault, run: Traffic, stalled: frozenset[str], finished: bool) -> tuple[Cause, str, str]:
    operation, answered = fault.operation, run.answered.get(fault.operation, 0)
    error = f"{fault.code} {shape_of(fault.words)}".rstrip()
    unprovisioned = (
        fault.code in _UNPROVISIONED and not fault.about_errors and not run.carried_out.get(fault.operation, 0)
    )
    table: tuple[tuple[bool, Cause, str, str], ...] = (
        (not finished, Cause.HARNESS, "the case never finished", ""),
        (fault.error_kind == "connection", Cause.ENVIRONMENT, "a service could not be reached", fault.component),
        (fault.status in UNAVAILABLE, Cause.ENVIRONMENT, "a service said that it is unavailable", fault.component),
        (fault.error_kind in ("script", "harness"), Cause.HARNESS, "a script or the harness itself broke", ""),
        (fault.error_kind == "timeout", Cause.TIMING, f"{operation}: no response came in time", fault.component),
        (_may_be_stalled(fault, run) and len(stalled) > 1, Cause.ENVIRONMENT, _STALLED, BROKER),
        (fault.lost, Cause.TIMING, f"{operation}: accepted, and unknown or unanswered later", fault.component),
        (
            fault.silent and fault.about_errors,
            Cause.TIMING,
            "accepted, and the error that was to follow never came",
            fault.component,
        ),
        (
            fault.silent and answered > 0,
            Cause.TIMING,
            f"{operation}: accepted, and no callback came in time, as it did for others",
            fault.component,
        ),
        (
            fault.silent,
            Cause.TIMING,
            f"{operation}: not one that was accepted was followed by its callback",
            fault.component,
        ),
        (fault.error_kind == "callback-timeout", Cause.TIMING, "no callback came in time", fault.component),
        (
            unprovisioned,
            Cause.PROVISIONING,
            f"{operation}: answered {error}, and not one was carried out",
            fault.component,
        ),
        (bool(fault.code), Cause.PRODUCT, f"{operation}: answered {error}", fault.component),
        (
            fault.status is not None and fault.status >= 400,
            Cause.PRODUCT,
            f"{operation}: answered with HTTP status {fault.status or 0:.0f}",
            fault.component,
        ),
        (
            True,
            Cause.PRODUCT,
            f"{operation}: {shape_of(fault.message) or 'something else than expected'}".removeprefix(": "),
            fault.component,
        ),
    )
    return next((cause, text, component) for holds, cause, text, component in table if holds)


def _may_be_stalled(fault: Fault, run: Traffic) -> bool:
    """Whether it is silence that comes and goes: the kind of request is answered elsewhere, or was lost on its way."""
    return fault.lost or (fault.silent and not fault.about_errors and run.answered.get(fault.operation, 0) > 0)


def _stalled(found: Mapping[str, Fault], run: Traffic) -> frozenset[str]:
    """The components that fell silent now and then."""
    return frozenset(fault.component for fault in found.values() if _may_be_stalled(fault, run))


def _followed(told: Mapping[str, CaseCause], found: Mapping[str, Fault], evidence: Evidence) -> dict[str, CaseCause]:
    """Lets a case of a collection that only read another value than expected follow the file's first failure.

    Cases of one collection build on each other; native cases do not. What such a case shows is a state that the earlier
    ones made, or failed to make.
    """
    first: dict[str, CaseCause] = {}
    resolved = dict(told)
    for case in evidence.planned["case"]:
        if (own := told.get(case)) is None:
            continue
        path, fault = case.partition("::")[0], found.get(case)
        if not path.endswith(".json"):
            continue
        origin = first.get(path)
        if origin is not None and fault is not None and own.cause is Cause.PRODUCT and _only_read(fault):
            resolved[case] = replace(origin, case=case, step=own.step, follows=origin.case)
        elif origin is None:
            first[path] = own
    return resolved


def _only_read(fault: Fault) -> bool:
    good = fault.status is not None and 200 <= fault.status < 300
    return fault.operation.startswith("GET ") and good and not (fault.code or fault.silent)


def environment_share(found: Iterable[CaseCause], cases: Container[str]) -> float:
    """Returns which share (0 to 1) of the failing ones among ``cases`` is due to environment or provisioning."""
    failing = [one for one in found if one.case in cases]
    return sum(one.cause in OUTSIDE for one in failing) / len(failing) if failing else 0.0
