"""What does a Scheme want to see tested besides the release's suite? Its own cases, which run with it in one run.

They lie in ``scheme_rules/<scheme>/suites/<product>/``: native ``test_*.py``, Testing Toolkit collections, or both.
Their ids begin with that folder, so that none can be one of the product's, and no pin or baseline of the product knows
them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from harness.errors import CollectionError
from harness.suite.pin import suite_digest, suite_files
from harness.workspace import Workspace

__all__ = ["SchemeSuite", "find_scheme_suite"]


@final
@dataclass(frozen=True, slots=True)
class SchemeSuite:
    """A Scheme's own cases for a product, found and read."""

    folder: Path
    name: str
    """The folder as it begins the ids of its cases: relative to the workspace."""
    files: tuple[str, ...]
    """What holds cases, relative to ``folder``: nothing where there is no case file at all."""
    digest: str
    collections: tuple[Path, ...] = ()
    groups: dict[str, str] = field(default_factory=dict)
    """Of each collection's path, the group whose cases must run in one worker, in order."""
    problems: tuple[str, ...] = ()
    """Why files are missing here, where the caller chose to go on."""


def find_scheme_suite(
    workspace: Workspace, scheme: str | None, product: str, *, keep_going: bool = False
) -> SchemeSuite | None:
    """Returns the cases that ``scheme`` has of its own for ``product``, ``None`` where it has no folder of them.

    Raises ``CollectionError`` for a malformed collection; with ``keep_going`` it is one of the ``problems`` instead.
    """
    from harness.suite.ttk.folder import Suite, load_folder
    from harness.suite.ttk.ordering import needs_order

    folder = workspace.scheme_suite(scheme, product).resolve() if scheme else None
    if folder is None or not folder.is_dir():
        return None
    files = suite_files(folder)
    documents = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.json"))
    }
    suite, problems = Suite(folder, ()), list[CollectionError]()
    if documents:
        root = workspace.root.resolve()
        suite = load_folder(root, below=folder, on_problem=problems.append if keep_going else None)
    groups = {
        str(file.file): group.files[0]
        for group in needs_order(suite)
        for file in suite.files
        if file.collection.path in group.files
    }
    collections = tuple(file.file.resolve() for file in suite.files)
    native = [name for name in files if name.rpartition("/")[2].startswith("test_")]
    return SchemeSuite(
        folder=folder,
        name=workspace.relative(folder),
        files=(*native, *(path.relative_to(folder).as_posix() for path in collections)),
        digest=suite_digest({**files, **documents}),
        collections=collections,
        groups=groups,
        problems=tuple(str(problem) for problem in problems),
    )
