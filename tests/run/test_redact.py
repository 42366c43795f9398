"""No secret survives redaction, and nothing else is lost."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.run.redact import MARK, Redactor, is_secret_name

SECRET = 's3cr3t-Value/+="ä'
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@given(plain, st.sampled_from(["before", "after", "both"]))
def test_a_declared_secret_is_nowhere_in_what_is_written(value: object, where: str) -> None:
    text = {"before": f"{SECRET} x", "after": f"x {SECRET}", "both": f"{SECRET}{SECRET}"}[where]
    record = {"a": [value, text], SECRET: 1, "url": f"http://hub/x?q={quote(SECRET, safe='')}", "b": {"c": text}}
    written = json.dumps(Redactor([SECRET]).redact(record), ensure_ascii=False)
    assert SECRET not in written
    assert json.dumps(SECRET)[1:-1] not in written
    assert quote(SECRET, safe="") not in written


def test_a_declared_secret_is_found_in_base64() -> None:
    encoded = base64.b64encode(SECRET.encode()).decode()
    assert encoded not in json.dumps(Redactor([SECRET]).redact({"body": f"data:{encoded}"}))


@pytest.mark.parametrize(
    ("record", "secret"),
    [
        ({"headers": {"Authorization": "Bearer abcdef123456"}}, "abcdef123456"),
        ({"headers": {"fspiop-signature": '{"signature":"AEQMA7dg"}'}}, "AEQMA7dg"),
        ({"headers": {"X-Forwarded-Client-Cert": "Hash=4242"}}, "4242"),
        ({"body": {"clientSecret": "tops"}}, "tops"),
        ({"body": {"user": {"password": "hunter2"}}}, "hunter2"),
        ({"body": {"pin": "4711"}}, "4711"),
        ({"body": {"credentials": {"user": "a", "key": "zzz9"}}}, "zzz9"),
        ({"body": '{"password": "hunter2", broken'}, "hunter2"),
        ({"body": 'said \\"api_key\\": \\"hunter2\\"'}, "hunter2"),
        ({"url": "http://h/x?access_token=hunter2&y=1"}, "hunter2"),
        ({"url": "http://bob:hunter2@h/x"}, "hunter2"),
        ({"message": "sent Bearer hunter2hunter2 to the hub"}, "hunter2hunter2"),
        ({"message": "eyJhbGciOi.eyJzdWIiOi.SflKxw-RJ"}, "SflKxw"),
        ({"message": "-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----"}, "MIIabc"),
        ({"message": "-----BEGIN CERTIFICATE-----\nMIIabc cut off"}, "MIIabc"),
    ],
)
def test_what_is_secret_by_name_or_shape_is_removed(record: dict[str, object], secret: str) -> None:
    written = json.dumps(Redactor().redact(record))
    assert secret not in written
    assert MARK in written


def test_a_value_seen_under_a_secret_name_is_removed_everywhere_afterwards() -> None:
    redactor = Redactor()
    redactor.redact({"headers": {"Authorization": "Bearer tokentoken42"}})
    assert redactor.redact({"echo": "you sent tokentoken42"}) == {"echo": f"you sent {MARK}"}


def test_what_is_no_secret_stays_as_it_is() -> None:
    record = {
        "type": "check",
        "suite": {"pin": "match", "pinned_digest": "sha256:00"},
        "ilpPacket": "AYIDNAAAAAAAD0JAHWcucGF5ZWVmc3A",
        "headers": {"fspiop-source": "payerfsp", "authorization": ""},
        "url": "http://hub:3000/transfers?x=1",
        "amount": 12,
        "none": None,
        "flag": True,
    }
    assert Redactor(["another-secret"]).redact(record) == record


@pytest.mark.parametrize(
    "name", ["password", "PAYEE_BEARER_TOKEN", "apiKey", "X-API-Key", "private_key", "clientSecret"]
)
def test_secret_names(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["amount", "authorizations", "fspiop-source", "keyId", "passed", "pinned", "condition"]
)
def test_ordinary_names(name: str) -> None:
    assert not is_secret_name(name)


@given(st.lists(st.text('ab =:"-', max_size=12) | st.sampled_from(["token=hushhush", "hushhush", "a hushhush b"])))
def test_what_was_cleaned_before_is_cleaned_anew_once_more_is_known(texts: list[str]) -> None:
    """However often the same texts come, and whatever was learned between them: as if each were new."""
    redactor = Redactor()
    for text in texts * 2:
        known = Redactor()
        known._values, known._pattern = set(redactor._values), redactor._pattern
        assert redactor.redact({"said": text}) == known.redact({"said": text})
