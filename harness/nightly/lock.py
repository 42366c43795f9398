"""Who may use a target now? One night at a time, on this machine and on all that share ``reports/``.

The lock is a file that is linked into place, so that of two only one succeeds, and that its holder touches now and
then. It is stale where its processes have ended on this host, or nobody touched it for its lease. Ages are taken by
the file system's own clock, so clocks of machines may differ.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, final
from urllib.parse import urlsplit

from harness.errors import TargetBusyError
from harness.fspiop.dates import iso_ms
from harness.nightly.processes import Process

__all__ = ["LEASE_S", "Lock", "lock_name"]

LEASE_S = 120.0
"""How long a lock holds whose holder is not heard of, in seconds."""
_BEATS = 6
"""How often in a lease its holder is heard of."""
_LOOK_S = 0.25


def lock_name(ledger: str | None) -> str:
    """Returns the name of the lock of the target with this central-ledger; ``None`` for the embedded hub.

    By its address, not its name: two target files may describe one environment.
    """
    if ledger is None:
        return "embedded"
    parts = urlsplit(ledger.rstrip("/"))
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    place = f"{(parts.hostname or '').lower()}:{port}{parts.path}"
    shown = re.sub(r"[^a-z0-9.-]+", "-", place.lower()).strip("-")[:60]
    return f"{shown}-{hashlib.sha256(place.encode()).hexdigest()[:8]}"


@final
@dataclass(frozen=True, slots=True)
class _Held:
    """What a lock file says."""

    token: str
    process: Process
    helpers: tuple[Process, ...]
    what: str
    since: str
    lease_s: float

    @classmethod
    def read(cls, path: Path) -> _Held | None:
        """Returns what ``path`` says; ``None`` where it is not there or says nothing that can be read."""
        try:
            data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            helpers = tuple(Process.from_json(one) for one in data["helpers"])
            return cls(
                str(data["token"]), Process.from_json(data["process"]), helpers, str(data["what"]), str(data["since"]),
                float(data["lease_s"]),
            )  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def to_json(self) -> str:
        return json.dumps(
            {
                "token": self.token,
                "process": self.process.to_json(),
                "helpers": [one.to_json() for one in self.helpers],
                "what": self.what,
                "since": self.since,
                "lease_s": self.lease_s,
            },
            indent=2,
        )

    @property
    def who(self) -> str:
        return f"{self.what} (process {self.process.pid} on {self.process.host}, since {self.since})"

    def stale(self, age_s: float) -> str:
        """Returns why it holds no more; empty where it does."""
        if self.process.is_here:
            if self.process.is_alive:
                return ""  # however long it has not been heard of: a stopped process may go on
            if any(one.is_alive for one in self.helpers if one.is_here):
                return ""
            return f"its process {self.process.pid} has ended"
        return f"nobody has heard of it for {age_s:.0f} s" if age_s > self.lease_s else ""


@final
class Lock:
    """The lock of one target, held from ``acquire`` to the end of the ``with`` block."""

    def __init__(self, path: Path, held: _Held, took_over: str) -> None:
        self.path = path
        self.took_over = took_over
        """Of whom a stale lock was taken over, and why it was stale; empty where there was none."""
        self._held = held
        self._lost = False
        self._over = threading.Event()
        self._writing = threading.Lock()
        self._beat = threading.Thread(target=self._keep, name="lock", daemon=True)
        self._beat.start()

    @classmethod
    def acquire(
        cls,
        folder: Path,
        name: str,
        what: str,
        *,
        wait_s: float = 0.0,
        lease_s: float = LEASE_S,
        tell: Callable[[str], None] = lambda _: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Self:
        """Returns the lock ``name`` in ``folder``, for ``what``.

        Raises ``TargetBusyError`` where another has it after ``wait_s``. ``tell`` hears that it waits;
        ``stopped`` ends the waiting.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.lock"
        deadline, told = time.monotonic() + wait_s, False
        while True:
            own = _Held(secrets.token_hex(8), Process.me(), (), what, iso_ms(), lease_s)
            other, took_over = _try(path, own)
            if other is None:
                return cls(path, own, took_over)
            if time.monotonic() >= deadline or stopped():
                waited = f" after {wait_s:.0f} s of waiting" if wait_s else ""
                raise TargetBusyError(
                    f"the target is in use{waited}: {other}",
                    remedy="Let it finish, or give --wait; a lock whose holder has ended is taken over by itself",
                )
            if not told:
                tell(f"waiting up to {wait_s:.0f} s for the target, in use by {other}")
                told = True
            time.sleep(min(_LOOK_S, max(0.01, deadline - time.monotonic())))

    @property
    def is_lost(self) -> bool:
        """Whether somebody else has it by now, because this process was not heard of for too long."""
        return self._lost

    def helped_by(self, pid: int) -> None:
        """Says that process ``pid`` works on the target for us: while it runs, the lock holds, whatever befalls us."""
        with self._writing:
            held = self._held
            self._held = _Held(
                held.token, held.process, (*held.helpers, Process.of(pid)), held.what, held.since, held.lease_s
            )
            if self._is_mine():
                _write(self.path, self._held.to_json())

    def release(self) -> None:
        """Gives it back. Safe to call twice."""
        self._over.set()
        self._beat.join()
        with self._writing:
            if self._is_mine():
                self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _is_mine(self) -> bool:
        found = _Held.read(self.path)
        return found is not None and found.token == self._held.token

    def _keep(self) -> None:
        while not self._over.wait(self._held.lease_s / _BEATS):
            with self._writing:
                if not self._is_mine():
                    self._lost = True
                    return
                with contextlib.suppress(OSError):
                    os.utime(self.path)


def _try(path: Path, own: _Held) -> tuple[str | None, str]:
    """Tries once. Returns who has it, or ``None`` and of whom a stale one was taken over."""
    with _guarded(path.with_suffix(".guard")):
        took_over = ""
        if path.exists():
            found, age_s = _Held.read(path), _age(path)
            if found is None:
                # written whole and linked into place, so what cannot be read is damage, not work in progress
                why = f"it says nothing that can be read, for {age_s:.0f} s" if age_s > own.lease_s else ""
                who = f"something that cannot be read ({path})"
            else:
                why, who = found.stale(age_s), found.who
            if not why:
                return who, ""
            took_over = f"the lock of {who} was stale: {why}"
            path.unlink(missing_ok=True)
        new = path.with_name(f".{path.name}.{own.token}")
        _write(new, own.to_json())
        try:
            os.link(new, path)
        except FileExistsError:
            found = _Held.read(path)
            return (found.who if found else "another", "")
        finally:
            new.unlink(missing_ok=True)
        found = _Held.read(path)
        return (None, took_over) if found is not None and found.token == own.token else ("another", "")


@contextlib.contextmanager
def _guarded(path: Path) -> Iterator[None]:
    """Lets one at a time look and take: the kernel gives the guard back when its holder ends."""
    with path.open("a") as guard:
        try:
            fcntl.flock(guard, fcntl.LOCK_EX)
        except OSError as problem:
            # a file system without such locks: there, linking alone decides between two
            if problem.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                raise
        yield


def _age(path: Path) -> float:
    """Returns for how long ``path`` has not been touched, in seconds, by the file system's own clock."""
    probe = path.with_name(f".{path.name}.now-{secrets.token_hex(4)}")
    probe.touch()
    try:
        return max(0.0, probe.stat().st_mtime - path.stat().st_mtime)
    except FileNotFoundError:
        return 0.0
    finally:
        probe.unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    new.write_text(text + "\n", encoding="utf-8")
    new.replace(path)
