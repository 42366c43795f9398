"""Each way in which a target can fail ends in its own sentence with a remedy, exit code 2, and well within 15 s."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli import app
from harness.target.load import REQUIRED_SERVICES
from tests.hub.world import CURRENCY, World, world
from tests.support import REPOSITORY
from tests.target.servers import WELL, certificate, free_port, serving, silent, target_of


class Asked:
    """``harness target check`` on a target that a test describes."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def check(self, described: dict[str, Any], *options: str) -> tuple[int, str]:
        path = self.folder / "t.yaml"
        path.write_text(yaml.safe_dump(described), encoding="utf-8")
        started = time.monotonic()
        code = app(["target", "check", str(path), *options], standalone_mode=False)
        assert time.monotonic() - started < 15
        return int(code), self._capsys.readouterr().out

    def not_ready(self, described: dict[str, Any], told: str, *options: str) -> str:
        code, out = self.check(described, *options)
        assert code == 2, out
        lines = out.splitlines()
        (place,) = [number for number, line in enumerate(lines) if line.startswith("  ") and told in line]
        assert lines[place].endswith(".")
        assert lines[place + 1].startswith("    → ")
        return out


@pytest.fixture
def ask(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Asked:
    monkeypatch.chdir(REPOSITORY)
    return Asked(tmp_path, capsys)


@pytest.fixture(scope="module")
def well() -> Iterator[str]:
    with serving() as url:
        yield url


def with_ledger(well: str, ledger: str, **more: Any) -> dict[str, Any]:
    return target_of({**dict.fromkeys(REQUIRED_SERVICES, well), "central-ledger": ledger}, **more)


def test_a_healthy_target_is_ready_in_less_than_five_seconds(ask: Asked, well: str) -> None:
    started = time.monotonic()
    code, out = ask.check(with_ledger(well, well))
    assert (code, "ready" in out) == (0, True), out
    assert time.monotonic() - started < 5


def test_a_dead_service(ask: Asked, well: str) -> None:
    ask.not_ready(with_ledger(well, f"http://127.0.0.1:{free_port()}"), "nothing listens at http://127.0.0.1:")


def test_a_service_that_takes_connections_and_says_nothing(ask: Asked, well: str) -> None:
    with silent() as url:
        ask.not_ready(with_ledger(well, url, preflight_timeout_s=1), "gave no whole answer within 1 s")


def test_a_wrong_port(ask: Asked, well: str) -> None:
    with serving("<html>", status=404) as url:
        out = ask.not_ready(with_ledger(well, url), "HTTP 404 without a health document")
    assert "correct services.central-ledger" in out


def test_https_to_a_port_without_tls(ask: Asked, well: str) -> None:
    ask.not_ready(with_ledger(well, well.replace("http:", "https:")), "does not speak TLS")


def test_http_to_a_port_with_tls(ask: Asked, well: str) -> None:
    with serving(tls=certificate(ask.folder)) as url:
        ask.not_ready(with_ledger(well, url.replace("https:", "http:")), "does not speak HTTP")


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ({"days": (-10, -1)}, "has expired"),
        ({"days": (1, 10)}, "is not valid yet"),
        ({"host": "hub.example"}, "is for another host"),
    ],
)
def test_a_certificate_that_does_not_hold(ask: Asked, well: str, made: dict[str, Any], told: str) -> None:
    with serving(tls=certificate(ask.folder, **made)) as url:
        ask.not_ready(with_ledger(well, url, tls={"ca": "file:server.pem"}), told)


def test_an_authority_that_is_not_trusted(ask: Asked, well: str) -> None:
    with serving(tls=certificate(ask.folder)) as url:
        ask.not_ready(with_ledger(well, url), "authority that is not trusted here")
        assert ask.check(with_ledger(well, url, tls={"ca": "file:server.pem"}))[0] == 0


@pytest.mark.parametrize(("ahead_s", "told"), [(60, "ahead of"), (-60, "behind")])
def test_clocks_that_are_apart(ask: Asked, well: str, ahead_s: float, told: str) -> None:
    with serving(ahead_s=ahead_s) as url:
        ask.not_ready(with_ledger(well, url), f"s {told} this machine's")


def test_a_clock_that_is_four_seconds_off_is_fine(ask: Asked, well: str) -> None:
    with serving(ahead_s=4) as url:
        assert ask.check(with_ledger(well, url))[0] == 0


def test_a_dependency_that_is_down(ask: Asked, well: str) -> None:
    with serving({**WELL, "status": "DOWN", "services": [{"name": "broker", "status": "DOWN"}]}, status=502) as url:
        ask.not_ready(with_ledger(well, url), "not OK: broker")


@pytest.fixture(scope="module")
def hub() -> Iterator[World]:
    with world() as found:
        yield found


def on(hub: World, **more: Any) -> dict[str, Any]:
    return target_of(hub.services, currency=CURRENCY, **more)


@contextlib.contextmanager
def probing(hub: World, registered_at: str) -> Iterator[str]:
    """A participant whose callbacks go to ``registered_at``."""
    name = f"probe{free_port()}"
    hub.onboard(name, funds=None)
    for kind in ("PUT", "PUT_ERROR"):
        path = "/parties/{{partyIdType}}/{{partyIdentifier}}" + ("/error" if kind == "PUT_ERROR" else "")
        body = {"type": f"FSPIOP_CALLBACK_URL_PARTIES_{kind}", "value": f"{registered_at}/dfsp/{name}{path}"}
        assert hub.admin("POST", f"/participants/{name}/endpoints", body).is_success
    yield name


def test_a_participant_that_is_missing(ask: Asked, hub: World) -> None:
    described = on(hub, participants=[{"name": "payer"}, {"name": "nobody"}])
    ask.not_ready(described, "participant nobody is not known to central-ledger")


def test_too_little_liquidity(ask: Asked, hub: World) -> None:
    described = on(hub, participants=[{"name": "payer", "liquidity_at_least": 5001}])
    ask.not_ready(described, f"payer can send 5000 {CURRENCY} at most, 5001 are needed")


def test_a_missing_oracle(ask: Asked, hub: World) -> None:
    ask.not_ready(on(hub, oracles=["MSISDN", "IBAN"]), "no oracle is registered for IBAN")


def test_the_round_trip_of_a_callback(ask: Asked, hub: World) -> None:
    port = free_port()
    here = f"http://127.0.0.1:{port}"
    with probing(hub, here) as name:
        callback = {"host": "127.0.0.1", "port": port, "public_url": here, "probe_as": name}
        code, out = ask.check({**on(hub), "callback": callback})
    assert code == 0, out
    assert f"look-up as {name}" in out


def test_a_callback_address_that_does_not_lead_here(ask: Asked, hub: World) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    with probing(hub, nowhere) as name:
        callback = {"host": "127.0.0.1", "port": 0, "public_url": nowhere, "probe_as": name}
        out = ask.not_ready({**on(hub, preflight_timeout_s=1), "callback": callback}, "no callback came to")
    assert "Correct callback.public_url" in out


def test_callbacks_that_go_elsewhere(ask: Asked, hub: World) -> None:
    callback = {"host": "127.0.0.1", "port": 0, "public_url": "http://127.0.0.1:9", "probe_as": "payer"}
    ask.not_ready({**on(hub), "callback": callback}, "callbacks of payer go to")


def test_a_callback_port_that_is_taken(ask: Asked, hub: World, well: str) -> None:
    port = int(well.rpartition(":")[2])
    callback = {"host": "127.0.0.1", "port": port, "public_url": well, "probe_as": "payer"}
    ask.not_ready({**on(hub), "callback": callback}, "cannot listen on 127.0.0.1 port")
