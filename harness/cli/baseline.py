"""``harness baseline``: what a release showed before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.common import Product, Suite, release_of, workspace_here

if TYPE_CHECKING:
    from harness.judge.baseline import Baseline
    from harness.workspace import Workspace

__all__ = ["baseline_app"]

baseline_app = typer.Typer(help="What a release showed before.", no_args_is_help=True, rich_markup_mode=None)


@baseline_app.command("record")
def record(
    runs: Annotated[
        list[str], typer.Argument(help="Run ids or folders of one suite, release and target; with --runs, the release.")
    ],
    count: Annotated[int, typer.Option("--runs", min=0, help="Make so many runs now, and record those.")] = 0,
    target: Annotated[str, typer.Option(help="With --runs: where.")] = "embedded",
    scheme: Annotated[str | None, typer.Option(help="With --runs: the Scheme whose target it is.")] = None,
    suite: Suite = "native",
    product: Product = "mojaloop",
    workers: Annotated[int, typer.Option("-n", min=0, max=64, help="With --runs: how many workers.")] = 4,
) -> None:
    """Make the release's baseline from finished runs. Cut-off, partial or off-pin runs are refused."""
    from harness.recording import baseline_from_runs

    workspace = workspace_here()
    if count and len(runs) != 1:
        raise typer.BadParameter("with --runs, give one release and no run")
    folders = [workspace.run_folder(name) for name in runs if not count]
    for number in range(1, count + 1):
        folders.append(_run(workspace, runs[0], product, suite, target, scheme, workers))
        typer.echo(f"run {number} of {count}: {workspace.relative(folders[-1])}")
    _keep(workspace, baseline_from_runs(folders), "runs")


def _run(
    workspace: Workspace, release: str, product: str, suite: str, target: str, scheme: str | None, workers: int
) -> Path:
    from harness.errors import InternalError
    from harness.run.execute import execute
    from harness.run.options import resolve_values

    options = resolve_values(
        start=workspace.root, release=release, product=product, scheme=scheme, target=target, run_id=None,
        labels=(), defects=(), suite=suite,
    )  # fmt: skip
    done = execute(options, workers=workers)
    if done.internal_error:
        raise InternalError(f"the harness broke during the run: {done.internal_error}")
    return done.folder


@baseline_app.command("import")
def import_(
    reports: Annotated[list[Path], typer.Argument(help="Testing Toolkit reports (JSON) of whole golden-path runs.")],
    release: Annotated[str, typer.Option(help="The release that they show, for instance v17.1.0.")],
    product: Product = "mojaloop",
    engine_version: Annotated[str, typer.Option(help="Version of the Testing Toolkit that ran them.")] = "",
    component: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VERSION of what ran (repeatable); without any, the release's components."),
    ] = None,
    remark: Annotated[str, typer.Option(help="What a reader of the baseline should know of how it was recorded.")] = "",
) -> None:
    """Make the baseline of a release's official suite from reports of the Testing Toolkit."""
    from harness.recording import baseline_from_reports

    workspace = workspace_here()
    baseline = baseline_from_reports(
        workspace,
        product,
        release_of(release),
        reports,
        engine_version=engine_version,
        components=dict(_pair(given) for given in component or ()),
        remark=remark,
    )
    _keep(workspace, baseline, "reports")


@baseline_app.command("list")
def list_() -> None:
    """List the baselines of this workspace."""
    from harness.judge.baseline_store import load_baseline

    workspace = workspace_here()
    found = (workspace.root / "baselines").glob("*/v*/**/baseline.yaml")
    for path in sorted(found):
        baseline = load_baseline(path.parent)
        suite = "" if baseline.suite_name == baseline.product else f" {baseline.suite_name}"
        typer.echo(
            f"{baseline.product} {baseline.release}{suite}: {len(baseline.results)} checks, "
            f"{len(baseline.run_ids)} runs, source {baseline.source.value}, recorded {baseline.recorded_at}"
        )


def _keep(workspace: Workspace, baseline: Baseline, made_of: str) -> None:
    from harness.judge.baseline_store import write_baseline

    # the official suite has a baseline of its own beside the native one's, which it must never replace
    folder = workspace.baseline(baseline.product, release_of(baseline.release), baseline.suite_name)
    write_baseline(baseline, folder)
    counts = baseline.results[["passed", "failed", "hollow", "skipped", "error"]].gt(0).sum()
    said = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    typer.echo(f"{workspace.relative(folder)}: {len(baseline.results):,} checks from {baseline.runs} {made_of}: {said}")
    for limit in baseline.limits:
        typer.echo(f"  {limit}")


def _pair(given: str) -> tuple[str, str]:
    name, equals, version = given.partition("=")
    if not (name and equals and version):
        raise typer.BadParameter(f"{given!r} is not NAME=VERSION")
    return name, version
