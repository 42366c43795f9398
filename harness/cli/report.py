"""``harness report``: a run's reports, written again from its journal, in the formats asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.common import workspace_here
from harness.errors import HarnessError

__all__ = ["report"]


def report(
    run: Annotated[str, typer.Argument(help="A run's id or folder, or latest.")] = "latest",
    formats: Annotated[
        list[str] | None, typer.Option("--format", help="Which one (repeatable); --list tells what there is.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write into this folder instead of the run's.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="Name the formats, and write nothing.")] = False,
) -> int:
    """Write reports of a run again, from its journal."""
    from harness.report.formats import FORMATS, format_named

    if list_:
        width = max(map(len, FORMATS))
        for one in FORMATS.values():
            typer.echo(f"{one.name:<{width}}  {one.text}")
        return 0
    # Every name is looked at before anything is written.
    wanted = [format_named(name) for name in dict.fromkeys(formats or ["allure-results"])]
    from harness.validation import judge_folder

    workspace = workspace_here()
    judged = judge_folder(workspace, workspace.run_folder(run))
    for one in wanted:
        try:
            written = one.make().write(judged, out or judged.folder)
        except OSError as problem:
            raise HarnessError(
                f"the report {one.name} cannot be written: {problem}", remedy="Make room, or give another --out"
            ) from problem
        for path in written:
            typer.echo(workspace.relative(path))
    return 0
