"""What happens in the one process that controls a run: set the stage, write the journal, clear the stage.

The order is fixed: hub, inbound server, journal, preflight, cases, end. Whatever ends a run early, the journal stays.
"""

from __future__ import annotations

import json
import queue
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, Protocol, final

import pytest

from harness.engine.inbound.messages import InboundNote
from harness.engine.recorder import CaseRecorder
from harness.errors import UsageError
from harness.model.ids import SCHEMES
from harness.model.outcome import Outcome
from harness.model.records import (
    CaseFinished,
    CasePlanned,
    CaseStarted,
    CheckRecorded,
    Interrupted,
    PlanComplete,
    RunFinished,
    WorkerLost,
    record_from_json,
)
from harness.run.context import PlannedCase, RunContext
from harness.run.interrupt import Interruption
from harness.run.journal import JournalWriter
from harness.run.options import EMBEDDED, RunOptions
from harness.run.provenance import new_run_id, run_started
from harness.run.redact import Redactor, is_secret_name
from harness.run.stage import Stage
from harness.run.what import NATIVE
from harness.suite.pin import check_pin, load_pin

__all__ = ["Controller", "Listener"]


class Listener(Protocol):
    """Who wants to hear how the run goes. Only listens."""

    def start(self, total: int) -> None:
        """``total`` cases will run."""

    def case_started(self, case_id: str) -> None:
        """A case began."""

    def case_finished(self, case_id: str, outcome: Outcome) -> None:
        """A case ended."""

    def note(self, text: str) -> None:
        """Something worth a line."""

    def stop(self) -> None:
        """The run is over."""


@final
class Controller:
    """Owns the run folder, the stage and the journal from ``open`` to ``close``."""

    NAME = "harness-controller"
    """What pytest knows this plugin by."""

    def __init__(self, options: RunOptions, listener: Listener | None = None) -> None:
        self.__name__ = self.NAME
        self.options = options
        self.context: RunContext
        self.folder: Path
        self._listener = listener
        self._stage: Stage | None = None
        self._journal: JournalWriter | None = None
        self._plan_folder = Path(tempfile.mkdtemp(prefix="harness-plan-"))
        self._notes: queue.SimpleQueue[InboundNote] = queue.SimpleQueue()
        self._plan: dict[str, PlannedCase] | None = None
        self._finished: set[str] = set()
        self._checks = 0
        self._problems: list[str] = []
        self.violations: list[dict[str, Any]] = []
        """The laws that the embedded hub broke, each with the histories it is about."""
        self._blocked = ""
        """Why no case may run; empty where they may."""
        self._interruption = Interruption()
        self._interrupted: str | None = None
        self._started = time.monotonic()

    def open(self) -> None:
        """Starts the servers, opens the journal, probes the target. On failure clears up and raises."""
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        options = self.options
        for text in options.suite.problems:
            self._problem(text)
        stage = self._stage = Stage.open(options, self._notes.put)
        run_id = options.run_id or new_run_id(options)
        self.folder = options.folder or options.workspace.runs / run_id
        try:
            self.folder.mkdir(parents=True)
        except FileExistsError:
            raise UsageError(f"run {run_id} exists already", remedy="Choose another --harness-run-id") from None
        self.context = RunContext(
            run_id=run_id,
            workspace=options.workspace.root,
            product=options.product,
            release=options.manifest,
            hub_release=options.hub_release,
            target=stage.target,
            inbound=stage.inbound.address,
            suite=options.workspace.suite(options.product).resolve(),
            scheme_suite=options.suite.scheme.name if options.suite.scheme else "",
            labels=options.labels,
            plan_folder=self._plan_folder,
            inputs=stage.inputs,
            strict_steps=options.strict_steps,
            collections={str(path): options.suite.groups.get(str(path), "all") for path in options.collections},
        )
        hidden = [str(value) for name, value in stage.inputs.items() if is_secret_name(name)]
        redactor = Redactor([*stage.target.secrets, *hidden, stage.inbound.address.token])
        self._journal = JournalWriter(self.folder, redactor)
        started = run_started(options, run_id, stage.target)
        self._journal.write(started)
        text = json.dumps(redactor.redact(started.to_json()), indent=2, ensure_ascii=False, sort_keys=True)
        (self.folder / "run.json").write_text(text + "\n", encoding="utf-8")
        for service in stage.probes:
            self._journal.write(service)
        self._preflight(stage)
        if options.time_scale != 1:
            self._problem(f"time was scaled by {options.time_scale:g}: a dry run, which can approve no release")
        if options.provision and options.suite.provisioning and stage.target.kind == EMBEDDED and not self._blocked:
            self._provision(stage)

    def _preflight(self, stage: Stage) -> None:
        """Tells what preflight found. Whoever runs in spite of it gets no approval, whatever the cases show."""
        for finding in stage.findings:
            self._note(f"preflight: {finding.text}. {finding.remedy}")
        texts = [finding.text for finding in stage.findings]
        if self.options.ignore_preflight:
            said = f"{len(texts)} found: {'; '.join(texts)}" if texts else "it had found nothing"
            self._problem(f"preflight was not to count (--ignore-preflight): {said}")
        elif texts:
            more = f" (and {len(texts) - 1} more)" if len(texts) > 1 else ""
            self._blocked = f"{texts[0]}{more}"
        if self.options.blocked:
            self._note(self.options.blocked)
            self._blocked = "; ".join(text for text in (self._blocked, self.options.blocked) if text)

    def _provision(self, stage: Stage) -> None:
        """Runs the release's own provisioning collections; what failed there is a problem of the run."""
        from harness.run.provisioning import provision

        journal, files = self._journal, self.options.suite.provisioning
        assert journal is not None
        self._note(f"provisioning: {len(files)} collections")

        def keep(recorder: CaseRecorder) -> None:
            for exchange in recorder.exchanges():
                journal.exchange(exchange)

        shown = provision(
            files, stage.target, stage.inbound.address, stage.inputs, threads=self.options.threads, on_case=keep
        )
        journal.write(shown)
        self._note(
            f"provisioned: {shown.cases} cases, {shown.checks} checks, {len(shown.failures)} failed, "
            f"{shown.duration_ms / 1000:.0f} s"
        )
        if shown.failures:
            first = shown.failures[0]
            self._problem(
                f"provisioning: {len(shown.failures)} of {shown.checks} checks failed: "
                f"{first['check']}: {first['message']}"
            )

    # -- what pytest tells -----------------------------------------------------------------------------------------

    def pytest_sessionstart(self) -> None:
        """Makes SIGTERM and SIGINT orderly interruptions."""
        self._interruption.install()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Runs no case on a target that is not ready."""
        if self._blocked:
            pytest.exit(f"preflight: {self._blocked}", returncode=2)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Without pytest-xdist: the plan is ready."""
        if session.items or (self._plan_folder / "main.json").exists():
            self._take_plan("main")

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """With pytest-xdist: hands the run to a new worker."""
        context = {**self.context.to_json(), "worker": node.gateway.id}
        node.workerinput["harness"] = json.dumps(context)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> object | None:
        """With pytest-xdist: keeps the cases of collections that build on each other in one worker, in order."""
        if not self.options.collections:
            return None
        from harness.run.schedule import GroupScheduling

        return GroupScheduling(config, log, lambda node: (self._plan or {})[node].group)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any) -> None:
        """With pytest-xdist: a worker's plan is ready."""
        self._take_plan(node.gateway.id)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object | None) -> None:
        """A worker ended; with ``error`` it died, and what it had in hand is lost."""
        if error is None:
            return
        lost = getattr(node, "_harness_lost", None)
        self._write(WorkerLost(worker=node.gateway.id, case=lost, message=str(error)[:500]))
        self._note(f"worker {node.gateway.id} died")

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: pytest.TestReport) -> None:
        """The item a dead worker was in the middle of."""
        planned = (self._plan or {}).get(crashitem)
        worker = getattr(getattr(report, "node", None), "gateway", None)
        self._write(
            WorkerLost(
                worker=worker.id if worker else "unknown",
                case=planned.case if planned else crashitem,
                message="the worker died while it ran this case",
            )
        )

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A case began."""
        planned = (self._plan or {}).get(nodeid)
        if planned is not None:
            self._write(CaseStarted(case=planned.case, worker=""))
            if self._listener:
                self._listener.case_started(planned.case)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase of a case ended; the last one carries all that the case showed."""
        self._drain_notes()
        text = getattr(report, "harness", None)
        if text is None:
            return
        payload = json.loads(text)
        for exchange in payload["exchanges"]:
            if self._journal:
                with self._interruption.held():
                    self._journal.exchange(exchange)
        for data in payload["records"]:
            record = record_from_json(data)
            self._write(record)
            if isinstance(record, CheckRecorded):
                self._checks += 1
            elif isinstance(record, CaseFinished):
                self._finished.add(record.case)
                if self._listener:
                    self._listener.case_finished(record.case, record.outcome)
        if self._journal and self._journal.broken:
            pytest.exit(f"the journal cannot be written: {self._journal.broken}", returncode=4)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be collected is a problem of the run, never a smaller suite."""
        if report.failed:
            text = str(report.longrepr).strip().splitlines()
            self._problem(f"cannot collect {report.nodeid or 'the suite'}: {text[-1] if text else 'no reason given'}")

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Somebody stopped the run."""
        self._interrupted = self._interruption.reason or f"{excinfo.typename}: {excinfo.value}".rstrip(": ")

    def pytest_internalerror(self, excrepr: object) -> None:
        """Pytest or a plugin broke."""
        lines = str(excrepr).strip().splitlines()
        self._problem(f"internal error: {lines[-1] if lines else 'unknown'}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Says in the journal how the run ended."""
        for text in self._stage.end() if self._stage else ():
            self._problem(text)
        if self._stage is not None and self._stage.violations:
            self.violations = self._stage.violations
            text = json.dumps(self.violations, indent=2) + "\n"
            (self.folder / "violations.json").write_text(text, encoding="utf-8")
        self._drain_notes()
        if self._interrupted:
            self._write(Interrupted(reason=self._interrupted))
        else:
            self._write(
                RunFinished(
                    cases=len(self._finished),
                    checks=self._checks,
                    duration_ms=round((time.monotonic() - self._started) * 1000, 3),
                    problems=self._problems,
                )
            )

    def pytest_unconfigure(self) -> None:
        """Clears the stage."""
        self.close()

    # -- inside ----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Stops what was started, in the reverse order. Safe to call twice."""
        self._interruption.restore()
        if self._listener:
            self._listener.stop()
        if self._journal is not None:
            self._journal.close()
        if self._stage is not None:
            self._stage.close()
            self._stage = None
        shutil.rmtree(self._plan_folder, ignore_errors=True)

    def _take_plan(self, worker: str) -> None:
        path = self._plan_folder / f"{worker}.json"
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            self._problem(f"worker {worker} left no plan: {problem}")
            return
        plan = {case["node"]: PlannedCase.from_json(case) for case in data["cases"]}
        if self._plan is not None:
            if plan != self._plan:
                self._problem(f"worker {worker} collected other cases than the first worker")
            return
        for text in data["problems"]:
            self._problem(text)
        self._plan = plan
        self._write_plan(list(plan.values()))

    def _write_plan(self, plan: list[PlannedCase]) -> None:
        for planned in plan:
            self._write(
                CasePlanned(
                    case=planned.case,
                    title=planned.title,
                    feature=planned.feature,
                    labels=list(planned.labels),
                    severity=planned.severity,
                    file=planned.file,
                    selected=planned.selected,
                    checks=None if planned.checks is None else list(planned.checks),
                )
            )
        if self.options.suite.source == NATIVE:
            pin = load_pin(self.options.workspace.pin(self.options.product, self.options.release))
            if pin is not None:
                cases = check_pin(pin, files=pin.files, cases=_of_product(plan))
                for difference in cases.differences:
                    self._problem(f"the suite differs from its pin: {difference}")
        selected = sum(planned.selected for planned in plan)
        self._write(PlanComplete(cases=len(plan), selected=selected))
        if self._listener:
            self._listener.start(selected)

    def _write(self, record: Any) -> None:
        if self._journal is not None:
            with self._interruption.held():
                self._journal.write(record)

    def _drain_notes(self) -> None:
        while not self._notes.empty():
            self._write(self._notes.get())

    def _problem(self, text: str) -> None:
        if text not in self._problems:
            self._problems.append(text)
            self._note(text)

    def _note(self, text: str) -> None:
        if self._listener:
            self._listener.note(text)


def _of_product(plan: list[PlannedCase]) -> list[str]:
    """The cases that a product's pin speaks of: all but the Scheme's own."""
    return [planned.case for planned in plan if not planned.case.startswith(SCHEMES)]
