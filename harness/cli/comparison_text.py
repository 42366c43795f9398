"""How does a person read a comparison of two sides? Counts, then what differs by name, then latency and what to mind.

No line can be forged by a name: all foreign text is made harmless first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import pandas as pd
from rich.text import Text

from harness.judge.baseline import COUNTS
from harness.judge.published import Published, Total
from harness.judge.results import DIFFERENCES, ResultsComparison
from harness.judge.shown import Shown
from harness.model.outcome import ComparisonClass
from harness.report.text import one_line

__all__ = ["baseline_lines", "comparison_lines", "totals_lines"]

_STYLES: Final = {
    ComparisonClass.REGRESSED: "bold red",
    ComparisonClass.NEW_FAIL: "bold red",
    ComparisonClass.MISSING: "bold yellow",
    ComparisonClass.REMOVED: "bold yellow",
    ComparisonClass.FLAKY: "bold magenta",
    ComparisonClass.HOLLOW: "bold yellow",
    ComparisonClass.UNKNOWN: "bold yellow",
    ComparisonClass.FIXED: "bold green",
    ComparisonClass.NEW_PASS: "bold green",
}
_MEANING: Final = {
    ComparisonClass.REGRESSED: "passed before, fails after",
    ComparisonClass.NEW_FAIL: "not known before, fails after",
    ComparisonClass.MISSING: "expected after, no result",
    ComparisonClass.REMOVED: "in the suite before, not in the one after",
    ComparisonClass.FLAKY: "passed and failed with one definition, in another share than before",
    ComparisonClass.HOLLOW: "did not always assert anything after, and did before",
    ComparisonClass.UNKNOWN: "broke, was skipped or not selected after, and was not before",
    ComparisonClass.FIXED: "failed before, passes after",
    ComparisonClass.NEW_PASS: "not known before, passes after",
}


def comparison_lines(found: ResultsComparison, at_most: int) -> Iterator[Text]:
    """Yields the lines; of each kind of difference ``at_most`` are named, all where it is 0."""
    yield from _sides((("before", found.before), ("after", found.after)))
    yield Text()
    for name, count in found.counts().items():
        if count:
            yield Text(f"  {name:<16}{count:>8,}", style=_STYLES.get(ComparisonClass(name), ""))
    changed = int(found.table["definition_changed"].sum())
    for what, count in (("moved", len(found.moved)), ("another meaning", changed)):
        if count:
            yield Text(f"  {what:<16}{count:>8,}   beside their class")
    for kind in DIFFERENCES:
        rows = found.different(kind)
        if len(rows):
            yield Text()
            yield Text(f"{kind.value.capitalize()} ({len(rows):,})  {_MEANING[kind]}", style=_STYLES[kind])
            yield from _named(rows, at_most)
    if len(found.moved):
        yield Text()
        yield Text(f"Moved ({len(found.moved):,})  found under another name", style="bold")
        for row in _some(found.moved, at_most):
            yield Text(f"  {one_line(row['moved_from'])}")
            yield Text(f"    is now {one_line(row['check'])}")
        yield from _rest(len(found.moved), at_most)
    yield from _latency(found.latency)
    if found.components:
        yield Text()
        yield Text("Components", style="bold")
        for name, (old, new) in found.components.items():
            yield Text(f"  {one_line(name):<32} {one_line(old) or 'not known'} -> {one_line(new) or 'not known'}")
    yield from _notes(found.notes)


def totals_lines(published: Published, side: Shown, totals: Sequence[Total]) -> Iterator[Text]:
    """Yields the lines of published totals beside those of a run or baseline."""
    yield Text(
        f"published  {one_line(published.product)} {one_line(published.release)}, {one_line(published.suite)}, "
        f"{published.date}, source {one_line(published.source)}"
    )
    yield from _sides((("found", side),), width=9)
    yield Text()
    yield Text(f"  {'':<12}{'published':>10}{'found':>10}{'difference':>12}", style="bold")
    for total in totals:
        yield Text(f"  {total.what:<12}{total.published:>10,}{total.found:>10,}{total.difference:>+12,}")
    notes = [*published.limits]
    if (published.product, published.release) != (side.product, side.release):
        notes.insert(0, f"They are of different releases: {published.release} and {side.release or 'unknown'}")
    yield from _notes((*notes, "Totals make no verdict: a sum hides what took whose place"))


def baseline_lines(shown: Shown, facts: Iterable[tuple[str, str]]) -> Iterator[Text]:
    """Yields the lines of one baseline: where it is from (``facts``), what it holds, how fast it was, its limits."""
    told = list(facts)
    width = max((len(name) for name, _ in told), default=0) + 2
    for name, value in told:
        yield Text(f"{name:<{width}}{one_line(value)}")
    results = shown.results
    yield Text()
    table = (
        ("always passed", (results["passed"] == results["runs"]).sum()),
        ("always failed", (results["failed"] == results["runs"]).sum()),
        ("mixed", ((results["passed"] > 0) & (results["failed"] > 0)).sum()),
        ("ever hollow", (results["hollow"] > 0).sum()),
        ("ever skipped", (results["skipped"] > 0).sum()),
        ("checks", len(results)),
    )
    for name, count in table:
        yield Text(f"  {name:<16}{int(count):>8,}")
    if shown.components:
        yield Text()
        yield Text("Components", style="bold")
        for name, version in sorted(shown.components.items()):
            yield Text(f"  {one_line(name):<32} {one_line(version)}")
    if shown.times.figures:
        yield Text()
        yield Text(f"{'Latency (ms)':<52}{'count':>8}{'p50':>10}{'p95':>10}{'max':>10}", style="bold")
        for operation, figures in sorted(shown.times.figures.items()):
            for measure, prefix in (("response", ""), ("callback", "callback_")):
                if f"{prefix}count" in figures:
                    cells = "".join(f"{figures[f'{prefix}{name}_ms']:>10,.1f}" for name in ("p50", "p95", "max"))
                    name = f"{one_line(operation)} {measure}"
                    yield Text(f"  {name:<50}{int(figures[f'{prefix}count']):>8,}{cells}")
    yield from _notes(shown.limits)


def _sides(sides: Iterable[tuple[str, Shown]], width: int = 6) -> Iterator[Text]:
    for word, side in sides:
        runs = f"{side.runs} run{'s' if side.runs != 1 else ''}"
        yield Text(
            f"{word:<{width}}  {one_line(side.name)}: {side.kind} of {one_line(side.product) or 'unknown product'} "
            f"{one_line(side.release) or 'unknown release'}, {runs}, {len(side.results):,} checks"
        )


def _named(rows: pd.DataFrame, at_most: int) -> Iterator[Text]:
    for row in _some(rows, at_most):
        yield Text(f"  {one_line(row['check'])}")
        told = f"before {_count(row, 'before')}; after {_count(row, 'after')}"
        if not math.isnan(row["rise_low"]):
            told += f"; failures rose by {row['rise_low']:+.0%} to {row['rise_high']:+.0%}"
        if row["definition_changed"]:
            told += "; it asks something else now"
        if row["component"]:
            told += f"; {one_line(row['component'])}"
        yield Text(f"    {told}", style="dim")
    yield from _rest(len(rows), at_most)


def _count(row: dict[str, Any], side: str) -> str:
    found = [f"{row[f'{side}_{name}']} {name}" for name in COUNTS if row[f"{side}_{name}"]]
    return ", ".join(found) or "not seen"


def _some(rows: pd.DataFrame, at_most: int) -> list[dict[str, Any]]:
    return _records(rows.head(at_most) if at_most else rows)


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def _rest(count: int, at_most: int) -> Iterator[Text]:
    if at_most and count > at_most:
        yield Text(f"  and {count - at_most:,} more; --at-most 0 names them all")


def _latency(latency: pd.DataFrame) -> Iterator[Text]:
    if latency.empty:
        return
    yield Text()
    yield Text(f"{'Latency (ms)':<52}{'median':>20}  {'ratio':<22}{'p95':>20}  ratio", style="bold")
    for row in _records(latency):
        name = f"{one_line(row['operation'])} {row['measure']}"
        cells = [
            (f"{row[f'before_{share}_ms']:,.1f} -> {row[f'after_{share}_ms']:,.1f}", _ratio(row, share))
            for share in ("p50", "p95")
        ]
        yield Text(f"  {name:<50}{cells[0][0]:>20}  {cells[0][1]:<22}{cells[1][0]:>20}  {cells[1][1]}")


def _ratio(row: dict[str, Any], share: str) -> str:
    ratio, low, high = (row[f"{share}_{what}"] for what in ("ratio", "low", "high"))
    if math.isnan(ratio):
        return "not known"
    return f"{ratio:.2f}" + ("" if math.isnan(low) else f" ({low:.2f} to {high:.2f})")


def _notes(notes: Sequence[str]) -> Iterator[Text]:
    if notes:
        yield Text()
        yield Text("To bear in mind", style="bold")
        for note in notes:
            yield Text(f"  {one_line(note)}")
