"""Which files does a verdict stand on? Found in a workspace, and given the place that they have in a bundle.

A bundle is a workspace in itself, so what lies in the workspace keeps its place. What a run was judged by and lies
elsewhere goes to ``given/``, and ``judged-by.json`` then names it there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from harness.errors import HandoverError, ReleaseError
from harness.handover.layout import GIVEN
from harness.judge.judged_by import JUDGED_BY, BaselineName, JudgedBy
from harness.judge.renames import RENAMES_FILE
from harness.model.records import RunStarted
from harness.model.release import ReleaseVersion
from harness.model.scheme import PRODUCTS_FOLDER
from harness.run.journal import JOURNAL
from harness.workspace import Workspace

if TYPE_CHECKING:
    from harness.validation import Against

__all__ = ["Absent", "Collected", "collect"]

_BASELINE: Final = ("baseline.yaml", "results.csv", "published.yaml")
_RELEASE: Final = ("release.yaml", "artefacts.yaml")
_SCHEME: Final = ("criteria.yaml", "waivers.yaml", "scheme.yaml")
# What is derived and large, or ours alone: a bundle carries Allure's single page instead.
_LEFT_OUT: Final = frozenset({"allure-results", "allure-report", "__pycache__"})


@final
@dataclass(frozen=True, slots=True)
class Absent:
    """Something that a reader of a bundle may look for and does not find."""

    what: str
    why: str


@final
@dataclass(slots=True)
class Collected:
    """Members by name, and what is not among them."""

    members: dict[str, bytes] = field(default_factory=dict)
    absent: list[Absent] = field(default_factory=list)


def collect(workspace: Workspace, folder: Path) -> Collected:
    """Returns everything that the verdict on the run in ``folder`` stands on, runs of products nested in it included.

    Raises ``HandoverError`` where a file cannot be read, and ``HarnessError`` where it cannot be told what is needed.
    """
    if folder.resolve().parent.name == PRODUCTS_FOLDER and (folder.resolve().parents[1] / JOURNAL).is_file():
        raise HandoverError(
            "this is the run of an extension product, and judged as a part of its core's",
            file=folder,
            remedy=f"harness handover {folder.resolve().parents[1].name}",
        )
    found = Collected()
    place = f"reports/runs/{folder.resolve().name}"
    _take_run(found, folder, place)
    for journal in sorted(folder.rglob(JOURNAL)):
        if not _LEFT_OUT.intersection(journal.relative_to(folder).parts):
            inner = journal.parent.relative_to(folder).as_posix()
            name = place if inner == "." else f"{place}/{inner}"
            _take_inputs(found, workspace, journal.parent, name)
    return found


def _take_run(found: Collected, folder: Path, place: str) -> None:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if _LEFT_OUT.intersection(parts) or any(part.startswith(".") for part in parts) or path.is_dir():
            continue
        if path.is_symlink() or not path.is_file():
            raise HandoverError("this is no plain file, and evidence is", file=path, remedy="Remove it from the run")
        found.members[f"{place}/{'/'.join(parts)}"] = _read(path)


def _take_inputs(found: Collected, workspace: Workspace, folder: Path, place: str) -> None:
    """Takes what the one run in ``folder`` was judged by."""
    from harness.run.reader import read_journal
    from harness.validation import baseline_folder, judged_against

    against = judged_against(workspace, folder)
    started = next((one for one in read_journal(folder).records if isinstance(one, RunStarted)), None)
    given = _Given(found, workspace, place.partition(f"/{PRODUCTS_FOLDER}/")[2])
    criteria, waivers = given.criteria(against)
    judged_by = JudgedBy(
        tool=_tool(folder),
        scheme=against.scheme,
        criteria=criteria,
        waivers=waivers,
        baseline=given.baseline("baseline", against.baseline),
        fallback=given.baseline("fallback", against.fallback),
        minimum_runs=against.minimum_runs,
    )
    if f"{place}/{JUDGED_BY}" in found.members:
        found.members[f"{place}/{JUDGED_BY}"] = judged_by.to_json().encode("utf-8", "backslashreplace")
    scheme = against.scheme or (started.scheme if started else None)
    if scheme is not None:
        _take(found, workspace, [workspace.scheme(scheme) / name for name in _SCHEME])
        if started is not None:
            own = workspace.criteria_folder(scheme, started.product)
            _take(found, workspace, [own / name for name in _SCHEME])
    for asked in [against.baseline, *([against.fallback] if against.fallback is not None else [])]:
        named = baseline_folder(workspace, started, asked)
        if named is not None:
            _take(found, workspace, [named / name for name in _BASELINE])
    _take(found, workspace, sorted((workspace.root / "baselines").glob(f"*/{RENAMES_FILE}")))
    if started is not None:
        _take_release(found, workspace, started)


def _take_release(found: Collected, workspace: Workspace, started: RunStarted) -> None:
    from harness.release.artefacts import load_artefacts

    try:
        version = ReleaseVersion.parse(started.release)
    except ValueError:
        return
    folder = workspace.manifest(started.product, version).parent
    _take(found, workspace, [folder / name for name in _RELEASE])
    _take(found, workspace, [workspace.pin(started.product, version)])
    what = f"{started.product} {started.release}"
    try:
        artefacts = load_artefacts(folder / "artefacts.yaml")
    except ReleaseError as problem:
        found.absent.append(Absent(f"documents of {what}", problem.message))
        return
    documents: list[tuple[str, Path | str | None]] = [
        ("release notes", artefacts.notes),
        ("runbook", artefacts.runbook),
    ]
    documents += [(f"evidence {kind.value}", given) for kind, given in artefacts.evidence.items()]
    for name, document in documents:
        if document is None:
            found.absent.append(Absent(f"{name} of {what}", "none is declared in artefacts.yaml"))
        elif isinstance(document, str):
            found.absent.append(Absent(f"{name} of {what}", f"it is a link: {document}"))
        elif not document.is_file():
            found.absent.append(Absent(f"{name} of {what}", f"{document.name} is declared and is not there"))
        elif (member := _member(workspace, document)) is None:
            found.absent.append(Absent(f"{name} of {what}", f"{document.name} lies outside the workspace"))
        else:
            found.members[member] = _read(document)


class _Given:
    """Finds a place in the bundle for what was given by hand."""

    def __init__(self, found: Collected, workspace: Workspace, product: str) -> None:
        self._found = found
        self._workspace = workspace
        self._folder = f"{GIVEN}/{product}" if product else GIVEN

    def criteria(self, against: Against) -> tuple[str | None, str | None]:
        """Returns the members that hold criteria and waivers given by hand; ``None`` for what was not."""
        criteria, waivers = None, None
        if against.criteria is not None:
            criteria = self._file("criteria", against.criteria)
            beside = against.criteria.parent / "waivers.yaml"
            if against.waivers is None and beside.is_file():
                self._found.members[f"{criteria.rpartition('/')[0]}/waivers.yaml"] = _read(beside)
        if against.waivers is not None:
            waivers = self._file("waivers", against.waivers)
        return criteria, waivers

    def baseline(self, what: str, name: str | None) -> BaselineName | None:
        """Returns how a baseline given by hand is named in the bundle, and takes it."""
        if name is None:
            return None
        folder = Path(name)
        if not folder.is_dir():
            return BaselineName(release=name)
        member = _member(self._workspace, folder) or f"{self._folder}/{what}"
        for file in _BASELINE:
            if (folder / file).is_file():
                self._found.members[f"{member}/{file}"] = _read(folder / file)
        return BaselineName(folder=member)

    def _file(self, what: str, path: Path) -> str:
        member = _member(self._workspace, path) or f"{self._folder}/{what}/{path.name}"
        self._found.members[member] = _read(path)
        return member


def _take(found: Collected, workspace: Workspace, paths: list[Path]) -> None:
    """Takes those of ``paths`` that are there; each lies in the workspace, or was given by hand and is taken so."""
    for path, member in _inside(workspace, paths):
        found.members.setdefault(member, _read(path))


def _inside(workspace: Workspace, paths: list[Path]) -> Iterator[tuple[Path, str]]:
    for path in paths:
        if path.is_file() and (member := _member(workspace, path)) is not None:
            yield path, member


def _member(workspace: Workspace, path: Path) -> str | None:
    """The name that ``path`` has in the workspace, or ``None`` where it lies elsewhere."""
    try:
        return path.absolute().resolve().relative_to(workspace.root.resolve()).as_posix()
    except ValueError:
        return None


def _tool(folder: Path) -> str:
    """Which version of the harness judged the run in ``folder``."""
    from harness import __version__
    from harness.judge.judged_by import read_judged_by

    stored = read_judged_by(folder)
    return stored.tool if stored else __version__


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise HandoverError(f"cannot be read: {problem.strerror or problem}", file=path, remedy="Check it") from problem
