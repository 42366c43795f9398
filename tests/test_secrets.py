"""A secret in a header, a body, a query string, an input value or an error text is in no byte under ``reports/``."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import quote

import yaml

from harness.hub.process import HubProcess
from harness.release.manifest import load_manifest
from tests.support import RELEASE, harness, make_workspace

TOKEN = "tok-4f9a/2c+77=="
DECLARED = 'd3clared "Value" ü'
INPUT = "inputsecret-8812"
SEEN = {
    "password": "hunter2hunter2",
    "apiKey": "AKIA55501234",
    "query": "qwertyquery99",
    "cookie": "session=cookiecookie1",
    "signature": "c2lnbmF0dXJlLW9mLWEtbWVzc2FnZQ",
    "pem": "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
}

SUITE = f'''
from harness.suite.native import case

@case("Sends secrets in every place", labels=["smoke"])
def test_secrets(hub):
    step = hub.call(
        "central-ledger", "POST", "/participants",
        path="/participants?access_token={SEEN["query"]}&note=" + {quote(DECLARED, safe="")!r},
        headers={{
            "Content-Type": "application/json",
            "Cookie": {SEEN["cookie"]!r},
            "FSPIOP-Signature": '{{"signature": "{SEEN["signature"]}", "protectedHeader": "e30"}}',
            "X-Note": "plain {INPUT}",
        }},
        body={{
            "name": {DECLARED!r},
            "password": {SEEN["password"]!r},
            "nested": [{{"apiKey": {SEEN["apiKey"]!r}}}],
            "key": "-----BEGIN PRIVATE KEY-----\\n{SEEN["pem"]}\\n-----END PRIVATE KEY-----",
            "copy": "again {TOKEN} and {SEEN["password"]}",
        }},
    )
    step.status(201)
    step.check("the answer repeats nothing", {DECLARED!r}, "something else")
    step.says("nothing", {TOKEN!r})

@case("Breaks with a secret in its error", labels=["smoke"])
def test_breaks(hub):
    hub.health("central-ledger").status(200)
    raise RuntimeError("could not log in with " + {TOKEN!r} + " and " + {INPUT!r})
'''


def test_no_secret_is_in_any_byte_of_a_run(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "ws", {"test_secrets.py": SUITE})
    release = load_manifest(workspace / "baselines/mojaloop" / RELEASE / "release.yaml")
    with HubProcess.start(release) as hub:
        target = {
            "name": "staging",
            "services": hub.services,
            "callback": {"host": "127.0.0.1", "public_url": "http://127.0.0.1:1"},
            "bearer_token": "env:HUB_TOKEN",
            "secrets": ["env:HUB_SECRET"],
            "inputs": {"PAYEE_NOTE": "env:HUB_NOTE"},
            "secret_inputs": ["PAYEE_NOTE"],
        }
        targets = workspace / "scheme_rules/example/targets"
        targets.mkdir()
        (targets / "staging.yaml").write_text(yaml.safe_dump(target), encoding="utf-8")
        for workers in ("0", "2"):
            ended = harness(
                *("run", RELEASE, "--target", "staging", "--scheme", "example", "-n", workers, "--run-id", workers),
                cwd=workspace, HUB_TOKEN=TOKEN, HUB_SECRET=DECLARED, HUB_NOTE=INPUT,
            )  # fmt: skip
            assert ended.code in (1, 2), ended
            assert "(rehearsal on the embedded hub)" in ended.out, "an embedded hub by another address stays one"
    secrets = [TOKEN, DECLARED, INPUT, *SEEN.values(), "cookiecookie1"]
    forms = {
        form.encode()
        for secret in secrets
        for form in (secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode())
    }
    written = [path for path in (workspace / "reports").rglob("*") if path.is_file()]
    assert any(path.name == "exchanges.jsonl" and path.stat().st_size for path in written)
    for path in written:
        content = path.read_bytes()
        assert not [form for form in forms if form in content], path
    assert b"[redacted]" in (workspace / "reports/runs/0/exchanges.jsonl").read_bytes()


def test_a_credential_that_is_not_set_stops_the_run(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path)
    services = dict.fromkeys(
        ("account-lookup-service", "quoting-service", "ml-api-adapter", "central-ledger"), "http://127.0.0.1:9"
    )
    target = {
        "name": "t",
        "services": services,
        "callback": {"public_url": "http://127.0.0.1:1"},
        "bearer_token": "env:NOT_SET_ANYWHERE",
    }
    (tmp_path / "t.yaml").write_text(yaml.safe_dump(target), encoding="utf-8")
    ended = harness("run", RELEASE, "--target", "t.yaml", cwd=workspace)
    assert ended.code == 3
    assert "NOT_SET_ANYWHERE" in ended.err
