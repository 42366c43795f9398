"""How evidence is read back: records in order, and by name everything that is wrong with the file.

Damage never stops the reading: what can be read is evidence, and what cannot is a reason why there is no approval.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from harness.errors import JournalError
from harness.model.records import Record, record_from_json
from harness.run.journal import EXCHANGES, JOURNAL

__all__ = ["JournalContent", "read_exchanges", "read_journal"]


@final
@dataclass(frozen=True, slots=True)
class JournalContent:
    """A journal as read. ``damage`` has one text per thing that is wrong, in order of its line."""

    records: tuple[Record, ...]
    damage: tuple[str, ...]
    digest: str
    """SHA-256 of the file's bytes, ``sha256:…``."""
    ended_at: str = ""
    """When the last readable record was written, as it says itself; empty where it does not."""


def read_journal(folder: Path) -> JournalContent:
    """Returns what the journal of run ``folder`` holds. Raises ``JournalError`` only where there is none to read."""
    path = folder / JOURNAL
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise JournalError(
            "there is no journal here", file=path, remedy="Give a run folder as it stands under reports/runs"
        ) from None
    except OSError as problem:
        raise JournalError(f"the journal cannot be read: {problem.strerror}", file=path) from problem
    records: list[Record] = []
    damage: list[str] = []
    expected, ended_at = 1, ""
    for number, line in enumerate(_lines(raw), start=1):
        if not line.endswith(b"\n"):
            damage.append(f"line {number} is cut off")
            continue
        try:
            data = json.loads(line)
            if not isinstance(data, dict):
                raise ValueError("no object")
            sequence = data.get("seq")
            records.append(record_from_json(data))
            ended_at = str(data.get("at") or "")
        except (ValueError, TypeError, RecursionError) as problem:
            damage.append(f"line {number} cannot be read: {str(problem)[:200]}")
            expected += 1
            continue
        if sequence != expected:
            damage.append(
                f"line {number} has number {sequence} where {expected} belongs: lines are lost or were changed"
            )
            expected = sequence if isinstance(sequence, int) else expected
        expected += 1
    if not records:
        damage.append("the journal holds no record")
    return JournalContent(tuple(records), tuple(damage), f"sha256:{hashlib.sha256(raw).hexdigest()}", ended_at)


def read_exchanges(folder: Path) -> dict[str, dict[str, Any]]:
    """Returns the exchanges of a run by id. They illustrate and decide nothing: an unreadable line is left out."""
    path = folder / EXCHANGES
    found: dict[str, dict[str, Any]] = {}
    if not path.exists():
        return found
    for line in _lines(path.read_bytes()):
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(data, dict) and isinstance(data.get("id"), str):
            found[data["id"]] = data
    return found


def _lines(raw: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(raw):
        end = raw.find(b"\n", start) + 1 or len(raw)
        yield raw[start:end]
        start = end
