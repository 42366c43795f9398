"""May a conversion be prepared? The checks of central-ledger's validator for fxTransfers, in its order and words."""

from __future__ import annotations

from datetime import datetime

from harness.fspiop.dates import iso_ms
from harness.fspiop.errors import FspiopError
from harness.hub.faults import Fault
from harness.hub.fx_states import FxTransfer, Side
from harness.hub.ledger import AccountType, Ledger
from harness.hub.messages import Message
from harness.hub.participants import HUB, Participants

__all__ = ["check_prepare"]


def check_prepare(
    fx: FxTransfer, message: Message, now: datetime, participants: Participants, ledger: Ledger
) -> datetime:
    """Returns when the conversion expires. Raises ``Fault`` 3100 with the first reason against it."""
    if message.source != fx.initiating:
        raise Fault(FspiopError.VALIDATION, "FSPIOP-Source header should match Payer")
    for name in (fx.initiating, fx.counterparty):
        participant = participants.find(name)
        if participant is None or name == HUB:
            raise Fault(FspiopError.VALIDATION, f"Participant {name} not found")
        if not participant.active:
            raise Fault(FspiopError.VALIDATION, f"Participant {name} is inactive")
    if fx.expires is None:
        raise Fault(FspiopError.VALIDATION, "Expiration is required for conditional transfer")
    if fx.expires < now:
        raise Fault(FspiopError.VALIDATION, f"Expiration date {iso_ms(fx.expires)} is already in the past")
    if fx.initiating.lower() == fx.counterparty.lower():
        raise Fault(
            FspiopError.VALIDATION,
            "Payer FSP and Payee FSP should be different, unless on-us tranfers are allowed by the Scheme",
        )
    # The FXP needs an account on either side, who asks only where it is credited or debited itself.
    own = fx.source.currency if fx.side is Side.PAYER else fx.target.currency
    for name, currency in (
        (fx.counterparty, fx.source.currency),
        (fx.counterparty, fx.target.currency),
        (fx.initiating, own),
    ):
        account = ledger.account(name, currency, AccountType.POSITION)
        if account is None:
            raise Fault(FspiopError.VALIDATION, f"Participant {name} {currency} account not found")
        if not account.active:
            raise Fault(FspiopError.VALIDATION, f"Participant {name} {currency} account is inactive")
    return fx.expires
