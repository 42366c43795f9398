"""Whoever watches a run sees how far it is, on a terminal and in a log."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from harness.model.outcome import Outcome
from harness.report.progress import BarProgress, LineProgress, Progress, progress_for


class Clock:
    """A clock that goes forward when told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def log() -> Console:
    return Console(file=io.StringIO(), width=80, force_terminal=False, _environ={})


def screen() -> Console:
    return Console(file=io.StringIO(), width=100, force_terminal=True, color_system="standard", _environ={})


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def play(progress: Progress, outcomes: list[Outcome]) -> None:
    progress.start(len(outcomes))
    for number, outcome in enumerate(outcomes):
        progress.case_started(f"suite/test_x.py::case {number}")
        progress.case_finished(f"suite/test_x.py::case {number}", outcome)
    progress.stop()


def test_a_log_gets_a_line_per_tenth_and_the_end() -> None:
    console, clock = log(), Clock()
    play(LineProgress(console, clock), [Outcome.PASSED] * 195 + [Outcome.FAILED] * 5)
    lines = said(console).splitlines()
    assert lines[0] == "running 200 cases"
    assert lines[1] == "20/200 cases, 0 failed, 0 s"
    assert lines[-1] == "200/200 cases, 5 failed, 0 s"
    assert len(lines) == 11


def test_a_slow_run_is_heard_of_every_five_seconds() -> None:
    console, clock = log(), Clock()
    progress = LineProgress(console, clock)
    progress.start(1000)
    for number in range(12):
        clock.now += 1
        progress.case_finished(str(number), Outcome.ERROR)
    progress.stop()
    assert said(console).splitlines() == [
        "running 1,000 cases",
        "5/1,000 cases, 5 failed, 5 s",
        "10/1,000 cases, 10 failed, 10 s",
        "12/1,000 cases, 12 failed, 12 s",
    ]


def test_notes_are_lines_without_control_characters() -> None:
    for console, progress in ((c := log(), LineProgress(c)), (c := screen(), BarProgress(c))):
        progress.note("worker gw1 lost\x1b[2J [red]in[/red] transfers")
        assert "worker gw1 lost\\x1b[2J [red]in[/red] transfers\n" in said(console)


def test_a_terminal_shows_count_failures_and_the_case_at_hand() -> None:
    console = screen()
    progress = BarProgress(console)
    progress.start(3)
    progress.case_started("suite/test_x.py::a [bold]payer[/bold]\x1b[2J")
    progress.case_finished("suite/test_x.py::one", Outcome.FAILED)
    progress.stop()
    text = said(console)
    assert "1/3" in text
    assert "1 failed" in text
    assert "a [bold]payer[/bold]\\x1b[2J" in text


@pytest.mark.parametrize("make", [LineProgress, BarProgress])
def test_stopping_twice_or_before_the_start_does_no_harm(make: type[LineProgress] | type[BarProgress]) -> None:
    console = screen()
    progress = make(console)
    progress.stop()
    play(progress, [Outcome.PASSED])
    progress.stop()
    assert "1 case" in said(console) or "1/1" in said(console)


@pytest.mark.parametrize(
    ("terminal", "environ", "kind"),
    [
        (True, {}, BarProgress),
        (True, {"CI": "true"}, LineProgress),
        (True, {"NO_COLOR": "1"}, LineProgress),
        (False, {}, LineProgress),
    ],
)
def test_only_a_terminal_with_somebody_before_it_gets_a_bar(
    terminal: bool, environ: dict[str, str], kind: type[Progress]
) -> None:
    console = Console(file=io.StringIO(), force_terminal=terminal, _environ={"TERM": "xterm"})
    assert type(progress_for(console, environ)) is kind
