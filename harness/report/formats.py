"""In which formats can a run be reported? Each has a name to ask for it by, and a sentence on what it is.

A format's module is imported when a report of it is asked for: the list alone costs nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from harness.errors import UsageError
from harness.report.interface import Report

__all__ = ["FORMATS", "Format", "format_named", "remove_stale"]


@dataclass(frozen=True, slots=True)
class Format:
    """One format that ``harness report`` can be asked for."""

    name: str
    text: str
    """Which files it writes and what they are for, in one sentence."""
    make: Callable[[], Report]
    files: tuple[str, ...] = ()
    """What it leaves in a run's folder that is not there for every run."""


def _allure() -> Report:
    from harness.report.allure_page import AllureReport

    return AllureReport()


def _allure_results() -> Report:
    from harness.report.allure import AllureResults

    return AllureResults()


def _page() -> Report:
    from harness.report.page.writer import VerdictPage

    return VerdictPage()


def _verdict() -> Report:
    from harness.report.verdict_file import VerdictFiles

    return VerdictFiles()


def _junit() -> Report:
    from harness.report.junit import JUnitReport

    return JUnitReport()


def _markdown() -> Report:
    from harness.report.markdown import MarkdownReport

    return MarkdownReport()


def _json() -> Report:
    from harness.report.machine import MachineReport

    return MachineReport()


def _csv() -> Report:
    from harness.report.verdict_file import ComparisonTable

    return ComparisonTable()


FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        one.name: one
        for one in (
            Format(
                "allure",
                "allure-report/, allure-report.html: Allure 3, as pages and as one file",
                _allure,
                ("allure-report", "allure-report.html"),
            ),
            Format("allure-results", "allure-results/: what any Allure 2 or 3 builds its report from", _allure_results),
            Format(
                "html", "verdict.html: the verdict, why, and the evidence, on one page that needs no network", _page
            ),
            Format("junit", "junit.xml: every check, gate and the verdict, for build servers", _junit, ("junit.xml",)),
            Format("markdown", "summary.md: verdict, reasons, regressions, for a ticket", _markdown, ("summary.md",)),
            Format("json", "report.json: the verdict and every case and check, for programs", _json, ("report.json",)),
            Format("csv", "comparison.csv: every check with its class", _csv),
            Format("verdict", "verdict.json and comparison.csv: what the judge said, every check with class", _verdict),
        )
    }
)


def format_named(name: str) -> Format:
    """Returns the format called ``name``. Raises ``UsageError``, with the names there are, where there is none."""
    try:
        return FORMATS[name]
    except KeyError:
        raise UsageError(
            f"no report format is called {name!r}", remedy=f"Choose one of: {', '.join(sorted(FORMATS))}"
        ) from None


def remove_stale(folder: Path) -> list[Path]:
    """Removes the reports that were asked for of an earlier verdict on the run in ``folder``; returns their paths.

    They told of that verdict. Beside another one they would be believed.
    """
    gone = [folder / file for one in FORMATS.values() for file in one.files if (folder / file).exists()]
    for path in gone:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return gone
