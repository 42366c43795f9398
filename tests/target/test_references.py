"""A credential is referred to, never written down: one given in place is refused by its line and shown nowhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from harness.errors import TargetError
from harness.fspiop.jws import new_key, signature_fault
from harness.target.credentials import Credentials, TokenError
from harness.target.load import REQUIRED_SERVICES, load_target
from harness.target.model import OAuth2Client, Stage, Target
from tests.support import REPOSITORY, harness
from tests.target.servers import certificate, target_of

SERVICES = dict.fromkeys(REQUIRED_SERVICES, "http://hub.test")
SECRET = "hunter2hunter2"


def written(folder: Path, **more: Any) -> Path:
    path = folder / "t.yaml"
    path.write_text(yaml.safe_dump({**target_of(SERVICES), **more}, sort_keys=False), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "given",
    [
        {"bearer_token": SECRET},
        {"jws_key": SECRET},
        {"secrets": [SECRET]},
        {"oauth2": {"token_url": "http://t.test", "client_id": "a", "client_secret": SECRET}},
        {"tls": {"certificate": "env:CERT", "key": SECRET}},
        {"inputs": {"pin": SECRET}, "secret_inputs": ["pin"]},
        {"inputs": {"PARTNER_PASSWORD": SECRET}},
        {"bearer_token": {"value": SECRET}},
        {"services": {**SERVICES, "central-ledger": f"http://user:{SECRET}@hub.test"}},
        {"password": SECRET},
    ],
)
def test_a_credential_in_place_is_refused_with_its_line_and_not_shown(tmp_path: Path, given: dict[str, Any]) -> None:
    path = written(tmp_path, **given)
    with pytest.raises(TargetError) as caught:
        load_target(path, environ={"CERT": "x"})
    assert SECRET not in str(caught.value)
    line = int(str(caught.value).partition("line ")[2].split()[0].rstrip(":"))
    assert (
        next(iter(given)) in path.read_text().splitlines()[line - 1]
        or SECRET in path.read_text().splitlines()[line - 1]
    )


def test_neither_does_a_command_show_it(tmp_path: Path) -> None:
    path = written(tmp_path, bearer_token=SECRET)
    ended = harness("target", "check", str(path), cwd=REPOSITORY)
    assert ended.code == 3
    assert SECRET not in ended.out + ended.err


def test_references_to_files_are_relative_to_the_target_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{SECRET}\n")
    target = load_target(written(tmp_path, bearer_token="file:token"), environ={})
    assert target.bearer_token == SECRET
    assert SECRET in target.secrets
    assert SECRET not in repr(target)
    assert SECRET not in json.dumps(target.describe())


def test_everything_survives_the_way_to_a_worker(tmp_path: Path) -> None:
    made, key = certificate(tmp_path)
    target = load_target(
        written(
            tmp_path,
            stage="production",
            jws_key="env:JWS",
            oauth2={"token_url": "http://t.test/token", "client_id": "a", "client_secret": "env:S"},
            tls={"ca": f"file:{made}", "certificate": f"file:{made}", "key": f"file:{key}"},
            participants=[{"name": "payerfsp", "liquidity_at_least": "10.5"}],
            allowed_hosts=["a.test:80"],
            has=["x"],
        ),
        environ={"JWS": new_key().private, "S": SECRET},
    )
    assert target.stage is Stage.PRODUCTION
    assert Target.from_json(json.loads(json.dumps(target.to_json()))) == target


def test_base_urls_come_from_a_testing_toolkit_environment(tmp_path: Path) -> None:
    names = ("ACCOUNT_LOOKUP_SERVICE", "QUOTING_SERVICE", "ML_API_ADAPTER", "CENTRAL_LEDGER")
    values = {f"HOST_{name}": f"http://{name.lower().replace('_', '-')}.test" for name in names}
    (tmp_path / "env.json").write_text(json.dumps({"inputValues": {**values, "currency": "TZS"}}))
    described = {"services": {"central-ledger": "http://mine.test/"}, "ttk_environment": "env.json"}
    target = load_target(written(tmp_path, **described), environ={})
    assert target.url("quoting-service") == "http://quoting-service.test"
    assert target.url("central-ledger") == "http://mine.test"
    assert target.inputs["currency"] == "TZS"
    values["HOST_QUOTING_SERVICE"] = "http://$release_name-quoting"
    (tmp_path / "env.json").write_text(json.dumps({"inputValues": values}))
    with pytest.raises(TargetError, match="HOST_QUOTING_SERVICE"):
        load_target(written(tmp_path, **described), environ={})


def oauth2(**answers: httpx.Response) -> tuple[httpx.Client, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if request.url.host == "t.test":
            return answers["token"]
        return httpx.Response(200 if request.headers.get("authorization") == "Bearer abc" else 401)

    asked = OAuth2Client("http://t.test/token", "client", SECRET, "hub")
    target = Target(name="t", kind="environment", services={"central-ledger": "http://hub.test"}, oauth2=asked)
    return httpx.Client(auth=Credentials(target), transport=httpx.MockTransport(handler)), seen


def test_client_credentials_become_a_token_that_is_asked_for_once_and_goes_to_the_services_only() -> None:
    client, seen = oauth2(token=httpx.Response(200, json={"access_token": "abc", "expires_in": 300}))
    assert [client.get("http://hub.test/health").status_code for _ in range(3)] == [200, 200, 200]
    assert [request.url.host for request in seen].count("t.test") == 1
    assert seen[0].content == b"grant_type=client_credentials&scope=hub"
    client.get("http://other.test/")
    assert "authorization" not in seen[-1].headers


def test_a_token_that_is_refused_is_told_without_the_secret() -> None:
    client, _ = oauth2(token=httpx.Response(401, json={"error": "invalid_client"}))
    with pytest.raises(TokenError, match="HTTP 401 invalid_client") as caught:
        client.get("http://hub.test/health")
    assert SECRET not in str(caught.value)


def test_what_a_simulated_dfsp_sends_is_signed() -> None:
    key, seen = new_key(), list[httpx.Request]()
    target = Target(name="t", kind="environment", services={"q": "http://hub.test"}, jws_key=key.private)

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(202)

    client = httpx.Client(auth=Credentials(target), transport=httpx.MockTransport(handler))
    client.post("http://hub.test/quotes", json={"quoteId": "1"}, headers={"FSPIOP-Source": "payer"})
    (sent,) = seen
    assert signature_fault({k.lower(): v for k, v in sent.headers.items()}, sent.content.decode(), key.public) == ""


@pytest.mark.parametrize(("described", "more"), [({}, []), ({}, ["--i-know"]), ({"allow_writes": True}, [])])
def test_production_is_refused_unless_target_and_command_say_so(
    tmp_path: Path, described: dict[str, Any], more: list[str]
) -> None:
    path = written(tmp_path, stage="production", **described)
    ended = harness("run", "v17.1.0", "--target", str(path), *more, cwd=REPOSITORY)
    assert ended.code == 3
    assert "is production" in ended.err
