"""The hub as a process: it comes up, it serves its own release, and it never outlives whoever started it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from harness.errors import UsageError
from harness.hub.config import HUB_SERVICES, HubConfig
from harness.hub.process import HubProcess
from tests.hub.world import Receiver, World, release

PARENT = """
import json, sys, time
from tests.hub.world import release
from harness.hub.process import HubProcess
hub = HubProcess.start(release())
print(json.dumps(hub.pid), flush=True)
time.sleep(60)
"""


def gone(pid: int, patience: float = 5) -> bool:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        state = Path(f"/proc/{pid}/stat")
        if state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


def test_it_serves_every_service_until_it_is_stopped() -> None:
    with HubProcess.start(release()) as hub:
        assert tuple(hub.services) == HUB_SERVICES
        assert hub.alive
        for url in hub.services.values():
            assert not url.endswith("/")
            assert httpx.get(f"{url}/health", trust_env=False).json()["status"] == "OK"
    assert not hub.alive
    hub.stop()


def test_two_hubs_side_by_side_know_nothing_of_each_other() -> None:
    receiver = Receiver()
    try:
        with (
            HubProcess.start(release()) as one,
            HubProcess.start(release("v15.1.0"), defects=["transfer-callback-lost"]) as two,
            httpx.Client(trust_env=False) as client,
        ):
            first, second = (World(hub.services, receiver, client) for hub in (one, two))
            first.onboard("payer", "payee")
            first.committed()
            assert [row["name"] for row in second.admin("GET", "/participants").json()] == ["Hub"]
            assert not set(one.services.values()) & set(two.services.values())
    finally:
        receiver.close()


def test_it_ends_when_its_parent_is_killed() -> None:
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, cwd=root) as parent:
        assert parent.stdout is not None
        pid = json.loads(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
        assert gone(pid)


def test_it_ends_on_sigterm() -> None:
    with HubProcess.start(release()) as hub:
        os.kill(hub.pid, signal.SIGTERM)
        assert gone(hub.pid)
        assert not hub.alive


def test_it_is_served_in_the_foreground_until_a_signal() -> None:
    code = (
        "import json; from harness.hub.server import serve; from harness.hub.config import HubConfig\n"
        "from tests.hub.world import release\n"
        "serve(HubConfig.of(release()), lambda services: print(json.dumps(dict(services)), flush=True))"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=root) as server:
        assert server.stdout is not None
        services = json.loads(server.stdout.readline())
        assert httpx.get(f"{services['central-ledger']}/health", trust_env=False).status_code == 200
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 0


def test_an_unknown_defect_or_service_is_refused_before_anything_starts() -> None:
    with pytest.raises(UsageError, match="unknown defect: no-such-thing"):
        HubProcess.start(release(), defects=["no-such-thing"])
    with pytest.raises(UsageError, match="no service mars-rover"):
        HubProcess.start(release(), ports={"mars-rover": 1})


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"central-ledger cannot listen on 127.0.0.1:{port}"):
            HubProcess.start(release(), ports={"central-ledger": port})


def test_ports_can_be_chosen_and_a_log_kept(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "hub.log"
    with HubProcess.start(release(), ports={"quoting-service": port}, log=log) as hub:
        assert hub.services["quoting-service"] == f"http://127.0.0.1:{port}"
    assert log.exists()


def test_a_configuration_survives_the_way_to_the_process() -> None:
    config = HubConfig.of(release(), defects=["quote-slow"], ports={"central-ledger": 4711})
    assert HubConfig.from_json(config.to_json()) == config
    with pytest.raises(UsageError):
        HubConfig.from_json("nonsense")


def test_defects_can_be_listed_without_loading_a_server() -> None:
    code = "import sys, harness.hub.defects as d; print(len(d.DEFECTS), *(n in sys.modules for n in sys.argv[1:]))"
    command = [sys.executable, "-c", code, "uvicorn", "starlette"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout
    count, uvicorn, starlette = said.split()
    assert int(count) >= 16
    assert (uvicorn, starlette) == ("False", "False")
