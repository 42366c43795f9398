"""The command line: one thin command per verb. Whatever is heavy is imported by the command that needs it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.exceptions import TyperException

from harness import __version__
from harness.cli.baseline import baseline_app
from harness.cli.common import IMITATED, Json, Product, release_of, workspace_here
from harness.cli.compare import baseline_diff, baseline_show, compare
from harness.cli.handover import handover, verify
from harness.cli.history import history_app
from harness.cli.messages import announce, triage
from harness.cli.nightly import nightly, notify
from harness.cli.publish import publish
from harness.cli.release import release_app
from harness.cli.report import report
from harness.cli.selftest import selftest
from harness.cli.suite import suite_app
from harness.cli.target import target_app
from harness.errors import HarnessError
from harness.model.outcome import ExitCode

if TYPE_CHECKING:
    from rich.console import Console

    from harness.report.interface import ReportInput
    from harness.workspace import Workspace

__all__ = ["app", "main"]

_EXIT_CODES = (
    "Exit codes: 0 approved (with or without known issues), 1 rejected, 2 inconclusive, 3 wrong usage or unreadable "
    "input, 4 our own fault."
)

app = typer.Typer(
    name="harness",
    help="Decides whether a Mojaloop release may go to a Hub Operator: runs its suite, compares, gives one verdict.",
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
hub_app = typer.Typer(help="The embedded hub.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(suite_app, name="suite")
app.add_typer(baseline_app, name="baseline")
app.add_typer(release_app, name="release")
app.add_typer(target_app, name="target")
app.add_typer(history_app, name="history")
app.add_typer(hub_app, name="hub")
app.command()(compare)
app.command()(report)
app.command()(selftest)
app.command()(handover)
app.command()(verify)
app.command()(publish)
app.command()(announce)
app.command()(triage)
app.command()(nightly)
app.command()(notify)
baseline_app.command("show")(baseline_show)
baseline_app.command("diff")(baseline_diff)

Scheme = Annotated[str | None, typer.Option("--scheme", help="The Scheme whose criteria and targets apply.")]
TtkCompatible = Annotated[
    bool, typer.Option("--ttk-compatible", help="Also print the totals as the Testing Toolkit counts them.")
]
# Of these the core alone is judged by what is given; each extension product has its own.
Baseline = Annotated[
    str | None, typer.Option("--baseline", help="Judge the core against this release's baseline, or a folder.")
]
CriteriaFile = Annotated[
    Path | None, typer.Option("--criteria", help="Judge the core by these criteria instead of the Scheme's.")
]
WaiverFile = Annotated[
    Path | None,
    typer.Option("--waivers", help="The core's waivers, in this file instead of the Scheme's waivers.yaml."),
]
Fallback = Annotated[
    str | None,
    typer.Option("--fallback-baseline", help="Another baseline for where the core's has too few runs (below)."),
]
MinimumRuns = Annotated[int, typer.Option(min=1, help="How few runs are too few for --fallback-baseline.")]
Run = Annotated[str, typer.Argument(help="A run's id or folder, or latest.")]


def main() -> None:
    """Runs a command and ends the process with the documented exit code."""
    try:
        code = app(standalone_mode=False)
    except HarnessError as problem:
        _complain(f"error: {problem}")
        sys.exit(problem.exit_code)
    except TyperException as problem:
        _complain(f"error: {problem.format_message()}\ntry: harness --help, or harness COMMAND --help")
        sys.exit(ExitCode.USAGE)
    except (typer.Abort, KeyboardInterrupt):
        _complain("stopped")
        sys.exit(ExitCode.INCONCLUSIVE)
    except Exception:
        import traceback

        traceback.print_exc()
        _complain("error: this is a fault of the harness; please report it with the lines above")
        sys.exit(ExitCode.INTERNAL)
    sys.exit(code if isinstance(code, int) else 0)


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    if version:
        typer.echo(f"mojaloop-harness {__version__}")
        raise typer.Exit


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="Where the workspace is to be.")]) -> None:
    """Make a workspace of a Scheme's own, with the shipped suites, baselines and example Scheme."""
    from harness.workspace import init_workspace

    made = init_workspace(folder)
    typer.echo(f"workspace ready in {folder}: {len(made)} files in suites/, baselines/, scheme_rules/")
    typer.echo(f"try it: cd {folder} && harness run v17.1.0 --target embedded --scheme example")


@app.command()
def run(
    release: Annotated[str, typer.Argument(help="The release under validation, for instance v17.1.0.")],
    target: Annotated[
        str, typer.Option(help="embedded, a target of the Scheme by name, or a target file.")
    ] = "embedded",
    scheme: Scheme = None,
    product: Product = "mojaloop",
    suite: Annotated[
        str | None,
        typer.Option(help="native, or official: the imported Testing Toolkit collections; else what the Scheme lists."),
    ] = None,
    workers: Annotated[int, typer.Option("-n", min=0, max=64, help="How many workers; 0 runs in one process.")] = 4,
    label: Annotated[list[str] | None, typer.Option(help="Only cases with this label (repeatable).")] = None,
    keyword: Annotated[str | None, typer.Option("-k", help="Only cases that match this pytest expression.")] = None,
    collection: Annotated[
        list[Path] | None, typer.Option(help="Run this TTK collection, or folder of them, instead (repeatable).")
    ] = None,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Run what can be run of a folder with malformed collections.")
    ] = False,
    empty_hub: Annotated[
        bool, typer.Option("--empty-hub", help="The collections provision the embedded hub themselves.")
    ] = False,
    environment: Annotated[
        Path | None, typer.Option(help="Input values for collections: a TTK environment file.")
    ] = None,
    defect: Annotated[list[str] | None, typer.Option(help="Break the embedded hub in this way (repeatable).")] = None,
    check_invariants: Annotated[
        bool,
        typer.Option("--check-invariants", help="The embedded hub watches its own laws: exit 4 if it breaks one."),
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the embedded hub running for the next run.")] = False,
    strict_steps: Annotated[
        bool, typer.Option("--strict-steps", help="A 5xx fails a collection's case even without an assertion.")
    ] = False,
    ignore_preflight: Annotated[
        bool, typer.Option("--ignore-preflight", help="Run although preflight finds something: inconclusive at best.")
    ] = False,
    i_know: Annotated[
        bool, typer.Option("--i-know", help="Run on production, where the target allows writes: money moves.")
    ] = False,
    time_scale: Annotated[
        float,
        typer.Option(min=0.01, max=1, help="Shortens delays and expiries on the embedded hub: a dry run."),
    ] = 1.0,
    baseline: Baseline = None,
    fallback_baseline: Fallback = None,
    minimum_runs: MinimumRuns = 3,
    waivers: WaiverFile = None,
    run_id: Annotated[str | None, typer.Option(help="Name of the run's folder under reports/runs.")] = None,
    ttk_compatible: TtkCompatible = False,
    as_json: Json = False,
) -> int:
    """Validate a release: run its suite, then those of the Scheme's products, against a target; judge, report."""
    from harness.report.progress import progress_for
    from harness.run.options import resolve_values
    from harness.sequence import products_to_run, run_release
    from harness.validation import Against, check_scheme, suite_listed, write_reports

    workspace = workspace_here()
    options = resolve_values(
        start=workspace.root,
        release=release,
        product=product,
        scheme=scheme,
        target=(where := str(Path(target).resolve()) if target.endswith((".yaml", ".yml")) else target),
        run_id=run_id,
        labels=label or (),
        defects=defect or (),
        suite=suite or suite_listed(workspace, scheme, product),
        paths=[path.resolve() for path in collection or ()],
        keep_going=keep_going,
        keyword=keyword,
        environment=environment,
        provision=not empty_hub,
        time_scale=time_scale,
        strict_steps=strict_steps,
        check_invariants=check_invariants,
        keep=keep,
        ignore_preflight=ignore_preflight,
        i_know=i_know,
    )
    check_scheme(workspace, scheme, waivers)
    products = products_to_run(options, where, i_know=i_know)
    console = _console(stderr=as_json)
    done = run_release(
        options,
        products,
        workers=workers,
        against=Against(baseline=baseline, waivers=waivers, fallback=fallback_baseline, minimum_runs=minimum_runs),
        listener=lambda: progress_for(console, os.environ),
    )
    judged = done.run
    _tell_whose(judged, baseline=baseline, fallback_baseline=fallback_baseline, waivers=waivers)
    _show(workspace, judged, write_reports(judged), as_json=as_json, ttk_compatible=ttk_compatible)
    if done.problem:
        _complain(f"error: {done.problem}")
    if done.internal_error:
        _complain(f"error: the harness broke during the run; please report it:\n{done.internal_error}")
        return ExitCode.INTERNAL
    return judged.judged.verdict.kind.exit_code


@app.command()
def judge(
    run: Run = "latest",
    scheme: Scheme = None,
    criteria: CriteriaFile = None,
    baseline: Baseline = None,
    fallback_baseline: Fallback = None,
    minimum_runs: MinimumRuns = 3,
    waivers: WaiverFile = None,
    ttk_compatible: TtkCompatible = False,
    as_json: Json = False,
) -> int:
    """Decide again from a run's journal: by what it was judged by before, or by what the options say."""
    from harness.validation import Against, judge_folder, judged_against, write_reports

    workspace = workspace_here()
    folder = workspace.run_folder(run)
    asked = Against(scheme, criteria, baseline, waivers, fallback_baseline, minimum_runs)
    against = judged_against(workspace, folder) if asked == Against() else asked
    judged = judge_folder(workspace, folder, against)
    if against != asked:
        _complain(f"judged as before: {against.described(workspace)}")
    _tell_whose(
        judged,
        baseline=against.baseline,
        fallback_baseline=against.fallback,
        criteria=against.criteria,
        waivers=against.waivers,
    )
    _show(workspace, judged, write_reports(judged), as_json=as_json, ttk_compatible=ttk_compatible)
    return judged.judged.verdict.kind.exit_code


@hub_app.command("serve")
def hub_serve(
    release: Annotated[str, typer.Option(help="The release to imitate.")] = IMITATED,
    defect: Annotated[list[str] | None, typer.Option(help="Break it in this way (repeatable).")] = None,
    port_base: Annotated[
        int, typer.Option(min=0, max=65000, help="First of the ports, one per service; 0 takes free ones.")
    ] = 0,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
) -> None:
    """Run the embedded hub until it is stopped."""
    from harness.hub.config import HUB_SERVICES, HubConfig
    from harness.hub.server import serve
    from harness.release.manifest import load_manifest

    manifest = load_manifest(workspace_here().manifest("mojaloop", release_of(release)))
    ports = {service: port_base + number for number, service in enumerate(HUB_SERVICES)} if port_base else {}
    config = HubConfig.of(manifest, defects=defect or (), host=host, ports=ports)

    def ready(services: object) -> None:
        assert isinstance(services, dict)
        for service, url in services.items():
            typer.echo(f"{service:<32} {url}")
        typer.echo("ready; stop with Ctrl-C")

    serve(config, ready)


@hub_app.command("stop")
def hub_stop() -> None:
    """End the hub that runs with --keep left standing."""
    from harness.hub.kept import stop_kept

    typer.echo("stopped" if stop_kept(workspace_here().kept_hub) else "there was none")


@hub_app.command("defects")
def hub_defects() -> None:
    """List the defects that the embedded hub can be given."""
    from harness.hub.defects import DEFECTS

    width = max(len(name) for name in DEFECTS)
    for defect in DEFECTS.values():
        typer.echo(f"{defect.name:<{width}}  {defect.component:<24} {defect.description}")


def _tell_whose(run: ReportInput, **given: object) -> None:
    """Says where options are for the core that its products, where it has any, are judged by what is their own."""
    names = [f"--{name.replace('_', '-')}" for name, value in given.items() if value is not None]
    if names and run.judged.products:
        products = ", ".join(shown.listed.name for shown in run.judged.products)
        _complain(f"note: {', '.join(names)} for the core only; by its own baseline, criteria and waivers: {products}")


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(file=sys.stderr if stderr else sys.stdout, highlight=False)


def _show(
    workspace: Workspace, judged: ReportInput, written: list[Path], *, as_json: bool, ttk_compatible: bool = False
) -> None:
    if as_json:
        from harness.judge.document import verdict_to_json

        typer.echo(verdict_to_json(judged.judged), nl=False)
        return
    from harness.report.terminal import print_summary

    print_summary(_console(), judged, written, base=workspace.root, environ=os.environ)
    if ttk_compatible:
        from harness.report.ttk_totals import ttk_totals

        typer.echo(str(ttk_totals(judged.records)))


def _complain(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    main()
