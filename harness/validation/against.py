"""What is a run judged against: what it names itself, what it was judged by before, or what somebody asks for?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from harness import __version__
from harness.workspace import Workspace

if TYPE_CHECKING:
    from harness.judge.judged_by import BaselineName, JudgedBy

__all__ = ["AS_NAMED", "Against", "judged_against", "judged_by"]


@final
@dataclass(frozen=True, slots=True)
class Against:
    """What a run is judged against, where that is not what the run itself names."""

    scheme: str | None = None
    criteria: Path | None = None
    baseline: str | None = None
    """A release's version, or the path of a baseline folder."""
    waivers: Path | None = None
    """A waiver file instead of the Scheme's own."""
    fallback: str | None = None
    """A baseline, named like ``baseline``, that takes its place where it has fewer than ``minimum_runs``."""
    minimum_runs: int = 3

    def described(self, workspace: Workspace) -> str:
        """Returns what differs from what the run itself names, as a person would ask for it."""
        given = {
            "--scheme": self.scheme,
            "--criteria": self.criteria,
            "--baseline": self.baseline,
            "--waivers": self.waivers,
            "--fallback-baseline": self.fallback,
            "--minimum-runs": self.minimum_runs if self.fallback else None,
        }
        return " ".join(
            f"{option} {workspace.relative(value) if isinstance(value, Path) else value}"
            for option, value in given.items()
            if value is not None
        )


AS_NAMED: Final = Against()
"""By nothing but what the run itself names."""


def judged_against(workspace: Workspace, folder: Path) -> Against:
    """Returns what the run in ``folder`` was judged against last; what it names itself, where it never was judged.

    Raises ``InputError`` where that was written down and cannot be read.
    """
    from harness.judge.judged_by import read_judged_by

    stored = read_judged_by(folder)
    if stored is None:
        return Against()

    def place(text: str | None) -> Path | None:
        return None if text is None else workspace.root / text

    def named(name: BaselineName | None) -> str | None:
        return None if name is None else name.release or str(place(name.folder))

    return Against(
        scheme=stored.scheme,
        criteria=place(stored.criteria),
        baseline=named(stored.baseline),
        waivers=place(stored.waivers),
        fallback=named(stored.fallback),
        minimum_runs=stored.minimum_runs,
    )


def judged_by(workspace: Workspace, against: Against) -> JudgedBy:
    """Returns ``against`` as it is kept beside the verdict: paths relative to the workspace."""
    from harness.judge.judged_by import BaselineName, JudgedBy

    def place(path: Path | None) -> str | None:
        return None if path is None else workspace.relative(path.absolute())

    def named(name: str | None) -> BaselineName | None:
        if name is None:
            return None
        return BaselineName(folder=place(Path(name))) if Path(name).is_dir() else BaselineName(release=name)

    return JudgedBy(
        tool=__version__,
        scheme=against.scheme,
        criteria=place(against.criteria),
        baseline=named(against.baseline),
        fallback=named(against.fallback),
        minimum_runs=against.minimum_runs,
        waivers=place(against.waivers),
    )
