"""``report.json``: the verdict with every case and every check, for a program that wants all of it in one document.

Described by ``docs/report.schema.json``. The verdict in it is ``verdict.json``, word for word.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Final, Literal, final

from pydantic import BaseModel, ConfigDict, Field

from harness.judge.document import VerdictDocument, verdict_to_json
from harness.model.outcome import ComparisonClass, Outcome
from harness.report.concerns import NOTHING, concerns_of, waived_checks
from harness.report.fate import case_fate
from harness.report.files import json_bytes, write_file
from harness.report.interface import ReportInput, story_of

__all__ = ["REPORT_FORMAT", "MachineReport", "ReportDocument", "report_document", "report_schema"]

REPORT_FORMAT: Final = 1


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Case(_Part):
    """A case of the suite, whether it was to run or not."""

    case: str
    title: str
    feature: str
    labels: list[str]
    severity: str
    file: str
    selected: bool
    outcome: Outcome | None
    """``null``: it came to no end."""
    standing: Literal["passed", "failed", "broken", "skipped"]
    message: str
    started_at: str
    duration_ms: float | None
    worker: str
    cause: str
    component: str
    steps: int


class _Check(_Part):
    """A check, or (``kind`` ``case``) a case of which no check shows how it was judged."""

    check: str
    kind: Literal["check", "case"]
    case: str
    step: str
    class_: ComparisonClass = Field(alias="class")
    outcome: Outcome | None
    """``null``: no result in this run."""
    message: str
    component: str
    operation: str
    definition_changed: bool
    moved_from: str
    waived_by: str
    baseline_runs: int
    baseline_passed: int


class ReportDocument(_Part):
    """A judged run."""

    format: Literal[1]
    verdict: VerdictDocument
    cases: list[_Case]
    checks: list[_Check]


@final
class MachineReport:
    """Writes ``report.json``."""

    name = "json"

    def write(self, run: ReportInput, folder: Path) -> list[Path]:
        """Returns the path. Raises ``OSError``; then the file is as it was."""
        return [write_file(folder / "report.json", json_bytes(report_document(run), indent=1))]


def report_document(run: ReportInput) -> dict[str, Any]:
    """Returns the document. The same run gives the same."""
    return {
        "format": REPORT_FORMAT,
        "verdict": json.loads(verdict_to_json(run.judged)),
        "cases": _cases(run),
        "checks": _checks(run),
    }


def _cases(run: ReportInput) -> list[dict[str, Any]]:
    story, concerns = story_of(run), concerns_of(run.judged)
    rows = []
    for case in story.cases:
        planned, finished, fate = case.planned, case.finished, case_fate(case, story)
        concern = concerns.get(case.case, NOTHING)
        known = finished is not None and math.isfinite(finished.duration_ms)
        rows.append(
            {
                "case": case.case,
                "title": case.title,
                "feature": planned.feature if planned else "",
                "labels": list(planned.labels) if planned else [],
                "severity": planned.severity if planned else "",
                "file": planned.file if planned else "",
                "selected": case.selected,
                "outcome": finished.outcome.value if finished else None,
                "standing": fate.standing.word,
                "message": fate.message,
                "started_at": finished.started_at if finished else "",
                "duration_ms": finished.duration_ms if finished and known else None,
                "worker": case.worker,
                "cause": concern.cause,
                "component": concern.component,
                "steps": sum(step.record is not None for step in case.steps),
            }
        )
    return rows


def _checks(run: ReportInput) -> list[dict[str, Any]]:
    waived = waived_checks(run.judged)
    texts = ("check", "kind", "case", "step", "class", "message", "component", "operation", "moved_from")
    rows = []
    for row in run.judged.comparison.table.to_dict("records"):
        told: dict[str, Any] = {name: row[name] if isinstance(row[name], str) else "" for name in texts}
        rows.append(
            told
            | {
                "outcome": row["outcome"] or None,
                "definition_changed": bool(row["definition_changed"]),
                "waived_by": waived.get(row["check"], ""),
                "baseline_runs": int(row["baseline_runs"]),
                "baseline_passed": int(row["baseline_passed"]),
            }
        )
    return rows


def report_schema() -> dict[str, Any]:
    """Returns the JSON Schema of ``report.json``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **ReportDocument.model_json_schema(by_alias=True),
    }
