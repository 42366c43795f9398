"""What did one run show? Its journal, reduced to what a comparison with the sound hub needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import final

from harness.model.outcome import Outcome
from harness.model.records import (
    CheckRecorded,
    Interrupted,
    Provisioned,
    Record,
    RunFinished,
    ServiceProbed,
    StepFinished,
    WorkerLost,
)

__all__ = ["Shown", "lost", "rooted", "shown"]


@final
@dataclass(frozen=True, slots=True)
class Shown:
    """One run. ``problem`` says why it is no evidence, or is empty."""

    passed: frozenset[str]
    """Ids of the checks that passed."""
    failed: tuple[str, ...]
    """Ids of those that failed or broke."""
    provisioning: tuple[str, ...]
    """Ids of the provisioning's checks that failed or broke."""
    problem: str


def shown(records: Iterable[Record], damage: Collection[str]) -> Shown:
    """Returns what the records of a journal show; ``damage`` is what is wrong with the journal itself."""
    passed, failed = set[str](), list[str]()
    provisioning, problems = list[str](), list(damage)
    finished = False
    for record in records:
        match record:
            case CheckRecorded(outcome=Outcome.PASSED):
                passed.add(record.check)
            case CheckRecorded(outcome=Outcome.FAILED | Outcome.ERROR):
                failed.append(record.check)
            case Provisioned():
                provisioning += [str(failure["check"]) for failure in record.failures]
            case ServiceProbed() if record.status != "ok":
                problems.append(f"{record.service} was {record.status} before the first case")
            case WorkerLost():
                problems.append(f"a worker died: {record.message}")
            case Interrupted():
                problems.append(f"interrupted: {record.reason}")
            case RunFinished():
                finished = True
                problems += [text for text in record.problems if not text.startswith(_EXPECTED)]
            case _:
                pass
    if not finished:
        problems.append("the run did not come to its end")
    return Shown(frozenset(passed), tuple(failed), tuple(provisioning), "; ".join(problems))


_EXPECTED = ("time was scaled by ", "provisioning: ")
"""Problems of a run that are asked for, or are told as what they are."""


def lost(sound: Collection[str], found: Shown) -> tuple[str, ...]:
    """Returns the checks that pass on the sound hub and did not here, whatever became of them, sorted."""
    return tuple(sorted(set(sound) - found.passed))


def rooted(records: Iterable[Record], checks: Collection[str], component: str) -> tuple[str, ...]:
    """Returns those of ``checks`` that blame ``component``, in the step that failed first of each case."""
    steps: dict[str, str] = {}
    first: dict[str, str] = {}
    found = []
    for record in records:
        if isinstance(record, StepFinished):
            steps[record.step] = record.component
        elif isinstance(record, CheckRecorded) and record.check in checks:
            step = record.step
            if first.setdefault(record.case, step) == step and (record.component or steps[step]) == component:
                found.append(record.check)
    return tuple(found)
