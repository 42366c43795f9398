"""What a report is: something that reads a judged run and writes files. One file per format implements it.

A report decides nothing: what it shows stands in the journal or was said by the judge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from harness.model.ids import SEPARATOR
from harness.model.outcome import ComparisonClass
from harness.model.records import InboundNoted, Record
from harness.report.owners import owners
from harness.report.stories import JudgedCheck, RunStory, tell

if TYPE_CHECKING:
    from harness.judge.judged_by import JudgedBy
    from harness.judge.verdict import JudgedRun

__all__ = ["Report", "ReportInput", "judged_checks", "story_of"]


@dataclass(frozen=True, slots=True)
class ReportInput:
    """Everything a report may read."""

    judged: JudgedRun
    records: Sequence[Record]
    """The journal, in order."""
    exchanges: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Exchange id to its line of ``exchanges.jsonl``: redacted before it was written, shown as it is."""
    folder: Path = Path()
    """The run's folder, ``reports/runs/<run-id>``."""
    judged_by: JudgedBy | None = None
    """What it was judged against; ``None`` where it was not judged by names."""
    products: Mapping[str, ReportInput] = field(default_factory=dict)
    """The runs of extension products that it holds and the Scheme lists, as far as they can be read, by product."""


def story_of(run: ReportInput) -> RunStory:
    """Returns the run case by case, as recorded and as judged."""
    causes = {one.case: f"{one.cause.value} ({one.text})" for one in run.judged.causes}
    owner = owners((record for record in run.records if isinstance(record, InboundNoted)), run.exchanges)
    return tell(run.records, judged_checks(run.judged), causes, owner)


def judged_checks(judged: JudgedRun) -> list[JudgedCheck]:
    """Returns the rows of the comparison, in its order."""
    table = judged.comparison.table
    columns = ("check", "class", "outcome", "message", "case", "step", "definition_changed", "kind")
    return [
        JudgedCheck(
            check=check,
            comparison=ComparisonClass(name),
            outcome=outcome,
            message=message,
            case=case,
            step="" if kind == "case" else step or check.rsplit(SEPARATOR, 1)[0],
            definition_changed=bool(changed),
        )
        for check, name, outcome, message, case, step, changed, kind in zip(
            *(table[column].tolist() for column in columns), strict=True
        )
    ]


class Report(Protocol):
    """One format."""

    @property
    def name(self) -> str:
        """The word it is asked for by, ``allure`` for instance."""

    def write(self, run: ReportInput, folder: Path) -> list[Path]:
        """Writes the report into ``folder``, whole or not at all, and returns what was written."""
