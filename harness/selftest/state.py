"""Which runs were made already? One line per run, flushed as it ends, so that a walk can be taken up where it stopped.

The file's name carries a digest of what outcomes depend on: results of another hub, engine, suite or selection are
not used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

import harness
from harness.errors import InputError

__all__ = ["SOUND", "Result", "State", "fingerprint"]

SOUND = ""
"""The name under which a run without a defect is kept."""
_ROOMS = ("engine", "fspiop", "hub", "run", "suite")


@final
@dataclass(frozen=True, slots=True)
class Result:
    """One run with one defect over one part, or without one where ``defect`` is ``SOUND``."""

    defect: str
    part: str
    seconds: float
    checks: tuple[str, ...]
    """Of a sound run the checks that passed; else those that pass on the sound hub and did not here."""
    rooted: tuple[str, ...] = ()
    """Those of them that failed first in their case and blame the defect's component."""
    provisioning: tuple[str, ...] = ()
    """The provisioning's checks that failed."""
    suspects: tuple[str, ...] = ()
    """The components that the judge suspects, first suspect first."""
    problem: str = ""
    """Why the run is no evidence; empty where it is."""

    @property
    def is_caught(self) -> bool:
        """Whether the run showed the defect."""
        return not self.problem and bool(self.checks or self.provisioning)


@final
class State:
    """The results of a walk, kept in ``path``."""

    def __init__(self, path: Path) -> None:
        """Reads what ``path`` holds. Raises ``InputError`` on a line, but the last, that is none of ours."""
        self.path = path
        self._results: dict[tuple[str, str], Result] = {}
        if not path.exists():
            return
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        for number, line in enumerate(lines, start=1):
            if number == len(lines) and not line.endswith("\n"):
                continue  # the walk was cut off while it wrote
            try:
                values: dict[str, Any] = json.loads(line)
                self._keep(Result(**{name: _frozen(value) for name, value in values.items()}))
            except (ValueError, TypeError, AttributeError) as problem:
                raise InputError(
                    f"not a result: {problem}", file=path, place=f"line {number}", remedy="Remove the file"
                ) from None

    def add(self, result: Result) -> None:
        """Keeps ``result``."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        kept = self.path.read_bytes() if self.path.exists() else b""
        if kept and not kept.endswith(b"\n"):
            self.path.write_bytes(kept[: kept.rfind(b"\n") + 1])
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")
        self._keep(result)

    def get(self, defect: str, part: str) -> Result | None:
        """Returns the result of ``defect`` over ``part``; ``None`` where there is none that is evidence."""
        found = self._results.get((defect, part))
        return None if found is None or found.problem else found

    def of(self, defect: str) -> list[Result]:
        """Returns every result of ``defect``, in the order they were made."""
        return [result for result in self._results.values() if result.defect == defect]

    def _keep(self, result: Result) -> None:
        self._results.pop((result.defect, result.part), None)
        self._results[result.defect, result.part] = result


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def fingerprint(*parts: str, files: Iterable[Path] = ()) -> str:
    """Returns twelve hex digits that change with ``parts``, with ``files``, and with the hub and engine themselves."""
    digest = hashlib.sha256()
    package = Path(harness.__file__).parent
    sources = (path for room in _ROOMS for path in sorted((package / room).rglob("*.py")))
    for text in parts:
        digest.update(text.encode() + b"\0")
    for path in (*sources, *sorted(files)):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
