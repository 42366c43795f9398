"""One night at a time has a target; a lock whose holder is gone is recognised, one whose holder lives is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import TargetBusyError
from harness.nightly.lock import Lock, lock_name
from harness.nightly.processes import Process
from tests.support import wait_for


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


def write(
    folder: Path, process: Process, *, helpers: tuple[Process, ...] = (), age_s: float = 0, lease_s: float = 120
) -> Path:
    path = folder / "t.lock"
    document = {
        "token": "other", "process": process.to_json(), "helpers": [one.to_json() for one in helpers],
        "what": "job x of night y", "since": "2026-11-25T01:00:00.000Z", "lease_s": lease_s,
    }  # fmt: skip
    path.write_text(json.dumps(document))
    when = time.time() - age_s
    os.utime(path, (when, when))
    return path


def gone() -> Process:
    child = sleeper()
    process = Process.of(child.pid)
    child.kill()
    child.wait()
    return process


def elsewhere() -> Process:
    return replace(Process.me(), host="another-machine")


def test_a_target_is_had_once_and_given_back(tmp_path: Path) -> None:
    with Lock.acquire(tmp_path, "t", "first") as lock:
        assert lock.took_over == ""
        with pytest.raises(TargetBusyError, match="in use: first") as caught:
            Lock.acquire(tmp_path, "t", "second")
        assert caught.value.exit_code == 2
        Lock.acquire(tmp_path, "other", "second").release()
    Lock.acquire(tmp_path, "t", "third").release()
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".guard"] == []


def test_a_second_waits_for_it(tmp_path: Path) -> None:
    import threading

    first, said = Lock.acquire(tmp_path, "t", "first"), list[str]()
    threading.Timer(0.3, first.release).start()
    with Lock.acquire(tmp_path, "t", "second", wait_s=20, tell=said.append):
        pass
    assert len(said) == 1
    assert "waiting up to 20 s" in said[0]


def test_it_stops_waiting_when_it_is_told_to(tmp_path: Path) -> None:
    with Lock.acquire(tmp_path, "t", "first"), pytest.raises(TargetBusyError):
        Lock.acquire(tmp_path, "t", "second", wait_s=60, stopped=lambda: True)


def test_a_lock_whose_process_has_ended_is_taken_over_and_said(tmp_path: Path) -> None:
    dead = gone()
    write(tmp_path, dead)
    with Lock.acquire(tmp_path, "t", "second") as lock:
        assert f"its process {dead.pid} has ended" in lock.took_over
        assert "job x of night y" in lock.took_over


def test_a_number_that_was_given_out_again_is_another_process(tmp_path: Path) -> None:
    write(tmp_path, replace(Process.me(), began="earlier"))
    Lock.acquire(tmp_path, "t", "second").release()


def test_a_lock_whose_process_lives_holds_however_old_it_is(tmp_path: Path) -> None:
    write(tmp_path, Process.me(), age_s=10_000)
    with pytest.raises(TargetBusyError):
        Lock.acquire(tmp_path, "t", "second")


def test_what_it_left_working_on_the_target_holds_the_lock(tmp_path: Path) -> None:
    child = sleeper()
    try:
        write(tmp_path, gone(), helpers=(Process.of(child.pid),))
        with pytest.raises(TargetBusyError):
            Lock.acquire(tmp_path, "t", "second")
    finally:
        child.kill()
        child.wait()
    Lock.acquire(tmp_path, "t", "second").release()


@pytest.mark.parametrize(("age_s", "stale"), [(0, False), (100, False), (130, True)])
def test_another_machines_lock_holds_for_its_lease(tmp_path: Path, age_s: float, stale: bool) -> None:
    write(tmp_path, elsewhere(), age_s=age_s)
    if stale:
        with Lock.acquire(tmp_path, "t", "second") as lock:
            assert "nobody has heard of it for 1" in lock.took_over
    else:
        with pytest.raises(TargetBusyError, match="on another-machine"):
            Lock.acquire(tmp_path, "t", "second")


def test_a_holder_is_heard_of(tmp_path: Path) -> None:
    with Lock.acquire(tmp_path, "t", "first", lease_s=0.6) as lock:
        before = lock.path.stat().st_mtime_ns
        wait_for(lambda: lock.path.stat().st_mtime_ns > before, "the holder to touch its lock", timeout_s=10)


def test_a_holder_that_lost_it_knows_and_leaves_the_others_alone(tmp_path: Path) -> None:
    lock = Lock.acquire(tmp_path, "t", "first", lease_s=0.6)
    path = write(tmp_path, elsewhere())
    wait_for(lambda: lock.is_lost, "the holder to see that it lost its lock", timeout_s=10)
    lock.release()
    assert json.loads(path.read_text())["token"] == "other"


def test_what_cannot_be_read_is_no_free_target(tmp_path: Path) -> None:
    path = tmp_path / "t.lock"
    path.write_text("{")
    with pytest.raises(TargetBusyError, match="cannot be read"):
        Lock.acquire(tmp_path, "t", "second")
    os.utime(path, (time.time() - 500,) * 2)
    with Lock.acquire(tmp_path, "t", "second") as lock:
        assert "nothing that can be read" in lock.took_over


def test_of_many_that_take_over_a_stale_lock_one_gets_it(tmp_path: Path) -> None:
    write(tmp_path, gone())
    code = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from harness.errors import TargetBusyError
        from harness.nightly.lock import Lock
        folder = Path(sys.argv[1])
        (folder / f"ready-{sys.argv[2]}").touch()
        while not (folder / "go").exists(): time.sleep(0.001)
        try:
            lock = Lock.acquire(folder, "t", "racer")
        except TargetBusyError:
            print("busy", flush=True)
        else:
            print("mine", flush=True)
        sys.stdin.read()
        """
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path), str(number)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for number in range(4)
    ]  # fmt: skip
    wait_for(lambda: len(list(tmp_path.glob("ready-*"))) == 4, "the racers", timeout_s=60)
    (tmp_path / "go").touch()
    said = []
    for racer in racers:
        assert racer.stdout is not None
        said.append(racer.stdout.readline().strip())
    for racer in racers:
        racer.communicate(timeout=30)
    assert sorted(said) == ["busy", "busy", "busy", "mine"]


def test_two_names_of_one_environment_are_one_lock() -> None:
    assert lock_name("http://Ledger.example/") == lock_name("http://ledger.example:80")
    assert lock_name("http://ledger.example/a") != lock_name("http://ledger.example/b")
    assert lock_name(None) == "embedded"
