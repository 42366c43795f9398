"""The commands that set results side by side: ``harness compare``, ``harness baseline diff`` and ``baseline show``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.common import Json, Product, Suite, workspace_here
from harness.errors import UsageError

if TYPE_CHECKING:
    from rich.text import Text

    from harness.judge.published import Published
    from harness.judge.shown import Shown

__all__ = ["baseline_diff", "baseline_show", "compare"]

AtMost = Annotated[int, typer.Option("--at-most", min=0, help="Name so many of each kind of difference; 0 for all.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print one line per check, sorted, with a head.")]


def compare(
    before: Annotated[str, typer.Argument(help="A run's id or folder, latest, a release, or a baseline's folder.")],
    after: Annotated[str, typer.Argument(help="The same, of what came later.")],
    product: Product = "mojaloop",
    suite: Suite = "native",
    at_most: AtMost = 20,
    as_json: Json = False,
    as_csv: Csv = False,
) -> int:
    """Say how two runs or baselines differ, check by check: exit 0 if they show the same, 1 if not."""
    from harness.cli.sides import side_named

    workspace = workspace_here()
    sides = [side_named(workspace, name, product, suite) for name in (before, after)]
    return _compared(sides[0], sides[1], at_most, as_json=as_json, as_csv=as_csv)


def baseline_diff(
    before: Annotated[str, typer.Argument(help="A release, or a baseline's folder.")],
    after: Annotated[str, typer.Argument(help="The same, of what came later.")],
    product: Product = "mojaloop",
    suite: Suite = "native",
    at_most: AtMost = 20,
    as_json: Json = False,
    as_csv: Csv = False,
) -> int:
    """Say how two baselines differ, check by check: exit 0 if they show the same, 1 if not."""
    from harness.cli.sides import baseline_named
    from harness.judge.published import Published
    from harness.judge.shown import shown_by_baseline

    workspace = workspace_here()
    found = [(name, baseline_named(workspace, name, product, suite)) for name in (before, after)]
    sides = [one if isinstance(one, Published) else shown_by_baseline(one, name) for name, one in found]
    return _compared(sides[0], sides[1], at_most, as_json=as_json, as_csv=as_csv)


def baseline_show(
    baseline: Annotated[str, typer.Argument(help="A release, a baseline's folder, or a published.yaml.")],
    product: Product = "mojaloop",
    suite: Suite = "native",
) -> None:
    """Show what a baseline was made from, what it holds, and what it cannot say."""
    from harness.cli.comparison_text import baseline_lines
    from harness.cli.sides import baseline_named
    from harness.judge.published import Published
    from harness.judge.shown import shown_by_baseline

    found = baseline_named(workspace_here(), baseline, product, suite)
    if isinstance(found, Published):
        _print_published(found)
        return
    facts = [
        ("baseline", f"{found.product} {found.release}, detailed, source {found.source.value}"),
        ("suite", f"{found.suite_name} {found.suite_digest}"),
        ("recorded", f"{found.recorded_at} by {found.recorded_by}"),
        ("runs", f"{found.runs}: {', '.join(found.run_ids)}"),
        ("target", f"{found.target.get('name', 'not known')} ({found.target.get('kind', 'not known')})"),
        ("results", f"sha256 {found.digest}"),
        *(fact for name, value in found.provenance.items() for fact in _told(name, value)),
    ]
    _print(baseline_lines(shown_by_baseline(found, baseline), facts))


def _told(name: str, value: object) -> Iterator[tuple[str, str]]:
    """A line per item of a list; of a mapping its keys with their values."""
    for item in value if isinstance(value, list) else [value]:
        yield name, ", ".join(f"{key} {each}" for key, each in item.items()) if isinstance(item, dict) else str(item)


def _compared(before: Shown | Published, after: Shown | Published, at_most: int, *, as_json: bool, as_csv: bool) -> int:
    from harness.cli.comparison_text import comparison_lines, totals_lines
    from harness.judge.published import Published, compare_totals
    from harness.judge.results import compare_results
    from harness.judge.results_document import results_to_csv, results_to_json, totals_to_json

    if as_json and as_csv:
        raise UsageError("--json and --csv are both given", remedy="Choose one")
    if isinstance(before, Published) or isinstance(after, Published):
        published, other = (before, after) if isinstance(before, Published) else (after, before)
        if isinstance(other, Published) or not isinstance(published, Published):
            raise UsageError("of both sides only totals are known", remedy="Give a run or a detailed baseline as one")
        if as_csv:
            raise UsageError("totals have no line per check", remedy="Leave out --csv, or give --json")
        totals = compare_totals(published, other)
        if as_json:
            typer.echo(totals_to_json(published, other, totals), nl=False)
        else:
            _print(totals_lines(published, other, totals))
        return int(any(total.difference for total in totals))
    found = compare_results(before, after)
    if as_json:
        typer.echo(results_to_json(found), nl=False)
    elif as_csv:
        typer.echo(results_to_csv(found), nl=False)
    else:
        _print(comparison_lines(found, at_most))
    return int(found.differs)


def _print_published(found: Published) -> None:
    from rich.text import Text

    from harness.report.text import one_line

    facts = (
        ("baseline", f"{found.product} {found.release}, published, totals only"),
        ("suite", found.suite),
        ("date", found.date),
        ("source", found.source),
        ("assertions", f"{found.assertions:,}, of which {found.passed:,} passed"),
        ("requests", f"{found.requests:,}"),
        ("cases", f"{found.cases:,}"),
        *(("note", limit) for limit in found.limits),
    )
    _print(Text(f"{name:<12} {one_line(value)}") for name, value in facts)


def _print(lines: Iterable[Text]) -> None:
    from rich.console import Console
    from rich.text import Text

    from harness.report.terminal import is_plain, say

    console = Console(file=sys.stdout, highlight=False)
    plain = is_plain(console, os.environ)
    for line in lines:
        say(console, Text(line.plain) if plain else line)
