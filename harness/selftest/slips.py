"""Why does a suite not see a defect? Written by hand, by suite and defect, for those that it was run against."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["SLIPS"]

_NO_ON_US = "the published environment allows no transfer to oneself (ON_US_TRANSFERS_ENABLED), so that "

SLIPS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "official": MappingProxyType(
            {
                "lookup-unknown-wrong-code": "no check on a look-up asks for the error code 3204",
                "quote-duplicate-accepted": "the checks on the error code 3106 of a changed quote are switched off "
                "where SIMPLE_ROUTING_MODE_ENABLED is set, as in the published environment",
                "transfer-callback-twice": "each check looks at the first callback, and none counts them",
                "duplicate-modified-accepted": "a transfer is repeated as it was, and never changed under a known id",
                "expired-prepare-accepted": "no transfer is sent whose expiration has passed already",
                "net-debit-cap-off-by-one": "the transfers that the net debit cap blocks go beyond it, and none "
                "reaches it exactly",
                "fx-quote-amount-altered": "the checks want a target amount in the forwarded answer, no matter which",
                "fx-quote-provider-unchecked": "no conversion asks for currencies that its FXP does not have",
                "fx-fulfilment-unchecked": "the case of the wrong fulfilment looks at the error of the transfer that "
                "follows and at positions, not at what the answer to the conversion says",
                "fx-unfulfilled-accepted": "the one transfer that hangs on an unfulfilled conversion must end in an "
                "error, no matter which, and ends in one all the same",
                "fx-not-found-wrong-code": "GET /fxTransfers is only sent for conversions that exist",
                "fx-expiry-leaves-transfer": "the conversion that expires has no transfer that hangs on it",
                "fx-patch-lost": "no check looks at what the FXP is told after the commit",
                "funds-out-beyond-balance": "no case asks for more funds than the account holds",
                "on-us-refused": f"{_NO_ON_US}the checks want the refusal",
                "on-us-position-kept": f"{_NO_ON_US}none is ever committed",
                "reject-modified-accepted": "the changed rejection is sent, but its case looks only at the HTTP status "
                "and at the transfer, which is aborted either way; not at the error that the payee is told",
                "authorization-query-dropped": "the checks on GET /authorizations that is handed on look at its HTTP "
                "status alone",
                "authorization-failure-untold": "no check looks at what follows an authorization that is not handed on",
                "settlement-step-skipped": "each settlement goes through its states in their order",
                "settlement-abort-keeps": "no settlement is aborted",
                "settlement-filter-ignored": "GET /settlements is never sent: settlements are asked for one by one",
                "settlement-default-model-greedy": "the settlement by the currency's own model is created first and "
                "leaves the default model nothing of it to take",
                "interchange-fee-forgotten": "the balance checks look at the fee only where "
                "SETTLEMENT_RULE_INTERCHANGE_FEE is set, which the published environment does not do",
                "gross-settlement-left-out": "the currency with the gross model is never transferred",
            }
        ),
        "native": MappingProxyType(
            {
                "hub-signature-missing": "whether a hub signs what it says is a setting of the deployment, so no case "
                "demands it",
            }
        ),
    }
)
