"""What tests of nights need: plans, messages, and receivers that answer as receivers do."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from harness.model.event_kind import EventKind
from harness.nightly.messages.message import Happening, Message
from harness.nightly.messages.send import Patience
from harness.nightly.plan import NightlyPlan, load_plan

JOB = {"name": "night", "target": "embedded", "release": "v17.1.0", "workers": 0}


def plan_of(folder: Path, *channels: dict[str, Any], jobs: list[dict[str, Any]] | None = None, **more: Any) -> Path:
    """Writes a plan of Scheme ``example`` into ``folder`` and returns its path; every job notifies every channel."""
    names = [channel["name"] for channel in channels]
    found = [{"notify": names, **job} for job in (jobs or [JOB])]
    document = {"scheme": "example", **more, "jobs": found, "channels": list(channels)}
    path = folder / "nightly.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def loaded(folder: Path, *channels: dict[str, Any]) -> NightlyPlan:
    return load_plan(plan_of(folder / "scheme_rules" / "example", *channels))


def message(**more: Any) -> Message:
    given: dict[str, Any] = {
        "id": "0123456789abcdef",
        "title": "staging: 2 checks regressed",
        "job": "night",
        "night": "20261125-010000-abcd",
        "target": "staging",
        "product": "mojaloop",
        "release": "v17.1.0",
        "verdict": "REJECTED",
        "exit_code": 1,
        "at": "2026-11-25T01:00:00.000Z",
        "happenings": (Happening(EventKind.NEW_REGRESSION, "2 checks regressed", ("a::b", "a::c"), "central-ledger"),),
        "failures": (("a::b", "expected 1 to equal 2"), ("a::c", "")),
        "failing": 2,
        "suspects": ("central-ledger 19.8.3 (2 checks)",),
        "next_action": "Mojaloop developers: look at central-ledger",
        "runs": ("run-1",),
        "link": "https://reports.example/run-1/",
        **more,
    }
    return Message(**given)


@dataclass
class Waiting:
    """A clock that is moved by sleeping."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def patience(self, **more: Any) -> Patience:
        return Patience(sleep=self.sleep, clock=lambda: self.now, chance=random.Random(1), **more)


@dataclass
class Answer:
    """How a receiver answers one request."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    hang_up: bool = False


@dataclass
class Receiver:
    """A webhook's receiver. ``answers`` are given one after the other, the last one again and again."""

    url: str
    answers: list[Answer]
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextlib.contextmanager
def receiver(*answers: Answer) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.bodies.append(body)
            found.headers.append({name.lower(): value for name, value in self.headers.items()})
            number = min(len(found.bodies), len(found.answers)) - 1
            answer = found.answers[number]
            time.sleep(answer.delay_s)
            if answer.hang_up:
                self.connection.close()
                return
            with contextlib.suppress(OSError):
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found = Receiver(f"http://127.0.0.1:{server.server_address[1]}/hook/s3cr3t", list(answers) or [Answer()])
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
