"""Which input values does a deployment give to the official collections, beyond the environment published with them?

For the embedded hub, in the place of the values file of a Helm deployment. Names are those that the collections of
testing-toolkit-test-cases v15.1.0 and v17.1.0 read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.fspiop.headers import content_type

__all__ = ["deployment_inputs"]

_RESOURCES = ("participants", "parties", "quotes", "transfers", "transactionRequests", "fxQuotes", "fxTransfers")
_OLD, _UNKNOWN = "1.0", "9.0"


def deployment_inputs(api_version: str, published: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values for a hub that speaks ``api_version`` of FSPIOP: 1.1 before v17, then 2.0.

    ``published`` is what the suite's own environment says. Since FSPIOP 2.0 the suite's settlement model is named after
    XXX, whatever that environment says; conversions are into the second currency, which provisioning gives the hub.
    """
    is_2 = api_version != "1.1"
    second = "XTS" if is_2 else published.get("currency2", "XTS")
    values: dict[str, Any] = {
        "API_TYPE": "fspiop",
        "RETRY_MAX_ATTEMPTS": 20,
        # how long a deployment takes to book funds, in milliseconds; the embedded hub has booked when it answers
        "DELAY_FUNDS_IN": 500,
        "DELAY_CGS": 500,
        "currency3": "XDR",
        "email": "operations@example.com",
        "noresponsepayeefspEmail": "operations@example.com",
        "FX_MSISDN_1": "54321001",
        "FX_PAYEE_DFSP_ID": "ttkfxpayee",
        "FX_PAYER_DFSP_ID": "ttkfxpayer",
        "FX_TESTFXP1_ID": "ttkfxp1",
        "FX_SOURCE_CURRENCY": "XDR",
        "FX_TARGET_CURRENCY": second,
        **(
            {"currency": "XXX", "currency2": second, "SIMPAYER_CURRENCY": "XXX", "SIMPAYEE_CURRENCY": "XXX"}
            if is_2
            else {}
        ),
        "FX_SOURCE_AMOUNT": "10",
        "FX_TARGET_AMOUNT": "15",
        "FX_SOURCE_AMOUNT_ERROR_GENERIC": "13",
        "FX_EXPIRATION": "2099-12-31T23:59:59.999Z",
    }
    for resource in _RESOURCES:
        name = resource[0].upper() + resource[1:]
        for side in ("accept", "contentType"):
            values[f"{side}{name}Old"] = content_type(resource, _OLD)
            values[f"{side}{name}NotSupported"] = content_type(resource, _UNKNOWN)
            if resource.startswith("fx"):
                values[f"{side}{name}"] = content_type(resource, "2.0")
    for name in ("Participants", "Parties", "Quotes", "Transfers"):
        media_type = content_type(name[0].lower() + name[1:], api_version)
        values |= {f"accept{name}": media_type, f"contentType{name}": media_type, f"expected{name}Version": api_version}
    values |= {"accept": values["acceptParties"], "contentType": values["contentTypeParties"]}
    return values | {f"expected{name}Version": "1.1" for name in ("Authorizations", "TransactionRequests")}
