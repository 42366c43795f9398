"""Small results and journals for the tests of the selftest."""

from __future__ import annotations

from typing import Any

from harness.model.outcome import Outcome
from harness.model.records import CheckRecorded, Record, RunFinished, StepFinished
from harness.selftest.state import Result

CASE = "test_x.py::A case"


def check(label: str, outcome: Outcome = Outcome.PASSED, *, step: str = "POST /quotes") -> CheckRecorded:
    place = f"{CASE}::{step}"
    return CheckRecorded(check=f"{place}::{label}", case=CASE, step=place, label=label, outcome=outcome)


def step(label: str = "POST /quotes", component: str = "quoting-service", *, case: str = CASE) -> StepFinished:
    return StepFinished(
        case=case, step=f"{case}::{label}", label=label, operation=label, url="http://127.0.0.1", component=component,
        status=200, latency_ms=1.0,
    )  # fmt: skip


def finished(*problems: str) -> RunFinished:
    return RunFinished(cases=1, checks=1, duration_ms=1.0, problems=list(problems))


def journal(*records: Record) -> list[Record]:
    return [step(), *records, finished()]


def result(defect: str, *checks: str, part: str = "whole suite", **more: Any) -> Result:
    return Result(defect, part, 1.0, checks, **more)
