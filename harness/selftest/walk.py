"""Which defects does a suite see? Runs it on the sound hub and once per defect, each time as a process of its own.

A catch that hangs on few checks is run once more, and only what both runs show counts; where none of it blames the
broken component, the sound hub must pass it once more as well: neither chance nor a busy machine must raise the score.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import final

from harness.errors import JournalError
from harness.hub.defects import DEFECTS
from harness.model.outcome import ExitCode
from harness.run.reader import read_journal
from harness.selftest.parts import WHOLE, Part, SuitePlan
from harness.selftest.shown import Shown, lost, rooted, shown
from harness.selftest.state import SOUND, Result, State
from harness.workspace import Workspace

__all__ = ["FEW", "Asked", "Commands", "Ended", "Walk"]

FEW = 3
"""With fewer checks than this, or none that blames the broken component, a catch is run again."""
_GRACE_S = 20.0
_COMMAND = (sys.executable, "-c", "from harness.cli import main; main()")
_JUDGED = (ExitCode.APPROVED, ExitCode.REJECTED, ExitCode.INCONCLUSIVE)

Run = Callable[[Sequence[str], Path, float], "Ended"]


@final
@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended; ``code`` is ``None`` where it was stopped because its time was up."""

    code: int | None
    out: str
    err: str


@final
class Commands:
    """Runs ``harness`` as processes of its own, and ends those that still run when it is told to."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()

    def __call__(self, arguments: Sequence[str], cwd: Path, seconds: float) -> Ended:
        """Runs ``harness`` with ``arguments`` in ``cwd``, for ``seconds`` at most, and returns how it ended."""
        process = subprocess.Popen(
            [*_COMMAND, *arguments],
            cwd=cwd,
            env={**os.environ, "CI": "true"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._running.add(process)
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.terminate()  # the run closes its journal and its hub
            try:
                out, err = process.communicate(timeout=_GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                out, err = process.communicate()
            return Ended(None, out, err)
        except BaseException:
            process.terminate()
            process.communicate()
            raise
        finally:
            self._running.discard(process)
        return Ended(process.returncode, out, err)

    def stop(self) -> None:
        """Tells every process that still runs to end."""
        for process in tuple(self._running):
            process.terminate()


@final
@dataclass(frozen=True, slots=True)
class Asked:
    """What is walked: ``defects`` against the suite of ``plan``, in ``workers`` workers, narrowed by ``keyword``."""

    workspace: Workspace
    release: str
    plan: SuitePlan
    defects: tuple[str, ...]
    workers: int
    keyword: str = ""

    @property
    def whole(self) -> Part:
        """All that is asked."""
        return Part(f"-k {self.keyword}", self.keyword) if self.keyword else WHOLE

    def first_part(self, defect: str) -> Part:
        """The part that is asked about ``defect`` first."""
        return self.whole if self.keyword else self.plan.first_part(DEFECTS[defect])


@final
class Walk:
    """Walks the defects. What was found stands in ``state``; ``tell`` hears a line for every run."""

    def __init__(
        self, asked: Asked, state: State, tell: Callable[[str], None], found: Callable[[], None], run: Run
    ) -> None:
        self._asked, self._state, self._tell, self._found, self._run = asked, state, tell, found, run
        self._lock = Lock()
        self._sounding = Lock()
        """Held by the one run of the sound hub that there may be at a time."""

    def go(self) -> str:
        """Runs what is not known yet. Returns why nothing can be said, or an empty text.

        Every defect meets its part first; then the whole suite those that their part does not show.
        """
        asked = self._asked
        if problem := self._sound(asked.whole):
            return f"the suite is not sound without a defect: {problem}"
        for name in ("part", "whole"):
            todo = [
                (defect, asked.first_part(defect) if name == "part" else asked.whole)
                for defect in asked.defects
                if not any(result.is_caught for result in self._state.of(defect))
            ]
            todo = [(defect, part) for defect, part in todo if self._state.get(defect, part.name) is None]
            for part in dict.fromkeys(part for _, part in todo):
                if problem := self._sound(part):
                    return f"part {part.name!r} gives no evidence without a defect: {problem}"
            with ThreadPoolExecutor(asked.plan.at_once) as pool:
                try:
                    for _ in pool.map(lambda one: self._one(*one), todo):
                        pass
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
        return ""

    def _sound(self, part: Part) -> str:
        """Runs ``part`` on the sound hub, unless that was done. Returns why it is not sound, or an empty text."""
        if self._state.get(SOUND, part.name) is not None:
            return ""
        result = self._walk(SOUND, part)
        if not result.problem:
            self._state.add(result)
        self._tell(f"{'sound hub':<34} {part.name:<18} {result.seconds:5.1f} s  {self._say_sound(result)}")
        return result.problem

    @staticmethod
    def _say_sound(result: Result) -> str:
        return result.problem or f"{len(result.checks)} checks passed"

    def _one(self, defect: str, part: Part) -> None:
        result = self._walk(defect, part)
        if result.is_caught and not result.provisioning and (len(result.checks) < FEW or not result.rooted):
            again = self._walk(defect, part)
            both = tuple(check for check in result.checks if check in again.checks)
            rooted = tuple(check for check in result.rooted if check in both)
            seconds, problem = result.seconds + again.seconds, again.problem
            if both and not rooted and not problem:
                with self._sounding:
                    sound = self._walk(SOUND, part)
                both = tuple(check for check in both if check in sound.checks)
                seconds, problem = seconds + sound.seconds, "" if sound.checks else sound.problem
            result = replace(result, checks=both, rooted=rooted, seconds=round(seconds, 1), problem=problem)
        with self._lock:
            self._state.add(result)
            said = f"{len(result.checks):4} checks lost" if result.is_caught else "   not caught"
            if result.provisioning:
                said += f", {len(result.provisioning)} of the provisioning"
            self._tell(f"{defect:<34} {part.name:<18} {result.seconds:5.1f} s  {result.problem or said}")
            self._found()

    def _walk(self, defect: str, part: Part) -> Result:
        asked, began = self._asked, time.monotonic()
        run = f"selftest-{os.getpid()}-{asked.plan.suite}-{defect or 'sound'}"
        folder = asked.workspace.runs / run
        shutil.rmtree(folder, ignore_errors=True)
        arguments = ["run", asked.release, *asked.plan.options, "-n", str(asked.workers), "--run-id", run, "--json"]
        arguments += ["-k", part.keyword] if part.keyword else []
        arguments += ["--defect", defect] if defect else []
        ended = self._run(arguments, asked.workspace.root, asked.plan.seconds)
        result = self._read(defect, part, folder, ended, asked.plan.seconds)
        if not result.problem:
            shutil.rmtree(folder, ignore_errors=True)
        return replace(result, seconds=round(time.monotonic() - began, 1))

    def _read(self, defect: str, part: Part, folder: Path, ended: Ended, seconds: float) -> Result:
        nothing = Result(defect, part.name, 0.0, ())
        if ended.code not in _JUDGED:
            said = (ended.err.strip() or ended.out.strip() or "nothing said").splitlines()[-1]
            how = f"stopped after {seconds:.0f} s" if ended.code is None else f"exit {ended.code}: {said}"
            return replace(nothing, problem=how)
        try:
            journal = read_journal(folder)
            suspects = tuple(str(suspect["component"]) for suspect in json.loads(ended.out)["suspects"])
        except (JournalError, ValueError, KeyError, TypeError) as problem:
            return replace(nothing, problem=f"no evidence: {problem}")
        found = shown(journal.records, journal.damage)
        if not defect:
            return replace(nothing, checks=tuple(sorted(found.passed)), problem=self._unsound(part, found))
        sound = self._state.get(SOUND, part.name)
        assert sound is not None, "a part is run on the sound hub first"
        checks = lost(sound.checks, found)
        return replace(
            nothing,
            checks=checks,
            rooted=rooted(journal.records, set(checks), DEFECTS[defect].component),
            provisioning=found.provisioning,
            suspects=suspects,
            problem=found.problem,
        )

    def _unsound(self, part: Part, found: Shown) -> str:
        """Says why a run without a defect is no measure. In a part, what builds on cases left out may well fail."""
        if found.problem:
            return found.problem
        if found.provisioning:
            return f"{len(found.provisioning)} checks of the provisioning failed: {found.provisioning[0]}"
        if found.failed and part == self._asked.whole:
            return f"{len(found.failed)} checks failed: {found.failed[0]}"
        return "" if found.passed else "no check passed"
