"""Why does a suite not see a defect? Written by hand, by suite and defect, for those that it was run against."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["SLIPS"]

SLIPS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "official": MappingProxyType(
            {
                "lookup-unknown-wrong-code": "no check on a look-up asks for the error code 3204",
                "fx-quote-amount-altered": "the checks want a target amount in the forwarded answer, no matter which",
                "fx-fulfilment-unchecked": "the case of the wrong fulfilment looks at the error of the transfer that "
                "follows and at positions, not at what the answer to the conversion says",
                "fx-not-found-wrong-code": "GET /fxTransfers is only sent for conversions that exist",
                "fx-expiry-leaves-transfer": "the conversion that expires has no transfer that hangs on it",
                "fx-patch-lost": "no check looks at what the FXP is told after the commit",
            }
        )
    }
)
