"""How does a run get a hub of its own? A child process that cannot outlive it, and the base URLs of its services."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, final

from harness.errors import InternalError, UsageError
from harness.hub.config import HubConfig
from harness.hub.defects import Defects
from harness.model.release import Release

__all__ = ["HubProcess", "broken_laws", "silence_url"]


@final
class HubProcess:
    """A hub in a process of its own. A context manager: leaving it stops the hub."""

    def __init__(self, child: subprocess.Popen[bytes], services: Mapping[str, str]) -> None:
        self._child = child
        self.services = dict(services)
        """Service name to base URL, without a trailing slash."""

    @classmethod
    def start(
        cls,
        release: Release,
        *,
        defects: Iterable[str] = (),
        host: str = "127.0.0.1",
        ports: Mapping[str, int] | None = None,
        log: Path | None = None,
        time_scale: float = 1.0,
        on_us_transfers: bool = False,
        simple_routing: bool = False,
        startup_timeout_s: float = 15,
        check_invariants: bool = False,
    ) -> HubProcess:
        """Returns a hub that answers. Its log goes to ``log``, or nowhere; the rest is as in ``HubConfig``.

        ``violations`` is for one that checks its invariants.

        Raises ``UsageError`` on an unknown defect or service or a port that is taken, ``InternalError`` where the hub
        does not come up within ``startup_timeout_s``.
        """
        chosen = tuple(defects)
        Defects(chosen)
        config = HubConfig.of(
            release,
            defects=chosen,
            host=host,
            ports=ports,
            time_scale=time_scale,
            on_us_transfers=on_us_transfers,
            simple_routing=simple_routing,
            check_invariants=check_invariants,
        )
        with open(log if log is not None else os.devnull, "ab") as errors:
            child = subprocess.Popen(
                [sys.executable, "-m", "harness.hub", config.to_json()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        try:
            said = _first_line(child, time.monotonic() + startup_timeout_s)
            if "error" in said:
                raise UsageError(str(said["error"]))
            return cls(child, said["services"])
        except BaseException:
            _end(child)
            raise

    @property
    def pid(self) -> int:
        """The process id of the hub."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether the process is still running."""
        return self._child.poll() is None

    def violations(self, *, timeout_s: float = 10) -> list[dict[str, Any]]:
        """See ``broken_laws``."""
        return broken_laws(self.services, timeout_s=timeout_s)

    def stop(self) -> None:
        """Ends the hub, gently first. Safe to call twice."""
        _end(self._child)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def broken_laws(services: Mapping[str, str], *, timeout_s: float = 10) -> list[dict[str, Any]]:
    """Returns the laws (``invariants``) that the hub has broken so far, each with the histories it is about.

    Raises ``InternalError`` where the hub does not check them, or does not answer.
    """
    url = f"{services['central-ledger']}/harness/invariants"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=timeout_s) as response:
            said: dict[str, Any] = json.load(response)
    except (OSError, ValueError) as error:
        raise InternalError(f"the embedded hub does not say whether it kept its laws: {error}") from error
    if not said["checking"]:
        raise InternalError("the embedded hub was started without checking its laws")
    found: list[dict[str, Any]] = said["violations"]
    return found


def silence_url(services: Mapping[str, str]) -> str:
    """Returns where the hub says for how long it will call nobody: ``{"silent_s": seconds, or null for good}``."""
    return f"{services['central-ledger']}/harness/silence"


def _first_line(child: subprocess.Popen[bytes], deadline: float) -> dict[str, Any]:
    """Returns what the child says once it is ready."""
    stream = _pipe(child.stdout)
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise InternalError("the embedded hub did not come up in time")
            chunk = os.read(stream.fileno(), 65536)
            if not chunk:
                raise InternalError(f"the embedded hub ended before it was ready (exit code {child.wait(timeout=5)})")
            line += chunk
    said: dict[str, Any] = json.loads(line)
    return said


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ends the child: end of input, then SIGTERM, then SIGKILL; and frees its pipes."""
    _pipe(child.stdin).close()
    for nudge in (None, child.terminate, child.kill):
        if nudge is not None:
            nudge()
        try:
            child.wait(timeout=3)
        except subprocess.TimeoutExpired:
            continue
        break
    _pipe(child.stdout).close()


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise InternalError("the hub was started without pipes")
    return stream
