"""Which workspace a command stands in, and what lies where in it.

A workspace is a folder with ``suites/``, ``baselines/`` and ``scheme_rules/``; run output goes to its ``reports/``.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import final

import harness
from harness.errors import UsageError, WorkspaceError
from harness.model.release import ReleaseVersion
from harness.model.scheme import CORE_PRODUCT, PRODUCTS_FOLDER

__all__ = ["Workspace", "find_workspace", "init_workspace", "shipped"]

PARTS = ("suites", "baselines", "scheme_rules")


@final
@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace at ``root``. The methods name places; they do not promise that anything is there."""

    root: Path

    @property
    def runs(self) -> Path:
        """Where each run has its folder."""
        return self.root / "reports" / "runs"

    @property
    def history(self) -> Path:
        """The dataset that runs are recorded in, night after night."""
        return self.root / "reports" / "history"

    @property
    def kept_hub(self) -> Path:
        """The file that tells of the embedded hub that runs leave standing."""
        return self.root / "reports" / "kept-hub.json"

    def suite(self, product: str) -> Path:
        """The folder with a product's native cases and its pins."""
        return self.root / "suites" / product

    def pin(self, product: str, release: ReleaseVersion) -> Path:
        """The pin that fixes a product's suite for ``release``."""
        return self.suite(product) / f"{release}.yaml"

    def baseline(self, product: str, release: ReleaseVersion, source: str | None = None) -> Path:
        """The folder with a product's baseline for ``release``: of its native suite, or of its ``official`` one."""
        folder = self.root / "baselines" / product / str(release)
        return folder / "official" if source == "official" else folder

    def manifest(self, product: str, release: ReleaseVersion) -> Path:
        """The manifest of ``release``."""
        return self.baseline(product, release) / "release.yaml"

    def scheme(self, scheme: str) -> Path:
        """The folder with a Scheme's criteria and targets."""
        return self.root / "scheme_rules" / scheme

    def scheme_suite(self, scheme: str, product: str) -> Path:
        """The folder with a Scheme's own cases for a product: native ones, and Testing Toolkit collections."""
        return self.scheme(scheme) / "suites" / product

    def criteria_folder(self, scheme: str, product: str) -> Path:
        """Where a Scheme's criteria and waivers for ``product`` are: its own folder; for an extension, one in it."""
        folder = self.scheme(scheme)
        return folder if product == CORE_PRODUCT else folder / PRODUCTS_FOLDER / product

    def target(self, name: str, scheme: str | None) -> Path:
        """The description of target ``name``: a path as given, else the Scheme's ``targets/NAME.yaml``."""
        if name.endswith((".yaml", ".yml")):
            return Path(name)
        if scheme is None:
            raise UsageError(
                f"target {name!r} belongs to a Scheme, and no --scheme is given",
                remedy="Give --scheme, a path to a target file, or --target embedded",
            )
        return self.scheme(scheme) / "targets" / f"{name}.yaml"

    def run_folder(self, run: str) -> Path:
        """The folder of ``run``, given as its id, a path, or ``latest``. Raises ``UsageError`` where there is none."""
        if run == "latest":
            known = sorted(path for path in self.runs.glob("*") if path.is_dir())
            if not known:
                raise UsageError("there is no run yet", remedy="Start one with harness run")
            return max(known, key=lambda path: path.stat().st_mtime_ns)
        for path in (Path(run), self.runs / run):
            if path.is_dir():
                return path
        raise UsageError(f"no run is called {run!r}", remedy=f"Runs are folders under {self.relative(self.runs)}")

    def relative(self, path: Path) -> str:
        """``path`` as a person in the workspace would write it."""
        try:
            return path.resolve().relative_to(self.root.resolve()).as_posix()
        except ValueError:
            return str(path)


def find_workspace(start: Path) -> Workspace:
    """Returns the workspace that holds ``start``, looking upwards. Raises ``WorkspaceError`` where there is none."""
    for folder in (start, *start.resolve().parents):
        if all((folder / part).is_dir() for part in PARTS):
            return Workspace(folder.resolve())
    raise WorkspaceError(
        f"no workspace at or above {start}",
        remedy=f"Make one with harness init DIR, or go to a folder with {', '.join(f'{part}/' for part in PARTS)}",
    )


def shipped() -> Path:
    """Returns the folder with the suites, baselines and example Scheme that come with the harness."""
    package = Path(harness.__file__).parent
    for folder in (package / "_shipped", package.parent):
        if all((folder / part).is_dir() for part in PARTS):
            return folder
    raise WorkspaceError("this installation lacks the shipped suites", remedy="Install mojaloop-harness again")


def init_workspace(folder: Path) -> list[str]:
    """Makes ``folder`` a workspace with everything shipped; returns the paths made, relative to it.

    An existing empty folder is fine; one that holds any part already is refused, so nothing of a Scheme's is lost.
    """
    source = shipped()
    taken = [name for name in (*PARTS, "reports") if (folder / name).exists()]
    if taken:
        raise UsageError(
            f"{folder} already holds {', '.join(taken)}", remedy="Choose another folder; nothing has been changed"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for part in PARTS:
            shutil.copytree(source / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        (folder / "reports").mkdir()
        (folder / "reports" / ".gitignore").write_text("*\n!.gitignore\n", encoding="utf-8")
    except OSError as problem:
        raise WorkspaceError(f"{folder} cannot be made a workspace: {problem.strerror or problem}") from problem
    return sorted(_files(folder))


def _files(folder: Path) -> Iterator[str]:
    for part in (*PARTS, "reports"):
        for path in (folder / part).rglob("*"):
            if path.is_file():
                yield path.relative_to(folder).as_posix()
