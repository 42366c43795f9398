"""A simulated DFSP survives the way to the server unchanged, and one that makes no sense is refused by name."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.engine.inbound.behaviour import (
    Behaviour,
    OnParties,
    OnQuotes,
    OnTransfers,
    Party,
    SimulatedDfsp,
    secret_of,
)
from harness.errors import UsageError
from harness.fspiop.errors import FspiopError

HUB = dict.fromkeys(("account-lookup-service", "quoting-service", "ml-api-adapter"), "http://127.0.0.1:1")

text = st.text(max_size=20)
amounts = st.integers(0, 10**8).map(lambda units: Decimal(units).scaleb(-4))
delays = st.integers(0, 10_000)
errors = st.sampled_from(FspiopError)
parties = st.builds(Party, id_type=text, identifier=text, sub_id=st.none() | text, name=st.none() | text)
behaviours = st.builds(
    Behaviour,
    parties=st.builds(OnParties, delay_ms=delays) | st.builds(OnParties, kind=st.just("error"), error=errors),
    quotes=st.builds(OnQuotes, fee=amounts, commission=amounts, expires_s=delays) | st.just(OnQuotes(kind="silent")),
    transfers=st.builds(OnTransfers, kind=st.sampled_from(["commit", "reserve", "wrong-fulfilment", "silent"]))
    | st.builds(OnTransfers, kind=st.just("abort"), error=st.none() | errors),
)


@settings(deadline=None)
@given(st.builds(SimulatedDfsp, text, st.just(HUB), behaviours, st.just("1.0"), st.lists(parties).map(tuple)))
def test_a_declaration_can_be_read_back(dfsp: SimulatedDfsp) -> None:
    assert SimulatedDfsp.from_json(json.loads(json.dumps(dfsp.to_json()))) == dfsp


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: OnParties(kind="answers"), "cannot 'answers' parties.*answer, error, silent"),  # type: ignore[arg-type]
        (lambda: OnQuotes(kind="error"), "kind 'error' and error None"),
        (lambda: OnTransfers(error=FspiopError.PAYEE), "kind 'commit' and error"),
        (lambda: OnParties(delay_ms=-1), "before it was asked"),
        (lambda: OnQuotes(fee=Decimal("0.00001")), "the fee of a simulated DFSP"),
        (lambda: SimulatedDfsp("payeefsp", {"ml-api-adapter": ""}), "account-lookup-service, quoting-service"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(declare: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        declare()


def test_each_dfsp_has_a_secret_of_its_own_that_never_changes() -> None:
    assert secret_of("payeefsp") == secret_of("payeefsp")
    assert secret_of("payeefsp") != secret_of("payerfsp")
    assert len(secret_of("payeefsp")) == 32


def test_absent_elements_of_a_party_are_left_out() -> None:
    assert Party(id_type="MSISDN", identifier="1").fspiop("payeefsp") == {
        "partyIdInfo": {"partyIdType": "MSISDN", "partyIdentifier": "1", "fspId": "payeefsp"}
    }
    whole = Party(
        id_type="BUSINESS", identifier="x", sub_id="HR", name="N", first_name="Ève", date_of_birth="1984-01-01"
    )
    assert whole.fspiop("payeefsp") == {
        "partyIdInfo": {
            "partyIdType": "BUSINESS",
            "partyIdentifier": "x",
            "partySubIdOrType": "HR",
            "fspId": "payeefsp",
        },
        "name": "N",
        "personalInfo": {"complexName": {"firstName": "Ève"}, "dateOfBirth": "1984-01-01"},
    }
