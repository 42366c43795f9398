"""How do a month's many files become one? A folder with the merged file takes the place of the old one in one step.

No reader sees a row twice or not at all, whenever the writer is killed: before that step the old folder is there,
after it the new one. What cannot be read is carried over as it is.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.errors import HarnessError, InternalError
from harness.history.places import Folder, clear, folders, leftovers, locked, synced, workroom, write_parquet
from harness.history.reader import table_of
from harness.history.schema import DATASETS, in_order

__all__ = ["Merged", "compact", "merge_months"]

_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2
"""Linux, renameat2(2): both names change places in one step."""
_CANNOT: Final = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EXDEV})


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of one month of one dataset."""

    folder: Path
    """Relative to the history."""
    files: int
    """So many were merged."""
    rows: int
    passed_over: tuple[str, ...] = ()
    """Files that cannot be read, and why: they stand beside the merged one as before."""
    in_one_step: bool = True
    """Whether the file system can exchange two folders. Where not, other readers than ours may for a moment see rows
    twice, never not at all."""


def compact(root: Path, product: str | None = None, target: str | None = None) -> tuple[Merged, ...]:
    """Merges every month that lies in more than one file and returns what was merged. Waits for other writers.

    Raises ``HarnessError`` where it cannot write; what was not merged is then as it was.
    """
    if not root.is_dir():
        return ()
    try:
        with locked(root):
            for path in leftovers(root):
                clear(path)
            return merge_months(
                root, (each for dataset in DATASETS for each in _months(root, dataset, product, target))
            )
    except OSError as problem:
        raise HarnessError(
            f"the history cannot be compacted: {problem.strerror or problem}", remedy="No row is lost; make room"
        ) from problem


def _months(root: Path, dataset: str, product: str | None, target: str | None) -> list[tuple[str, Folder]]:
    return [(dataset, month) for month in folders(root, dataset, product, target)]


def merge_months(root: Path, months: Iterable[tuple[str, Folder]]) -> tuple[Merged, ...]:
    """Merges those of ``months`` (with their datasets) that need it. Only under the lock. Raises ``OSError``."""
    found = (_merge(root, dataset, month) for dataset, month in months)
    return tuple(each for each in found if each is not None)


def _merge(root: Path, dataset: str, month: Folder) -> Merged | None:
    paths = month.files()
    if len(paths) < 2:
        return None
    tables, taken, ours, passed_over = [], set[str](), list[Path](), list[str]()
    read = [(path, table_of(dataset, path)) for path in paths]
    # The file with the most runs first: what a merge that could not be done in one step left behind is within it.
    for path, found in sorted(read, key=lambda each: -len(each[1][1]) if not isinstance(each[1], str) else 1):
        if isinstance(found, str):
            passed_over.append(f"{path.relative_to(root)} is passed over: {found}")
            continue
        table, runs = found
        if runs & taken:
            table = table.filter(pc.invert(pc.is_in(table["run_id"], pa.array(sorted(taken), pa.string()))))
        tables.append(table)
        taken |= runs
        ours.append(path)
    if len(ours) < 2:
        return None
    whole = in_order(dataset, pa.concat_tables(tables))
    name = f"merged-{hashlib.sha256(chr(10).join(sorted(taken)).encode()).hexdigest()[:16]}.parquet"
    fresh = Path(tempfile.mkdtemp(dir=workroom(root)))
    fresh.chmod(0o755)
    written = write_parquet(root, fresh / name, dataset, whole, sorted(taken))
    if pq.read_metadata(written).num_rows != whole.num_rows:
        raise InternalError(f"{written} does not hold what was written", remedy="The old files are untouched")
    for path in sorted(set(month.path.iterdir()) - set(ours)):
        _carry_over(path, fresh / path.name)
    synced(fresh)
    in_one_step = _exchanged(fresh, month.path)
    if not in_one_step:
        written.replace(month.path / name)
        synced(month.path)
        for path in ours:
            if path.name != name:
                path.unlink()
    synced(month.path.parent)
    clear(fresh)
    return Merged(month.path.relative_to(root), len(ours), whole.num_rows, tuple(passed_over), in_one_step)


def _carry_over(path: Path, place: Path) -> None:
    if path.is_dir():
        shutil.copytree(path, place)
        return
    try:
        place.hardlink_to(path)
    except OSError:
        shutil.copy2(path, place)


def _exchanged(one: Path, other: Path) -> bool:
    """Lets two folders change places in one step. False where the system or the file system cannot."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), ctypes.c_uint(_RENAME_EXCHANGE)) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT:
        return False
    raise OSError(number, os.strerror(number), str(other))
