"""The commands of the history: what the nights showed, one check's way through them, and their page."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.common import Json, workspace_here
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.history.reader import Selection

__all__ = ["history_app"]

history_app = typer.Typer(
    help="What the nights before showed: recorded runs, statistics over them, and a page.", rich_markup_mode=None
)

Target = Annotated[str | None, typer.Option(help="Only runs on this target.")]
OfProduct = Annotated[str | None, typer.Option("--product", help="Only runs of this product.")]


@history_app.callback(invoke_without_command=True)
def history(
    context: typer.Context,
    target: Target = None,
    product: OfProduct = None,
    check: Annotated[str | None, typer.Option(help="One check, by its whole id, night by night.")] = None,
    since: Annotated[str | None, typer.Option(help="Only nights from this day on (UTC): 2026-11-01.")] = None,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print one line per night, with a head.")] = False,
) -> None:
    """Show the nights that are recorded, or what one check showed in them."""
    if context.invoked_subcommand is not None:
        return
    from harness.history.reader import History, Selection

    if as_json and as_csv:
        raise UsageError("--json and --csv are both given", remedy="Choose one")
    found = History(workspace_here().history)
    wanted = Selection(product, target, since=_day(since))
    try:
        _show(found, check, wanted, as_json=as_json, as_csv=as_csv)
    finally:
        # Also where a check is not found: the file that knows it may be one of these.
        _complain(found.problems)


def _show(found: Any, check: str | None, wanted: Selection, *, as_json: bool, as_csv: bool) -> None:
    from harness.history import table

    if check is not None:
        _show_check(found, check, wanted, as_json=as_json, as_csv=as_csv)
    else:
        rows = table.night_rows(found, wanted)
        if as_json:
            typer.echo(table.as_json(rows), nl=False)
        elif as_csv:
            typer.echo(table.as_csv(rows, table.NIGHT_COLUMNS), nl=False)
        elif not rows:
            typer.echo("no night is recorded that is asked for. Record runs: harness history record RUN")
        else:
            _print_table(_NIGHT_HEAD, [_night_line(row) for row in rows])


@history_app.command("record")
def history_record(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Runs by id or folder, or latest.")],
) -> None:
    """Record runs in the history by hand, judged as harness judge does; a run that is there is not recorded twice."""
    from harness.history.store import append
    from harness.validation import judge_folder

    workspace = workspace_here()
    for run in runs:
        judged = judge_folder(workspace, workspace.run_folder(run)).judged
        done = append(workspace.history, judged)
        typer.echo(f"{judged.verdict.run_id}: {judged.verdict.text}, in {workspace.relative(done.path)}")
        for note in done.notes:
            typer.echo(f"  {note}")


@history_app.command("compact")
def history_compact(target: Target = None, product: OfProduct = None) -> None:
    """Merge the files of each month into one; no row is lost, and readers never see one twice."""
    from harness.history.compact import compact

    merged = compact(workspace_here().history, product, target)
    for each in merged:
        typer.echo(f"{each.folder}: {each.files} files, {each.rows:,} rows, now one file")
    if not merged:
        typer.echo("nothing to merge: every month lies in one file")
    if any(not each.in_one_step for each in merged):
        typer.echo("this file system cannot exchange folders: other programs may have seen rows twice for a moment")
    _complain(text for each in merged for text in each.passed_over)


@history_app.command("page")
def history_page(
    target: Annotated[str, typer.Option(help="The target whose nights are shown.")],
    product: Annotated[str, typer.Option(help="The product.")] = "mojaloop",
    nights: Annotated[int, typer.Option(min=1, max=1000, help="How many nights are drawn, the last ones.")] = 90,
    out: Annotated[Path | None, typer.Option(help="Where to; by default beside the history.")] = None,
) -> None:
    """Write history.html, the nights of one target on one page that needs no network."""
    from harness.history.page.writer import write_page
    from harness.history.places import page_place

    workspace = workspace_here()
    place = out if out is not None else page_place(workspace.history, product, target)
    written, problems = write_page(workspace.history, target, place, product=product, shown=nights)
    typer.echo(workspace.relative(written))
    _complain(problems)


def _show_check(found: Any, check: str, wanted: Selection, *, as_json: bool, as_csv: bool) -> None:
    from harness.history import table

    histories = table.check_histories(found, check, wanted)
    if as_json:
        sides = [
            {
                "check": check, "product": each.product, "target": each.target, "suite": each.suite,
                "says": each.says, "nights": each.rows,
            }
            for each in histories
        ]  # fmt: skip
        typer.echo(table.as_json(sides), nl=False)
        return
    if as_csv:
        rows = [row for each in histories for row in each.rows]
        typer.echo(table.as_csv(rows, table.CHECK_COLUMNS), nl=False)
        return
    from harness.report.text import one_line

    typer.echo(one_line(check))
    for each in histories:
        typer.echo(one_line(f"{each.product} on {each.target}, suite {each.suite}"))
        for line in each.says:
            typer.echo(one_line(line))
        _print_table(_CHECK_HEAD, [_check_line(row) for row in each.rows])


_NIGHT_HEAD = ("NIGHT (UTC)", "TARGET", "RELEASE", "SUITE", "VERDICT", "CHECKS", "PASSED", "RUN", "")
_CHECK_HEAD = ("NIGHT (UTC)", "RELEASE", "OUTCOME", "CLASS", "MS", "RUN", "")


def _night_line(row: Mapping[str, Any]) -> tuple[str, ...]:
    kept_out = f"does not count ({row['excluded']}): " if row["excluded"] else ""
    verdict = f"{row['verdict']} (rehearsal)" if row["rehearsal"] else row["verdict"]
    return (
        f"{row['started']:%Y-%m-%d %H:%M}", row["target"], row["release"], row["suite"], verdict,
        str(row["checks"]), str(row["passed"]), row["run_id"], kept_out + row["why"],
    )  # fmt: skip


def _check_line(row: Mapping[str, Any]) -> tuple[str, ...]:
    time = row["latency_ms"]
    remarks = [
        f"does not count ({row['excluded']})" if row["excluded"] else "",
        "waived" if row["excused"] else "",
        row["message"],
    ]
    return (
        f"{row['started']:%Y-%m-%d %H:%M}", row["release"], row["outcome"] or "no result", row["class"],
        "" if time is None or time != time else f"{time:.0f}", row["run_id"], ", ".join(filter(None, remarks)),
    )  # fmt: skip


def _print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.cells import cell_len

    from harness.report.text import crop, one_line

    lines = [[one_line(cell) for cell in row] for row in (head, *rows)]
    widths = [max(cell_len(line[at]) for line in lines) for at in range(len(head) - 1)]
    for line in lines:
        padded = [cell + " " * (width - cell_len(cell)) for cell, width in zip(line[:-1], widths, strict=True)]
        typer.echo("  ".join([*padded, crop(line[-1], 100)]).rstrip())


def _complain(problems: Iterable[str]) -> None:
    for problem in problems:
        print(f"warning: {problem}", file=sys.stderr)


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no day", remedy="Give it as 2026-11-01") from None
