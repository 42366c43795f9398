"""A target description is read whole or refused by place; preflight says how each service answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from harness.errors import TargetError
from harness.model.release import Release, ReleaseVersion
from harness.target.load import REQUIRED_SERVICES, load_target
from harness.target.model import Target
from harness.target.preflight import probe

SERVICES = {service: f"http://hub.test/{service}/" for service in REQUIRED_SERVICES}
WHOLE: dict[str, Any] = {
    "name": "staging",
    "services": SERVICES,
    "callback": {"host": "0.0.0.0", "port": 8080, "public_url": "https://harness.test/callbacks/"},
    "currency": "TZS",
    "bearer_token": "env:TOKEN",
    "secrets": ["env:OTHER"],
    "inputs": {"pin": "env:PIN", "fromFspId": "payerfsp"},
    "secret_inputs": ["pin"],
    "facts": {"simple_routing_mode_enabled": True},
    "callback_timeout_s": 20,
}
ENVIRON = {"TOKEN": "bearer-value", "OTHER": "other-value", "PIN": "1234567"}


def written(tmp_path: Path, **changes: Any) -> Path:
    path = tmp_path / "target.yaml"
    path.write_text(yaml.safe_dump({**WHOLE, **changes}, sort_keys=False), encoding="utf-8")
    return path


def test_a_description_is_read_with_its_secrets_from_the_environment(tmp_path: Path) -> None:
    target = load_target(written(tmp_path), environ=ENVIRON)
    assert target.kind == "environment"
    assert target.url("central-ledger") == "http://hub.test/central-ledger"
    assert target.callback.public_url == "https://harness.test/callbacks"
    assert target.bearer_token == "bearer-value"
    assert set(target.secrets) == {"bearer-value", "other-value", "1234567"}
    assert target.facts == {"simple_routing_mode_enabled": True}


def test_what_a_journal_says_of_a_target_holds_no_credentials_and_no_inputs(tmp_path: Path) -> None:
    target = load_target(written(tmp_path), environ=ENVIRON)
    text = str(target.describe())
    assert not [secret for secret in target.secrets if secret in text]
    assert "inputs" not in target.describe()


def test_a_target_survives_the_way_to_a_worker(tmp_path: Path) -> None:
    target = load_target(written(tmp_path), environ=ENVIRON)
    assert Target.from_json(target.to_json()) == target


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"surprise": 1}, "surprise"),
        ({"services": {**SERVICES, "central-ledgr": "http://x.test"}}, "central-ledgr"),
        ({"services": {"central-ledger": "http://x.test"}}, "lacks account-lookup-service"),
        ({"services": {**SERVICES, "central-ledger": "x.test:3001"}}, "not a base URL"),
        ({"services": {**SERVICES, "central-ledger": "http://user:word@x.test"}}, "not a base URL"),
        ({"callback": {"public_url": "ftp://x.test"}}, "not a base URL"),
        ({"callback": {}}, "public_url"),
        ({"currency": "dollars"}, "currency"),
        ({"bearer_token": "env:ABSENT"}, "ABSENT"),
        ({"secret_inputs": ["nothing"]}, "nothing"),
        ({"callback_timeout_s": 0}, "callback_timeout_s"),
    ],
)
def test_what_is_wrong_is_refused_and_named(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(TargetError, match=told) as caught:
        load_target(written(tmp_path, **changes), environ=ENVIRON)
    assert "target.yaml" in str(caught.value)


def test_the_line_is_named(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text() + "surprise: 1\n")
    with pytest.raises(TargetError, match=f"line {len(path.read_text().splitlines())}"):
        load_target(path, environ=ENVIRON)


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text() + "name: again\n")
    with pytest.raises(TargetError, match="name"):
        load_target(path, environ=ENVIRON)


RELEASE = Release(
    "mojaloop", ReleaseVersion(17, 1, 0), {"central-ledger": "19.8.3", "account-lookup-service": "17.12.2"}, "x"
)


def probed(answer: httpx.Response | Exception, service: str = "central-ledger") -> Any:
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/health"
        if isinstance(answer, Exception):
            raise answer
        return answer

    target = Target(name="t", kind="environment", services={service: "http://hub.test"}, bearer_token="abc")
    (found,) = probe(target, RELEASE, transport=httpx.MockTransport(handler))
    return found


def test_a_service_that_is_well() -> None:
    found = probed(
        httpx.Response(
            200, json={"status": "OK", "versionNumber": "19.8.3", "services": [{"name": "broker", "status": "OK"}]}
        )
    )
    assert (found.status, found.version, found.expected_version) == ("ok", "19.8.3", "19.8.3")


def test_an_admin_api_has_the_version_of_its_service() -> None:
    found = probed(httpx.Response(200, json={"status": "OK", "versionNumber": "1"}), "account-lookup-service-admin")
    assert found.expected_version == "17.12.2"


@pytest.mark.parametrize(
    ("answer", "status", "told"),
    [
        (httpx.Response(502, json={"status": "DOWN", "versionNumber": "1"}), "degraded", "502"),
        (httpx.Response(200, json={"status": "DOWN"}), "degraded", "DOWN"),
        (
            httpx.Response(200, json={"status": "OK", "services": [{"name": "broker", "status": "DOWN"}]}),
            "degraded",
            "broker",
        ),
        (httpx.Response(200, text="<html>"), "down", "without a health document"),
        (httpx.Response(404), "down", "404"),
        (httpx.Response(200, json=[1]), "down", "without a health document"),
        (httpx.Response(401), "down", "refuses our credentials"),
        (httpx.ConnectError("broken"), "down", "cannot be reached"),
        (httpx.ReadTimeout("slow"), "down", "no whole answer within 5 s"),
    ],
)
def test_a_service_that_is_not_well(answer: Any, status: str, told: str) -> None:
    found = probed(answer)
    assert found.status == status
    assert told in found.message
    assert found.remedy
