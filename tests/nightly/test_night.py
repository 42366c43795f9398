"""Nights in real processes, with real signals: whatever ends one, its target is cleaned up after, nothing is lost."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.nightly.command import run
from harness.nightly.record import FINISHED, NightRecord
from harness.run.reader import read_journal
from harness.workspace import Workspace
from tests.nightly.lab import Lab
from tests.support import wait_for


@pytest.fixture(scope="module")
def well(shared_lab: Lab) -> Iterator[Lab]:
    """A lab whose hub is well."""
    with shared_lab.hub():
        yield shared_lab


@pytest.fixture
def lab(well: Lab) -> Lab:
    well.clear()
    return well


def held(lab: Lab) -> subprocess.Popen[str]:
    """Starts a night and returns once its run is in the middle of a case."""
    (lab.suite / "hold").touch()
    (lab.suite / "waiting").unlink(missing_ok=True)
    process = lab.start()
    waiting = lab.suite / "waiting"
    wait_for(lambda: waiting.exists() or process.poll() is not None, "the case", timeout_s=90)
    assert process.poll() is None, process.communicate()[0]
    return process


def stages(night: NightRecord, job: str = "night") -> dict[str, str]:
    return {one.name: one.status for one in night.job(job).stages}


def interrupted(lab: Lab, night: NightRecord) -> bool:
    run = str(night.jobs[0].runs[0]["run_id"])
    return "interrupted" in {record.type for record in read_journal(lab.root / "reports/runs" / run).records}


def test_of_two_nights_at_once_one_runs_and_told_to_stop_it_cleans_up(lab: Lab) -> None:
    lab.write({"clean_up": ["clean-up.json"]}, {"name": "second"})
    first = held(lab)
    busy = lab.nightly("--job", "night")
    assert busy.code == 2
    assert "the target is in use: job night of night" in busy.out
    assert not (lab.root / "reports/prometheus").exists()
    first.send_signal(signal.SIGTERM)
    out, _ = first.communicate(timeout=120)
    assert first.returncode == 2, out
    [night] = [one for one in lab.nights() if len(one.jobs) == 2]
    assert stages(night)["clean-up"] == "ok", out
    assert stages(night)["positions after"] == "ok"
    assert interrupted(lab, night)
    assert night.jobs[0].runs[0]["verdict"].startswith("INCONCLUSIVE")
    assert (night.job("second").exit_code, list(stages(night, "second"))) == (2, ["notify"])
    assert "not run: the night was told to stop (SIGTERM)" in out
    figures = (lab.root / "reports/prometheus/example-nightly-night.prom").read_text()
    assert 'verdict="INCONCLUSIVE",rehearsal="true"} 1' in figures


def test_a_night_over_its_time_is_ended_in_order(lab: Lab) -> None:
    lab.write({"clean_up": ["clean-up.json"], "time_budget": "6s"})
    (lab.suite / "hold").touch()
    ended = lab.nightly()
    assert ended.code == 2, ended
    assert "the time budget of 6s was over" in ended.out
    [night] = lab.nights()
    assert stages(night)["suite native"] == "cut off"
    assert stages(night)["clean-up"] == "ok"


def test_killed_in_mid_run_it_is_gone_on_with(lab: Lab) -> None:
    lab.write({"name": "first"}, {"clean_up": ["clean-up.json"]})
    process = lab.start()

    def first_is_done() -> bool:
        return any(night.job("first").state == FINISHED for night in lab.nights())

    wait_for(first_is_done, "the first job", timeout_s=90)
    (lab.suite / "hold").touch()
    wait_for((lab.suite / "waiting").exists, "the second job", timeout_s=90)
    process.kill()
    process.communicate(timeout=30)
    (lab.suite / "hold").unlink()
    again = lab.nightly()
    assert again.code == 2, again
    assert "was cut off: what it owes is done now" in again.out
    assert "job first: was finished before the night was cut off, exit code 0" in again.out
    [night] = lab.nights()
    assert [(job.name, job.exit_code, len(job.runs)) for job in night.jobs] == [("first", 0, 1), ("night", 2, 1)]
    assert stages(night)["clean-up"] == "ok"
    assert "the night was cut off at suite native" in night.job("night").problems
    assert night.job("night").runs[0]["verdict"].startswith("INCONCLUSIVE")


def test_funds_that_are_not_back_are_not_silent(lab: Lab, tmp_path: Path) -> None:
    hook = {"name": "ops", "kind": "slack", "url": f"file:{tmp_path}/hook"}
    (lab.suite / "spend").touch()
    lab.write({"notify": []}, channels=[hook])
    ended = lab.nightly()
    assert ended.code == 2, ended
    assert "nightfsp SETTLEMENT USD: 0 before, -7 after" in ended.out
    [night] = lab.nights()
    assert night.jobs[0].runs[0]["exit_code"] == 0
    assert stages(night)["positions after"] == "failed"
    # a dry run runs nothing, shows the message of the last night, and what would keep it from being sent
    lab.write(channels=[hook])
    before = sorted(lab.root.rglob("*"))
    shown = lab.nightly("--dry-run")
    assert (shown.code, "hook cannot be read" in shown.out) == (3, True)
    [card] = [json.loads(line) for line in shown.out.splitlines() if line.startswith("{")]
    assert "balances are not what they were" in card["text"]
    assert sorted(lab.root.rglob("*")) == before


def test_wrong_usage_is_told(lab: Lab) -> None:
    lab.write()
    for job, wait, said in (("none", "0s", "no job is called 'none'"), (None, "soon", "no length of time")):
        with pytest.raises(HarnessError, match=said) as caught:
            run(Workspace(lab.root), lab.plan, job, wait, print)
        assert caught.value.exit_code == 3
    assert lab.nights() == []
