"""A night is killed where it hurts most; the next one finishes it: recorded once, told, never silently not told."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.history.reader import History, Selection
from harness.nightly.command import run
from harness.nightly.lock import Lock, lock_name
from harness.nightly.record import FINISHED, RUNNING, NightRecord
from harness.workspace import Workspace
from tests.nightly.lab import PLAN, QUICK, Lab
from tests.nightly.support import Answer, Receiver, receiver
from tests.support import environment, wait_for

DEFECT = "quote-accepted-200"
KILL = """
import os, signal, sys
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
{patch}
sys.argv = ["harness", "nightly", sys.argv[1]]
from harness.cli import main
main()
"""
POINTS = {
    "before it is judged": "import harness.validation as v; v.judge_folder = die",
    "before it is recorded": "import harness.history.store as s; s.append = die",
    "before the message is out": "import harness.nightly.messages.send as s; s._post = die",
    "after the message is out": (
        "import harness.nightly.messages.send as s; post = s._post; s._post = lambda *a: (post(*a), die())"
    ),
    "when all is told": "from harness.nightly import command as c; c.Telling.tell = (\n"
    "    lambda *a, tell=c.Telling.tell: (tell(*a), die()))",
}


@pytest.fixture(scope="module")
def broken(shared_lab: Lab) -> Iterator[Lab]:
    """A lab whose hub has a defect, so that the first night has something to tell."""
    with shared_lab.hub(DEFECT):
        yield shared_lab


@pytest.fixture
def lab(broken: Lab) -> Lab:
    broken.clear()
    return broken


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Receiver]:
    with receiver() as found:
        (tmp_path / "hook").write_text(found.url)
        yield found


def channel(tmp_path: Path) -> dict[str, Any]:
    return {"name": "ops", "kind": "json", "url": f"file:{tmp_path}/hook"}


def killed(lab: Lab, point: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILL.format(patch=POINTS[point]), PLAN], cwd=lab.root, env=environment(**QUICK),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done


def kept(lab: Lab) -> list[str]:
    dataset = lab.root / "reports" / "history"
    if not dataset.exists():
        return []
    runs: list[str] = History(dataset).runs(Selection("mojaloop", "lab"))["run_id"].to_pylist()
    return runs


def kinds(body: bytes) -> list[str]:
    return [one["kind"] for one in json.loads(body)["happenings"]]


@pytest.mark.parametrize("point", POINTS)
def test_killed_after_its_runs_it_is_recorded_once_and_told(
    lab: Lab, tmp_path: Path, told: Receiver, point: str
) -> None:
    lab.write(channels=[channel(tmp_path)])
    killed(lab, point)
    sent = 1 if point in ("after the message is out", "when all is told") else 0
    assert len(told.bodies) == sent
    again = lab.nightly()
    assert again.code == 1, again
    assert "was cut off: what it owes is done now" in again.out
    [night] = lab.nights()
    assert (night.job("night").state, night.exit_code) == (FINISHED, 1)
    assert len(night.resumed_at) == 1
    assert kept(lab) == [night.jobs[0].runs[0]["run_id"]]
    # who was killed with the message on its way cannot know whether it arrived: sent again, with the same id
    assert len(told.bodies) == (2 if point == "after the message is out" else 1), again.out
    assert len({json.loads(body)["id"] for body in told.bodies}) == 1
    assert kinds(told.bodies[-1])[:2] == ["new-regression", "rejected"]
    problems = night.jobs[0].problems
    assert problems == (["the night was cut off at judge native"] if point == "before it is judged" else [])
    assert not list(lab.root.glob("reports/nightly/*/outbox/*.json"))


def test_what_is_owed_on_a_target_in_use_stays_owed_until_it_is_free(
    lab: Lab, tmp_path: Path, told: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.nightly.job._LEFT_BEHIND_S", 2.0)
    for name, value in QUICK.items():
        monkeypatch.setenv(name, value)
    lab.write({"clean_up": ["clean-up.json"]}, channels=[channel(tmp_path)])
    cut_off(lab)
    workspace = Workspace(lab.root)
    said: list[str] = []
    ledger = f"http://127.0.0.1:{lab.ports['central-ledger']}"
    with Lock.acquire(lab.root / "reports/nightly/locks", lock_name(ledger), "somebody's drill"):
        for _ in range(2):
            assert run(workspace, lab.plan, None, "0s", said.append) == 2
    assert sum("still owed: the target is in use after 2 s of waiting: somebody's drill" in line for line in said) == 2
    first, second, third = lab.nights()
    assert (first.job("night").state, first.finished_at) == (RUNNING, "")
    assert second.job("night").problems[0].startswith("the target is in use: somebody's drill")
    assert third.job("night").problems[0].startswith("the target is in use: somebody's drill")
    assert kept(lab) == []
    # the same two mornings in a row is told once
    assert [json.loads(body)["night"] for body in told.bodies] == [second.night]

    said.clear()
    assert run(workspace, lab.plan, None, "0s", said.append) == 1
    assert f"night {first.night} was cut off: what it owes is done now" in said
    first, _, _, fourth = lab.nights()
    job = first.job("night")
    assert (job.state, first.exit_code) == (FINISHED, 2)
    assert job.problems == ["the night was cut off at suite native"]
    assert [stage.status for stage in job.stages if stage.name == "clean-up"] == ["ok"]
    assert kept(lab) == [job.runs[0]["run_id"], fourth.jobs[0].runs[0]["run_id"]]
    assert [json.loads(body)["night"] for body in told.bodies] == [second.night, first.night, fourth.night]


def test_a_job_whose_night_never_came_is_told(lab: Lab, tmp_path: Path, told: Receiver) -> None:
    lab.write({"name": "first"}, {"name": "second"}, channels=[channel(tmp_path)], resume_within="1s")
    cut_off(lab)
    again = lab.nightly()
    assert again.code == 1, again
    old, new = lab.nights()
    assert [(job.name, job.exit_code) for job in old.jobs] == [("first", 2), ("second", 2)]
    assert old.job("second").problems == ["not run: the night was cut off before it"]
    by_job = [(json.loads(body)["night"], json.loads(body)["job"]) for body in told.bodies]
    assert by_job == [(old.night, "first"), (old.night, "second"), (new.night, "first"), (new.night, "second")]
    assert kinds(told.bodies[1]) == ["inconclusive"]
    assert json.loads(told.bodies[1])["title"] == "lab: job second: not run: the night was cut off before it"


def test_a_message_on_its_way_is_not_sent_by_another_night(lab: Lab, tmp_path: Path) -> None:
    lab.write(channels=[channel(tmp_path)])
    with receiver(Answer(delay_s=4.0)) as slow:
        (tmp_path / "hook").write_text(slow.url)
        process = lab.start()
        wait_for(lambda: bool(slow.bodies) or process.poll() is not None, "the message", timeout_s=90)
        other = lab.nightly("--job", "night")
        assert "left to its night, which is not finished" in other.out
        out, _ = process.communicate(timeout=60)
    nights = [json.loads(body)["night"] for body in slow.bodies]
    assert Counter(nights)[lab.nights()[0].night] == 1, out


def cut_off(lab: Lab) -> NightRecord:
    """Kills a night in the middle of its first run."""
    (lab.suite / "hold").touch()
    process = lab.start()
    wait_for((lab.suite / "waiting").exists, "the run", timeout_s=90)
    process.kill()
    process.communicate(timeout=30)
    (lab.suite / "hold").unlink()
    return lab.nights()[-1]
