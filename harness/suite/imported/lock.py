"""Are an imported suite's files still those that were imported? The lock beside them knows every digest."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from harness.errors import SuiteError
from harness.suite.imported.archive import digest_of_file
from harness.yaml_document import read_yaml

__all__ = ["LOCK", "Counts", "Lock", "Source", "differences", "digest_of", "read_lock", "write_lock"]

LOCK = "suite.lock.yaml"
_SHA256 = r"^sha256:[0-9a-f]{64}$"
_HEAD = "# Fixes an imported suite: one whose files differ is refused. Made by `harness suite import`.\n"


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Counts(_Frozen):
    """How much there is to run."""

    files: int = Field(ge=0)
    cases: int = Field(ge=0)
    requests: int = Field(ge=0)
    assertions: int = Field(ge=0)


class Source(_Frozen):
    """Where a suite came from: the name of the archive or folder, and for an archive the digest of its bytes."""

    kind: Literal["archive", "folder"]
    name: str
    digest: str | None = Field(default=None, pattern=_SHA256)


class Lock(_Frozen):
    """What a suite was when it was imported. ``digest`` covers product, release, files and counts, nothing else."""

    product: str
    release: str
    digest: str = Field(pattern=_SHA256)
    source: Source
    imported_at: str
    tool: str
    counts: dict[str, Counts]
    files: dict[str, str]
    left_out: list[str]
    """What the source holds beside: never stored, so nothing of it can run or be counted."""


def digest_of(*, product: str, release: str, files: dict[str, str], counts: dict[str, Counts]) -> str:
    """Returns one digest over what a suite is, ``sha256:…``; when and from what it was imported does not matter."""
    content = [product, release, files, {name: value.model_dump() for name, value in counts.items()}]
    return f"sha256:{hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()}"


def write_lock(lock: Lock, folder: Path) -> None:
    """Writes ``lock`` so that a diff of two reads well."""
    data: dict[str, Any] = lock.model_dump()
    text = _HEAD + yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=1000)
    (folder / LOCK).write_text(text, encoding="utf-8")


def read_lock(folder: Path) -> Lock:
    """Returns the lock of the suite in ``folder``. Raises ``SuiteError`` where there is none that can be used."""
    return read_yaml(folder / LOCK, Lock, SuiteError, what="lock of an imported suite")


def differences(folder: Path, lock: Lock) -> tuple[str, ...]:
    """Returns how the files in ``folder`` differ from ``lock``, by name; nothing where all is as imported."""
    found: list[str] = []
    made = digest_of(product=lock.product, release=lock.release, files=lock.files, counts=lock.counts)
    if made != lock.digest:
        found.append(f"{LOCK} was changed: its digest is not that of what it lists")
    present = _files(folder)
    for name in sorted(lock.files.keys() | present.keys()):
        path = present.get(name)
        if path is None:
            found.append(f"file {name} is missing")
        elif name not in lock.files:
            found.append(f"file {name} was added")
        elif path.is_symlink() or not path.is_file():
            found.append(f"file {name} is no plain file any more")
        elif digest_of_file(path) != lock.files[name]:
            found.append(f"file {name} was changed")
    return tuple(found)


def _files(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}

    def unreadable(problem: OSError) -> None:
        raise SuiteError(f"cannot be read: {problem.strerror or problem}", file=problem.filename) from problem

    for at, folders, names in os.walk(folder, onerror=unreadable):
        links = [name for name in folders if Path(at, name).is_symlink()]
        for name in (*names, *links):
            path = Path(at, name)
            found[path.relative_to(folder).as_posix()] = path
    found.pop(LOCK, None)
    return found
