"""What the commands share: options that mean the same everywhere, and how names become things."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.model.release import ReleaseVersion
    from harness.workspace import Workspace

__all__ = ["IMITATED", "Json", "Product", "Suite", "release_of", "workspace_here"]

IMITATED = "v17.1.0"
"""The release that the embedded hub imitates where none is named."""

Product = Annotated[str, typer.Option("--product", help="The product whose suite is meant.")]
Suite = Annotated[str, typer.Option("--suite", help="native, or official: the imported Testing Toolkit collections.")]
Json = Annotated[bool, typer.Option("--json", help="Print what a machine can read.")]


def workspace_here() -> Workspace:
    """Returns the workspace that the command stands in."""
    from harness.workspace import find_workspace

    return find_workspace(Path.cwd())


def release_of(text: str) -> ReleaseVersion:
    """Returns the release that ``text`` names. Raises ``UsageError`` where it names none."""
    from harness.model.release import ReleaseVersion

    try:
        return ReleaseVersion.parse(text)
    except ValueError as problem:
        raise UsageError(str(problem), remedy="Give it as published, for instance v17.1.0") from None
