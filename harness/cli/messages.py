"""``harness announce`` and ``harness triage``: what is written to people about a release, as drafts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.common import Product, workspace_here
from harness.errors import HarnessError, ReleaseError, UsageError

if TYPE_CHECKING:
    from harness.handover.announce import Facts
    from harness.judge.verdict import JudgedRun
    from harness.model.release import Release
    from harness.release.outline import Outline, Role
    from harness.workspace import Workspace

__all__ = ["announce", "triage"]


def announce(
    of: Annotated[str, typer.Argument(metavar="RUN|RELEASE", help="A run (id, folder, latest), or a release.")],
    kind: Annotated[str, typer.Option(help="available, window-opens, validated or window-closed.")],
    target_date: Annotated[
        str | None, typer.Option(help="When it is to be deployed or the window opens: 2026-12-01, or with a time.")
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="markdown or text.")] = "markdown",
    product: Product = "mojaloop",
) -> int:
    """Draft a message about a release. Nothing is sent; a release that must not go is not announced (exit 1, 2)."""
    from harness.handover.announce import Kind, draft_message, refusal

    if kind not in set(Kind):
        raise UsageError(f"no message is called {kind!r}", remedy=f"Choose one of: {', '.join(Kind)}")
    if format_ not in ("markdown", "text"):
        raise UsageError(f"no format is called {format_!r}", remedy="Choose markdown or text")
    facts = _facts(workspace_here(), of, product, _date(target_date))
    if (why := refusal(Kind(kind), facts.run)) is not None:
        print(f"refused: {why[0]}", file=sys.stderr)
        return why[1]
    typer.echo(draft_message(Kind(kind), facts, markdown=format_ == "markdown"), nl=False)
    return 0


def triage(
    run: Annotated[str, typer.Argument(help="A run's id or folder, or latest.")] = "latest",
    out: Annotated[
        Path | None, typer.Option(help="The folder for the drafts; default: reports/triage, by the run's name.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Write over drafts that say something else.")] = False,
) -> int:
    """Write a defect draft for each cluster of regressions, in the order of a triage meeting."""
    from harness.handover.triage import drafts, overview
    from harness.report.files import utf8, write_file
    from harness.report.text import crop, one_line
    from harness.validation import judge_as_before

    workspace = workspace_here()
    folder = workspace.run_folder(run)
    judged = judge_as_before(workspace, folder)
    made = drafts(judged)
    verdict = judged.judged.verdict
    typer.echo(f"{verdict.product} {verdict.release} · run {verdict.run_id} · {verdict.text}")
    if not made:
        typer.echo("nothing regressed, and nothing new fails: there is nothing to triage")
        return 0
    place = out if out is not None else workspace.root / "reports" / "triage" / folder.resolve().name
    files = {draft.name: utf8(draft.text) for draft in made} | {"index.md": utf8(overview(judged, made))}
    try:
        for name, text in files.items():
            path = place / name
            if not replace and path.exists() and path.read_bytes() != text:
                raise UsageError(
                    f"{workspace.relative(path)} says something else",
                    remedy="Give --replace to write over it, or another --out",
                )
        for name, text in files.items():
            write_file(place / name, text)
    except OSError as problem:
        raise HarnessError(f"the drafts cannot be written: {problem}", remedy="Make room, or give --out") from problem
    for draft in made:
        told = crop(one_line(draft.title), 160)
        plural = "check" if draft.checks == 1 else "checks"
        typer.echo(f"  {draft.name}  {draft.severity.value}, {draft.checks:,} {plural}: {told}")
    typer.echo(f"{len(made)} {'draft' if len(made) == 1 else 'drafts'} in {workspace.relative(place)}/, index.md first")
    return 0


def _facts(workspace: Workspace, of: str, product: str, target_date: str | None) -> Facts:
    from harness.handover.announce import Facts
    from harness.model.release import ReleaseVersion
    from harness.release.manifest import load_manifest

    run: JudgedRun | None = None
    try:
        version = ReleaseVersion.parse(of)
    except ValueError:
        from harness.judge.gates import release_of
        from harness.validation import judge_as_before

        run = judge_as_before(workspace, workspace.run_folder(of)).judged
        try:
            version, product = ReleaseVersion.parse(run.verdict.release), run.verdict.product
        except ValueError:
            raise UsageError(
                f"the run is of {run.verdict.release!r}, which is no release", remedy="Give a run of a release"
            ) from None
        own = release_of(run.evidence)
    manifest = load_manifest(workspace.manifest(product, version))
    if run is not None and own is not None and dict(own.components) != dict(manifest.components):
        raise ReleaseError(
            "the manifest lists other components than the one that the run was made with",
            file=workspace.relative(workspace.manifest(product, version)),
            remedy="Run the release again with this manifest, or restore the other",
        )
    features, fixes, runbook = _documents(workspace, manifest)
    return Facts(manifest, run, features, fixes, target_date, runbook)


def _documents(workspace: Workspace, release: Release) -> tuple[tuple[str, ...] | None, tuple[str, ...], str | None]:
    """Returns what the declared notes list as new and as fixed, and the name of the runbook."""
    from harness.release.artefacts import load_artefacts
    from harness.release.outline import Outline, Role
    from harness.yaml_document import read_text

    declared = load_artefacts(workspace.manifest(release.product, release.version).with_name("artefacts.yaml"))
    runbook = declared.runbook.name if declared.runbook else None
    if declared.notes is None:
        return None, (), runbook
    outline = Outline.of(read_text(declared.notes, ReleaseError, what="release notes"))
    return _items(outline, Role.STORIES), _items(outline, Role.BUGS), runbook


def _items(outline: Outline, role: Role) -> tuple[str, ...]:
    from harness.release.markdown import Item, plain
    from harness.release.outline import is_placeholder, says_none

    found = [plain(block.text) for _, block in outline.blocks(role) if isinstance(block, Item)]
    return tuple(text for text in found if text and not is_placeholder(text) and not says_none(text))


def _date(text: str | None) -> str | None:
    from datetime import datetime

    if text is None:
        return None
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no date", remedy="Give it as 2026-12-01 or 2026-12-01T22:00+00:00") from None
    return text
