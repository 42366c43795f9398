"""Where is the ``allure`` 3 command line, and what did it do? Nothing is downloaded unless it is asked for.

Looked for on PATH, in ``node_modules/.bin`` here and above, and in what ``npx`` has already. Allure 2, a program of the
same name, is told apart by its version.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.errors import ToolError
from harness.report.text import clean

__all__ = ["HOW_TO_GET_IT", "AllureCommand", "find_allure"]

HOW_TO_GET_IT: Final = (
    "Get it with npm install allure (Node.js 20 or newer) here or above, with npm install --global allure, or let "
    "--npx fetch it now; allure-results/ is written and can be built anywhere"
)
_PACKAGE: Final = "allure@3"
_ASK_S: Final = 60.0
_BUILD_S: Final = 900.0
_SHOWN: Final = 4000
"""Characters of a failing command's output that are shown, from its end."""


@dataclass(frozen=True, slots=True)
class AllureCommand:
    """An Allure 3 that answered."""

    words: tuple[str, ...]
    version: str

    def run(self, arguments: Sequence[str], cwd: Path, timeout_s: float = _BUILD_S) -> str:
        """Runs it and returns what it printed. Raises ``ToolError``, with the output, where it fails or hangs."""
        code, output = _run([*self.words, *arguments], cwd, timeout_s)
        if code != 0:
            ending = f"did not end within {timeout_s:.0f} s" if code is None else f"ended with exit code {code}"
            shown = clean(output).strip()[-_SHOWN:] or "(no output)"
            raise ToolError(
                f"allure {self.version} {ending}; it printed:\n{shown}\n",
                remedy="allure-results/ is kept: build it again with another allure 3",
            )
        return output


def find_allure(start: Sequence[Path], *, npx: bool = False) -> AllureCommand:
    """Returns the first Allure 3 there is, looked for from each folder of ``start`` upwards.

    ``npx`` lets npx download one where none is. Raises ``ToolError`` where none is found, saying how to get it.
    """
    others = []
    for words in _candidates(start, npx=npx):
        version = _version(words)
        if version and version.partition(".")[0] == "3":
            return AllureCommand(words, version)
        if version:
            others.append(f"{words[0]} is Allure {version}")
    seen = f" ({'; '.join(dict.fromkeys(others))})" if others else ""
    raise ToolError(f"no allure 3 command line is here{seen}", remedy=HOW_TO_GET_IT)


def _candidates(start: Sequence[Path], *, npx: bool) -> Iterator[tuple[str, ...]]:
    if (found := shutil.which("allure")) is not None:
        yield (found,)
    folders = dict.fromkeys(above for folder in start for above in (folder.resolve(), *folder.resolve().parents))
    for folder in folders:
        if (found := shutil.which("allure", path=str(folder / "node_modules" / ".bin"))) is not None:
            yield (found,)
    if (runner := shutil.which("npx")) is not None:
        yield (runner, "--offline", "--no", "--", _PACKAGE)
        if npx:
            yield (runner, "--yes", "--", _PACKAGE)


def _version(words: Sequence[str]) -> str:
    code, output = _run([*words, "--version"], Path.cwd(), _ASK_S)
    found = re.search(r"^\s*v?(\d+\.\d+\S*)\s*$", output, re.MULTILINE)
    return found[1] if code == 0 and found else ""


def _run(words: Sequence[str], cwd: Path, timeout_s: float) -> tuple[int | None, str]:
    """Returns exit code (``None``: it did not end in time, and was ended) and output, both streams in one."""
    environment = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "NODE_OPTIONS")}
    try:
        process = subprocess.Popen(
            list(words),
            cwd=cwd,
            env=environment | {"NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except OSError as problem:
        return 127, str(problem)
    try:
        output, _ = process.communicate(timeout=timeout_s)
    except BaseException as problem:
        # npx and npm start others: all of them end with it, also when somebody presses Ctrl-C.
        _end(process)
        if not isinstance(problem, subprocess.TimeoutExpired):
            raise
        return None, process.communicate()[0]
    return process.returncode, output


def _end(process: subprocess.Popen[str]) -> None:
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
