"""Does a process that a file tells of still run? By host, number and the moment it began, for numbers come again."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, final

__all__ = ["Process"]


@final
@dataclass(frozen=True, slots=True)
class Process:
    """A process somewhere."""

    host: str
    pid: int
    began: str
    """When the kernel started it, in its own ticks since boot, with the boot's id; empty where it does not tell."""
    space: str = ""
    """The space that its number is of: containers of one host name may each have a process 1."""

    @classmethod
    def of(cls, pid: int) -> Self:
        """Returns process ``pid`` of this host."""
        return cls(socket.gethostname(), pid, _began(pid), _space())

    @classmethod
    def me(cls) -> Self:
        """Returns this process."""
        return cls.of(os.getpid())

    @property
    def is_here(self) -> bool:
        """Whether it is of this host, so that it can be seen."""
        return self.host == socket.gethostname() and self.space == _space()

    @property
    def is_alive(self) -> bool:
        """Whether it runs. Only for one of this host."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        now = _began(self.pid)
        # a zombie has ended; a number that was given out again is another process
        return now != "ended" and (not self.began or not now or now == self.began)

    def to_json(self) -> dict[str, Any]:
        """Returns a JSON-ready object."""
        return {"host": self.host, "pid": self.pid, "began": self.began, "space": self.space}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Reads what ``to_json`` gave. Raises ``ValueError``, ``KeyError`` or ``TypeError`` on anything else."""
        return cls(str(data["host"]), int(data["pid"]), str(data.get("began", "")), str(data.get("space", "")))


def _space() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _began(pid: int) -> str:
    try:
        # proc(5): after the name in parentheses stand the state, and as 20th field from there the start time
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()[:8]
    except OSError:
        return ""
    return "ended" if fields[0] in "ZX" else f"{boot}-{fields[19]}"
