"""Archives to import, honest and hostile, made with the standard library."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.model.release import ReleaseVersion
from harness.suite.imported.names import Limits
from harness.suite.imported.store import ImportedSuite, import_suite
from tests.suite.ttk.support import OSS, collection, master

TOP = "testing-toolkit-test-cases-17.1.0"
RELEASE = ReleaseVersion(17, 1, 0)
SMALL: dict[str, Any] = {
    "collections/hub/golden_path/master.json": master({"name": "a.json", "type": "file", "labels": ["p2p"]}),
    "collections/hub/golden_path/a.json": collection(name="A"),
    "collections/hub/provisioning/b.json": collection(name="B"),
    "environments/hub.json": {"inputValues": {}},
    "rules/hub/rules_callback/default.json": [],
    "package.json": {"name": "test-cases"},
    "collections/conftest.py": "raise SystemExit('this must never run')",
}


def texts(files: Mapping[str, Any]) -> dict[str, bytes]:
    return {
        name: value if isinstance(value, bytes) else (value if isinstance(value, str) else json.dumps(value)).encode()
        for name, value in files.items()
    }


def zipped(path: Path, files: Mapping[str, Any], *, top: str = TOP) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in texts(files).items():
            archive.writestr(f"{top}/{name}", content)
    return path


def tarred(path: Path, files: Mapping[str, Any], *, top: str = TOP, mode: Any = "w:gz") -> Path:
    with tarfile.open(path, mode, format=tarfile.PAX_FORMAT, pax_headers={"comment": "0" * 40}) as archive:
        folders = {parent.as_posix() for name in files for parent in Path(f"{top}/{name}").parents} - {"."}
        for name in sorted(folders):
            member = tarfile.TarInfo(name)
            member.type = tarfile.DIRTYPE
            archive.addfile(member)
        for name, content in texts(files).items():
            member = tarfile.TarInfo(f"{top}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def with_members(path: Path, members: Iterable[tarfile.TarInfo], mode: Any = "w:gz") -> Path:
    """The small suite, and ``members`` after it; what these declare as size is filled with blanks."""
    with tarfile.open(path, mode) as archive:
        for name, content in texts(SMALL).items():
            member = tarfile.TarInfo(f"{TOP}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for member in members:
            archive.addfile(member, io.BytesIO(b" " * member.size) if member.isreg() else None)
    return path


def with_entries(path: Path, entries: Iterable[tuple[zipfile.ZipInfo, bytes]]) -> Path:
    """The small suite, and ``entries`` after it."""
    zipped(path, SMALL)
    with zipfile.ZipFile(path, "a") as archive:
        for info, content in entries:
            archive.writestr(info, content)
    return path


def brought_in(
    source: Path, destination: Path, *, replace: bool = False, limits: Limits | None = None
) -> ImportedSuite:
    return import_suite(
        source, product="mojaloop", release=RELEASE, destination=destination, replace=replace, limits=limits
    )


def official(release: str) -> dict[str, Any]:
    root = OSS / release
    if not root.is_dir():
        pytest.skip(f"{root} is not here: the official collections are read from beside the project")
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*.json"))}
