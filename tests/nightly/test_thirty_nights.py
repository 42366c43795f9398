"""Thirty nights on the embedded hub: history and messages tell exactly the story of what was broken, and when.

Defects are switched on and off by a schedule, one fails now and then (probability 0.1, seeded), one night the
environment is down, and one night the harness is killed while it writes the history.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import textwrap
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.history.nights import nights_of
from harness.history.reader import History, Selection
from harness.history.statistics import tell
from harness.nightly.command import run
from harness.workspace import Workspace
from tests.nightly.lab import PLAN, QUICK, Lab
from tests.nightly.support import receiver
from tests.support import environment

NIGHTS = 30
OUTAGE, KILLED = 12, 16
QUOTE = "test_lab.py::A quote is accepted::POST /quotes::response status"
LOOK_UP = "lookup-unknown-wrong-code"
SCHEDULE = {"quote-accepted-200": range(5, 9), LOOK_UP: range(20, 25)}
FLAKY = "transfer-not-found-wrong-code"
_chance = random.Random(7)
FLAKY_NIGHTS = [night for night in range(NIGHTS) if _chance.random() < 0.1]

KILL = """
import os, signal, sys
from harness.history import store
written = []
real = store.write_parquet
def torn(root, path, *given):
    if written:
        os.kill(os.getpid(), signal.SIGKILL)
    written.append(path)
    return real(root, path, *given)
store.write_parquet = torn
sys.argv = ["harness", "nightly", sys.argv[1]]
from harness.cli import main
main()
"""


def defects(night: int) -> tuple[str, ...]:
    broken = [name for name, nights in SCHEDULE.items() if night in nights]
    return (*broken, *([FLAKY] if night in FLAKY_NIGHTS else []))


def killed(lab: Lab) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILL), PLAN], cwd=lab.root, env=environment(**QUICK),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done


def test_history_and_messages_tell_the_story(shared_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = shared_lab
    lab.clear()
    for name, value in QUICK.items():
        monkeypatch.setenv(name, value)
    workspace = Workspace(lab.root)
    told: dict[int, list[tuple[str, list[str], str]]] = {}
    codes: list[int] = []
    said: dict[int, list[str]] = {}
    dataset = lab.root / "reports" / "history"
    with receiver() as found, ExitStack() as hub:
        monkeypatch.setenv("HOOK", found.url)
        lab.write(channels=[{"name": "ops", "kind": "json", "url": "env:HOOK"}])
        running: tuple[str, ...] | None = None
        for night in range(NIGHTS):
            wanted = None if night == OUTAGE else defects(night)
            if wanted is None or wanted != running:
                hub.close()
                if wanted is not None:
                    hub.enter_context(lab.hub(*wanted))
                running = wanted
            if night == KILLED:
                killed(lab)
                # whoever reads now reads what was there before
                assert len(History(dataset).runs(Selection("mojaloop", "lab"))) == night
            lines = said[night] = []
            before = len(found.bodies)
            codes.append(run(workspace, Path(lab.plan), None, "0s", lines.append))
            for body in found.bodies[before:]:
                document = json.loads(body)
                told.setdefault(night, []).extend(
                    (one["kind"], one["checks"], one["component"]) for one in document["happenings"]
                )
    history = History(dataset)
    runs = history.runs(Selection("mojaloop", "lab"))
    assert len(runs) == NIGHTS
    assert history.problems == ()
    print(json.dumps({"codes": codes, "told": told, "flaky": FLAKY_NIGHTS, "killed": said[KILLED]}, indent=1))
    nights = nights_of(history, runs, "mojaloop", "lab", "mojaloop")
    for one in tell(nights).changes:
        print(one.night, one.kind, [nights.checks[row] for row in one.checks])
