"""How does a hub outlive the run that started it? By a file that it writes, and watches: gone or another's, it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, final

from harness.errors import InternalError, UsageError
from harness.hub.config import HubConfig

__all__ = ["KeptHub", "stop_kept", "watch"]

_LOOK_S = 0.25
_STOP_S = 10.0


@final
class KeptHub:
    """A hub that stays when its user goes. ``file`` tells where it is."""

    def __init__(self, file: Path, services: Mapping[str, str], *, is_new: bool) -> None:
        self.file = file
        self.services = dict(services)
        """Service name to base URL, without a trailing slash."""
        self.is_new = is_new

    @classmethod
    def find_or_start(cls, file: Path, config: HubConfig, *, startup_timeout_s: float = 15) -> Self:
        """Returns the hub that ``file`` tells of, or a new one where there is none or it has ended.

        Raises ``UsageError`` where the one that is there was started with other settings.
        """
        said = _read(file)
        if said is not None and _is_alive(said):
            if HubConfig.from_json(json.dumps(said["config"])) != config:
                raise UsageError(
                    f"a hub with other settings is kept ({file})",
                    remedy="Stop it with: harness hub stop; or run without --keep",
                )
            return cls(file, said["services"], is_new=False)
        file.unlink(missing_ok=True)
        file.parent.mkdir(parents=True, exist_ok=True)
        child = _spawn([sys.executable, "-m", "harness.hub", config.to_json(), str(file)])
        deadline = time.monotonic() + startup_timeout_s
        while time.monotonic() < deadline:
            if (said := _read(file)) is not None and said["pid"] == child:
                return cls(file, said["services"], is_new=True)
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
                raise InternalError(f"the embedded hub ended before it was ready (exit code {code})")
            time.sleep(0.02)
        os.kill(child, signal.SIGKILL)
        raise InternalError("the embedded hub did not come up in time")

    @property
    def alive(self) -> bool:
        """Whether the process is still running."""
        said = _read(self.file)
        return said is not None and _is_alive(said)

    def stop(self) -> None:
        """Leaves it running: it is kept."""


def stop_kept(file: Path) -> bool:
    """Ends the hub that ``file`` tells of. Returns whether there was one. Raises ``InternalError`` if it stays."""
    said = _read(file)
    # asked before the file goes: the hub ends as soon as it sees that
    was_there = said is not None and _is_alive(said)
    file.unlink(missing_ok=True)
    if said is None or not was_there:
        return False
    deadline = time.monotonic() + _STOP_S
    while _is_alive(said):
        if time.monotonic() > deadline:
            raise InternalError(f"the kept hub (process {said['pid']}) did not end")
        time.sleep(0.05)
    return True


async def watch(file: Path, config: HubConfig, services: Mapping[str, str], stop: asyncio.Event) -> None:
    """In the hub's own process: writes ``file``, and sets ``stop`` once it is gone or tells of another hub."""
    said = {"pid": os.getpid(), "services": dict(services), "config": json.loads(config.to_json())}
    new = file.with_name(f".{file.name}.{os.getpid()}")
    new.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    new.replace(file)
    while not stop.is_set():
        await asyncio.sleep(_LOOK_S)
        found = _read(file)
        if found is None or found["pid"] != os.getpid():
            stop.set()


def _spawn(command: list[str]) -> int:
    """Starts a process of its own session, with nothing of ours open, and returns its id. Nobody waits for its end."""
    nothing = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
    return os.posix_spawn(command[0], command, os.environ, file_actions=nothing, setsid=True)


def _read(file: Path) -> dict[str, Any] | None:
    try:
        said: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return said if isinstance(said["pid"], int) and isinstance(said["services"], dict) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_alive(said: Mapping[str, Any]) -> bool:
    """Whether it answers: its process may have ended, and its id be another's by now."""
    import httpx

    try:
        url = said["services"]["central-ledger"]
        with httpx.Client(trust_env=False, timeout=10) as http:
            return bool(http.get(f"{url}/harness/invariants").json()["pid"] == said["pid"])
    except (httpx.HTTPError, KeyError, ValueError, TypeError):
        return False
