"""A request is signed as FSPIOP says, and what checks it in Python and in V8 agrees with each other and with Node."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.engine.ttk.script import ScriptHost, World
from harness.errors import UsageError
from harness.fspiop.jws import body_text, read_key, signature_fault, signed_headers

FACTS: dict[str, str] = json.loads((Path(__file__).parent / "jws_facts.json").read_text("utf-8"))
URL = "http://hub:3000/transfers/b51ec534-ee48-4575-b6a9-ead2955b8069/error?x=1"
HEADERS = {"fspiop-source": "payer", "fspiop-destination": "payee", "date": "Sun, 22 Nov 2026 08:21:33 GMT"}
BODY = {"transferState": "COMMITTED", "amount": {"currency": "XTS", "amount": "5"}, "note": "é"}
CHECK = """
  requestVariables.whole = custom.jws.validateCallback(callback.headers, callback.body, environment.key)
  requestVariables.header = custom.jws.validateCallbackProtectedHeaders(callback.headers)"""


@pytest.fixture(scope="module")
def host() -> Iterator[ScriptHost]:
    with ScriptHost() as host:
        yield host


def signed(body: Any = BODY, key: str = FACTS["pkcs8"]) -> dict[str, str]:
    return HEADERS | signed_headers(HEADERS, method="put", url=URL, body=body, key=key)


def said(host: ScriptHost, headers: dict[str, str], body: Any = BODY, key: str = FACTS["public"]) -> tuple[str, str]:
    found = host.run_script(CHECK, World({"key": key}, {}, callback={"headers": headers, "body": body}))
    assert found.error == ""
    return found.request_variables["whole"], found.request_variables["header"]


def test_a_key_is_read_in_every_form_that_deployments_use() -> None:
    public, private = read_key(FACTS["public"]), read_key(FACTS["pkcs1"])
    assert isinstance(public, RSAPublicKey)
    assert isinstance(private, RSAPrivateKey)
    assert {_numbers(FACTS[form]) for form in ("public", "public1", "certificate", "pkcs1", "pkcs8")} == {
        public.public_numbers()
    }


def _numbers(pem: str) -> RSAPublicNumbers:
    key = read_key(pem)
    return (key.public_key() if isinstance(key, RSAPrivateKey) else key).public_numbers()


def test_a_signature_that_node_made_holds() -> None:
    key = read_key(FACTS["public"])
    assert isinstance(key, RSAPublicKey)
    signature = base64.urlsafe_b64decode(FACTS["signature"] + "==")
    key.verify(signature, FACTS["message"].encode(), PKCS1v15(), SHA256())
    assert set(json.loads(signed()["fspiop-signature"])) == {"signature", "protectedHeader"}


@pytest.mark.parametrize("key", ["public", "public1", "certificate"])
def test_a_signed_request_is_valid_in_python_and_in_scripts(host: ScriptHost, key: str) -> None:
    headers = signed()
    assert signature_fault(headers, body_text(BODY), FACTS[key]) == ""
    assert said(host, headers, key=FACTS[key]) == ("VALID", "VALID")
    assert headers["fspiop-uri"] == "/transfers/b51ec534-ee48-4575-b6a9-ead2955b8069/error"
    assert headers["fspiop-http-method"] == "PUT"


def test_a_changed_body_does_not_hold(host: ScriptHost) -> None:
    changed = {**BODY, "note": "e"}
    assert signature_fault(signed(), body_text(changed), FACTS["public"]) == "the signature does not hold"
    assert said(host, signed(), changed) == ("Error: the signature does not hold", "VALID")


@pytest.mark.parametrize("name", ["fspiop-source", "fspiop-destination", "fspiop-uri", "fspiop-http-method", "date"])
@pytest.mark.parametrize("value", ["other", ""])
def test_a_header_that_differs_from_what_was_signed_does_not_hold(host: ScriptHost, name: str, value: str) -> None:
    headers = {**signed(), name: value}
    if not value:
        del headers[name]
    assert signature_fault(headers, body_text(BODY), FACTS["public"]) != ""
    whole, header = said(host, headers)
    assert whole.startswith("Error: ")
    assert header.lower().startswith(f"protected header: {name}")


@pytest.mark.parametrize("value", ["", "no json", "{}", '{"signature": "AA", "protectedHeader": "e30"}'])
def test_what_is_no_signature_does_not_hold(host: ScriptHost, value: str) -> None:
    headers = {**signed(), "fspiop-signature": value}
    assert signature_fault(headers, body_text(BODY), FACTS["public"]) != ""
    assert "VALID" not in said(host, headers)


@pytest.mark.parametrize(
    ("key", "url", "body", "why"),
    [
        (FACTS["public"], URL, BODY, "a public one"),
        ("nonsense", URL, BODY, "no RSA key"),
        ("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----", URL, BODY, "no RSA key"),
        (FACTS["pkcs8"], URL, None, "without a body"),
        (FACTS["pkcs8"], "http://hub/health", BODY, "no FSPIOP resource"),
    ],
)
def test_what_cannot_be_signed_says_why(key: str, url: str, body: Any, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        signed_headers(HEADERS, method="post", url=url, body=body, key=key)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    TEXTS | st.integers(-(10**6), 10**6) | st.booleans() | st.none(), lambda v: st.lists(v, max_size=3)
)


@settings(max_examples=25, deadline=None)
@given(
    body=st.dictionaries(
        TEXTS.filter(lambda key: not key.isdigit() and key != "__proto__"), VALUES, min_size=1, max_size=4
    )
)
def test_any_body_that_is_signed_is_found_valid_by_scripts(body: dict[str, Any]) -> None:
    headers = signed(body)
    assert signature_fault(headers, body_text(body), FACTS["public"]) == ""
    with ScriptHost() as host:
        assert said(host, headers, body)[0] == "VALID"
