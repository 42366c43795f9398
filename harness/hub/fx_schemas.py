"""Is the body of a request about foreign exchange what the API definition asks for?

Data types from FSPIOP API 2.0 as quoting-service 17.12.1 and ml-api-adapter 16.5.9 publish them; the order of the
elements is theirs too, because the first that is wrong is the one that is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from harness.hub.schemas import Rule

__all__ = ["fx_schemas"]


def fx_schemas(base: Mapping[str, Rule]) -> Mapping[str, Rule]:
    """Returns the rule of each fx request by operation; ``base`` holds those of FSPIOP 1.1, whose types they share."""
    transfer, fulfil = base["POST /transfers"].properties, base["PUT /transfers/{ID}"].properties
    ident, fsp, money, condition, moment, extensions = (
        transfer[name] for name in ("transferId", "payeeFsp", "amount", "condition", "expiration", "extensionList")
    )
    # quoting-service knows fewer versions of UUID than ml-api-adapter (recorded).
    quote_id = replace(ident, pattern=(ident.pattern or "").replace("[1-7]", "[1-5]"))
    fx_money = Rule("object", properties=money.properties, required=("currency",))
    charge = Rule(
        "object",
        properties={
            "chargeType": Rule("string", min_length=1, max_length=32),
            "sourceAmount": money,
            "targetAmount": money,
        },
        required=("chargeType",),
    )
    terms = Rule(
        "object",
        properties={
            "conversionId": quote_id,
            "determiningTransferId": quote_id,
            "initiatingFsp": fsp,
            "counterPartyFsp": fsp,
            "amountType": base["POST /quotes"].properties["amountType"],
            "sourceAmount": fx_money,
            "targetAmount": fx_money,
            "expiration": moment,
            "charges": Rule("array", items=charge),
            "extensionList": extensions,
        },
        required=(
            "conversionId", "initiatingFsp", "counterPartyFsp", "amountType", "sourceAmount", "targetAmount",
            "expiration",
        ),
    )  # fmt: skip
    return {
        "POST /fxQuotes": Rule(
            "object",
            properties={"conversionRequestId": quote_id, "conversionTerms": terms},
            required=("conversionRequestId", "conversionTerms"),
        ),
        "PUT /fxQuotes/{ID}": Rule(
            "object", properties={"condition": condition, "conversionTerms": terms}, required=("conversionTerms",)
        ),
        "POST /fxTransfers": Rule(
            "object",
            properties={
                "commitRequestId": ident,
                "determiningTransferId": ident,
                "initiatingFsp": fsp,
                "counterPartyFsp": fsp,
                "sourceAmount": money,
                "targetAmount": money,
                "condition": condition,
                "expiration": moment,
            },
            required=(
                "commitRequestId", "initiatingFsp", "counterPartyFsp", "sourceAmount", "targetAmount", "condition",
            ),
        ),
        "PUT /fxTransfers/{ID}": Rule(
            "object",
            properties={
                "fulfilment": fulfil["fulfilment"],
                "completedTimestamp": moment,
                "conversionState": fulfil["transferState"],
                "extensionList": extensions,
            },
            required=("conversionState",),
        ),
    }  # fmt: skip
