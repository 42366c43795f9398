"""What ``harness nightly`` does, put together: plan, night, history, messages, figures."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from harness.errors import UsageError
from harness.nightly.job import JobRun
from harness.nightly.night import Night
from harness.nightly.plan import NightlyPlan, load_plan, seconds
from harness.nightly.record import NightRecord
from harness.nightly.stop import Stop
from harness.workspace import Workspace

__all__ = ["dry", "run"]


def run(workspace: Workspace, path: Path, job: str | None, wait: str) -> int:
    """Carries out the plan in ``path`` and returns the exit code. Raises ``HarnessError`` where it cannot begin."""
    plan = load_plan(path)
    wait_s = _wait(wait)
    with Stop() as stop:
        night = Night(workspace, plan, wait_s, stop, _tell, lambda night, run: _after(workspace, plan, night, run))
        return night.go(job)


def dry(workspace: Workspace, path: Path, job: str | None) -> int:
    """Says what would be done."""
    raise NotImplementedError


def _after(workspace: Workspace, plan: NightlyPlan, night: NightRecord, run: JobRun) -> None:
    """What is done with a job once it is judged."""
    _tell(f"job {run.job.name}: exit code {run.record.exit_code}")


def _wait(text: str) -> float:
    if text == "0s":
        return 0.0
    if re.fullmatch(r"[1-9][0-9]{0,5}[smh]", text) is None:
        raise UsageError(f"--wait {text!r} is no length of time", remedy="Write it like 90s, 45m or 2h")
    return seconds(text)


def _tell(text: str) -> None:
    from harness.report.text import one_line

    print(one_line(text), file=sys.stdout, flush=True)
