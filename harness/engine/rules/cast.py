"""How do the DFSPs that the official collections expect behave? Our own rules for the amounts they test with.

The amounts are the golden path's (testing-toolkit-test-cases): 13 a generic error, 15 a fulfilment that does not match,
16 silence, 101 to 104 the cases about notifications, 1001 a refused transfer. For conversions it is the source amount.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.engine.rules.model import Condition, Conditions, Event, EventType, Operator, Rule, RuleBook
from harness.fspiop.errors import FspiopError, error_information
from harness.fspiop.resources import OPERATIONS

__all__ = ["AMOUNTS_OF_SIMULATORS", "EVERYTHING", "MAGIC_AMOUNTS", "SILENCE", "rules_of_the_toolkit"]

_WRONG_FULFILMENT = "bm90LXRoZS1mdWxmaWxtZW50LW9mLWFueS1jb25kaXQ"
"""32 octets of text in base64url: no packet has a condition that they fulfil."""
_AGREED_CONDITION = "GRzLaTP7DJ9t4P-a_BA0WA9wzzlsugf00-Tn6kESAfM"
_AGREED_FULFILMENT = "UNlJ98hZTY_dsw0cAqw4i_UN3v4utt7CZFB4yfLbVFA"
"""Collections that transfer without a quote name this condition: whoever is asked knows what fulfils it (recorded)."""
_OFFER = "500"
"""What an FXP gives in the target currency where the payer says what it sends (recorded)."""
_NOBODY = {"FSPIOP-Destination": "doesnotexistfsp"}


def _when(method: str, path: str, *more: Condition) -> Conditions:
    return Conditions(
        all=(
            Condition("operationPath", Operator.EQUAL, path),
            Condition("method", Operator.EQUAL, method),
            *more,
        )
    )


def _amount(value: int, path: str = "amount.amount") -> Condition:
    return Condition("body", Operator.NUMERIC_EQUAL, value, path)


def _header(name: str, value: str) -> Condition:
    return Condition("headers", Operator.EQUAL, value, name)


def _rule(name: str, conditions: Conditions, kind: EventType, body: Any = None, **more: Any) -> Rule:
    return Rule(name, name.replace("-", " "), conditions, Event(kind, body, **more))


_GENERIC = error_information(FspiopError.SERVER)
_REFUSED = error_information(FspiopError.PAYEE_REJECTED_TRANSACTION)
_NOTIFIED = (_header("FSPIOP-Source", "testingtoolkitdfsp"), _header("FSPIOP-Destination", "ttkpayeefsp"))
_AGREED = Condition("body", Operator.EQUAL, _AGREED_CONDITION, "condition")

MAGIC_AMOUNTS = RuleBook(
    validation=(
        _rule(
            "generic-error-of-a-transfer",
            _when("post", "/transfers", _amount(13)),
            EventType.FIXED_ERROR_CALLBACK,
            _GENERIC,
        ),
        _rule(
            "generic-error-of-a-conversion",
            _when("post", "/fxTransfers", _amount(13, "sourceAmount.amount")),
            EventType.FIXED_ERROR_CALLBACK,
            _GENERIC,
        ),
        _rule(
            "generic-error-of-a-conversion-quote",
            _when("post", "/fxQuotes", _amount(13, "conversionTerms.sourceAmount.amount")),
            EventType.FIXED_ERROR_CALLBACK,
            _GENERIC,
        ),
        _rule(
            "refused-transfer",
            _when("post", "/transfers", _amount(1001)),
            EventType.FIXED_ERROR_CALLBACK,
            _REFUSED,
        ),
    ),
    callback=(
        _rule(
            "answer-to-nobody",
            _when("post", "/transfers", _amount(104), *_NOTIFIED),
            EventType.MOCK_CALLBACK,
            headers=_NOBODY,
        ),
        _rule(
            "reserved-with-a-wrong-fulfilment",
            _when("post", "/transfers", _amount(103), *_NOTIFIED),
            EventType.MOCK_CALLBACK,
            {"transferState": "RESERVED", "fulfilment": _WRONG_FULFILMENT},
        ),
        _rule(
            "reserved-to-nobody",
            _when("post", "/transfers", _amount(102), *_NOTIFIED),
            EventType.MOCK_CALLBACK,
            {"transferState": "RESERVED"},
            headers=_NOBODY,
        ),
        _rule(
            "reserved",
            _when("post", "/transfers", _amount(101), *_NOTIFIED),
            EventType.MOCK_CALLBACK,
            {"transferState": "RESERVED"},
        ),
        _rule(
            "wrong-fulfilment",
            _when("post", "/transfers", _amount(15)),
            EventType.MOCK_CALLBACK,
            {"fulfilment": _WRONG_FULFILMENT},
        ),
        _rule("silence", _when("post", "/transfers", _amount(16)), EventType.NO_CALLBACK),
        _rule(
            "wrong-fulfilment-of-a-conversion",
            _when("post", "/fxTransfers", _amount(15, "sourceAmount.amount")),
            EventType.MOCK_CALLBACK,
            {"fulfilment": _WRONG_FULFILMENT},
        ),
        _rule(
            "silence-on-a-conversion",
            _when("post", "/fxTransfers", _amount(16, "sourceAmount.amount")),
            EventType.NO_CALLBACK,
        ),
        _rule(
            "offer-of-a-conversion",
            _when("post", "/fxQuotes", Condition("body", Operator.EQUAL, "SEND", "conversionTerms.amountType")),
            EventType.MOCK_CALLBACK,
            # Not what goes in: were both the same, nobody would see one taken for the other.
            {"conversionTerms": {"targetAmount": {"amount": _OFFER}}},
        ),
        _rule(
            "agreed-fulfilment",
            _when("post", "/transfers", _AGREED),
            EventType.MOCK_CALLBACK,
            {"fulfilment": _AGREED_FULFILMENT},
        ),
        _rule(
            "agreed-fulfilment-of-a-conversion",
            _when("post", "/fxTransfers", _AGREED),
            EventType.MOCK_CALLBACK,
            {"fulfilment": _AGREED_FULFILMENT},
        ),
    ),
)

AMOUNTS_OF_SIMULATORS = replace(
    MAGIC_AMOUNTS, callback=tuple(rule for rule in MAGIC_AMOUNTS.callback if rule.id != "wrong-fulfilment")
)
"""What the simulators go by: 15 is an amount like any other to them (settlement_cgs of v15 pays it)."""
"""What any DFSP of the cast does about the amounts that stand for something."""

_ASKED = tuple(operation for operation in OPERATIONS if operation.callback is not None)

SILENCE = RuleBook(
    callback=tuple(
        _rule(f"no-answer-to-{each.key}", _when(each.method.lower(), each.template), EventType.NO_CALLBACK)
        for each in _ASKED
    )
)
"""A DFSP that takes every request and never answers."""

EVERYTHING = RuleBook(
    callback=tuple(
        _rule(f"answer-to-{each.key}", _when(each.method.lower(), each.template), EventType.MOCK_CALLBACK)
        for each in _ASKED
    )
)
"""A DFSP that answers every request as a good one does."""

_FOREIGN_PAYEES = tuple(
    _rule(
        f"payee-of-another-currency-at-{template}",
        _when("get", template, _header("FSPIOP-Source", "ttkfxpayer")),
        EventType.MOCK_CALLBACK,
        {"party": {"supportedCurrencies": ["XTS"]}},
    )
    for template in ("/parties/{Type}/{ID}", "/parties/{Type}/{ID}/{SubId}")
)
"""Whoever the payer with a foreign currency looks up takes another: so it learns that it needs an FXP (recorded)."""


def rules_of_the_toolkit() -> RuleBook:
    """Returns the rules of the DFSPs that the Testing Toolkit itself plays: the special cases, then everything else."""
    callback = (*MAGIC_AMOUNTS.callback, *_FOREIGN_PAYEES, *EVERYTHING.callback)
    return RuleBook(validation=MAGIC_AMOUNTS.validation, callback=callback)
