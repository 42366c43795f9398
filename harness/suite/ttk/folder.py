"""Which collections does a folder hold, in which order, and with which labels? As the reference engine has it.

Files are sorted by path as ``localeCompare`` sorts, then as each ``master.json`` says; labels come down from folders.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Never, TypeAlias, final

from harness.errors import CollectionError
from harness.model.ids import CheckId
from harness.suite.ttk.collation import collation_key
from harness.suite.ttk.jsontext import read_json
from harness.suite.ttk.loader import collection_of
from harness.suite.ttk.master import MASTER, Listed, read_master
from harness.suite.ttk.model import Case, Collection

__all__ = ["Suite", "SuiteFile", "labels_of", "load_folder", "root_of"]

_Tree: TypeAlias = "dict[str, _Tree | Path]"
_INTEGER = re.compile(r"0|[1-9]\d{0,9}")


@final
@dataclass(frozen=True, slots=True)
class SuiteFile:
    """One collection in its place. ``file`` is where it was read: of a ``fileRef``, the file referred to."""

    file: Path
    labels: tuple[str, ...]
    collection: Collection


@final
@dataclass(frozen=True, slots=True)
class Suite:
    """The collections below ``root``, in the order they run; each case carries the labels it inherits."""

    root: Path
    files: tuple[SuiteFile, ...]
    environments: tuple[str, ...] = ()
    """Paths of files with input values; they are none of the suite's cases."""
    rules: tuple[str, ...] = ()
    """Paths of rule files for the simulated DFSPs."""
    notes: tuple[str, ...] = ()
    """What is odd and does no harm: an entry of a ``master.json`` for which there is nothing."""
    problems: tuple[CollectionError, ...] = ()
    """Why files are missing here, where whoever loaded chose to go on."""

    @property
    def cases(self) -> tuple[Case, ...]:
        """Every case, in order."""
        return tuple(case for file in self.files for case in file.collection.cases)

    @property
    def checks(self) -> tuple[CheckId, ...]:
        """Every check, in order."""
        return tuple(check for file in self.files for check in file.collection.checks)


def load_folder(
    root: Path, *, below: Path | None = None, on_problem: Callable[[CollectionError], None] | None = None
) -> Suite:
    """Returns the suite in ``root``; ids are relative to it. ``below`` takes only that folder or file of it.

    Labels and order come from every ``master.json`` from ``root`` down. The first malformed file raises
    ``CollectionError``; with ``on_problem`` every one is handed over instead and the rest is loaded.
    """
    loading = _Loading(root, _inside(root, below), on_problem or _raise)
    loading.load()
    return Suite(
        root=root,
        files=tuple(loading.files),
        environments=tuple(loading.environments),
        rules=tuple(loading.rules),
        notes=tuple(loading.notes),
        problems=tuple(loading.problems),
    )


def root_of(path: Path) -> Path:
    """Returns the root that ids below ``path``, a collection or a folder of them, are relative to.

    It is the nearest folder ``collections``, ``path`` included; else the folder itself, or the file's own.
    """
    folder = path if path.is_dir() else path.parent
    named = (one for one in (folder, *folder.parents) if one.name == "collections")
    return next(named, folder)


def labels_of(file: Path, *, root: Path) -> tuple[str, ...]:
    """Returns the labels that ``file`` inherits from every ``master.json`` from ``root`` down.

    Raises ``CollectionError`` where one of these is malformed or the file is not below ``root``.
    """
    labels: tuple[str, ...] = ()
    folder = root
    for name in _inside(root, file).split("/"):
        master = folder / MASTER
        listed = read_master(master) if master.is_file() else ()
        labels = _joined(labels, next((entry.labels for entry in listed if entry.name == name), ()))
        folder /= name
    return labels


def _inside(root: Path, path: Path | None) -> str:
    if path is None:
        return ""
    try:
        relative = path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError as problem:
        raise CollectionError(
            f"is not under the suite's root {root}", file=path, remedy="Name a root that holds the file"
        ) from problem
    return "" if relative == "." else relative


def _raise(problem: CollectionError) -> Never:
    raise problem


def _joined(labels: Iterable[str], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*labels, *more)))


@final
class _Loading:
    def __init__(self, root: Path, below: str, on_problem: Callable[[CollectionError], None]) -> None:
        self.root = root
        self.below = below
        self.on_problem = on_problem
        self.files: list[SuiteFile] = []
        self.environments: list[str] = []
        self.rules: list[str] = []
        self.notes: list[str] = []
        self.problems: list[CollectionError] = []

    def load(self) -> None:
        if not self.root.is_dir():
            return self.complain(CollectionError("is no folder", file=self.root, remedy="Check the path"))
        self.folder(self.tree(), "", ())
        if not self.files and not self.problems:
            where = self.root / self.below
            remedy = "Name a folder of Testing Toolkit collections"
            self.complain(CollectionError("holds no collection", file=where, remedy=remedy))
        return None

    def complain(self, problem: CollectionError) -> None:
        self.problems.append(problem)
        self.on_problem(problem)

    def wanted(self, path: str) -> bool:
        """Whether ``path`` is ``below``, or holds it."""
        return not self.below or f"{path}/".startswith(f"{self.below}/") or f"{self.below}/".startswith(f"{path}/")

    def tree(self) -> _Tree:
        """Every JSON file, in folders whose entries stand as their first file does in the sorted paths."""
        tree: _Tree = {}
        for path in sorted(self.json_files(), key=collation_key):
            folder = tree
            *parents, name = path.split("/")
            for parent in parents:
                inner = folder.setdefault(parent, {})
                assert isinstance(inner, dict)
                folder = inner
            folder[name] = self.root / path
        return tree

    def json_files(self) -> Iterator[str]:
        for at, folders, names in os.walk(self.root, onerror=self.unreadable):
            for path in (Path(at, name) for name in (*folders, *names)):
                relative = path.relative_to(self.root).as_posix()
                wanted = self.wanted(relative)
                if path.is_symlink() and wanted:
                    remedy = "Put the file or folder itself there"
                    self.complain(CollectionError("is a link, which is not followed", file=path, remedy=remedy))
                elif path.name in names and (path.name == MASTER or (wanted and path.name.lower().endswith(".json"))):
                    yield relative
            folders[:] = [name for name in folders if self.wanted(Path(at, name).relative_to(self.root).as_posix())]

    def unreadable(self, problem: OSError) -> None:
        self.complain(CollectionError(f"cannot be read: {problem.strerror or problem}", file=problem.filename))

    def folder(self, tree: _Tree, path: str, labels: tuple[str, ...]) -> None:
        listed = self.listed(tree, path)
        for entry in listed:
            here = posixpath.join(path, entry.name)
            if not self.wanted(here):
                continue
            if entry.reference is not None:
                self.reference(entry, entry.reference, path, labels)
            elif entry.name in tree:
                self.entry(tree[entry.name], here, _joined(labels, entry.labels))
            elif not (self.root / here).exists():
                master = posixpath.join(path, MASTER)
                self.notes.append(f"{master}, {entry.place}: lists {entry.name!r}, and there is none")
        names = {entry.name for entry in listed}
        for name in sorted(tree, key=_integers_first):
            if name not in names and name != MASTER and self.wanted(posixpath.join(path, name)):
                self.entry(tree[name], posixpath.join(path, name), labels)

    def listed(self, tree: _Tree, path: str) -> tuple[Listed, ...]:
        master = tree.get(MASTER)
        if not isinstance(master, Path):
            return ()
        try:
            return read_master(self.regular(master))
        except CollectionError as problem:
            self.complain(problem)
            return ()

    def entry(self, entry: _Tree | Path, path: str, labels: tuple[str, ...]) -> None:
        if isinstance(entry, dict):
            self.folder(entry, path, labels)
        else:
            self.file(entry, path, labels)

    def reference(self, entry: Listed, target: str, path: str, labels: tuple[str, ...]) -> None:
        """A ``fileRef``: the cases of another file, under this folder's path and labels."""
        name = posixpath.normpath(target[1:] if target.startswith("/") else posixpath.join(path, target))
        file = self.root / name
        master = self.root / path / MASTER
        remedy = "Mend the path: it is relative to this folder, or with a leading / to the suite's"
        if name.startswith("../") or name == ".." or not file.is_file():
            message = f"refers to {target!r}, which is no file of this suite"
            self.complain(CollectionError(message, file=master, place=entry.place, remedy=remedy))
        elif (self.root / path / entry.name).exists():
            message = f"{entry.name!r} refers to another file, and is itself one of this folder"
            self.complain(CollectionError(message, file=master, place=entry.place, remedy="Give it another name"))
        else:
            self.file(file, posixpath.join(path, entry.name), labels)

    def file(self, file: Path, path: str, labels: tuple[str, ...]) -> None:
        try:
            value, text = read_json(self.regular(file))
            if _is_environment(value):
                self.environments.append(path)
            elif _are_rules(value, path):
                self.rules.append(path)
            else:
                collection = collection_of(value, text, file=file, path=path)
                cases = tuple(replace(case, labels=labels) for case in collection.cases)
                self.files.append(SuiteFile(file, labels, replace(collection, cases=cases)))
        except CollectionError as problem:
            self.complain(problem)

    def regular(self, file: Path) -> Path:
        """``file``, unless reading it could block or go elsewhere."""
        try:
            if stat.S_ISREG(file.lstat().st_mode) and file.resolve().is_relative_to(self.root.resolve()):
                return file
        except OSError as problem:
            raise CollectionError(f"cannot be read: {problem.strerror or problem}", file=file) from problem
        raise CollectionError("is no plain file of this folder", file=file, remedy="Put the file itself there")


def _integers_first(name: str) -> tuple[bool, int]:
    # A JavaScript object lists keys that are array indexes first, by value, and the others as they came.
    index = int(name) if _INTEGER.fullmatch(name) else 2**32
    return (False, index) if index < 2**32 - 1 else (True, 0)


def _is_environment(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("inputValues"), dict) and "test_cases" not in value


def _are_rules(value: Any, path: str) -> bool:
    if value == []:
        return any(part.startswith("rules") for part in path.split("/")[:-1])
    return isinstance(value, list) and all(
        isinstance(rule, dict) and "conditions" in rule and "event" in rule for rule in value
    )
