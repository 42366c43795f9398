"""``harness selftest``: breaks the embedded hub on purpose and says which defects a suite catches."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.common import Json, Suite, release_of, workspace_here
from harness.model.outcome import ExitCode

__all__ = ["selftest"]


def selftest(
    release: Annotated[str, typer.Argument(help="The release to imitate, for instance v17.1.0.")],
    suite: Suite = "native",
    defect: Annotated[list[str] | None, typer.Option(help="Only this defect (repeatable).")] = None,
    workers: Annotated[int, typer.Option("-n", min=0, max=64, help="How many workers each run has.")] = 2,
    keyword: Annotated[str | None, typer.Option("-k", help="Only cases that match this pytest expression.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the matrix into this Markdown document as well.")] = None,
    as_json: Json = False,
) -> int:
    """Break the embedded hub in every way it can be: exit 0 if the suite catches what it claims to, 1 if not."""
    from harness.hub.defects import DEFECTS, Defects
    from harness.run.what import find_suite
    from harness.selftest.matrix import Matrix, matrix
    from harness.selftest.parts import plan_of
    from harness.selftest.state import State, fingerprint
    from harness.selftest.text import as_lines, write_section
    from harness.selftest.walk import Asked, Commands, Walk

    workspace, version, plan = workspace_here(), release_of(release), plan_of(suite)
    Defects(defect or ())
    names = tuple(name for name in DEFECTS if not defect or name in defect)
    digest = find_suite(workspace, "mojaloop", version, suite=suite).digest
    asked = Asked(workspace, str(version), plan, names, workers, keyword or "")
    made = fingerprint(digest, keyword or "", repr(plan))
    state = State(workspace.root / "reports" / "selftest" / f"{version}-{plan.suite}-{made}.jsonl")

    def so_far(problem: str = "") -> Matrix:
        results = {name: state.of(name) for name in names}
        return matrix(str(version), plan.suite, asked.whole.name, names, results, problem)

    def keep() -> None:
        if out is not None:
            write_section(out, so_far())

    keep()
    commands = Commands()
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        problem = Walk(asked, state, lambda line: typer.echo(line, err=True), keep, commands).go()
    except KeyboardInterrupt:
        typer.echo("stopped: the same command goes on from here", err=True)
        return ExitCode.INCONCLUSIVE
    finally:
        commands.stop()
        signal.signal(signal.SIGTERM, previous)
    found = so_far(problem)
    if out is not None:
        write_section(out, found)
    if as_json:
        import json

        typer.echo(json.dumps(found.to_json(), indent=2, sort_keys=True, ensure_ascii=False))
    else:
        typer.echo("\n".join(as_lines(found)))
    return found.exit_code
