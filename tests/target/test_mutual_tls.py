"""mTLS and OAuth2 against real servers on loopback: what holds works, and each thing that does not has its sentence."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import yaml

from harness.cli import app
from harness.engine.exchange import Exchanger, Request
from harness.errors import TargetError
from harness.target.load import REQUIRED_SERVICES, load_target
from tests.support import REPOSITORY
from tests.target.authority import Authority
from tests.target.servers import serving, target_of

SECRET = "s3cr3t-of-the-client"
OURS = {"ca": "file:hub-ca.pem", "certificate": "file:client.pem", "key": "file:client.key"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two authorities, and what a target file may refer to: certificates of both, some of them spoilt."""
    made = tmp_path_factory.mktemp("authorities")
    hub, other = Authority(made, "hub"), Authority(made, "other")
    hub.issues("server")
    hub.issues("expired-server", days=(-10, -1))
    hub.issues("elsewhere", host="hub.example")
    hub.issues("client")
    hub.issues("expired-client", days=(-10, -1))
    other.issues("stranger")
    return made


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[str]:
    """A service in health that takes only clients with a certificate of the hub's authority."""
    with serving(tls=(folder / "server.pem", folder / "server.key"), clients_of=folder / "hub-ca.pem") as url:
        yield url


class Checked:
    """``harness target check`` of a target in ``folder``."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._capsys = capsys

    def __call__(self, url: str, **more: Any) -> tuple[int, str]:
        path = self._folder / "t.yaml"
        path.write_text(yaml.safe_dump(target_of(dict.fromkeys(REQUIRED_SERVICES, url), **more)))
        began = time.monotonic()
        code = app(["target", "check", str(path)], standalone_mode=False)
        assert time.monotonic() - began < 15
        said = self._capsys.readouterr()
        return int(code), said.out + said.err


@pytest.fixture
def check(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Checked:
    monkeypatch.chdir(REPOSITORY)
    return Checked(folder, capsys)


def test_a_client_with_a_certificate_is_let_in(check: Checked, service: str, folder: Path) -> None:
    code, out = check(service, tls=OURS)
    assert (code, "ready" in out) == (0, True), out
    # what runs cases signs in the same way
    exchanger = Exchanger.for_target(load_target(folder / "t.yaml"), None)
    try:
        shown = exchanger.exchange(Request("GET", f"{service}/health", {}))
    finally:
        exchanger.close()
    assert shown.response is not None
    assert shown.response.status == 200


@pytest.mark.parametrize(
    ("tls", "told"),
    [
        ({**OURS, "ca": "file:other-ca.pem"}, "is from an authority that is not trusted here"),
        ({"ca": OURS["ca"]}, "asks for a client certificate, and none is given"),
        (
            {**OURS, "certificate": "file:stranger.pem", "key": "file:stranger.key"},
            "and ours is from an authority that it does not trust",
        ),
        (
            {**OURS, "certificate": "file:expired-client.pem", "key": "file:expired-client.key"},
            "and ours has expired",
        ),
    ],
)
def test_what_keeps_client_and_service_apart(check: Checked, service: str, tls: dict[str, Any], told: str) -> None:
    code, out = check(service, tls=tls)
    assert code == 2
    lines = out.splitlines()
    places = [number for number, line in enumerate(lines) if told in line]
    assert len(places) == len(REQUIRED_SERVICES), out
    assert all(lines[place + 1].startswith("    → ") and "tls" in lines[place + 1] for place in places), out


@pytest.mark.parametrize(("server", "told"), [("expired-server", "has expired"), ("elsewhere", "is for another host")])
def test_a_service_whose_certificate_does_not_hold(check: Checked, folder: Path, server: str, told: str) -> None:
    with serving(tls=(folder / f"{server}.pem", folder / f"{server}.key"), clients_of=folder / "hub-ca.pem") as url:
        code, out = check(url, tls=OURS)
    assert (code, told in out) == (2, True), out


def test_a_certificate_with_another_ones_key_is_refused_by_name(check: Checked, service: str) -> None:
    with pytest.raises(TargetError, match="no certificate with its private key"):
        check(service, tls={**OURS, "key": "file:stranger.key"})


class Issuer(ThreadingHTTPServer):
    """A token endpoint, and a service that takes only the token issued last."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Desk)
        self.asked: list[dict[str, list[str]]] = []
        self.expires_in = 300.0
        self.known = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Desk(BaseHTTPRequestHandler):
    server: Issuer

    def do_POST(self) -> None:
        body = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        self.server.asked.append({**body, "authorization": [str(self.headers["authorization"])]})
        if not self.server.known:
            self._say(401, {"error": "invalid_client"})
            return
        token = f"token-{len(self.server.asked)}"
        self._say(200, {"access_token": token, "token_type": "bearer", "expires_in": self.server.expires_in})

    def do_GET(self) -> None:
        good = self.headers["authorization"] == f"Bearer token-{len(self.server.asked)}"
        self._say(200 if good else 401, {"status": "OK", "versionNumber": "1.0.0"} if good else {})

    def _say(self, status: int, body: Any) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    server = Issuer()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


def signing_in(issuer: Issuer) -> dict[str, Any]:
    asked = {"token_url": f"{issuer.url}/token", "client_id": "harness", "client_secret": "env:CLIENT", "scope": "hub"}
    return {"oauth2": asked}


def test_a_token_is_fetched_used_and_fetched_anew_when_it_expires(
    issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIENT", SECRET)
    path = tmp_path / "t.yaml"
    path.write_text(yaml.safe_dump(target_of(dict.fromkeys(REQUIRED_SERVICES, issuer.url), **signing_in(issuer))))
    exchanger = Exchanger.for_target(load_target(path), None)

    def status() -> int | None:
        response = exchanger.exchange(Request("GET", f"{issuer.url}/health", {})).response
        return None if response is None else response.status

    try:
        assert [status(), status()] == [200, 200]
        assert len(issuer.asked) == 1
        assert issuer.asked[0]["grant_type"] == ["client_credentials"]
        assert issuer.asked[0]["scope"] == ["hub"]
        # one that the service has withdrawn meanwhile is replaced at once
        issuer.asked.append({})
        issuer.expires_in = 0.2
        assert status() == 200
        assert len(issuer.asked) == 3
        time.sleep(0.25)
        assert status() == 200
        assert len(issuer.asked) == 4
    finally:
        exchanger.close()


def test_a_client_that_the_issuer_does_not_know_is_told_without_its_secret(
    issuer: Issuer, check: Checked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIENT", SECRET)
    issuer.known = False
    code, out = check(issuer.url, **signing_in(issuer))
    assert code == 2
    assert "the token endpoint" in out
    assert "answered HTTP 401 invalid_client" in out
    assert "Correct oauth2 in the target file" in out
    shown = httpx.BasicAuth("harness", SECRET)._auth_header.removeprefix("Basic ")
    assert issuer.asked[0]["authorization"] == [f"Basic {shown}"]
    assert SECRET not in out
    assert shown not in out
