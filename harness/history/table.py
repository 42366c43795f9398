"""What does the history look like as rows? A line per night, or one per night of one check, for people and machines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa

from harness.errors import UsageError
from harness.history.nights import BRIEFLY, Shown, brief_of, shown_in
from harness.history.reader import History, Selection
from harness.history.schema import CHECKS
from harness.history.statistics import only, rates, tell
from harness.judge.words import counted

__all__ = ["CheckHistory", "as_csv", "as_json", "check_histories", "night_rows"]

NIGHT_COLUMNS: Final = (
    "started", "run_id", "product", "target", "release", "suite", "verdict", "rehearsal", "excluded", "checks",
    "passed", "failed", "regressed", "missing", "hollow", "why",
)  # fmt: skip
CHECK_COLUMNS: Final = (
    "started", "run_id", "product", "target", "release", "suite", "excluded", "outcome", "class", "excused", "cause",
    "component", "operation", "latency_ms", "callback_ms", "message", "check",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CheckHistory:
    """One check on one target in one suite: its nights, newest last, and what they say in sentences."""

    product: str
    target: str
    suite: str
    rows: tuple[Mapping[str, Any], ...]
    """``CHECK_COLUMNS`` each."""
    says: tuple[str, ...]


def night_rows(history: History, wanted: Selection) -> list[dict[str, Any]]:
    """Returns a row of ``NIGHT_COLUMNS`` per night, oldest first."""
    rows = history.runs(wanted).to_pylist()
    return [
        {
            name: row[f"count_{name}"] if name in ("regressed", "missing", "hollow") else row[name]
            for name in NIGHT_COLUMNS
        }
        for row in rows
        if wanted.since is None or row["started"].date() >= wanted.since
    ]


def check_histories(history: History, check: str, wanted: Selection) -> list[CheckHistory]:
    """Returns the history of one check, per target and suite that know it. Raises ``UsageError`` where none does.

    What it says is drawn from all nights; ``wanted.since`` limits the rows only.
    """
    runs = history.runs(Selection(wanted.product, wanted.target), BRIEFLY)
    facts = {row["run_id"]: row for row in _plain_rows(runs)}
    known = _of_check(history, check, wanted, facts)
    if not len(known):
        raise UsageError(f"the history knows no check {check!r}", remedy=_remedy(history, check, wanted, facts))
    for _ in range(_NAMES):
        known = known.unify_dictionaries().combine_chunks()
        earlier = set(known["moved_from"].unique().to_pylist()) - {"", *known["check"].unique().to_pylist()}
        if not earlier:
            break
        known = pa.concat_tables([known, *(_of_check(history, each, wanted, facts) for each in sorted(earlier))])
    known = known.unify_dictionaries().combine_chunks()
    by_side: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for at, row in enumerate(_plain_rows(known)):
        row |= {"at": at, **facts[row["run_id"]]}
        by_side.setdefault((row["product"], row["target"], row["suite"]), []).append(row)
    return [
        _check_history(check, side, sorted(rows, key=lambda row: (row["started"], row["run_id"])), facts, known, wanted)
        for side, rows in sorted(by_side.items())
        if any(row["check"] == check for row in rows)
    ]


def _of_check(history: History, check: str, wanted: Selection, facts: Mapping[str, Any]) -> pa.Table:
    return history.read(CHECKS, [*_READ], Selection(wanted.product, wanted.target, check=check), facts)


_NAMES: Final = 20
"""So many times at most is a check followed to the id that it had before."""
_READ: Final = tuple(
    dict.fromkeys(
        [
            # What is of the whole run stands in its row of ``runs`` as well, and is read there.
            "run_id", *(name for name in CHECK_COLUMNS if name not in (*BRIEFLY, "product", "target")),
            "kind", "fingerprint", "baseline_passed", "baseline_failed", "definition_changed", "moved_from",
        ]
    )
)  # fmt: skip


def _check_history(
    check: str,
    side: tuple[str, str, str],
    rows: Sequence[dict[str, Any]],
    facts: Mapping[str, Mapping[str, Any]],
    known: pa.Table,
    wanted: Selection,
) -> CheckHistory:
    nights = tuple(brief_of(row) for row in facts.values() if (row["product"], row["target"], row["suite"]) == side)
    found = shown_in(nights, known.take([row["at"] for row in rows]))
    names = [check]
    while names[-1] in found.formerly:
        names.append(found.formerly[names[-1]])
    shown = [
        {name: row[name] for name in CHECK_COLUMNS}
        for row in rows
        if row["check"] in names and (wanted.since is None or row["started"].date() >= wanted.since)
    ]
    said = _says(only(found, np.array([found.checks.index(check)])), [night.day for night in nights])
    was = [
        f"until {max(row['started'] for row in rows if row['check'] == name):%Y-%m-%d} its id was {name}"
        for name in names[1:]
    ]
    return CheckHistory(*side, tuple(shown), (*said, *was))


def _plain_rows(table: pa.Table) -> list[dict[str, Any]]:
    """The rows as ``to_pylist`` has them; texts, of which few are distinct, are made once each."""
    columns = [_values(table[name]) for name in table.column_names]
    return [dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True)]


def _values(column: pa.ChunkedArray) -> list[Any]:
    if not pa.types.is_dictionary(column.type):
        return column.to_pylist()  # type: ignore[no-any-return]
    values: list[Any] = []
    for chunk in column.chunks:
        texts = chunk.dictionary.to_pylist()
        values += [None if code is None else texts[code] for code in chunk.indices.to_pylist()]
    return values


def _says(shown: Shown, days: Sequence[date]) -> tuple[str, ...]:
    told, counts = tell(shown), rates(shown)
    expected = int(counts.expected[0])
    lines = [f"first seen {days[int(told.first_seen[0])]}, last {days[int(told.last_seen[0])]}"]
    if expected:
        lines.append(
            f"passed in {counts.passed[0]} of {counted(expected, 'night')} that count: "
            f"{counts.pass_rate[0]:.1%} (95 % interval {counts.low[0]:.1%} to {counts.high[0]:.1%})"
        )
    else:
        lines.append("no night that counts says anything of it")
    if told.last_change[0] >= 0:
        lines.append(f"last changed on {days[int(told.last_change[0])]}")
    for episode in told.episodes:
        chance = "" if episode.chance is None else f", chance {episode.chance:.2g}"
        ended = f"closed on {days[episode.closed]}" if episode.closed is not None else "open"
        lines.append(
            f"regression of {days[episode.since]}, opened on {days[episode.opened]}, {ended}: {episode.failed} of "
            f"{counted(episode.told, 'night')} failed, against {episode.reference_passed} of {episode.reference_told} "
            f"passed in {episode.reference}{chance}"
        )
    if told.flaky_since[0] >= 0:
        last = f", last failed so on {days[int(told.last_flake[0])]}" if told.last_flake[0] >= 0 else ""
        lines.append(
            f"flaky since {days[int(told.flaky_since[0])]}: {counted(int(told.flakes[0]), 'failure')} outside "
            f"any regression{last}"
        )
    return tuple(lines)


def _remedy(history: History, check: str, wanted: Selection, facts: Mapping[str, Any]) -> str:
    if not facts:
        return "Record runs first: harness history record RUN"
    last = max(facts.values(), key=lambda row: row["started"])
    month = f"{last['started']:%Y-%m}"
    own = Selection(last["product"], last["target"], since=last["started"].date(), until_month=month)
    ids = history.read(CHECKS, ["check"], own, facts)["check"].unique().to_pylist()
    near = sorted(each for each in ids if check.lower() in each.lower())[:3]
    return f"Did you mean: {', '.join(near)}" if near else "Give its whole id, as comparison.csv has it"


def as_json(value: Any) -> str:
    """Returns ``value`` as JSON with times in ISO 8601 (UTC); numbers that are none become null."""
    return json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, float):
        return round(value, 3) if value == value else None
    return value


def as_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Returns rows as CSV with a head; a text that a spreadsheet would carry out as a formula gets an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(_plain(row[name])) for name in columns])
    return out.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if not isinstance(value, str):
        return value
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else text
