"""Where does the history lie on disk? Folders and names of files, and which of them hold which runs.

``<dataset>/product=P/target=T/month=2026-11/`` holds ``run-<id>.parquet`` per run, or ``merged-<digest>.parquet`` for
many. Nothing else in those folders is taken for data.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.parquet as pq

from harness.history.schema import marks

__all__ = [
    "Folder", "clear", "folder_of", "folders", "leftovers", "locked", "page_place", "run_file", "run_named", "synced",
    "workroom", "write_parquet",
]  # fmt: skip

ROWS_PER_GROUP = 8192
"""What a reader of one check has to decode of a file, at the least. Each group costs a reader of all as well."""
_WORK = ".work"


@dataclass(frozen=True, slots=True, order=True)
class Folder:
    """One month of one target in one dataset."""

    product: str
    target: str
    month: str
    path: Path

    def files(self) -> list[Path]:
        """Returns its data files by name. Empty where the folder is not there (any more)."""
        try:
            return sorted(path for path in self.path.iterdir() if path.name.endswith(".parquet"))
        except (FileNotFoundError, NotADirectoryError):
            return []


def folder_of(root: Path, dataset: str, product: str, target: str, month: str) -> Folder:
    """Returns where the rows of ``month`` belong."""
    path = root / dataset / f"product={_name(product)}" / f"target={_name(target)}" / f"month={month}"
    return Folder(product, target, month, path)


def folders(root: Path, dataset: str, product: str | None = None, target: str | None = None) -> list[Folder]:
    """Returns the months there are of one product and target, or of all where ``None``; in order."""
    found = []
    for path in (root / dataset).glob("product=*/target=*/month=*"):
        own_product, own_target, month = (part.partition("=")[2] for part in path.parts[-3:])
        own = Folder(unquote(own_product), unquote(own_target), month, path)
        if product in (None, own.product) and target in (None, own.target):
            found.append(own)
    return sorted(found)


def page_place(root: Path, product: str, target: str) -> Path:
    """Returns where the page of a target stands unless another place is given: beside the datasets."""
    return root / "pages" / _name(product) / _name(target) / "history.html"


def run_file(run_id: str) -> str:
    """Returns the name of the file of one run."""
    return f"run-{_name(run_id)}.parquet"


def run_named(path: Path) -> str | None:
    """Returns the run whose file ``path`` is by its name; ``None`` for any other file."""
    name = path.name
    return unquote(name[4:-8]) if name.startswith("run-") and name.endswith(".parquet") else None


def _name(text: str) -> str:
    # No name is hidden, and none leaves its folder.
    return quote(text, safe=" ,;@+") or "%00"


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Keeps other writers out. The lock ends with the process, however it ends; readers do not need it."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def workroom(root: Path) -> Path:
    """Returns the folder for what is not yet data. On the same file system, outside every dataset."""
    path = root / _WORK
    path.mkdir(parents=True, exist_ok=True)
    return path


def leftovers(root: Path) -> list[Path]:
    """Returns what writers that were killed left in the workroom. Only for who holds the lock."""
    return sorted((root / _WORK).iterdir()) if (root / _WORK).is_dir() else []


def clear(path: Path) -> None:
    """Removes a file or a folder of the workroom."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_parquet(root: Path, place: Path, dataset: str, table: pa.Table, runs: list[str]) -> Path:
    """Writes ``table`` to ``place``: whole or not at all, and on the disk when this returns. Raises ``OSError``."""
    handle, name = tempfile.mkstemp(dir=workroom(root))
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            metadata = {**(table.schema.metadata or {}), **marks(dataset, runs)}
            pq.write_table(
                table.replace_schema_metadata(metadata),
                file,
                row_group_size=ROWS_PER_GROUP,
                # With columns as short as these, another codec's beginnings cost more than all the rest of reading.
                compression="snappy",
                write_page_checksum=True,
            )
            file.flush()
            os.fsync(file.fileno())
        fresh.chmod(0o644)
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh.replace(place)
        synced(place.parent)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    return place


def synced(folder: Path) -> None:
    """Puts a folder's names on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
