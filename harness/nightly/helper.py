"""How is an order carried out by a process of its own, in the time that it has, and what came of it?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from harness.report.files import json_bytes, write_file

__all__ = ["Done", "carry_out"]

_LOOK_S = 0.05
_GRACE_S = 45.0
"""What a run that is told to stop has for closing its journal and its servers."""


@final
@dataclass(frozen=True, slots=True)
class Done:
    """What came of an order."""

    answer: Mapping[str, Any]
    """``{error, exit_code, …}``, also where the process gave none."""
    cut_off: str
    """Why it was told to stop; empty where it came to its own end."""

    @property
    def error(self) -> str:
        """What was wrong, as a sentence; empty where nothing was."""
        return str(self.answer["error"])

    @property
    def exit_code(self) -> int:
        """0, or the documented exit code of what was wrong."""
        return int(self.answer["exit_code"])


def carry_out(
    file: Path,
    order: Mapping[str, Any],
    *,
    seconds: float,
    why_stop: Callable[[], str],
    started: Callable[[int], None] = lambda _: None,
    over: str,
) -> Done:
    """Writes ``order`` to ``file``, has it carried out for ``seconds`` at most, and returns what came of it.

    ``why_stop`` is asked now and then: a reason ends the work. ``over`` is the reason where the time is over.
    ``started`` hears the number of the process.
    """
    write_file(file, json_bytes({**order, "parent": os.getpid()}))
    answer_file = file.with_suffix(".answer")
    answer_file.unlink(missing_ok=True)
    # a session of its own: Ctrl-C goes to whoever gave the order, who decides what is to end
    process = subprocess.Popen(
        [sys.executable, "-m", "harness.nightly.work", str(file)], stdin=subprocess.DEVNULL, start_new_session=True
    )
    cut_off = ""
    try:
        started(process.pid)
        deadline = time.monotonic() + seconds
        kill_at = deadline + _GRACE_S
        while process.poll() is None:
            if not cut_off and (cut_off := why_stop() or (over if time.monotonic() >= deadline else "")):
                process.terminate()
                kill_at = time.monotonic() + _GRACE_S
            if cut_off and time.monotonic() >= kill_at:
                process.kill()
                process.wait()
            time.sleep(_LOOK_S)
    except BaseException:
        process.terminate()
        raise
    return Done(_answer(answer_file, process.returncode), cut_off)


def _answer(file: Path, code: int) -> dict[str, Any]:
    try:
        said: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return {**said, "error": str(said["error"]), "exit_code": int(said["exit_code"])}
    except (OSError, ValueError, KeyError, TypeError):
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return {"error": f"the process that worked on the target died ({how})", "exit_code": 4}
