"""How evidence is written: one JSON line per record, redacted, numbered and flushed as it happens.

Only the process that controls the run holds a ``JournalWriter``. Exchanges go to a file of their own, written before
the step that refers to them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO, final

from harness.fspiop.dates import iso_ms
from harness.model.records import Record
from harness.run.redact import Redactor

__all__ = ["EXCHANGES", "JOURNAL", "JournalWriter"]

JOURNAL = "journal.jsonl"
EXCHANGES = "exchanges.jsonl"


@final
class JournalWriter:
    """Appends to the journal and the exchanges of one run folder. Every line is redacted here and nowhere else."""

    def __init__(self, folder: Path, redactor: Redactor) -> None:
        self._redactor = redactor
        self._sequence = 0
        self.broken: str | None = None
        """Why nothing more can be written (a full disk, for instance); ``None`` while all is well."""
        self._journal = (folder / JOURNAL).open("x", encoding="utf-8", errors="backslashreplace", newline="\n")
        self._exchanges = (folder / EXCHANGES).open("x", encoding="utf-8", errors="backslashreplace", newline="\n")

    def write(self, record: Record) -> None:
        """Appends ``record``. After a failed write nothing more is written: a gap would look like evidence."""
        self._sequence += 1
        self._append(self._journal, {"seq": self._sequence, "at": iso_ms(), **record.to_json()})

    def exchange(self, exchange: Mapping[str, Any]) -> None:
        """Appends one exchange."""
        self._append(self._exchanges, exchange)

    def close(self) -> None:
        """Puts everything on disk and closes both files. Safe to call twice."""
        for stream in (self._exchanges, self._journal):
            if stream.closed:
                continue
            try:
                stream.flush()
                os.fsync(stream.fileno())
            except OSError as problem:
                self.broken = self.broken or str(problem)
            finally:
                try:
                    stream.close()
                except OSError as problem:
                    self.broken = self.broken or str(problem)

    def _append(self, stream: TextIO, data: Mapping[str, Any]) -> None:
        if self.broken is not None or stream.closed:
            return
        line = json.dumps(self._redactor.redact(dict(data)), ensure_ascii=False, separators=(",", ":"), default=str)
        try:
            stream.write(line + "\n")
            stream.flush()
        except OSError as problem:
            self.broken = f"{stream.name}: {problem.strerror or problem}"
