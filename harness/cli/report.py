"""``harness report``: a run's reports, written again from its journal, in the formats asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.common import workspace_here
from harness.errors import HarnessError, UsageError
from harness.model.scheme import PRODUCTS_FOLDER

if TYPE_CHECKING:
    from harness.report.formats import Format
    from harness.report.interface import ReportInput

__all__ = ["report"]

_DEFAULT = "allure"


def report(
    run: Annotated[str, typer.Argument(help="A run's id or folder, or latest.")] = "latest",
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", help=f"Which one (repeatable; {_DEFAULT}); --list tells what there is."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write into this folder instead of the run's.")] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the Allure report in a browser.")] = False,
    npx: Annotated[bool, typer.Option("--npx", help="Let npx download allure 3 where it is not installed.")] = False,
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
    wanted = [format_named(name) for name in dict.fromkeys(formats or [_DEFAULT])]
    if (open_ or npx) and all(one.name != "allure" for one in wanted):
        raise UsageError("--open and --npx are about the Allure report", remedy="Add --format allure")
    from harness.validation import judge_as_before

    workspace = workspace_here()
    judged = judge_as_before(workspace, workspace.run_folder(run))
    folder = out or judged.folder
    for one in wanted:
        try:
            written = _allure(judged, folder, npx=npx, show=open_) if one.name == "allure" else None
            for path in written if written is not None else _written(one, judged, folder):
                typer.echo(workspace.relative(path))
        except OSError as problem:
            raise HarnessError(
                f"the report {one.name} cannot be written: {problem}", remedy="Make room, or give another --out"
            ) from problem
    return 0


def _written(format_: Format, judged: ReportInput, folder: Path) -> list[Path]:
    written = format_.make().write(judged, folder)
    if format_.name == "html" and folder.resolve() != judged.folder.resolve():
        # elsewhere than in the run's own folder, the pages that it leads to have to come along
        for product, own in judged.products.items():
            written += _written(format_, own, folder / PRODUCTS_FOLDER / product)
    return written


def _allure(judged: ReportInput, folder: Path, *, npx: bool, show: bool) -> tuple[Path, ...]:
    from harness.report.allure_page import AllureReport

    built = AllureReport(npx=npx, tell=_remark).build(judged, folder)
    for remark in built.remarks:
        _remark(f"note: {remark}")
    if show and not _shown(built.single, os.environ):
        _remark("no browser was opened: there is no screen here, or no browser that answers; open it yourself:")
    return built.paths


def _shown(page: Path, environ: Mapping[str, str]) -> bool:
    """Opens the page where somebody sits before a screen; returns whether it did."""
    import webbrowser

    in_ci = environ.get("CI", "").lower() not in ("", "0", "false")
    screen = sys.platform in ("win32", "darwin") or bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))
    if in_ci or not screen:
        return False
    try:
        return webbrowser.open(page.resolve().as_uri())
    except webbrowser.Error:
        return False


def _remark(text: str) -> None:
    typer.echo(text, err=True)
