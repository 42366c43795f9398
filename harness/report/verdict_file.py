"""The verdict and the comparison as files: ``verdict.json`` and ``comparison.csv`` in the run's folder.

They are what the judge said, byte for byte; every other report can be checked against them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, final

import pandas as pd

from harness.judge.document import verdict_to_json
from harness.report.files import utf8, write_file
from harness.report.interface import ReportInput

__all__ = ["ComparisonTable", "VerdictFiles"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula: the text that a hub answers with stands in these cells."""


@final
class VerdictFiles:
    """Writes both; ``comparison.csv`` first, so that a ``verdict.json`` never stands without it."""

    name = "verdict"

    def write(self, run: ReportInput, folder: Path) -> list[Path]:
        """Returns the two paths. Raises ``OSError``; then a file that could not be written is as it was."""
        verdict = utf8(verdict_to_json(run.judged))
        return [*ComparisonTable().write(run, folder), write_file(folder / "verdict.json", verdict)]


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
