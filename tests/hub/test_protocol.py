"""Headers, bodies and JSON: what is refused, with which code and text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.fspiop.errors import FspiopError
from harness.fspiop.headers import content_type
from harness.hub.faults import Fault
from harness.hub.headers import read_headers
from harness.hub.messages import digest, dump_json, load_json
from harness.hub.schemas import check, fspiop_schemas
from tests.hub.world import World, quote, transfer, world

GOOD = {
    "date": "Sun, 22 Nov 2026 08:23:28 GMT", "accept": content_type("quotes", "1.1"),
    "content-type": content_type("quotes", "1.1"), "fspiop-source": "payer", "fspiop-destination": "payee",
}  # fmt: skip
VERSIONS = ("1.0", "1.1", "2.0")


def fault(method: str = "POST", **changes: str | None) -> Fault:
    named = {name.replace("_", "-"): value for name, value in changes.items()}
    headers = {name: value for name, value in {**GOOD, **named}.items() if value is not None}
    with pytest.raises(Fault) as raised:
        read_headers(method, headers, resource="quotes", versions=VERSIONS, required=("fspiop-destination",))
    return raised.value


@pytest.mark.parametrize(
    ("method", "changes", "code", "detail"),
    [
        ("POST", {"date": None}, "3102", "Missing required date header"),
        ("POST", {"date": "12345"}, "3101", "Invalid date header"),
        ("GET", {"accept": None}, "3102", "Accept is required"),
        ("GET", {"accept": "*/*"}, "3101", "Invalid accept header"),
        ("PUT", {"accept": "*/*"}, "3101", "Invalid accept header"),
        ("POST", {"accept": None}, "3102", "/header must have required property 'accept'"),
        ("POST", {"accept": "testAcceptText"}, "3101", "Invalid accept header"),
        ("POST", {"accept": content_type("transfers", "1.1")}, "3101", "Invalid accept header"),
        ("POST", {"content_type": None}, "3102", "Content-type is required"),
        ("POST", {"content_type": "application/json"}, "3101", "Invalid content-type header"),
        ("POST", {"content_type": content_type("transfers", "1.1")}, "3101", "Invalid content-type header"),
        ("PUT", {"content_type": content_type("quotes", "1")}, "3101", "Invalid content-type header"),
        ("PUT", {"fspiop_source": None}, "3102", "/header must have required property 'fspiop-source'"),
        ("POST", {"fspiop_destination": None}, "3102", "/header must have required property 'fspiop-destination'"),
    ],
)
def test_headers_that_are_missing_or_malformed(
    method: str, changes: Mapping[str, str | None], code: str, detail: str
) -> None:
    found = fault(method, **changes)
    assert (found.error.code, found.detail, found.status) == (code, detail, 400)


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        (
            {"accept": content_type("quotes", "9.0")},
            "The Client requested an unsupported version, see extension list for supported version(s).",
        ),
        (
            {"content_type": content_type("quotes", "9.0")},
            "Client supplied a protocol version which is not supported by the server",
        ),
    ],
)
def test_a_version_that_is_not_spoken_is_answered_with_those_that_are(changes: Mapping[str, str], detail: str) -> None:
    found = fault(**changes)
    assert (found.status, found.error) == (406, FspiopError.UNACCEPTABLE_VERSION)
    information = found.body["errorInformation"]
    assert information["errorDescription"] == f"Unacceptable version requested - {detail}"[:128]
    spoken = [(pair["key"], pair["value"]) for pair in information["extensionList"]["extension"]]
    assert spoken == [("1", "0"), ("1", "1"), ("2", "0")]


@pytest.mark.parametrize("accepted", ["1", "1.0", "2"])
def test_an_accept_header_may_name_the_major_version_alone(accepted: str) -> None:
    headers = {**GOOD, "accept": content_type("quotes", accepted)}
    assert read_headers("POST", headers, resource="quotes", versions=VERSIONS).version == "1.1"


def test_one_accepted_version_that_is_spoken_is_enough() -> None:
    headers = {**GOOD, "accept": f"{content_type('quotes', '9.0')}, {content_type('quotes', '1.1')}"}
    assert read_headers("POST", headers, resource="quotes", versions=VERSIONS).source == "payer"


SCHEMAS = fspiop_schemas(ulid_ids=True)


@pytest.mark.parametrize(
    ("path", "value", "code", "text"),
    [
        ("quoteId", None, "3102", "/requestBody must have required property 'quoteId'"),
        ("quoteId", "", "3100", "/requestBody/quoteId must NOT have fewer than 1 characters"),
        ("quoteId", "123", "3100", "/requestBody/quoteId must match pattern"),
        ("amountType", "BOTH", "3100", "/requestBody/amountType must be equal to one of the allowed values"),
        ("amount.amount", "1.10", "3100", "/requestBody/amount/amount must match pattern"),
        ("amount.amount", "0.00001", "3100", "/requestBody/amount/amount must match pattern"),
        ("amount.amount", ["5"], "3101", "/requestBody/amount/amount must be string"),
        ("amount.amount", -5, "3100", "/requestBody/amount/amount must match pattern"),
        ("amount.currency", "XYZ", "3100", "/requestBody/amount/currency must be equal to one of the allowed values"),
        ("payer.partyIdInfo", "x", "3101", "/requestBody/payer/partyIdInfo must be object"),
        ("transactionType.scenario", None, "3102", "/requestBody/transactionType must have required property"),
    ],
)
def test_the_first_thing_wrong_with_a_body_is_named(path: str, value: object, code: str, text: str) -> None:
    body = quote()
    *parents, last = path.split(".")
    place: dict[str, Any] = body
    for name in parents:
        place = place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    with pytest.raises(Fault) as raised:
        check(body, SCHEMAS["POST /quotes"])
    assert raised.value.error.code == code
    assert raised.value.detail.startswith(text)


def test_a_number_stands_for_the_text_it_is_written_as_and_null_for_none() -> None:
    body = quote()
    body["amount"]["amount"] = 12.5
    checked = check(body, SCHEMAS["POST /quotes"])
    assert checked["amount"]["amount"] == body["amount"]["amount"] == "12.5"

    body["payer"]["personalInfo"] = {"dateOfBirth": None}
    with pytest.raises(Fault) as raised:
        check(body, SCHEMAS["POST /quotes"])
    assert raised.value.error.code == "3100"
    assert raised.value.detail.startswith("/requestBody/payer/personalInfo/dateOfBirth must match pattern")


@pytest.mark.parametrize(
    ("path", "value", "code", "text"),
    [
        ("transferId", "12345", "3101", '"Transfer Id must be in a valid GUID format." must match pattern'),
        ("amount.amount", "1.50", "3101", '"amount" must match pattern'),
        ("amount.amount", 5, "3101", "/requestBody/amount/amount must be string"),
        ("amount.currency", "XYZ", "3100", "/requestBody/amount/currency must be equal to one of the allowed values"),
    ],
)
def test_before_v17_a_text_of_a_transfer_out_of_its_pattern_is_malformed_syntax(
    path: str, value: object, code: str, text: str
) -> None:
    body = transfer("100")
    *parents, last = path.split(".")
    place: dict[str, Any] = body
    for name in parents:
        place = place[name]
    place[last] = value
    schemas = fspiop_schemas(ulid_ids=False, transfer_texts_are_syntax=True)
    with pytest.raises(Fault) as raised:
        check(body, schemas["POST /transfers"])
    assert (raised.value.error.code, raised.value.detail[: len(text)]) == (code, text)
    check(quote(), schemas["POST /quotes"])


def test_a_date_that_is_none_passes_where_a_release_does_not_look_at_it() -> None:
    headers = {**GOOD, "date": "{$environment.today}"}
    assert read_headers("POST", headers, resource="quotes", versions=VERSIONS, dated=False).source == "payer"
    with pytest.raises(Fault):
        read_headers("POST", headers, resource="quotes", versions=VERSIONS)


def test_bodies_as_dfsps_send_them_pass() -> None:
    check(quote("0.0001"), SCHEMAS["POST /quotes"])
    check(transfer("999999999999999999.9999"[-12:]), SCHEMAS["POST /transfers"])


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False, places=4),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON)
def test_json_keeps_every_digit(value: object) -> None:
    assert load_json(dump_json(value)) == value


def test_a_decimal_is_written_as_a_number() -> None:
    assert dump_json({"value": Decimal("-100.5000")}) == b'{"value":-100.5000}'


@given(JSON)
def test_white_space_does_not_make_a_request_another(value: object) -> None:
    loose = json.dumps(json.loads(dump_json(value)), indent=3).encode()
    tight = json.dumps(json.loads(dump_json(value))).encode()
    assert digest(load_json(loose)) == digest(load_json(tight))


@pytest.fixture(scope="module")
def w() -> Iterator[World]:
    with world() as one:
        yield one


def test_a_body_that_is_no_json_is_refused(w: World) -> None:
    url = f"{w.services['quoting-service']}/quotes"
    response = w.client.post(url, content=b"{", headers=GOOD)
    assert response.status_code == 400
    assert response.json()["errorInformation"]["errorCode"] == "3101"


def test_version_2_0_is_spoken_from_v17_on(w: World) -> None:
    headers = {"accept": content_type("parties", "2.0"), "content-type": content_type("parties", "2.0")}
    arguments = ("GET", "account-lookup-service", "/parties/MSISDN/1", "parties", "payer")
    assert w.fspiop(*arguments, headers=headers).status_code == 202
    with world(version="v16.0.0", onboarded=False) as old:
        assert old.fspiop(*arguments, headers=headers).status_code == 406


def test_an_unknown_path_and_an_unknown_method_are_answered_with_3002(w: World) -> None:
    for method, path in (("GET", "/nothing"), ("PATCH", "/transfers/1")):
        response = w.client.request(method, w.services["ml-api-adapter"] + path)
        assert (response.status_code, response.json()["errorInformation"]["errorCode"]) == (404, "3002")
