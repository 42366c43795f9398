"""Is the suite that runs the suite that belongs to the release? A pin fixes its case ids and the content of its files.

``suites/<product>/<version>.yaml`` is the pin; the digest covers every Python file of the suite folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import yaml
from pydantic import BaseModel, ConfigDict, Field

from harness.errors import SuiteError
from harness.yaml_document import read_yaml

__all__ = ["Pin", "PinCheck", "check_pin", "load_pin", "make_pin", "suite_digest", "suite_files", "write_pin"]


class Pin(BaseModel):
    """What a suite was when it was fixed for a release."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    product: str
    release: str
    digest: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    files: dict[str, str]
    cases: list[str] = Field(min_length=1)


@final
@dataclass(frozen=True, slots=True)
class PinCheck:
    """How a suite stands against its pin: ``match``, ``differs`` (and how) or ``absent``."""

    status: str
    digest: str | None = None
    differences: tuple[str, ...] = ()


def suite_files(folder: Path) -> dict[str, str]:
    """Returns the SHA-256 (hex) of every Python file below ``folder`` by relative path; line ends do not matter."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        if "__pycache__" not in path.parts:
            content = path.read_bytes().replace(b"\r\n", b"\n")
            found[path.relative_to(folder).as_posix()] = hashlib.sha256(content).hexdigest()
    return found


def suite_digest(files: Mapping[str, str]) -> str:
    """Returns one digest over the files of a suite, ``sha256:…``."""
    text = "".join(f"{name}\0{digest}\n" for name, digest in sorted(files.items()))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def make_pin(folder: Path, *, product: str, release: str, cases: Sequence[str]) -> Pin:
    """Returns the pin of the suite in ``folder`` with these cases."""
    files = suite_files(folder)
    return Pin(product=product, release=release, digest=suite_digest(files), files=files, cases=sorted(cases))


def write_pin(pin: Pin, path: Path) -> None:
    """Writes ``pin`` so that a diff of two pins reads well."""
    head = (
        "# Fixes the suite for this release: a run whose suite differs cannot approve. Made by `harness suite pin`.\n"
    )
    data: dict[str, Any] = pin.model_dump()
    path.write_text(head + yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=1000), encoding="utf-8")


def load_pin(path: Path) -> Pin | None:
    """Returns the pin in ``path``, or ``None`` where there is none. Raises ``SuiteError`` where it cannot be used."""
    return read_yaml(path, Pin, SuiteError, what="suite pin") if path.exists() else None


def check_pin(pin: Pin | None, *, files: Mapping[str, str], cases: Sequence[str] | None) -> PinCheck:
    """Returns how a suite of these ``files`` (and ``cases``, where known) stands against ``pin``."""
    if pin is None:
        return PinCheck("absent")
    differences = []
    for name in sorted(files.keys() | pin.files.keys()):
        if name not in files:
            differences.append(f"file {name} is gone")
        elif name not in pin.files:
            differences.append(f"file {name} is new")
        elif files[name] != pin.files[name]:
            differences.append(f"file {name} was changed")
    if cases is not None:
        differences += [f"case {name} is gone" for name in sorted(set(pin.cases) - set(cases))]
        differences += [f"case {name} is new" for name in sorted(set(cases) - set(pin.cases))]
    if not differences and suite_digest(pin.files) != pin.digest:
        differences.append("the pin contradicts itself: its digest is not that of its files")
    return PinCheck("differs" if differences else "match", pin.digest, tuple(differences))
