"""The verdict and the comparison as files: ``verdict.json`` and ``comparison.csv`` in the run's folder.

They are what the judge said, byte for byte; every other report can be checked against them. ``judged-by.json`` beside
them says against what the run was judged.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, final

import pandas as pd

from harness.judge.document import verdict_to_json
from harness.judge.judged_by import JUDGED_BY
from harness.report.files import utf8, write_file
from harness.report.interface import ReportInput

__all__ = ["VERDICT", "ComparisonTable", "VerdictFiles"]

VERDICT: Final = "verdict.json"

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula: the text that a hub answers with stands in these cells."""


@final
class VerdictFiles:
    """Writes all three; ``verdict.json`` last, so that it never stands without the others."""

    name = "verdict"

    def write(self, run: ReportInput, folder: Path) -> list[Path]:
        """Returns the paths of comparison and verdict. Raises ``OSError``; a file that was not written is as it was."""
        verdict = utf8(verdict_to_json(run.judged))
        comparison = ComparisonTable().write(run, folder)
        if run.judged_by is not None:
            write_file(folder / JUDGED_BY, utf8(run.judged_by.to_json()))
        return [*comparison, write_file(folder / VERDICT, verdict)]


@final
class ComparisonTable:
    """Writes ``comparison.csv`` alone."""

    name = "csv"

    def write(self, run: ReportInput, folder: Path) -> list[Path]:
        """Returns the path. Raises ``OSError``; then the file is as it was."""
        table = utf8(_guarded(run.judged.comparison.table).to_csv(index=False, lineterminator="\n"))
        return [write_file(folder / "comparison.csv", table)]


def _guarded(table: pd.DataFrame) -> pd.DataFrame:
    """Returns the table with an apostrophe before every text that a spreadsheet would carry out as a formula."""
    guarded = table.copy()
    for name in table.columns:
        if not isinstance(table[name].dtype, pd.CategoricalDtype) and table[name].dtype.kind == "O":
            guarded[name] = [_text(cell) for cell in table[name]]
    return guarded


def _text(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    # A carriage return ends a row for some readers, and is not quoted for them.
    text = cell.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if cell.startswith(_FORMULA) else text
