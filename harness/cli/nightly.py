"""``harness nightly``: what a plan of nights says, carried out, cleaned up after, judged, recorded, told."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.common import workspace_here

__all__ = ["nightly", "notify"]


def nightly(
    plan: Annotated[Path, typer.Argument(help="The plan: scheme_rules/<scheme>/nightly.yaml.")],
    job: Annotated[str | None, typer.Option(help="Only the job of this name.")] = None,
    wait: Annotated[str, typer.Option(help="How long to wait for a target that is in use: 90s, 45m, 2h.")] = "0s",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done and sent. Runs nothing and sends nothing.")
    ] = False,
) -> int:
    """Run a Scheme's nightly jobs: the worst of their exit codes is the answer (1, then 4, 3, 2, 0)."""
    from harness.nightly.command import dry, run

    workspace = workspace_here()
    if dry_run:
        return dry(workspace, plan, job, _say)
    return run(workspace, plan, job, wait, lambda text: _say(_one_line(text)))


def notify(
    plan: Annotated[Path, typer.Argument(help="The plan: scheme_rules/<scheme>/nightly.yaml.")],
    job: Annotated[str | None, typer.Option(help="With --last: only the job of this name.")] = None,
    last: Annotated[
        bool, typer.Option("--last", help="Also tell once more what each job's last night changed.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")] = False,
) -> int:
    """Send the messages of nights that have not reached their channel: exit 0, or 2 if some still have not."""
    from harness.nightly import command

    if dry_run:
        return command.dry_notify(workspace_here(), plan, job, last=last, say=_say)
    return command.notify(workspace_here(), plan, job, last=last, say=lambda text: _say(_one_line(text)))


def _say(text: str) -> None:
    typer.echo(text)
    sys.stdout.flush()


def _one_line(text: str) -> str:
    from harness.report.text import one_line

    return one_line(text)
