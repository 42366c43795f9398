"""What happens in a process that runs cases: collect them, run each with a recorder, hand over what it showed.

Results travel on pytest's own reports, so they reach the controller in the same way with and without pytest-xdist.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, final

import pytest

from harness.engine.exchange import Exchanger
from harness.engine.inbound.client import InboundClient
from harness.engine.recorder import CaseRecorder
from harness.errors import ProvisioningError
from harness.fspiop.dates import iso_ms
from harness.model.outcome import Cause, Outcome
from harness.model.records import CaseFinished
from harness.run.context import PlannedCase, RunContext
from harness.run.plan import CASE, sort_out

__all__ = ["ChecksFailedError", "Worker", "recorder_of"]

_RECORDER = pytest.StashKey[CaseRecorder]()
_STARTED = pytest.StashKey[tuple[float, str]]()
_PROBLEM = pytest.StashKey[tuple[Outcome, str, str]]()

_BAD = frozenset({Outcome.FAILED, Outcome.ERROR, Outcome.HOLLOW})


class ChecksFailedError(Exception):
    """A case ran to its end and some of its checks did not pass. Makes pytest see what the journal holds."""


def recorder_of(item: pytest.Item) -> CaseRecorder:
    """Returns the recorder of the case that ``item`` is."""
    return item.stash[_RECORDER]


@final
class Worker:
    """The plugin object of a process that runs cases."""

    def __init__(self, context: RunContext) -> None:
        self.context = context
        self.inbound = InboundClient(context.inbound)
        self.exchanger = Exchanger.for_target(context.target, self.inbound)
        self.plan: list[PlannedCase] = []
        self.shared: dict[str, Any] = {}
        """What cases of this worker share, made on first use (provisioned DFSPs, the script engine)."""
        self.closing: list[Callable[[], None]] = []
        """What is to be done when the process ends."""
        self._collected: list[pytest.Item] = []
        self._problems: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Makes every item a case of this release, before any selection of pytest's takes some away."""
        context = self.context
        own = context.workspace / context.scheme_suite if context.scheme_suite else None
        kept, self._problems = sort_out(items, context.suite, context.release.version, own, context.scheme_suite)
        order = {path: number for number, path in enumerate(context.collections)}
        # a stable sort: only files change places, the cases of one keep their order
        kept.sort(key=lambda item: order.get(str(item.path.resolve()), 0))
        for item in kept:
            for label in item.stash[CASE].labels:
                config.addinivalue_line("markers", f"{label}: a label of cases")
                item.add_marker(getattr(pytest.mark, label))
        self._collected = kept
        wanted = set(self.context.labels)
        selected = [item for item in kept if not wanted or wanted & set(item.stash[CASE].labels)]
        if left_out := [item for item in kept if item not in selected]:
            config.hook.pytest_deselected(items=left_out)
        items[:] = selected

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Writes down which cases there are and which of them will run."""
        chosen = {item.nodeid for item in session.items}
        self.plan = []
        for item in self._collected:
            planned = item.stash[CASE]
            group = self.context.collections.get(str(item.path.resolve()))
            seen = {"selected": item.nodeid in chosen, "group": group}
            self.plan.append(PlannedCase.from_json({**planned.to_json(), **seen}))
        path = self.context.plan_folder / f"{self.context.worker}.json"
        plan = {"cases": [planned.to_json() for planned in self.plan], "problems": self._problems}
        path.write_text(json.dumps(plan), encoding="utf-8")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Gives each case its recorder."""
        item.stash[_RECORDER] = CaseRecorder(item.stash[CASE].case)
        item.stash[_STARTED] = (time.monotonic(), iso_ms())
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Fails the item where a check did not pass, so that ``--lf`` and every other plugin agree with the journal."""
        yield
        checks = recorder_of(item).checks
        bad = [check for check in checks if check.outcome in _BAD]
        if failures := recorder_of(item).failures:
            raise ChecksFailedError(failures[0])
        if bad or not checks:
            first = f"{bad[0].label}: {bad[0].message}" if bad else "no check at all"
            raise ChecksFailedError(f"{len(bad)} of {len(checks)} checks did not pass: {first}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Notes what broke, and puts the whole case on the report of its last phase."""
        report = yield
        if call.excinfo is not None and _PROBLEM not in item.stash:
            problem = _problem(call.excinfo, report)
            if problem is not None:
                item.stash[_PROBLEM] = problem
        if call.when == "teardown":
            report.harness = json.dumps(self._finish(item), default=str)  # type: ignore[attr-defined]
        return report

    def pytest_unconfigure(self) -> None:
        """Lets go of the hub and the inbound server."""
        for close in (*self.closing, self.exchanger.close, self.inbound.close):
            close()

    def _finish(self, item: pytest.Item) -> dict[str, Any]:
        recorder = recorder_of(item)
        started, started_at = item.stash[_STARTED]
        outcome, message, cause = item.stash.get(_PROBLEM, (recorder.outcome, "", ""))
        if recorder.failures and outcome is not Outcome.ERROR:
            outcome, message = Outcome.FAILED, "; ".join(recorder.failures)
        if not message and not recorder.checks:
            message = "the case made no check"
        finished = CaseFinished(
            case=recorder.case,
            outcome=outcome,
            duration_ms=round((time.monotonic() - started) * 1000, 3),
            worker=self.context.worker,
            started_at=started_at,
            message=message,
            cause=cause,
        )
        return {
            "records": [record.to_json() for record in (*recorder.records(), finished)],
            "exchanges": recorder.exchanges(),
        }


def _problem(
    excinfo: pytest.ExceptionInfo[BaseException], report: pytest.TestReport
) -> tuple[Outcome, str, str] | None:
    error = excinfo.value
    if isinstance(error, ChecksFailedError):
        return None
    if report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(error)
        return Outcome.SKIPPED, reason, ""
    if isinstance(error, ProvisioningError):
        return Outcome.ERROR, str(error), Cause.PROVISIONING.value
    place = excinfo._getreprcrash()
    where = f" ({Path(place.path).name}:{place.lineno})" if place else ""
    return Outcome.ERROR, f"{type(error).__name__}: {error}{where}", Cause.HARNESS.value
