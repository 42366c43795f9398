"""What touches the target runs in a process of its own: it can be ended when its time is up, and crashes alone.

``python -m harness.nightly.work ORDER.json`` carries out one order: a run of a suite, or collections around it.
It writes beside the order what became of it, and ends when whoever gave the order does.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from harness.errors import HarnessError
from harness.model.outcome import ExitCode

if TYPE_CHECKING:
    from harness.validation import Against

__all__ = ["COLLECTIONS", "RUN", "main"]

RUN: Final = "run"
COLLECTIONS: Final = "collections"
_LOOK_S = 0.5


def main(order_file: Path) -> int:
    """Carries out the order in ``order_file`` and writes its answer: ``{folder, error, exit_code, …}``."""
    order: dict[str, Any] = json.loads(order_file.read_text(encoding="utf-8"))
    patient = order["what"] == COLLECTIONS and order["patient"]
    # what cleans up goes on when it is told to stop: whoever gave the order waits for it, within its budget
    signal.signal(signal.SIGTERM, signal.SIG_IGN if patient else signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.SIG_IGN if patient else signal.default_int_handler)
    _end_with(order["parent"])
    answer: dict[str, Any] = {"error": "", "exit_code": 0}
    try:
        answer |= {RUN: _run, COLLECTIONS: _collections}[order["what"]](order)
    except HarnessError as problem:
        answer |= {"error": str(problem), "exit_code": problem.exit_code}
    except KeyboardInterrupt:
        answer |= {"error": "it was told to stop before it began", "exit_code": 2}
    except Exception as problem:
        import traceback

        traceback.print_exc()
        answer |= {"error": f"{type(problem).__name__}: {problem}", "exit_code": 4}
    new = order_file.with_suffix(".answer.new")
    new.write_text(json.dumps(answer, ensure_ascii=True), encoding="utf-8")
    new.replace(order_file.with_suffix(".answer"))
    return int(answer["exit_code"])


def _run(order: Mapping[str, Any]) -> dict[str, Any]:
    from rich.console import Console

    from harness.report.progress import LineProgress
    from harness.run.options import resolve_values
    from harness.sequence import carry_out, products_to_run

    values = _values(order)
    options = resolve_values(**values)
    # judged by whoever gave the order, once the target is cleaned up after
    done = carry_out(
        replace(options, blocked=order["blocked"]),
        products_to_run(options, values["target"], i_know=values["i_know"]),
        workers=order["workers"],
        against=_against(**order["against"]),
        listener=lambda: LineProgress(Console(file=sys.stdout, highlight=False)),
    )
    answer: dict[str, Any] = {"folder": str(done.folder)}
    if done.internal_error:
        return {**answer, "error": done.internal_error, "exit_code": ExitCode.INTERNAL}
    return {**answer, "error": done.problem, "exit_code": ExitCode.INCONCLUSIVE} if done.problem else answer


def _against(criteria: str | None, baseline: str | None, waivers: str | None) -> Against:
    from harness.validation import Against

    return Against(
        criteria=Path(criteria) if criteria else None, baseline=baseline, waivers=Path(waivers) if waivers else None
    )


def _collections(order: Mapping[str, Any]) -> dict[str, Any]:
    from harness.nightly.collections import run_collections
    from harness.run.options import resolve_values

    options = resolve_values(**_values(order))
    return run_collections(options, [Path(path) for path in order["collections"]], order["services"])


def _values(order: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(order["options"])
    environment = values.get("environment")
    return {**values, "start": Path(values["start"]), "environment": Path(environment) if environment else None}


def _end_with(parent: int) -> None:
    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_S)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
