"""Is the body of a request what the API definition asks for? Rules as data, and the first thing that breaks one.

Data types from FSPIOP API 1.1, section 7; codes and texts as recorded from the services of v17.1.0: a missing element
is 3102, a wrong JSON type 3101, a value out of its pattern, list or length 3100. Numbers, truth values and null stand
for the text they are written as, null for none, where a text is asked for (central-services-shared,
src/util/openapiBackend.js: ``coerceTypes``).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from harness.fspiop.errors import FspiopError
from harness.hub.currencies import CURRENCIES
from harness.hub.faults import Fault

__all__ = ["AMOUNT_PATTERN", "ERROR", "PARTY_ID_TYPES", "UNCHECKED_QUOTE", "Rule", "check", "fspiop_schemas"]

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[1-7][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_ULID = r"[0-9A-HJKMNP-TV-Z]{26}"
AMOUNT_PATTERN = r"^([0]|([1-9][0-9]{0,17}))([.][0-9]{0,3}[1-9])?$"
_DAY = (
    r"(?:[1-9]\d{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    r"|(?:[1-9]\d(?:0[48]|[2468][048]|[13579][26])|(?:[2468][048]|[13579][26])00)-02-29)"
)
_DATE = f"^{_DAY}$"
_DATE_TIME = f"^{_DAY}" + r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:(\.\d{3}))(?:Z|[+-][01]\d:[0-5]\d)$"
_NAME = r"^(?!\s*$)[\p{L}\p{gc=Mark}\p{digit}\p{gc=Connector_Punctuation}\p{Join_Control} .,''-]{1,128}$"
_NAME_SIGNS = frozenset(" .,'-\u200c\u200d")
_NAME_CATEGORIES = frozenset({"Nd", "Pc"})
_CONDITION = r"^[A-Za-z0-9-_]{43}$"
_TYPES: Mapping[str, type[Any]] = {"object": dict, "array": list, "string": str}


@dataclass(frozen=True, slots=True)
class Rule:
    """What one element must be."""

    type: str
    pattern: str | None = None
    values: frozenset[str] | None = None
    min_length: int = 0
    max_length: int | None = None
    properties: Mapping[str, Rule] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    items: Rule | None = None
    accepts: Callable[[str], bool] | None = None
    """Decides in place of ``pattern``, where that needs what Python's regular expressions lack."""
    strict: bool = False
    """Whether a text must be one: a number does not stand for it."""
    says: str = ""
    """What a text that breaks the rule is called, which is malformed syntax then; empty: it is invalid, by its path."""


def check(body: Any, rule: Rule, path: str = "/requestBody") -> Any:
    """Returns ``body`` with texts in the place of what stands for them, its objects and arrays changed in place.

    Raises ``Fault`` for the first rule that it breaks, naming the place.
    """
    if rule.type == "string" and not rule.strict and (body is None or type(body) in (bool, int, float)):
        body = _as_text(body)
    if type(body) is not _TYPES[rule.type]:
        raise Fault(FspiopError.MALFORMED_SYNTAX, f"{path} must be {rule.type}")
    if rule.type == "string":
        _check_string(body, rule, path)
    elif rule.type == "object":
        for name in rule.required:
            if name not in body:
                raise Fault(FspiopError.MISSING_ELEMENT, f"{path} must have required property '{name}'")
        for name, inner in rule.properties.items():
            if name in body:
                body[name] = check(body[name], inner, f"{path}/{name}")
    elif rule.items is not None:
        if len(body) < rule.min_length:
            raise Fault(FspiopError.VALIDATION, f"{path} must NOT have fewer than {rule.min_length} items")
        body[:] = [check(item, rule.items, f"{path}/{index}") for index, item in enumerate(body)]
    return body


def _as_text(value: bool | int | float | None) -> str:
    return "" if value is None else json.dumps(value)


def _check_string(text: str, rule: Rule, path: str) -> None:
    if (problem := _problem(text, rule)) and rule.says:
        raise Fault(FspiopError.MALFORMED_SYNTAX, f'"{rule.says}" {problem}')
    if problem:
        raise Fault(FspiopError.VALIDATION, f"{path} {problem}")


def _problem(text: str, rule: Rule) -> str:
    if len(text) < rule.min_length:
        return f"must NOT have fewer than {rule.min_length} characters"
    if rule.max_length is not None and len(text) > rule.max_length:
        return f"must NOT have more than {rule.max_length} characters"
    if rule.values is not None and text not in rule.values:
        return "must be equal to one of the allowed values"
    if rule.pattern is not None and not (rule.accepts or _compiled(rule.pattern).search)(text):
        return f'must match pattern "{rule.pattern}"'
    return ""


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


def _is_name(text: str) -> bool:
    """Whether ``_NAME`` matches: letters, marks, digits, connectors and joiners of any script, and a few signs."""
    fits = (c in _NAME_SIGNS or unicodedata.category(c) in _NAME_CATEGORIES or unicodedata.category(c)[0] in "LM"
            for c in text)  # fmt: skip
    return 0 < len(text) <= 128 and not text.isspace() and all(fits)


def _text(minimum: int = 1, maximum: int | None = None) -> Rule:
    return Rule("string", min_length=minimum, max_length=maximum)


def _one_of(*values: str) -> Rule:
    return Rule("string", values=frozenset(values))


def _object(required: tuple[str, ...], **properties: Rule) -> Rule:
    return Rule("object", properties=properties, required=required)


_EXTENSIONS = _object(
    ("extension",),
    extension=Rule("array", items=_object(("key", "value"), key=_text(1, 32), value=_text(1, 128)), min_length=1),
)
ERROR = _object(
    ("errorInformation",),
    errorInformation=_object(
        ("errorCode", "errorDescription"),
        errorCode=Rule("string", pattern=r"^[1-9]\d{3}$"),
        errorDescription=_text(1, 128),
        extensionList=_EXTENSIONS,
    ),
)
"""The body of every error callback."""


def fspiop_schemas(*, ulid_ids: bool, transfer_texts_are_syntax: bool = False) -> Mapping[str, Rule]:
    """Returns the rule of each request by operation; ``ulid_ids`` says whether ids may be ULIDs (from v17).

    ``transfer_texts_are_syntax``: in transfers a text out of its pattern is malformed syntax (before v17).
    """
    correlation_id = Rule("string", min_length=1, pattern=f"^{_UUID}$|^{_ULID}$" if ulid_ids else f"^{_UUID}$")
    currency = Rule("string", values=CURRENCIES)
    money = _object(("currency", "amount"), currency=currency, amount=Rule("string", pattern=AMOUNT_PATTERN))
    moment = Rule("string", pattern=_DATE_TIME)
    party_id = _object(
        ("partyIdType", "partyIdentifier"),
        partyIdType=_one_of(*PARTY_ID_TYPES),
        partyIdentifier=_text(1, 128),
        partySubIdOrType=_text(1, 128),
        fspId=_text(1, 32),
    )
    name = Rule("string", min_length=1, pattern=_NAME, accepts=_is_name)
    personal = _object(
        (),
        complexName=_object((), firstName=name, middleName=name, lastName=name),
        dateOfBirth=Rule("string", pattern=_DATE),
    )
    party = _object(("partyIdInfo",), partyIdInfo=party_id, name=_text(1, 128), personalInfo=_object(()))
    # What a look-up finds is shown as its DFSP tells it; collections put parties in that no rule for names allows.
    quoted = replace(party, properties={**party.properties, "personalInfo": personal})
    kind = _object(
        ("scenario", "initiator", "initiatorType"),
        scenario=_one_of("DEPOSIT", "WITHDRAWAL", "TRANSFER", "PAYMENT", "REFUND"),
        initiator=_one_of("PAYER", "PAYEE"),
        initiatorType=_one_of("CONSUMER", "AGENT", "BUSINESS", "DEVICE"),
    )
    packet, condition = _text(1, 32768), Rule("string", pattern=_CONDITION)
    quote = _object(
        ("quoteId", "transactionId", "payee", "payer", "amountType", "amount", "transactionType"),
        quoteId=correlation_id, transactionId=correlation_id, payee=quoted, payer=quoted,
        amountType=_one_of("SEND", "RECEIVE"), amount=money, fees=money, transactionType=kind,
        note=_text(1, 128), expiration=moment, extensionList=_EXTENSIONS,
    )  # fmt: skip
    schemas = {
        "POST /quotes": quote,
        UNCHECKED_QUOTE: replace(quote, properties={**quote.properties, "amount": _object(("currency", "amount"))}),
        "PUT /quotes/{ID}": _object(
            ("transferAmount", "expiration", "ilpPacket", "condition"),
            transferAmount=money, payeeReceiveAmount=money, payeeFspFee=money, payeeFspCommission=money,
            expiration=moment, ilpPacket=packet, condition=condition, extensionList=_EXTENSIONS,
        ),
        "POST /transfers": _object(
            ("transferId", "payeeFsp", "payerFsp", "amount", "ilpPacket", "condition", "expiration"),
            transferId=correlation_id, payeeFsp=_text(1, 32), payerFsp=_text(1, 32), amount=money, ilpPacket=packet,
            condition=condition, expiration=moment, extensionList=_EXTENSIONS,
        ),
        "PUT /transfers/{ID}": _object(
            ("transferState",),
            fulfilment=Rule("string", pattern=_CONDITION), completedTimestamp=moment,
            transferState=_one_of("RECEIVED", "RESERVED", "COMMITTED", "ABORTED"), extensionList=_EXTENSIONS,
        ),
        "PUT /parties/{Type}/{ID}": _object(("party",), party=party),
        "POST /participants/{Type}/{ID}": _object(("fspId",), fspId=_text(1, 32), currency=currency),
        "error": ERROR,
    }  # fmt: skip
    if transfer_texts_are_syntax:
        schemas |= {name: _by_joi(rule, "") for name, rule in schemas.items() if "/transfers" in name}
    return schemas


_CALLED = {"transferId": "Transfer Id must be in a valid GUID format."}
"""Names that ml-api-adapter 14.0.5 gives elements of a transfer (src/api/transfers/routes.js), where a check asks."""


def _by_joi(rule: Rule, name: str) -> Rule:
    """Returns ``rule`` as ml-api-adapter holds a transfer to it before v17: no number is a text, and a text out of its
    pattern, list or length is malformed syntax, but for a currency (``currency.base``), which is invalid."""
    return replace(
        rule,
        strict=True,
        says="" if rule.values is CURRENCIES or rule.type != "string" else _CALLED.get(name, name),
        properties={inner: _by_joi(one, inner) for inner, one in rule.properties.items()},
        items=None if rule.items is None else _by_joi(rule.items, name),
    )


PARTY_ID_TYPES = ("MSISDN", "EMAIL", "PERSONAL_ID", "BUSINESS", "DEVICE", "ACCOUNT_ID", "IBAN", "ALIAS")
"""FSPIOP API 1.1, section 7.5.6 (PartyIdType)."""

UNCHECKED_QUOTE = "POST /quotes, amount unchecked"
"""What a defective quoting service checks."""
