"""How far a run is, told while it runs: a bar on a terminal, now and then a line anywhere else.

It listens only. That nobody listens, or that output is closed, changes nothing about the run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Protocol, final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress
from rich.table import Column
from rich.text import Text

from harness.model.ids import SEPARATOR
from harness.model.outcome import Outcome
from harness.report.terminal import is_plain, is_screen, say
from harness.report.text import one_line

__all__ = ["BarProgress", "LineProgress", "Progress", "progress_for"]

_FAILING = frozenset({Outcome.FAILED, Outcome.ERROR})
_EVERY_SECONDS = 5.0
_EVERY_SHARE = 0.1


class Progress(Protocol):
    """Hears what a run does."""

    def start(self, total: int) -> None:
        """``total`` cases are about to run."""

    def case_started(self, case_id: str) -> None:
        """A worker took up a case."""

    def case_finished(self, case_id: str, outcome: Outcome) -> None:
        """A case came to its end."""

    def note(self, text: str) -> None:
        """Something worth a line of its own: a worker lost, a service down."""

    def stop(self) -> None:
        """The run is over, well or not. May be called twice, or without a start."""


def progress_for(console: Console, environ: Mapping[str, str]) -> Progress:
    """Returns what suits ``console``: a bar where somebody sits before it, else lines."""
    if is_screen(console, environ) and not is_plain(console, environ):
        return BarProgress(console)
    return LineProgress(console)


@final
class LineProgress:
    """A line at each tenth of the cases, and where 5 s passed since the last one."""

    def __init__(self, console: Console, clock: Callable[[], float] = monotonic) -> None:
        self._console = console
        self._clock = clock
        self._total = self._done = self._failed = self._told = 0
        self._begun = self._spoke = clock()
        self._running = False

    def start(self, total: int) -> None:
        self._total, self._done, self._failed, self._told = total, 0, 0, 0
        self._begun = self._spoke = self._clock()
        self._running = True
        self.note(f"running {total:,} {'case' if total == 1 else 'cases'}")

    def case_started(self, case_id: str) -> None:
        pass

    def case_finished(self, case_id: str, outcome: Outcome) -> None:
        self._done += 1
        self._failed += outcome in _FAILING
        if self._clock() - self._spoke >= _EVERY_SECONDS or self._done - self._told >= self._total * _EVERY_SHARE:
            self._tell()

    def note(self, text: str) -> None:
        say(self._console, Text(one_line(text)))

    def stop(self) -> None:
        if self._running and self._told < self._done:
            self._tell()
        self._running = False

    def _tell(self) -> None:
        now = self._clock()
        self._spoke, self._told = now, self._done
        self.note(f"{self._done:,}/{self._total:,} cases, {self._failed:,} failed, {now - self._begun:.0f} s")


@final
class BarProgress:
    """A bar with the count, the failures so far, the time and the case last taken up."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = RichProgress(
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[failed]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[case]}", markup=False, table_column=Column(ratio=1, no_wrap=True)),
            console=console,
            transient=True,
            expand=True,
            refresh_per_second=8,
        )
        self._task: TaskID | None = None
        self._failed = 0

    def start(self, total: int) -> None:
        self._failed = 0
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task("cases", total=total, failed="", case="")
        self._bar.start()

    def case_started(self, case_id: str) -> None:
        if self._task is not None:
            self._bar.update(self._task, case=one_line(case_id.rsplit(SEPARATOR, 1)[-1]))

    def case_finished(self, case_id: str, outcome: Outcome) -> None:
        self._failed += outcome in _FAILING
        if self._task is not None:
            failed = f"[bold red]{self._failed:,} failed[/]" if self._failed else "0 failed"
            self._bar.update(self._task, advance=1, failed=failed)

    def note(self, text: str) -> None:
        say(self._console, Text(one_line(text)))

    def stop(self) -> None:
        self._bar.stop()
