"""One job of a night, from the lock on its target to its exit code. What was begun on a target is cleaned up after.

The order of the stages is the order of the methods. Each is written down when it begins and when it ends, so that a
night that was cut off can be gone on with: ``go_on`` does what is owed and nothing twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, final

from harness.errors import HarnessError, TargetBusyError
from harness.model.outcome import ExitCode
from harness.nightly.funds import after, balances
from harness.nightly.helper import Done, carry_out
from harness.nightly.lock import Lock, lock_name
from harness.nightly.orders import (
    against_of,
    against_values,
    collections_told,
    keeps_hub,
    options_values,
    resolved,
    target_of,
)
from harness.nightly.plan import Job, NightlyPlan, seconds
from harness.nightly.record import RUNNING, SKIPPED, JobRecord, NightRecord, worst
from harness.nightly.stop import Stop
from harness.nightly.work import COLLECTIONS, RUN
from harness.run.options import RunOptions
from harness.run.provenance import new_run_id
from harness.target.provisioned import LEDGER
from harness.workspace import Workspace

if TYPE_CHECKING:
    from harness.hub.kept import KeptHub
    from harness.report.interface import ReportInput

__all__ = ["JobRun"]

_LEFT_BEHIND_S = 60.0
"""How long a process of a night that was cut off may take to end before the night is gone on with."""
_CUT_OFF = "the night was cut off at"
_IN_FLIGHT_S = 10.0
"""How long positions may take to come back after the clean-up: transfers in flight end or expire."""


@final
class JobRun:
    """Carries out one job and keeps ``record`` up to date. ``tell`` hears what a person may want to see."""

    def __init__(
        self,
        workspace: Workspace,
        plan: NightlyPlan,
        job: Job,
        night: NightRecord,
        *,
        wait_s: float,
        stop: Stop,
        tell: Callable[[str], None],
    ) -> None:
        self._workspace, self._plan, self._job, self._night = workspace, plan, job, night
        self._wait_s, self._stop, self._tell = wait_s, stop, tell
        self._record: JobRecord = night.job(job.name)
        self._codes: list[int] = []
        self._services: dict[str, str] = {}
        self._lock: Lock | None = None
        self._deadline = time.monotonic() + seconds(job.time_budget)
        self.judged: list[ReportInput] = []

    # -- the two ways through ----------------------------------------------------------------------------------------

    def go(self) -> None:
        """Carries out the whole job. Raises nothing that belongs to the job: it stands in the record."""
        record = self._record
        record.state = RUNNING
        with self._accounted():
            options = [resolved(self._workspace, self._plan, self._job, suite) for suite in self._job.suites]
            self._check()
            with self._locked(options[0], self._wait_s), self._hub(options[0]):
                try:
                    self._read_before(options[0])
                    blocked = self._provision(options[0])
                    for one in options:
                        self._suite(one, blocked)
                finally:
                    self._clean_up(options[0])
                    self._compare(options[0])
        self._judge()

    def go_on(self) -> None:
        """Does what a night that was cut off still owes: clean-up, and judging what was recorded.

        Raises ``TargetBusyError`` where somebody else uses the target now; then it is still owed.
        """
        record = self._record
        at = record.stages[-1].name if record.stages else "its beginning"
        for stage in record.stages:
            if not stage.status:
                stage.status, stage.text = "cut off", "the night was cut off here"
        if record.exit_code is not None:
            self._judge()  # it was decided already, and only what tells of it is owed
            return
        if not any(text.startswith(_CUT_OFF) for text in record.problems):  # else it was tried before, and is owed yet
            self._owe(f"{_CUT_OFF} {at}", ExitCode.INCONCLUSIVE)
        self._codes.append(ExitCode.INCONCLUSIVE)
        cleaned = record.stage("clean-up")
        if record.touched and (cleaned is None or cleaned.status == "cut off"):
            with self._accounted(but=TargetBusyError):
                options = resolved(self._workspace, self._plan, self._job, self._job.suites[0])
                with self._locked(options, max(self._wait_s, _LEFT_BEHIND_S)), self._hub(options, again=True):
                    self._clean_up(options)
                    self._compare(options)
        self._judge()

    @property
    def job(self) -> Job:
        """What is carried out."""
        return self._job

    @property
    def record(self) -> JobRecord:
        """What became of it."""
        return self._record

    def fault(self, text: str, code: int) -> None:
        """Writes down what went wrong outside all stages."""
        self._owe(text, code)

    def not_run(self, text: str) -> None:
        """Writes down that it was not carried out, and why."""
        self._record.problems.append(text)
        self._codes.append(ExitCode.INCONCLUSIVE)

    def close(self) -> None:
        """Sets the exit code, once. Nothing of what tells of the job changes it."""
        if self._record.exit_code is None:
            self._record.exit_code = worst(self._codes)
        self._night.write()

    # -- stages, in their order --------------------------------------------------------------------------------------

    def _check(self) -> None:
        """Reads the criteria and waivers, so that what is wrong with them is told before anything runs."""
        from harness.judge.criteria import load_criteria
        from harness.validation import check_scheme

        job = self._job
        if job.criteria is not None:
            load_criteria(self._plan.beside(job.criteria))
        waivers = None if job.waivers is None else self._plan.beside(job.waivers)
        check_scheme(self._workspace, job.scheme or self._plan.plan.scheme, waivers)

    @contextmanager
    def _locked(self, options: RunOptions, wait_s: float) -> Iterator[None]:
        ledger = None if options.target is None else options.target.url(LEDGER)
        with self._night.stage(self._record, "lock") as stage:
            lock = Lock.acquire(
                self._workspace.root / "reports" / "nightly" / "locks",
                lock_name(ledger),
                f"job {self._job.name} of night {self._night.night}",
                wait_s=wait_s,
                tell=self._tell,
                stopped=lambda: bool(self._stop.reason),
            )
            if lock.took_over:
                stage.text = lock.took_over
                self._tell(lock.took_over)
        self._lock = lock
        try:
            with lock:
                yield
        finally:
            self._lock = None

    @contextmanager
    def _hub(self, options: RunOptions, *, again: bool = False) -> Iterator[None]:
        """Has the embedded hub stand from provisioning to clean-up, where there is either."""
        if not keeps_hub(self._job):
            yield
            return
        from harness.hub.config import HubConfig
        from harness.hub.kept import KeptHub, stop_kept

        config = HubConfig.of(options.manifest, defects=options.defects)
        hub: KeptHub = KeptHub.find_or_start(self._workspace.kept_hub, config)
        self._services = hub.services
        try:
            if again and hub.is_new:
                # the hub of the night that was cut off is gone, and all that was done on it
                self._record.touched, self._record.before = False, None
            yield
        finally:
            if hub.is_new or again:
                stop_kept(self._workspace.kept_hub)

    def _read_before(self, options: RunOptions) -> None:
        if options.target is None and not keeps_hub(self._job):
            return  # a hub of the run's own: it begins and ends with it
        try:
            with self._night.stage(self._record, "positions before") as stage:
                found = balances(target_of(options, self._services))
                self._record.before = found
                stage.text = f"{len(found)} balances read" if found else "no participant to compare"
        except HarnessError as problem:
            self._owe(str(problem), ExitCode.INCONCLUSIVE)

    def _provision(self, options: RunOptions) -> str:
        """Provisions the target. Returns why no case may run; empty where they may."""
        if not self._job.provisioning:
            return ""
        from harness.target.preflight import probe

        with self._night.stage(self._record, "preflight") as stage:
            probes = probe(target_of(options, self._services), options.manifest)
            down = [one.service for one in probes if one.status == "down"]
            stage.text = f"{len(probes) - len(down)} of {len(probes)} services answer"
        if down:
            return f"it was not provisioned: {', '.join(down)} down"
        with self._night.stage(self._record, "provisioning") as stage:
            self._record.touched = True
            self._night.write()
            done = self._work(options, self._job.provisioning, "provisioning", patient=False)
            stage.status, stage.text = collections_told(done)
        if done.exit_code == ExitCode.INTERNAL:
            self._owe(f"provisioning: {done.error}", ExitCode.INTERNAL)
        return "" if stage.status == "ok" else f"provisioning: {stage.text}"

    def _suite(self, options: RunOptions, blocked: str) -> None:
        name, job, record = options.suite.source, self._job, self._record
        why = self._why_stop()
        if not why and time.monotonic() >= self._deadline:
            why = self._budget_over
        if why:
            with self._night.stage(record, f"suite {name}") as stage:
                stage.status, stage.text = SKIPPED, f"not begun: {why}"
            self._owe(f"suite {name} was not begun: {why}", ExitCode.INCONCLUSIVE)
            return
        run_id = new_run_id(options)
        run: dict[str, Any] = {"suite": name, "run_id": run_id, "exit_code": None, "verdict": ""}
        with self._night.stage(record, f"suite {name}") as stage:
            record.runs.append(run)
            record.touched = True
            self._night.write()
            self._tell(f"suite {name}: run {run_id}")
            order = {
                "what": RUN,
                "options": options_values(self._workspace, self._plan, job, name, run_id),
                "against": against_values(self._plan, job),
                "blocked": blocked,
                "workers": job.workers,
            }
            done = self._carry_out(f"suite-{name}", order, self._deadline - time.monotonic(), self._why_stop)
            if done.cut_off:
                stage.status, stage.text = "cut off", done.cut_off
                self._owe(f"suite {name} was cut off: {done.cut_off}", ExitCode.INCONCLUSIVE)
            elif done.error:
                stage.status, stage.text = "failed", done.error
                self._owe(f"suite {name}: {done.error}", done.exit_code)

    def _clean_up(self, options: RunOptions) -> None:
        if not self._job.clean_up:
            return
        with self._night.stage(self._record, "clean-up") as stage:
            if not self._record.touched:
                stage.status, stage.text = SKIPPED, "nothing was done on the target"
                return
            if self._lock is not None and self._lock.is_lost:
                stage.status, stage.text = "failed", "another night has the target by now: it was left as it is"
            else:
                done = self._work(options, self._job.clean_up, "clean-up", patient=True)
                stage.status, stage.text = collections_told(done)
        if stage.status != "ok":
            self._owe(f"clean-up: {stage.text}", ExitCode.INCONCLUSIVE)

    def _compare(self, options: RunOptions) -> None:
        before = self._record.before
        if not before:
            return
        try:
            with self._night.stage(self._record, "positions after") as stage:
                found = after(target_of(options, self._services), before, patience_s=_IN_FLIGHT_S)
                stage.text = f"{len(before)} balances as before" if not found else "; ".join(found[:5])
                stage.status = "ok" if not found else "failed"
        except HarnessError as problem:
            self._owe(f"whether liquidity is back is not known: {problem}", ExitCode.INCONCLUSIVE)
            return
        if found:
            text = f"{len(found)} of {len(before)} balances are not what they were before the night: {found[0]}"
            self._owe(text, ExitCode.INCONCLUSIVE if self._job.liquidity_must_return else ExitCode.APPROVED)

    def _judge(self) -> None:
        """Judges what was recorded, run by run, and writes its reports."""
        from harness.validation import judge_folder, write_reports

        against = against_of(self._plan, self._job)
        for run in self._record.runs:
            with self._accounted(), self._night.stage(self._record, f"judge {run['suite']}") as stage:
                folder = self._workspace.runs / str(run["run_id"])
                if not (folder / "journal.jsonl").exists():
                    stage.status, stage.text = "failed", "the run left no journal"
                    self._owe(f"suite {run['suite']}: the run left no journal", ExitCode.INCONCLUSIVE)
                    continue
                judged = judge_folder(self._workspace, folder, against)
                write_reports(judged)
                verdict = judged.judged.verdict
                run["exit_code"], run["verdict"] = int(verdict.kind.exit_code), verdict.text
                stage.text = verdict.text
                self._codes.append(verdict.kind.exit_code)
                self.judged.append(judged)
        if not self._record.runs and not self._codes:
            self._owe("nothing was run", ExitCode.INCONCLUSIVE)

    # -- inside ------------------------------------------------------------------------------------------------------

    @contextmanager
    def _accounted(self, but: type[HarnessError] | None = None) -> Iterator[None]:
        """Keeps what goes wrong for the record, so that the stages after it still come."""
        try:
            yield
        except HarnessError as problem:
            if but is not None and isinstance(problem, but):
                raise
            self._owe(str(problem), problem.exit_code)

    def _owe(self, text: str, code: int) -> None:
        """Writes down what went wrong beside the runs, and what that makes of the job."""
        self._codes.append(code)
        if text in self._record.problems:
            return  # from before the night was cut off
        self._record.problems.append(text)
        self._tell(text)
        self._night.write()

    def _work(self, options: RunOptions, names: tuple[str, ...], what: str, *, patient: bool) -> Done:
        """Runs collections: with ``patient`` to their end, whoever tells us to stop, within the clean-up's budget."""
        budget = seconds(self._job.clean_up_budget) if patient else self._deadline - time.monotonic()
        order = {
            "what": COLLECTIONS,
            "options": options_values(self._workspace, self._plan, self._job, options.suite.source, None),
            "collections": [str(self._plan.beside(name)) for name in names],
            "services": self._services,
            "patient": patient,
        }
        self._tell(f"{what}: {', '.join(names)}")
        return self._carry_out(what, order, budget, (lambda: "") if patient else self._why_stop)

    def _carry_out(self, name: str, order: dict[str, Any], budget_s: float, why_stop: Callable[[], str]) -> Done:
        lock = self._lock
        return carry_out(
            self._night.folder / "work" / f"{self._job.name}-{name}.json",
            order,
            seconds=max(0.0, budget_s),
            why_stop=why_stop,
            started=(lambda _: None) if lock is None else lock.helped_by,
            over=f"the {'clean-up' if name == 'clean-up' else 'time'} budget of "
            f"{self._job.clean_up_budget if name == 'clean-up' else self._job.time_budget} was over",
        )

    def _why_stop(self) -> str:
        if self._stop.reason:
            return f"the night was told to stop ({self._stop.reason})"
        return "another night took over the lock" if self._lock is not None and self._lock.is_lost else ""

    @property
    def _budget_over(self) -> str:
        return f"the time budget of {self._job.time_budget} was over"
