"""Is the environment provisioned as the official suite expects? Runs the release's own provisioning collections.

Its checks are the means, not the validation: they stand in a record of their own, and one that does not pass is a
problem of the run.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any, final

from harness.engine.exchange import Exchange, Exchanger
from harness.engine.inbound.client import InboundClient
from harness.engine.inbound.messages import InboundAddress
from harness.engine.recorder import CaseRecorder
from harness.engine.ttk.bench import Bench
from harness.engine.ttk.runner import RunVariables
from harness.model.outcome import Outcome
from harness.model.records import CheckRecorded, Provisioned
from harness.suite.ttk.folder import SuiteFile
from harness.target.model import Target

__all__ = ["provision"]

_BAD = (Outcome.FAILED, Outcome.ERROR)


def provision(
    files: Sequence[SuiteFile],
    target: Target,
    inbound: InboundAddress,
    inputs: Mapping[str, Any],
    *,
    threads: int,
    on_case: Callable[[CaseRecorder], None],
) -> Provisioned:
    """Runs the collections ``files`` on ``target`` and returns what they showed.

    Files of one folder run side by side, up to ``threads`` at a time, and the folders in their order: the collections
    set up one participant per file, and build on the folders before. A file begins once the one before it had its first
    answer, so that a hub numbers its participants as in a run one after the other. ``on_case`` gets each case when it
    is done.
    """
    started, checks = time.monotonic(), list[CheckRecorded]()
    environment = dict(inputs)
    cases = 0
    with ThreadPoolExecutor(max(1, threads), thread_name_prefix="provisioning") as pool:
        for _, folder in groupby(files, key=lambda file: file.collection.path.rpartition("/")[0]):
            given, before, running = dict(environment), _begun(), []
            for file in folder:
                turn, before = before, threading.Event()
                variables = RunVariables(inputs, given)
                running.append(pool.submit(_run, file, target, inbound, variables, turn, before))
            for recorders, left in (one.result() for one in running):
                # what a script left for later collections; of two that wrote the same, the later file's
                environment |= {name: value for name, value in left.items() if given.get(name, ...) != value}
                cases += len(recorders)
                for recorder in recorders:
                    checks += recorder.checks
                    on_case(recorder)
    return Provisioned(
        collections=[file.collection.path for file in files],
        cases=cases,
        checks=len(checks),
        passed=sum(check.outcome is Outcome.PASSED for check in checks),
        failures=[{"check": check.check, "message": check.message} for check in _failing(checks)],
        duration_ms=round((time.monotonic() - started) * 1000, 3),
    )


def _failing(checks: Iterable[CheckRecorded]) -> Iterable[CheckRecorded]:
    return (check for check in checks if check.outcome in _BAD)


def _begun() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@final
class _Telling:
    """An exchanger that tells when it has had its first answer."""

    def __init__(self, exchanger: Exchanger, answered: threading.Event) -> None:
        self._exchanger = exchanger
        self._answered = answered

    def exchange(self, *given: Any, **named: Any) -> Exchange:
        found = self._exchanger.exchange(*given, **named)
        self._answered.set()
        return found


def _run(
    file: SuiteFile,
    target: Target,
    address: InboundAddress,
    variables: RunVariables,
    turn: threading.Event,
    begun: threading.Event,
) -> tuple[list[CaseRecorder], Mapping[str, Any]]:
    """Returns the recorders of the file's cases and the environment that its scripts left."""
    turn.wait()
    try:
        return _run_cases(file, target, address, variables, begun)
    finally:
        begun.set()


def _run_cases(
    file: SuiteFile, target: Target, address: InboundAddress, variables: RunVariables, begun: threading.Event
) -> tuple[list[CaseRecorder], Mapping[str, Any]]:
    with InboundClient(address) as inbound:
        exchanger = Exchanger.for_target(target, inbound)
        bench = Bench.set_up(target, inbound, _Telling(exchanger, begun), variables.inputs)
        bench.variables = variables
        try:
            recorders = []
            for case in file.collection.cases:
                recorder = CaseRecorder(case.case_id)
                bench.run(case, recorder)
                recorders.append(recorder)
            return recorders, bench.variables.environment
        finally:
            bench.close()
            exchanger.close()
