"""The ``harness suite`` commands: native suites with their pins, imported ones with their locks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.common import Json, Product, Suite, release_of, workspace_here
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.suite.imported.store import ImportedSuite

__all__ = ["suite_app"]

suite_app = typer.Typer(help="Versioned suites and their pins.", no_args_is_help=True, rich_markup_mode=None)


@suite_app.command("list")
def suite_list() -> None:
    """List the suites of this workspace: native ones with their pins, imported ones with their locks."""
    from harness.suite.imported.lock import read_lock
    from harness.suite.imported.store import list_imported, verify
    from harness.suite.pin import check_pin, load_pin, suite_files

    workspace = workspace_here()
    suites = workspace.root / "suites"
    for folder in sorted(path for path in suites.iterdir() if path.is_dir()):
        files = suite_files(folder)
        for path in sorted(folder.glob("v*.yaml")):
            pin = load_pin(path)
            found = check_pin(pin, files=files, cases=None)
            typer.echo(f"{folder.name} {path.stem}: {len(pin.cases) if pin else 0} cases, pin {found.status}")
    for folder in list_imported(suites):
        lock, changed = read_lock(folder), verify(folder)
        state = f"CHANGED in {len(changed)} places" if changed else "as imported"
        typer.echo(f"{lock.product} {lock.release} official: {lock.counts['total'].cases} cases, {state}")


@suite_app.command("import")
def suite_import(
    source: Annotated[Path, typer.Argument(help="The release's zip or tar as published, or a folder.")],
    release: Annotated[str, typer.Option(help="The release it belongs to.")],
    product: Product = "mojaloop",
    replace: Annotated[bool, typer.Option("--replace", help="In place of another import of this release.")] = False,
) -> None:
    """Store a release's official collections, unmodified, as a suite version with a lock."""
    from harness.suite.imported.store import import_suite, imported_folder

    workspace, version = workspace_here(), release_of(release)
    folder = imported_folder(workspace.root / "suites", product, version)
    imported = import_suite(source, product=product, release=version, destination=folder, replace=replace)
    typer.echo(f"{workspace.relative(folder)}: {'imported' if imported.is_new else 'was there already'}")
    _counts(imported)


@suite_app.command("show")
def suite_show(release: str, product: Product = "mojaloop") -> None:
    """Show what an imported suite holds: cases, requests and assertions per folder."""
    _counts(_imported(release, product))


@suite_app.command("diff")
def suite_diff(before: str, after: str, product: Product = "mojaloop", as_json: Json = False) -> int:
    """Say how two imported suites differ: exit 0 if they ask the same, 1 if not."""
    from dataclasses import asdict

    from harness.suite.imported.diff import diff

    found = diff(_imported(before, product).suite, _imported(after, product).suite)
    if as_json:
        import json

        typer.echo(json.dumps(asdict(found), indent=2, sort_keys=True, ensure_ascii=False))
        return 0 if found.is_empty else 1
    for what, part in (("cases", found.cases), ("checks", found.checks)):
        counts = [
            f"{len(part.removed)} removed", f"{len(part.added)} added", f"{len(part.moved)} moved",
            f"{len(part.changed)} with another meaning", f"{part.unchanged} unchanged",
        ]  # fmt: skip
        typer.echo(f"{what}: {', '.join(counts)}")
    for word, ids in (("removed", found.cases.removed), ("added", found.cases.added)):
        for case in ids:
            typer.echo(f"  {word} {case}")
    for old, new in found.cases.moved:
        typer.echo(f"  moved {old}\n     to {new}")
    return 0 if found.is_empty else 1


@suite_app.command("replay")
def suite_replay(
    report: Annotated[Path, typer.Argument(help="A JSON report of the Testing Toolkit, in either layout.")],
    as_json: Json = False,
) -> int:
    """Evaluate a recorded report again and compare with what it says: exit 0 if all agree, 1 if not."""
    from harness.engine.ttk.replay import format_matrix, replay
    from harness.suite.report.reader import load_report

    result = replay(load_report(report))
    if as_json:
        import json

        typer.echo(json.dumps(result.to_json(), indent=2, sort_keys=True, ensure_ascii=False))
    else:
        typer.echo(format_matrix(result))
    return 0 if result.agrees else 1


@suite_app.command("pin")
def suite_pin(release: str, product: Product = "mojaloop") -> None:
    """Fix the suite, as it is now, for a release."""
    from harness.run.plan import collect_cases
    from harness.suite.pin import make_pin, write_pin

    workspace, version = workspace_here(), release_of(release)
    cases = collect_cases(workspace, product, version)
    path = workspace.pin(product, version)
    write_pin(make_pin(workspace.suite(product), product=product, release=str(version), cases=cases), path)
    typer.echo(f"{workspace.relative(path)}: {len(cases)} cases")


@suite_app.command("verify")
def suite_verify(release: str, product: Product = "mojaloop", suite: Suite = "native") -> int:
    """Say whether a suite is still what its pin (or, imported, its lock) fixed: exit 0 if so, 1 if not."""
    from harness.run.plan import collect_cases
    from harness.suite.imported.store import imported_folder, verify
    from harness.suite.pin import check_pin, load_pin, suite_files

    workspace, version = workspace_here(), release_of(release)
    if suite == "official":
        differences = verify(imported_folder(workspace.root / "suites", product, version))
        typer.echo(f"{product} {version} official: {'changed' if differences else 'as imported'}")
    else:
        pin = load_pin(workspace.pin(product, version))
        if pin is None:
            raise UsageError(f"{product} {version} has no pin", remedy=f"Make one with harness suite pin {version}")
        cases = collect_cases(workspace, product, version)
        found = check_pin(pin, files=suite_files(workspace.suite(product)), cases=cases)
        differences = found.differences
        typer.echo(f"{product} {version}: {len(cases)} cases, pin {found.status}")
    for difference in differences:
        typer.echo(f"  {difference}")
    return 1 if differences else 0


def _imported(release: str, product: str) -> ImportedSuite:
    from harness.suite.imported.store import imported_folder, load_imported

    return load_imported(imported_folder(workspace_here().root / "suites", product, release_of(release)))


def _counts(imported: ImportedSuite) -> None:
    from harness.suite.imported.store import count

    for name, counts in count(imported.suite).items():
        typer.echo(
            f"{name:<24} {counts.files:>4} files {counts.cases:>5} cases {counts.requests:>6} requests "
            f"{counts.assertions:>6} assertions"
        )
    for note in imported.suite.notes:
        typer.echo(f"note: {note}")
