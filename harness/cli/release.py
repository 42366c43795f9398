"""``harness release``: what a release consists of by its notes, what it lacks, and what changed since another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.common import Json, Product, release_of, workspace_here
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.cli.release_text import SuiteCases
    from harness.model.release import Release
    from harness.release.artefacts import Artefacts
    from harness.release.findings import Finding
    from harness.release.notes import Notes
    from harness.workspace import Workspace

__all__ = ["release_app"]

release_app = typer.Typer(help="What a release consists of.", no_args_is_help=True, rich_markup_mode=None)


@release_app.command("import")
def import_(
    notes: Annotated[Path, typer.Argument(help="The release notes (Markdown), as they were published.")],
    product: Product = "mojaloop",
    release: Annotated[str | None, typer.Option(help="The release they are of, where the notes do not tell.")] = None,
    source: Annotated[
        str | None, typer.Option(help="Where the notes were published; default: the file's name.")
    ] = None,
    component: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VERSION where the notes contradict themselves (repeatable)."),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a manifest that says something else.")] = False,
    as_json: Json = False,
) -> int:
    """Make the release's manifest from its notes. A line that cannot be read is named, and nothing is written."""
    from harness.release.manifest import load_manifest, manifest_data, manifest_text, write_manifest

    workspace = workspace_here()
    read = _read_notes(
        notes,
        product,
        release=release_of(release) if release else None,
        source=source,
        settled=dict(_pair(given) for given in component or ()),
    )
    made, path = read.release, workspace.manifest(product, read.release.version)
    written = not read.errors
    if written and path.exists():
        there = load_manifest(path)
        made = _with_what_was_added(made, there)
        if not replace and manifest_text(made) != manifest_text(there):
            raise UsageError(
                f"{workspace.relative(path)} says something else", remedy="Give --replace if the notes are right"
            )
    if written:
        write_manifest(made, path)
    if as_json:
        _print_json(
            {
                "manifest": manifest_data(made),
                "written": workspace.relative(path) if written else None,
                "findings": [_finding_data(finding) for finding in read.findings],
            }
        )
    else:
        _print_findings(read.findings)
        if written:
            typer.echo(f"{workspace.relative(path)}: {_in_short(made)}")
        else:
            typer.echo(f"nothing is written: {len(read.errors)} of what {notes} says cannot be taken over")
    return 0 if written else 3


@release_app.command("show")
def show(
    release: Annotated[str, typer.Argument(help="The release, for instance v17.1.0.")],
    product: Product = "mojaloop",
    as_json: Json = False,
) -> None:
    """Show what a release consists of, by its manifest."""
    from harness.cli.release_text import manifest_lines
    from harness.release.manifest import load_manifest, manifest_data

    manifest = load_manifest(workspace_here().manifest(product, release_of(release)))
    if as_json:
        _print_json(manifest_data(manifest))
        return
    for line in manifest_lines(manifest):
        typer.echo(line)


@release_app.command("check")
def check(
    release: Annotated[str, typer.Argument(help="The release, for instance v17.1.0.")],
    product: Product = "mojaloop",
    notes: Annotated[Path | None, typer.Option(help="Its release notes (Markdown).")] = None,
    runbook: Annotated[Path | None, typer.Option(help="Its runbook (Markdown).")] = None,
    evidence: Annotated[
        list[str] | None,
        typer.Option(help="KIND=REPORT.xml (JUnit) or KIND=URL; KIND: unit, integration, regression, review."),
    ] = None,
    scheme: Annotated[
        str | None, typer.Option(help="Check what this Scheme demands, of its products too, as a run is judged by it.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Say what a release lacks of its Definition of Done: exit 0 if it is complete, 1 if not, 3 if unreadable.

    With --scheme: what of it would weigh on the verdict; exit 1 if that keeps it from an approval.
    """
    from harness.errors import ReleaseError
    from harness.release.artefacts import evidence_named, load_artefacts
    from harness.release.completeness import check_release
    from harness.release.manifest import load_manifest
    from harness.yaml_document import read_text

    workspace, version = workspace_here(), release_of(release)
    manifest = load_manifest(workspace.manifest(product, version))
    declared = load_artefacts(workspace.manifest(product, version).with_name("artefacts.yaml"))
    given: Artefacts = declared.with_given(notes, runbook, dict(evidence_named(one) for one in evidence or ()))
    if scheme is not None:
        from harness.cli.scheme_check import check_for_scheme

        return check_for_scheme(workspace, scheme, manifest, given, as_json=as_json)
    read = _read_notes(given.notes, product, otherwise=version) if given.notes else None
    text = read_text(given.runbook, ReleaseError, what="runbook") if given.runbook else None
    found = check_release(manifest, given, read, text)
    if as_json:
        _print_json(
            {
                "product": product,
                "release": str(version),
                "complete": found.is_complete,
                "findings": [_finding_data(finding) for finding in found.findings],
            }
        )
    else:
        _print_findings(found.findings)
        errors = sum(finding.weight.value == "error" for finding in found.findings)
        typer.echo(f"{product} {version}: {'complete' if found.is_complete else f'incomplete, {errors} errors'}")
    return 0 if found.is_complete else 1


@release_app.command("diff")
def diff(
    before: Annotated[str, typer.Argument(help="A release, for instance v17.0.0.")],
    after: Annotated[str, typer.Argument(help="A release that came later.")],
    product: Product = "mojaloop",
    as_json: Json = False,
) -> int:
    """Say what changed between two releases: exit 0, or 1 where a component or the suite went back."""
    from harness.cli.release_text import diff_data, diff_lines
    from harness.release.diff import diff_releases
    from harness.release.manifest import load_manifest

    workspace = workspace_here()
    sides = [load_manifest(workspace.manifest(product, release_of(name))) for name in (before, after)]
    found = diff_releases(sides[0], sides[1], _history(workspace, product))
    cases = _suite_cases(workspace, sides[0], sides[1])
    if as_json:
        _print_json(diff_data(found, cases))
    else:
        for line in diff_lines(found, cases):
            typer.echo(line)
    return 1 if found.goes_back or (cases is not None and cases.is_older) else 0


def _history(workspace: Workspace, product: str) -> list[Release]:
    from harness.release.manifest import load_manifest

    return [load_manifest(path) for path in sorted((workspace.root / "baselines" / product).glob("v*/release.yaml"))]


def _suite_cases(workspace: Workspace, before: Release, after: Release) -> SuiteCases | None:
    """Compares the suites themselves where both are imported: a version number can hide that a suite is the older."""
    from harness.cli.release_text import SuiteCases
    from harness.suite.imported.diff import diff as suite_diff
    from harness.suite.imported.store import imported_folder, load_imported

    folders = []
    for side in (before, after):
        try:
            version = release_of(side.suite_version or str(side.version))
        except UsageError:
            return None
        folders.append(imported_folder(workspace.root / "suites", side.product, version))
    if not all(folder.is_dir() for folder in folders):
        return None
    found = suite_diff(*(load_imported(folder).suite for folder in folders)).cases
    return SuiteCases(removed=found.removed, added=found.added)


def _read_notes(file: Path, product: str, **more: Any) -> Notes:
    from harness.errors import ReleaseError
    from harness.release.notes import parse_notes
    from harness.yaml_document import read_text

    return parse_notes(read_text(file, ReleaseError, what="release notes"), file, product=product, **more)


def _with_what_was_added(made: Release, there: Release) -> Release:
    """Returns ``made`` with what notes cannot say and a person added: where a known issue shows."""
    from dataclasses import replace

    added = {issue.source: issue for issue in there.known_issues}
    return replace(
        made,
        known_issues=tuple(
            replace(issue, components=added[issue.source].components, operations=added[issue.source].operations)
            if issue.source in added
            else issue
            for issue in made.known_issues
        ),
    )


def _pair(given: str) -> tuple[str, str]:
    name, equals, version = given.partition("=")
    if not (name and equals and version):
        raise typer.BadParameter(f"{given!r} is not NAME=VERSION")
    return name, version


def _in_short(release: Release) -> str:
    suite = release.suite_version or "not told"
    return (
        f"{len(release.components)} components ({len(release.previous)} with a version before), "
        f"{len(release.apis)} APIs, {len(release.dependencies)} dependencies, suite {suite}, "
        f"{len(release.breaking_changes)} breaking changes, {len(release.known_issues)} known issues"
    )


def _print_findings(findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        typer.echo(str(finding))


def _finding_data(finding: Finding) -> dict[str, str]:
    return {
        "severity": finding.weight.value,
        "where": finding.where,
        "text": finding.text,
        "remedy": finding.remedy,
    }


def _print_json(data: Any) -> None:
    import json

    typer.echo(json.dumps(data, indent=2, ensure_ascii=False))
