"""What happened in a night, when? ``nightly.json``, written anew at every step, so that a night can be taken up again.

It says what was done and what came of it; why a release was approved or not stands in each run's own folder.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, final

from harness.errors import HarnessError
from harness.fspiop.dates import iso_ms, parse_iso
from harness.model.outcome import ExitCode
from harness.nightly.processes import Process
from harness.report.files import json_bytes, write_file

__all__ = ["FINISHED", "RUNNING", "WAITING", "JobRecord", "NightRecord", "Stage", "new_night_id", "worst"]

FORMAT: Final = 1
WAITING, RUNNING, FINISHED = "waiting", "running", "finished"
OK, FAILED, SKIPPED = "ok", "failed", "skipped"
_ORDER = (ExitCode.REJECTED, ExitCode.INTERNAL, ExitCode.USAGE, ExitCode.INCONCLUSIVE, ExitCode.APPROVED)
"""The worst first: a rejection is knowledge that nothing may hide; then what kept us from knowing, our own fault first.
"""


def new_night_id(moment: datetime | None = None) -> str:
    """Returns the id of a new night: when it began, in UTC, and four hex digits that keep two apart."""
    return f"{(moment or datetime.now(UTC)).strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"


def worst(codes: Iterable[int]) -> int:
    """Returns the worst of ``codes``; 2 where there is none, for nothing is known then."""
    found = list(codes)
    return min(found, key=lambda code: _ORDER.index(ExitCode(code))) if found else ExitCode.INCONCLUSIVE


@dataclass(slots=True)
class Stage:
    """One stage of a job. ``status`` is empty while it is under way."""

    name: str
    started_at: str
    finished_at: str = ""
    status: str = ""
    text: str = ""


@dataclass(slots=True)
class JobRecord:
    """What became of one job in one night."""

    name: str
    target: str
    release: str
    product: str
    state: str = WAITING
    stages: list[Stage] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    """``{suite, run_id, exit_code, verdict}`` of each, in order; without a verdict while it is not judged."""
    before: dict[str, str] | None = None
    """Positions and funds before the night; ``None`` where they were not read."""
    touched: bool = False
    """Whether anything was done on the target that asks for a clean-up."""
    problems: list[str] = field(default_factory=list)
    """What went wrong beside the runs: a clean-up that failed, a budget that was over."""
    messages: list[dict[str, Any]] = field(default_factory=list)
    """``{channel, status, text}`` of each message."""
    exit_code: int | None = None

    def stage(self, name: str) -> Stage | None:
        """Returns the last stage called ``name``; ``None`` where there was none."""
        return next((one for one in reversed(self.stages) if one.name == name), None)


@final
@dataclass(slots=True)
class NightRecord:
    """One night of a plan, kept in ``folder``."""

    folder: Path
    night: str
    plan: str
    plan_digest: str
    owner: Process
    started_at: str
    jobs: list[JobRecord]
    resumed_at: list[str] = field(default_factory=list)
    finished_at: str = ""
    exit_code: int | None = None

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return self.folder / "nightly.json"

    def job(self, name: str) -> JobRecord:
        """Returns what became of the job called ``name``."""
        return next(one for one in self.jobs if one.name == name)

    def age_s(self, now: datetime | None = None) -> float:
        """Returns how long ago it began, in seconds."""
        return ((now or datetime.now(UTC)) - parse_iso(self.started_at)).total_seconds()

    @contextmanager
    def stage(self, job: JobRecord, name: str) -> Iterator[Stage]:
        """Yields a new stage of ``job``; it is written when it begins and when it ends, also by an exception."""
        stage = Stage(name, iso_ms())
        job.stages.append(stage)
        self.write()
        try:
            yield stage
            stage.status = stage.status or OK
        except BaseException as problem:
            stage.status, stage.text = FAILED, stage.text or str(problem) or type(problem).__name__
            raise
        finally:
            stage.finished_at = iso_ms()
            self.write()

    def write(self) -> None:
        """Keeps it. Raises ``HarnessError`` where it cannot be written."""
        try:
            write_file(self.path, json_bytes(self.to_json(), indent=2))
        except OSError as problem:
            raise HarnessError(
                f"{self.path} cannot be written: {problem.strerror or problem}", remedy="Make room, or correct rights"
            ) from problem

    def to_json(self) -> dict[str, Any]:
        """Returns a JSON-ready object."""
        return {
            "format": FORMAT,
            "night": self.night,
            "plan": self.plan,
            "plan_digest": self.plan_digest,
            "owner": self.owner.to_json(),
            "started_at": self.started_at,
            "resumed_at": self.resumed_at,
            "finished_at": self.finished_at,
            "exit_code": self.exit_code,
            "jobs": [
                {
                    "name": job.name,
                    "target": job.target,
                    "release": job.release,
                    "product": job.product,
                    "state": job.state,
                    "exit_code": job.exit_code,
                    "stages": [
                        {
                            "stage": one.name,
                            "started_at": one.started_at,
                            "finished_at": one.finished_at,
                            "status": one.status,
                            "text": one.text,
                        }
                        for one in job.stages
                    ],
                    "runs": job.runs,
                    "problems": job.problems,
                    "messages": job.messages,
                    "touched": job.touched,
                    "before": job.before,
                }
                for job in self.jobs
            ],
        }

    @classmethod
    def read(cls, folder: Path) -> NightRecord | None:
        """Returns the night kept in ``folder``; ``None`` where there is none that can be read."""
        try:
            data = json.loads((folder / "nightly.json").read_text(encoding="utf-8"))
            jobs = [
                JobRecord(
                    **{key: one[key] for key in ("name", "target", "release", "product", "state", "exit_code", "runs")},
                    **{key: one[key] for key in ("problems", "messages", "touched", "before")},
                    stages=[
                        Stage(s["stage"], s["started_at"], s["finished_at"], s["status"], s["text"])
                        for s in one["stages"]
                    ],
                )
                for one in data["jobs"]
            ]
            return cls(
                folder, data["night"], data["plan"], data["plan_digest"], Process.from_json(data["owner"]),
                data["started_at"], jobs, data["resumed_at"], data["finished_at"], data["exit_code"],
            )  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError):
            return None
