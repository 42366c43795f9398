"""How the summary reaches a terminal, a log or a build server's console.

Colours on a terminal only; with ``NO_COLOR``, ``CI`` or anything that is no terminal: plain lines, no control codes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from harness.report.interface import ReportInput, story_of
from harness.report.summary import Page, summary

__all__ = ["is_plain", "is_screen", "print_summary", "say"]


def is_plain(console: Console, environ: Mapping[str, str]) -> bool:
    """Returns whether lines go to ``console`` without colours: see https://no-color.org for ``NO_COLOR``."""
    return not is_screen(console, environ) or console.no_color or bool(environ.get("NO_COLOR"))


def is_screen(console: Console, environ: Mapping[str, str]) -> bool:
    """Whether somebody sits before it, and lines must fit."""
    ci = environ.get("CI", "").lower() not in ("", "0", "false")
    return console.is_terminal and not console.is_dumb_terminal and not ci


def print_summary(
    console: Console, run: ReportInput, reports: Sequence[Path], *, base: Path, environ: Mapping[str, str]
) -> None:
    """Prints the summary of ``run``. ``reports`` are what was written; paths are shown relative to ``base``."""
    story = story_of(run)
    folder = run.folder.relative_to(base) if run.folder.is_relative_to(base) else run.folder
    written = [report.relative_to(base) if report.is_relative_to(base) else report for report in reports]
    plain = is_plain(console, environ)
    page = Page(width=console.width if is_screen(console, environ) else None)
    for line in summary(run.judged.verdict, story, folder, written, page, run.judged.groups):
        say(console, Text(line.plain) if plain else line)


def say(console: Console, line: Text) -> None:
    """Prints one line as it is: not wrapped into a log, not interpreted, and in characters the output can carry."""
    if not _carries(console, line.plain):
        line = Text(line.plain.encode(console.encoding, "backslashreplace").decode(console.encoding), style=line.style)
    console.print(line, soft_wrap=not console.is_terminal, highlight=False, markup=False, emoji=False)


def _carries(console: Console, text: str) -> bool:
    try:
        text.encode(console.encoding)
    except UnicodeEncodeError:
        return False
    return True
