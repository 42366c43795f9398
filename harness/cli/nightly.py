"""``harness nightly``: what a plan of nights says, carried out, cleaned up after, judged, recorded and told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.common import workspace_here

__all__ = ["nightly"]


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
    return dry(workspace, plan, job) if dry_run else run(workspace, plan, job, wait)
