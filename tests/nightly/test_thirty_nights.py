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
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.history.nights import nights_of
from harness.history.page.view import page_view
from harness.history.page.writer import history_page
from harness.history.reader import History, Selection
from harness.history.statistics import tell
from harness.nightly.command import run
from harness.workspace import Workspace
from tests.nightly.lab import PLAN, QUICK, Lab
from tests.nightly.support import receiver
from tests.support import environment

NIGHTS = 30
OUTAGE, KILLED = 12, 16
QUOTE, UNKNOWN, LOOK_UP = (
    "A quote is accepted", "A transfer that nobody sent is not found", "A look-up of nobody is declined",
)  # fmt: skip
SCHEDULE = {"quote-accepted-200": range(5, 9), "lookup-unknown-wrong-code": range(20, 25)}
FLAKY = "transfer-not-found-wrong-code"
_chance = random.Random(7)
FLAKY_NIGHTS = [night for night in range(NIGHTS) if _chance.random() < 0.1]
assert FLAKY_NIGHTS == [3, 6, 8, 10, 11, 21]

STORY: dict[int, list[tuple[str, str]]] = {
    3: [("new-regression", UNKNOWN), ("rejected", "")],  # it had never failed: the first failure counts
    4: [("back-to-green", "")],
    5: [("new-regression", QUOTE), ("rejected", "")],
    6: [("newly-flaky", UNKNOWN)],  # failed, passed, failed: told once, and never again
    9: [("back-to-green", "")],
    10: [("rejected", "")],  # nothing about the flaky check is new, and the verdict is
    11: [("fixed", QUOTE)],  # three clean nights: 9, 10, 11
    12: [("inconclusive", "")],  # the environment is down, and no check is blamed for it
    13: [("back-to-green", "")],
    15: [("fixed", UNKNOWN)],  # clean at 13, 14, 15: the night of the outage counts for nothing
    20: [("rejected", ""), ("newly-failing", LOOK_UP)],  # from 14 nights on, one failure may be chance
    22: [("new-regression", LOOK_UP)],  # three are not
    25: [("back-to-green", "")],
    27: [("fixed", LOOK_UP)],
}
"""What the messages tell, night by night: what changed, and in which case. Every other night is silent."""

KILL = """
import os, signal, sys
from harness.history import places
written = []
real = places.pq.write_table
def torn(table, file, **options):
    if written:
        file.write(b"PAR1")
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    written.append(table)
    return real(table, file, **options)
places.pq.write_table = torn
sys.argv = ["harness", "nightly", sys.argv[1]]
from harness.cli import main
main()
"""


def defects(night: int) -> tuple[str, ...]:
    broken = [name for name, nights in SCHEDULE.items() if night in nights]
    return (*broken, *([FLAKY] if night in FLAKY_NIGHTS else []))


def killed(lab: Lab) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILL, PLAN], cwd=lab.root, env=environment(**QUICK),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done


def test_history_and_messages_tell_the_story(shared_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = shared_lab
    lab.clear()
    for name, value in QUICK.items():
        monkeypatch.setenv(name, value)
    workspace = Workspace(lab.root)
    told: dict[int, list[tuple[str, str]]] = {}
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
                happenings = json.loads(body)["happenings"]
                # what has no result says so: a list of bare names would read as failures
                assert all(text for _, text in json.loads(body)["failures"]), body
                told[night] = [(one["kind"], "".join({c.split("::")[1] for c in one["checks"]})) for one in happenings]
    assert told == STORY, {night: told.get(night) for night in range(NIGHTS) if told.get(night) != STORY.get(night)}
    assert codes == [2 if night == OUTAGE else int(bool(defects(night))) for night in range(NIGHTS)]
    assert any("was cut off: what it owes is done now" in line for line in said[KILLED])
    assert any(line.startswith("history: ") and "killed" in line for line in said[KILLED])

    # the page says the same
    page = page_view(History(dataset), "lab")
    [suite] = page.suites
    assert (len(suite.nights), list(page.problems), list(suite.open)) == (NIGHTS, [], [])
    assert [night.run_id for night in suite.kept_out] == [suite.nights[NIGHTS - 1 - OUTAGE][0].run_id]
    runs = History(dataset).runs(Selection("mojaloop", "lab"))
    nights = nights_of(History(dataset), runs, "mojaloop", "lab", suite.suite)
    episodes = [(nights.checks[one.check].split("::")[1], one.since, one.closed) for one in tell(nights).episodes]
    assert episodes == [(UNKNOWN, 3, 15), (QUOTE, 5, 11), (LOOK_UP, 20, 27)]
    text = history_page(page)
    assert all(name in text for name in (UNKNOWN, QUOTE, LOOK_UP))
