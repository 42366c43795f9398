"""What is written into the folder of a run that was judged? Everything that is derived from it, nested runs first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.report.interface import ReportInput

__all__ = ["write_reports"]


def write_reports(run: ReportInput) -> list[Path]:
    """Writes everything that is derived from a run into its folder and returns the reports' paths, verdict first.

    Reports of an earlier, other verdict that somebody had asked for are removed. The runs of extension products that it
    holds get theirs before it, each in its own folder.
    """
    from harness.judge.document import verdict_to_json
    from harness.report.allure import AllureResults
    from harness.report.formats import remove_stale
    from harness.report.page.writer import VerdictPage
    from harness.report.verdict_file import VERDICT, VerdictFiles

    for product in run.products.values():
        write_reports(product)
    written: list[Path] = []
    try:
        before = run.folder / VERDICT
        if not before.exists() or before.read_bytes() != verdict_to_json(run.judged).encode():
            remove_stale(run.folder)
        for report in (VerdictFiles(), VerdictPage(), AllureResults()):
            written += report.write(run, run.folder)
    except OSError as problem:
        raise HarnessError(
            f"the reports cannot be written: {problem}", remedy="Make room and run harness judge on this run"
        ) from problem
    return written
