"""Whatever kills a run, the journal stays readable, and the verdict on it is never an approval."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from harness.run.reader import read_journal
from tests.support import RELEASE, WAITING, approved_workspace, harness, make_workspace, start, wait_for

WAITS = "test_waiting.py::Waits until it is told to go on"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return make_workspace(tmp_path, {"test_waiting.py": WAITING})


def running(workspace: Path, workers: int) -> subprocess.Popen[str]:
    """Starts a run called ``doomed`` and returns once a case is in the middle of its work."""
    process = start("run", RELEASE, "--scheme", "example", "-n", str(workers), "--run-id", "doomed", cwd=workspace)
    waiting = workspace / "suites/mojaloop/waiting"
    wait_for(lambda: (waiting.exists() and waiting.read_text() != "") or process.poll() is not None, "the case")
    assert process.poll() is None, process.communicate()[0]
    return process


def verdict_on(workspace: Path) -> dict[str, object]:
    ended = harness("judge", "doomed", "--json", cwd=workspace)
    assert ended.code == 2, ended
    verdict: dict[str, object] = json.loads(ended.out)
    assert str(verdict["verdict"]).startswith("INCONCLUSIVE")
    return verdict


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"


def children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found + [grandchild for child in found for grandchild in children(child)]


@pytest.mark.parametrize("workers", [0, 2])
def test_kill_9_of_the_controller(workspace: Path, workers: int) -> None:
    process = running(workspace, workers)
    mine = children(process.pid)
    process.kill()
    process.wait(timeout=20)
    journal = read_journal(workspace / "reports/runs/doomed")
    assert not journal.damage
    assert "run-finished" not in {record.type for record in journal.records}
    verdict = verdict_on(workspace)
    assert WAITS in json.dumps(verdict)
    (workspace / "suites/mojaloop/go").touch()
    process.communicate(timeout=60)
    for child in mine:
        wait_for(lambda child=child: gone(child), f"process {child} to follow its controller")


def test_kill_9_of_a_worker(workspace: Path) -> None:
    process = running(workspace, 2)
    os.kill(int((workspace / "suites/mojaloop/waiting").read_text()), signal.SIGKILL)
    (workspace / "suites/mojaloop/go").touch()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 2, out
    verdict = verdict_on(workspace)
    assert WAITS in json.dumps(verdict)
    assert "worker" in json.dumps(verdict["reasons"])
    kinds = [record.type for record in read_journal(workspace / "reports/runs/doomed").records]
    assert "worker-lost" in kinds
    assert kinds.count("case-finished") == 2


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_polite_signal_ends_the_run_in_order(workspace: Path, workers: int, number: signal.Signals) -> None:
    process = running(workspace, workers)
    mine = children(process.pid)
    process.send_signal(number)
    (workspace / "suites/mojaloop/go").touch()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 2, out
    assert "INCONCLUSIVE" in out
    journal = read_journal(workspace / "reports/runs/doomed")
    assert not journal.damage
    assert "interrupted" in {record.type for record in journal.records}
    verdict_on(workspace)
    for child in mine:
        wait_for(lambda child=child: gone(child), f"process {child} to end with its controller")


def test_no_beginning_of_a_journal_is_ever_approved(tmp_path: Path) -> None:
    """A run may be cut off anywhere: every shorter journal than the whole one is inconclusive."""
    from harness.judge.evidence import evidence_from_records
    from harness.judge.verdict import judge
    from harness.model.outcome import VerdictKind
    from harness.validation import judge_folder
    from harness.workspace import Workspace

    workspace = approved_workspace(tmp_path)
    assert harness("run", RELEASE, "--scheme", "example", "-n", "0", "--run-id", "good", cwd=workspace).code == 0
    folder = workspace / "reports/runs/good"
    whole = judge_folder(Workspace(workspace), folder)
    assert whole.judged.verdict.kind is VerdictKind.APPROVED
    raw = (folder / "journal.jsonl").read_bytes()
    lines = raw.splitlines(keepends=True)
    for count in range(len(lines)):
        (folder / "journal.jsonl").write_bytes(b"".join(lines[:count]) + lines[count][: len(lines[count]) // 2])
        cut = judge_folder(Workspace(workspace), folder).judged.verdict
        assert cut.kind is VerdictKind.INCONCLUSIVE, count
        records = whole.records[:count]
        evidence = evidence_from_records(records)
        assert judge(evidence, whole.judged.baseline, None, None).verdict.kind is VerdictKind.INCONCLUSIVE
        without = b"".join(line for number, line in enumerate(lines) if number != count)
        (folder / "journal.jsonl").write_bytes(without)
        assert judge_folder(Workspace(workspace), folder).judged.verdict.kind is VerdictKind.INCONCLUSIVE, count


def test_a_full_disk_is_no_approval(workspace: Path) -> None:
    """The journal's file system fills up in mid-run: what cannot be written is not made up for."""
    import resource

    (workspace / "suites/mojaloop/go").touch()

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    from tests.support import command, environment

    done = subprocess.run(
        command(["run", RELEASE, "--scheme", "example", "-n", "0", "--run-id", "doomed"]),
        cwd=workspace,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=small_files,
        check=False,
    )
    assert done.returncode in (2, 3, 4), done
    assert "APPROVED" not in done.stdout
    verdict_on(workspace)
