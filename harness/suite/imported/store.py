"""How does a release's suite get into the workspace, and out of it again? Whole or not at all, and only as imported.

An imported suite is a folder ``suites/<product>/official/<version>/`` with ``collections/``, ``environments/``,
``rules/`` and its lock. Only JSON files are stored: nothing in such a folder can ever be run by Python.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import final

import harness
from harness.errors import CollectionError, SuiteError, UsageError
from harness.model.release import ReleaseVersion
from harness.suite.imported.archive import Entry, digest_of_file, read_source
from harness.suite.imported.lock import LOCK, Counts, Lock, Source, differences, digest_of, read_lock, write_lock
from harness.suite.imported.names import Limits
from harness.suite.ttk.folder import Suite, load_folder

__all__ = [
    "COLLECTIONS",
    "TOTAL",
    "ImportedSuite",
    "count",
    "import_suite",
    "imported_folder",
    "list_imported",
    "load_imported",
    "verify",
]

COLLECTIONS = "collections"
TOTAL = "total"
_KEPT = (COLLECTIONS, "environments", "rules")
_PRODUCT = re.compile(r"[a-z0-9][a-z0-9._-]*")


@final
@dataclass(frozen=True, slots=True)
class ImportedSuite:
    """A suite as its lock says, with its cases. ``is_new`` tells an import from finding the same suite there."""

    folder: Path
    lock: Lock
    suite: Suite
    is_new: bool = False

    @property
    def release(self) -> ReleaseVersion:
        """The release it belongs to."""
        return ReleaseVersion.parse(self.lock.release)


def imported_folder(suites: Path, product: str, release: ReleaseVersion) -> Path:
    """Returns where a product's imported suite for ``release`` lies below the folder ``suites``."""
    if not _PRODUCT.fullmatch(product):
        raise UsageError(f"{product!r} is no product's name", remedy="Use small letters, digits, '-', '_' and '.'")
    return suites / product / "official" / str(release)


def import_suite(
    source: Path,
    *,
    product: str,
    release: ReleaseVersion,
    destination: Path,
    replace: bool = False,
    limits: Limits | None = None,
) -> ImportedSuite:
    """Stores the suite of ``source``, an archive in GitHub's layout or a folder, as ``destination``; returns it.

    The same content there already is left as it is; other content is refused unless ``replace`` allows it. Raises
    ``SuiteError`` naming archive and entry; ``destination`` is then as it was before.
    """
    if not source.exists():
        raise SuiteError("is not there", file=source, remedy="Check the path")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".import-", dir=destination.parent))
    except OSError as problem:
        message = f"cannot be written: {problem.strerror or problem}"
        raise SuiteError(message, file=destination.parent, remedy="Free the place or choose another") from problem
    try:
        lock = _fill(staging, source, product, release, limits or Limits())
        if destination.exists() or destination.is_symlink():
            if _same(destination, lock):
                return load_imported(destination)
            if not replace:
                raise SuiteError(
                    f"holds another suite than {source.name}",
                    file=destination,
                    remedy="Say that it may be replaced, or remove it",
                )
        _put(staging, destination)
    except OSError as problem:
        message = f"cannot be written: {problem.strerror or problem}"
        raise SuiteError(message, file=destination, remedy="Nothing was imported; free the place") from problem
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return ImportedSuite(destination, lock, load_folder(destination / COLLECTIONS), is_new=True)


def load_imported(folder: Path) -> ImportedSuite:
    """Returns the imported suite in ``folder``.

    Raises ``SuiteError`` where any file was changed, removed or added since the import, naming it.
    """
    lock = read_lock(folder)
    if found := differences(folder, lock):
        raise SuiteError(
            f"is not what was imported: {'; '.join(found[:20])}{'; …' if len(found) > 20 else ''}",
            file=folder,
            remedy="Import the release's archive again, with leave to replace this",
        )
    return ImportedSuite(folder, lock, load_folder(folder / COLLECTIONS))


def verify(folder: Path) -> tuple[str, ...]:
    """Returns every difference between the imported suite in ``folder`` and its lock, by name of file.

    Raises ``SuiteError`` where the lock itself cannot be used.
    """
    return differences(folder, read_lock(folder))


def list_imported(suites: Path) -> tuple[Path, ...]:
    """Returns the folder of every imported suite below ``suites``, by product and version; none is opened."""
    found = []
    for lock in suites.glob(f"*/official/*/{LOCK}"):
        try:
            found.append((lock.parent.parent.parent.name, ReleaseVersion.parse(lock.parent.name), lock.parent))
        except ValueError:
            continue
    return tuple(folder for _, _, folder in sorted(found))


def count(suite: Suite) -> dict[str, Counts]:
    """Returns how much ``suite`` has to run: by its folders of the second level (``hub/golden_path``), and in all."""
    tallies: dict[str, Counter[str]] = {}
    for file in suite.files:
        above = file.collection.path.split("/")[:-1]
        for name in ("/".join(above[:2]) or ".", TOTAL):
            tallies.setdefault(name, Counter()).update(
                files=1,
                cases=len(file.collection.cases),
                requests=sum(len(case.requests) for case in file.collection.cases),
                assertions=len(file.collection.checks),
            )
    order = sorted(tallies, key=lambda name: (name == TOTAL, name))
    return {name: Counts.model_validate(dict(tallies[name])) for name in order}


def _fill(staging: Path, source: Path, product: str, release: ReleaseVersion, limits: Limits) -> Lock:
    files, left_out = _store(_entries(source, limits), staging)
    if not any(name.startswith(f"{COLLECTIONS}/") for name in files):
        raise SuiteError(
            f"has no folder {COLLECTIONS!r} with JSON files in its top folder",
            file=source,
            remedy="Take the archive of testing-toolkit-test-cases as the release publishes it",
        )
    try:
        suite = load_folder(staging / COLLECTIONS)
    except CollectionError as problem:
        place = Path(problem.file or "").relative_to(staging) if str(problem.file).startswith(str(staging)) else ""
        where = ", ".join(str(part) for part in (place, problem.place) if part)
        raise SuiteError(f"{problem.message}", file=source, place=where, remedy=problem.remedy) from problem
    counts = count(suite)
    is_folder = source.is_dir()
    lock = Lock(
        product=product,
        release=str(release),
        digest=digest_of(product=product, release=str(release), files=files, counts=counts),
        source=Source(
            kind="folder" if is_folder else "archive",
            name=source.resolve().name,
            digest=None if is_folder else f"sha256:{digest_of_file(source)}",
        ),
        imported_at=datetime.now(UTC).isoformat(timespec="seconds"),
        tool=f"mojaloop-harness {harness.__version__}",
        counts=counts,
        files=files,
        left_out=left_out,
    )
    write_lock(lock, staging)
    staging.chmod(0o755)
    return lock


def _entries(source: Path, limits: Limits) -> Iterable[Entry]:
    if source.is_dir() and not (source / COLLECTIONS).is_dir():
        raise SuiteError(
            f"has no folder {COLLECTIONS!r}", file=source, remedy="Name the folder that holds collections/ and rules/"
        )
    return read_source(source, limits, [name for name in _KEPT if (source / name).is_dir()])


def _store(entries: Iterable[Entry], staging: Path) -> tuple[dict[str, str], list[str]]:
    files: dict[str, str] = {}
    left_out: list[str] = []
    for entry in entries:
        name = "/".join(entry.parts)
        if len(entry.parts) < 2 or entry.parts[0] not in _KEPT or not name.lower().endswith(".json"):
            left_out.append(name)
            # Read all the same: only then is it known to be sound, and within the limits.
            deque(entry.blocks, maxlen=0)
            continue
        path = staging.joinpath(*entry.parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with path.open("xb") as file:
            for block in entry.blocks:
                digest.update(block)
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        files[name] = digest.hexdigest()
    return dict(sorted(files.items())), sorted(left_out)


def _same(destination: Path, lock: Lock) -> bool:
    try:
        there = read_lock(destination)
        return there.digest == lock.digest and not differences(destination, there)
    except SuiteError:
        return False


def _put(staging: Path, destination: Path) -> None:
    """Renames, so that ``destination`` is at every moment the old suite, the new one, or for an instant nothing."""
    holder = Path(tempfile.mkdtemp(prefix=".replaced-", dir=destination.parent))
    aside = holder / destination.name
    try:
        if destination.exists() or destination.is_symlink():
            destination.rename(aside)
        staging.rename(destination)
    except OSError:
        # Where even the way back fails, the old suite stays in its holder: it is never removed before there is a new.
        if aside.exists() or aside.is_symlink():
            aside.rename(destination)
        holder.rmdir()
        raise
    shutil.rmtree(holder, ignore_errors=True)
