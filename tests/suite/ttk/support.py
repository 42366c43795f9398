"""Small collections to test with, written to a folder, and where the official ones are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

OSS = Path(__file__).parents[4] / "shared" / "oss" / "collections"


def request(name: str = "Send", **changes: Any) -> dict[str, Any]:
    """One request with one assertion."""
    tests = {"assertions": [{"id": "1", "description": "is accepted", "exec": ["expect(1).to.equal(1)"]}]}
    return {"id": name, "description": name, "method": "get", "operationPath": "/health", "tests": tests} | changes


def collection(*requests: dict[str, Any], name: str = "Happy") -> dict[str, Any]:
    """A collection of one case."""
    return {"name": name, "test_cases": [{"id": 1, "name": name, "requests": list(requests or [request()])}]}


def scripted(before: Sequence[str] = (), after: Sequence[str] = (), **changes: Any) -> dict[str, Any]:
    """A request with scripts."""
    scripts = {"preRequest": {"exec": list(before)}, "postRequest": {"exec": list(after)}}
    return request(scripts=scripts, **changes)


def write(root: Path, files: dict[str, Any]) -> Path:
    """Writes each document to its path below ``root``; text as it is, a list of names as a ``master.json``."""
    for name, document in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(document if isinstance(document, str) else json.dumps(document, indent=1), encoding="utf-8")
    return root


def master(*entries: dict[str, Any] | str) -> dict[str, Any]:
    """A ``master.json``; text names a file, or a folder where it has no ending."""
    order = [
        {"name": entry, "type": "file" if entry.endswith(".json") else "folder"} if isinstance(entry, str) else entry
        for entry in entries
    ]
    return {"order": order}
