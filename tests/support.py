"""What tests of the whole need: a small workspace, and the real command in a real process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.run.reader import read_journal

REPOSITORY = Path(__file__).parent.parent
RELEASE = "v17.1.0"

HEALTH = """
from harness.suite.native import case

@case("The ledger is well", labels=["smoke"])
def test_ledger(hub):
    health = hub.health("central-ledger")
    health.status(200)
    health.says("status", "OK")

@case("The adapter is well", labels=["smoke", "other"])
def test_adapter(hub):
    hub.health("ml-api-adapter").status(200)
"""

WAITING = """
import time
from pathlib import Path
from harness.suite.native import case

@case("The ledger is well", labels=["smoke"])
def test_a_ledger(hub):
    hub.health("central-ledger").status(200)

@case("Waits until it is told to go on", labels=["smoke"])
def test_b_waits(hub):
    hub.health("ml-api-adapter").status(200)
    here = Path(__file__).parent
    import os
    (here / "waiting").write_text(str(os.getpid()))
    for _ in range(600):
        if (here / "go").exists():
            break
        time.sleep(0.05)

@case("The quoting service is well", labels=["smoke"])
def test_c_quoting(hub):
    hub.health("quoting-service").status(200)
"""

CRITERIA: dict[str, Any] = {
    "rules": [
        {
            "id": "no-regressions",
            "kind": "class-at-most",
            "title": "Nothing regressed",
            "severity": "blocker",
            "rationale": "A release must not break what worked",
            "classes": ["regressed"],
            "at_most": 0,
        }
    ]
}


def make_workspace(root: Path, suite: Mapping[str, str] | None = None) -> Path:
    """Makes a workspace at ``root`` with this suite (file name to source) and a Scheme ``example`` with one rule."""
    folder = root / "suites" / "mojaloop"
    folder.mkdir(parents=True)
    for name, source in (suite if suite is not None else {"test_health.py": HEALTH}).items():
        (folder / name).write_text(source, encoding="utf-8")
    manifest = root / "baselines" / "mojaloop" / RELEASE / "release.yaml"
    manifest.parent.mkdir(parents=True)
    shutil.copy(REPOSITORY / "baselines" / "mojaloop" / RELEASE / "release.yaml", manifest)
    scheme = root / "scheme_rules" / "example"
    scheme.mkdir(parents=True)
    example = yaml.safe_load((REPOSITORY / "scheme_rules" / "example" / "criteria.yaml").read_text(encoding="utf-8"))
    head = {key: value for key, value in example.items() if key != "rules"}
    (scheme / "criteria.yaml").write_text(yaml.safe_dump({**head, **CRITERIA}, sort_keys=False), encoding="utf-8")
    return root


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str


def environment(**more: str) -> dict[str, str]:
    """Returns the environment of a command: this one's, without what would change how it prints or collects."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_", "NO_COLOR"))}
    return {**kept, "CI": "true", **more}


def command(arguments: Sequence[str]) -> list[str]:
    """Returns the real command with ``arguments``."""
    return [str(Path(sys.executable).with_name("harness")), *arguments]


def harness(*arguments: str, cwd: Path, timeout_s: float = 120, **more: str) -> Ended:
    """Runs ``harness`` with ``arguments`` in ``cwd`` to its end."""
    done = subprocess.run(
        command(arguments),
        cwd=cwd,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def start(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    """Starts ``harness`` with ``arguments`` in ``cwd``."""
    return subprocess.Popen(
        command(arguments),
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
    )


def wait_for(condition: Callable[[], bool], what: str, *, timeout_s: float = 30) -> None:
    """Waits until ``condition()`` holds; fails the test where it does not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout_s} s for {what}"
        time.sleep(0.02)


def approved_workspace(root: Path, suite: Mapping[str, str] | None = None) -> Path:
    """Makes a workspace whose suite is pinned and has a baseline: a run in it is approved."""
    workspace = make_workspace(root, suite)
    for arguments in (
        ["suite", "pin", RELEASE],
        ["run", RELEASE, "--scheme", "example", "-n", "0", "--run-id", "first"],
        ["baseline", "record", "first"],
    ):
        ended = harness(*arguments, cwd=workspace)
        assert ended.code in (0, 2), ended
    return workspace


def outcomes(folder: Path) -> dict[str, str]:
    """Returns the outcome of every check in the run in ``folder``."""
    found = {}
    for record in read_journal(folder).records:
        if record.type == "check":
            found[record.check] = record.outcome.value  # type: ignore[attr-defined]
    return found
