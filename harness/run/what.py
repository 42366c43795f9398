"""What is to run: the native suite of a product, an imported official one, or collections given by path.

Collections are read here, whole, before anything starts: a malformed one ends the command, or, where the caller chose
to go on, is a problem of the run that keeps it from an approval.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, final

from harness.errors import CollectionError, SuiteError, UsageError
from harness.model.release import ReleaseVersion
from harness.run.scheme_suite import SchemeSuite, find_scheme_suite
from harness.suite.pin import PinCheck, check_pin, load_pin, suite_digest, suite_files
from harness.workspace import Workspace

if TYPE_CHECKING:
    from harness.suite.imported.store import ImportedSuite
    from harness.suite.ttk.folder import Suite, SuiteFile

__all__ = ["GOLDEN_PATH", "NATIVE", "OFFICIAL", "SuiteToRun", "find_suite", "official_suite"]

NATIVE = "native"
OFFICIAL = "official"
PROVISIONING = "hub/provisioning"
GOLDEN_PATH = "hub/golden_path"
"""The part of an official suite that validates; provisioning and clean-up are its means."""


@final
@dataclass(frozen=True, slots=True)
class SuiteToRun:
    """A suite, found and read. ``collections`` are its files in the order they run; none for a native suite."""

    name: str
    source: str
    """``native``, ``official`` or ``collection``."""
    digest: str
    pin: PinCheck
    paths: tuple[Path, ...]
    """What pytest is told to collect."""
    collections: tuple[Path, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    """Of each collection's path, the group whose cases must run in one worker, in order."""
    whole: bool = True
    """Whether this is all of the suite."""
    provisioning: tuple[SuiteFile, ...] = ()
    """The collections by which the suite's release provisions a hub, in order; none where it has none."""
    problems: tuple[str, ...] = ()
    """Why files are missing here, where the caller chose to go on."""
    scheme: SchemeSuite | None = None
    """The Scheme's own cases that run with it; their collections stand among ``collections``."""

    def useful_workers(self, most: int) -> int:
        """Returns how many of ``most`` workers can make the run shorter, 0 of 0.

        It takes as long as its longest group, whoever stands by; and every worker reads all collections first.
        """
        if not self.collections:
            return most
        groups = Counter(self.groups.get(str(path), "all") for path in self.collections)
        alone = 0 if self.scheme is None else len(self.scheme.files) - len(self.scheme.collections)
        return min(most, ceil((groups.total() + alone) / max(groups.values())))


def find_suite(
    workspace: Workspace,
    product: str,
    release: ReleaseVersion,
    *,
    suite: str = NATIVE,
    paths: Sequence[Path] = (),
    keep_going: bool = False,
    scheme: str | None = None,
) -> SuiteToRun:
    """Returns the suite ``suite`` of ``product`` for ``release``, or what ``paths`` name where any are given.

    With it run the cases that ``scheme`` has of its own for the product, unless ``paths`` name less than the suite.
    Raises ``SuiteError`` where it is absent, malformed, or an imported one was changed since.
    """
    for path in paths:
        if not path.exists():
            raise SuiteError("there is no such suite, case file or collection", file=path, remedy="Check the path")
    own = find_scheme_suite(workspace, scheme, product, keep_going=keep_going)
    in_own = [path for path in paths if own and path.resolve().is_relative_to(own.folder)]
    others = [path for path in paths if path not in in_own]
    if in_own and not others:
        # Nothing but the Scheme's own: a part of what there is, whatever else it may be.
        found = replace(_native(workspace, product, release, ()), paths=(), whole=False)
    else:
        found = _product_suite(workspace, product, release, suite=suite, paths=others, keep_going=keep_going)
    if own is None or not own.files or not (in_own or (found.whole and found.source != "collection")):
        return found
    return _with_own(found, own, in_own)


def _with_own(found: SuiteToRun, own: SchemeSuite, named: Sequence[Path]) -> SuiteToRun:
    """``found`` with the Scheme's own cases beside it: all of them, or what of them is ``named``."""
    whole = all(path.resolve() == own.folder for path in named)
    collections = own.collections if whole else tuple(
        file for file in own.collections if any(file.is_relative_to(path.resolve()) for path in named)
    )  # fmt: skip
    return replace(
        found,
        paths=(*found.paths, *(named or (own.folder,))),
        collections=(*found.collections, *collections),
        groups={**found.groups, **own.groups},
        whole=found.whole and whole,
        problems=(*found.problems, *own.problems),
        scheme=own,
    )


def _product_suite(
    workspace: Workspace,
    product: str,
    release: ReleaseVersion,
    *,
    suite: str,
    paths: Sequence[Path],
    keep_going: bool,
) -> SuiteToRun:
    if suite == OFFICIAL and not paths:
        return _official(workspace, product, release)
    if suite not in (NATIVE, OFFICIAL, product):
        raise UsageError(f"no suite is called {suite!r}", remedy=f"Choose {NATIVE} or {OFFICIAL}")
    if any(path.suffix == ".json" or _holds_collections(path) for path in paths):
        return _collections(paths, keep_going=keep_going)
    return _native(workspace, product, release, paths)


def _native(workspace: Workspace, product: str, release: ReleaseVersion, paths: Sequence[Path]) -> SuiteToRun:
    folder = workspace.suite(product).resolve()
    if not folder.is_dir():
        raise SuiteError("there is no such suite", file=folder, remedy="Check the product's name")
    files = suite_files(folder)
    pin = check_pin(load_pin(workspace.pin(product, release)), files=files, cases=None)
    chosen = tuple(paths) or (folder,)
    whole = all(path.resolve() == folder for path in chosen)
    return SuiteToRun(product, NATIVE, suite_digest(files), pin, chosen, whole=whole)


def official_suite(workspace: Workspace, product: str, release: ReleaseVersion) -> ImportedSuite:
    """Returns the imported suite of a release. Raises ``SuiteError`` where it is absent or was changed since."""
    from harness.suite.imported.store import imported_folder, load_imported

    folder = imported_folder(workspace.root / "suites", product, release)
    if not folder.is_dir():
        raise SuiteError(
            f"the official suite of {product} {release} is not imported",
            file=folder,
            remedy=f"harness suite import ARCHIVE --product {product} --release {release}",
        )
    return load_imported(folder)


def _official(workspace: Workspace, product: str, release: ReleaseVersion) -> SuiteToRun:
    from harness.suite.imported.store import COLLECTIONS
    from harness.suite.ttk.selection import keep

    imported = official_suite(workspace, product, release)
    files = tuple(file.file for file in imported.suite.files if file.collection.path.startswith(f"{GOLDEN_PATH}/"))
    if not files:
        raise SuiteError(
            f"holds nothing under {COLLECTIONS}/{GOLDEN_PATH}", file=imported.folder, remedy="Import it again"
        )
    digest = imported.lock.digest
    groups = _groups(keep(imported.suite, lambda case: case.case_id.startswith(f"{GOLDEN_PATH}/")))
    stage = tuple(file for file in imported.suite.files if file.collection.path.startswith(f"{PROVISIONING}/"))
    return SuiteToRun(OFFICIAL, OFFICIAL, digest, PinCheck("match", digest), files, files, groups, provisioning=stage)


def _collections(paths: Sequence[Path], *, keep_going: bool) -> SuiteToRun:
    from harness.suite.ttk.folder import load_folder, root_of

    files: list[Path] = []
    problems: list[CollectionError] = []
    groups: dict[str, str] = {}
    for path in paths:
        absolute = path.resolve()
        suite = load_folder(root_of(absolute), below=absolute, on_problem=problems.append if keep_going else None)
        files += [file.file for file in suite.files if file.file not in files]
        groups |= _groups(suite)
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return SuiteToRun(
        name=", ".join(sorted(path.name for path in paths)),
        source="collection",
        digest=suite_digest(digests),
        pin=PinCheck("absent"),
        paths=tuple(files),
        collections=tuple(files),
        groups=groups if len(paths) == 1 else dict.fromkeys(groups, "all"),
        problems=tuple(str(problem) for problem in problems),
    )


def _groups(suite: Suite) -> dict[str, str]:
    from harness.suite.ttk.ordering import needs_order

    return {file: group.files[0] for group in needs_order(suite) for file in _paths_of(suite, group.files)}


def _paths_of(suite: Suite, names: Collection[str]) -> Iterator[str]:
    return (str(file.file) for file in suite.files if file.collection.path in names)


def _holds_collections(path: Path) -> bool:
    return path.is_dir() and next(path.rglob("*.json"), None) is not None and not any(path.rglob("test_*.py"))
