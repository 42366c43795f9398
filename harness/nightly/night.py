"""One night: what an earlier one still owes, then its jobs one after the other, and the worst of their exit codes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import final

from harness.errors import HarnessError, TargetBusyError
from harness.fspiop.dates import iso_ms
from harness.model.outcome import ExitCode
from harness.nightly.job import JobRun
from harness.nightly.lock import Lock
from harness.nightly.plan import Job, NightlyPlan, seconds
from harness.nightly.processes import Process
from harness.nightly.record import FINISHED, WAITING, JobRecord, NightRecord, new_night_id, worst
from harness.nightly.stop import Stop
from harness.workspace import Workspace

__all__ = ["Night", "Told", "nights_of"]

Told = Callable[[NightRecord, JobRun], None]
"""What hears of a job that is judged: history, messages, figures."""


def nights_of(workspace: Workspace, plan: NightlyPlan) -> list[NightRecord]:
    """Returns the nights of ``plan`` that were kept, the oldest first. What cannot be read is none."""
    found = (NightRecord.read(path.parent) for path in _folder(workspace, plan).glob("*/nightly.json"))
    return sorted((night for night in found if night is not None), key=lambda night: night.started_at)


@final
@dataclass(slots=True)
class Night:
    """Carries out a plan. ``tell`` hears what a person may want to see, ``judged`` of each job when it is judged."""

    workspace: Workspace
    plan: NightlyPlan
    wait_s: float
    stop: Stop
    tell: Callable[[str], None]
    judged: Told

    def go(self, job: str | None = None) -> int:
        """Carries out all jobs, or the one called ``job``, and returns the exit code of the worst.

        A night that was cut off is gone on with: what it owes is done, what it finished is not done again.
        """
        chosen = self.plan.chosen(job)
        with ExitStack() as held:
            night = self._goes_on(chosen, held) or self._new(chosen, held)
            for one in chosen:
                record = night.job(one.name)
                if record.state == FINISHED:
                    self.tell(
                        f"job {one.name}: was finished before the night was cut off, exit code {record.exit_code}"
                    )
                elif self.stop.reason:
                    self._not_run(night, record, f"the night was told to stop ({self.stop.reason})")
                else:
                    self.tell(f"job {one.name}: {one.product} {one.release} on {one.target}")
                    self._carry_out(night, one)
            self._close(night)
        assert night.exit_code is not None
        return night.exit_code

    # -- nights that were cut off ------------------------------------------------------------------------------------

    def _goes_on(self, chosen: tuple[Job, ...], held: ExitStack) -> NightRecord | None:
        """Does what nights that were cut off owe. Returns the one that is to be gone on with; ``None``: begin anew."""
        known = nights_of(self.workspace, self.plan)
        left = [night for night in known if not night.finished_at]
        goes_on: NightRecord | None = None
        for night in left:
            try:
                held.enter_context(self._owner(night.folder))
            except TargetBusyError:
                continue  # it is under way in another process
            night = NightRecord.read(night.folder) or night  # as its owner left it
            if night.finished_at:
                continue
            night.owner = Process.me()
            night.resumed_at.append(iso_ms())
            night.write()
            self.tell(f"night {night.night} was cut off: what it owes is done now")
            if not self._pay(night):
                continue  # it stays owed
            is_recent = night.age_s() <= seconds(self.plan.plan.resume_within)
            if (
                is_recent
                and night.night == known[-1].night  # one that another night came after is over
                and [one.name for one in night.jobs] == [job.name for job in chosen]
            ):
                goes_on = night
            else:
                self._close(night)
        return goes_on

    def _owner(self, folder: Path) -> Lock:
        return Lock.acquire(folder, "owner", f"plan {self.plan.name}")

    def _pay(self, night: NightRecord) -> bool:
        """Does what ``night`` owes. Returns whether all of it could be done."""
        jobs = {job.name: job for job in self.plan.plan.jobs}
        paid = True
        for record in night.jobs:
            if record.state in (FINISHED, WAITING):
                continue
            job = jobs.get(record.name)
            if job is None:
                self._not_run(night, record, "the plan holds this job no more, so what it owes cannot be done")
                continue
            self.tell(f"job {record.name}: clean-up and judgement of the night that was cut off")
            try:
                self._carry_out(night, job, again=True)
            except TargetBusyError as problem:
                self.tell(f"job {record.name}: still owed: {problem}")
                paid = False
        return paid

    def _close(self, night: NightRecord) -> None:
        for record in night.jobs:
            if record.state == WAITING:
                self._not_run(night, record, "the night was cut off before it")
        night.exit_code = worst([one.exit_code for one in night.jobs if one.exit_code is not None])
        night.finished_at = iso_ms()
        night.write()

    # -- inside ------------------------------------------------------------------------------------------------------

    def _carry_out(self, night: NightRecord, job: Job, *, again: bool = False) -> None:
        run = self._run_of(night, job)
        try:
            run.go_on() if again else run.go()
        except TargetBusyError:
            raise
        except HarnessError as problem:
            run.fault(str(problem), problem.exit_code)
        except Exception as problem:
            import traceback

            traceback.print_exc()
            run.fault(f"the harness broke: {type(problem).__name__}: {problem}", ExitCode.INTERNAL)
        self._finish(night, run)

    def _run_of(self, night: NightRecord, job: Job) -> JobRun:
        return JobRun(self.workspace, self.plan, job, night, wait_s=self.wait_s, stop=self.stop, tell=self.tell)

    def _finish(self, night: NightRecord, run: JobRun) -> None:
        run.close()
        try:
            self.judged(night, run)
        except Exception as problem:
            # the verdict stands whatever becomes of its telling
            import traceback

            traceback.print_exc()
            run.record.problems.append(f"the night could not be told: {type(problem).__name__}: {problem}")
            self.tell(run.record.problems[-1])
        run.record.state = FINISHED
        night.write()

    def _not_run(self, night: NightRecord, record: JobRecord, why: str) -> None:
        """Closes a job that is not carried out. Whoever its results are told learns that there are none."""
        text = f"not run: {why}"
        job = next((one for one in self.plan.plan.jobs if one.name == record.name), None)
        if job is None:
            record.problems.append(text)
            record.exit_code, record.state = int(ExitCode.INCONCLUSIVE), FINISHED
            self.tell(f"job {record.name}: {text}; nobody is told, for its channels stood in the plan")
            night.write()
            return
        self.tell(f"job {record.name}: {text}")
        run = self._run_of(night, job)
        run.not_run(text)
        self._finish(night, run)

    def _new(self, chosen: tuple[Job, ...], held: ExitStack) -> NightRecord:
        night = new_night_id()
        record = NightRecord(
            folder=_folder(self.workspace, self.plan) / night,
            night=night,
            plan=self.workspace.relative(self.plan.path),
            plan_digest=self.plan.digest,
            owner=Process.me(),
            started_at=iso_ms(),
            jobs=[JobRecord(job.name, job.target, job.release, job.product) for job in chosen],
        )
        held.enter_context(self._owner(record.folder))
        record.write()
        return record


def _folder(workspace: Workspace, plan: NightlyPlan) -> Path:
    return workspace.root / "reports" / "nightly" / plan.name
