"""Transfers: money moves from payer to payee, once, on the agreed terms."""

from __future__ import annotations

from harness.engine.native.dfsp import Dfsp
from harness.engine.native.matchers import amount
from harness.suite.native import case


@case("A payment goes through look-up, quote and transfer", labels=["p2p", "smoke"], severity="blocker")
def test_payment(payer: Dfsp, payee: Dfsp) -> None:
    party = payee.has_party("MSISDN")

    look_up = payer.look_up(party)
    look_up.accepted()
    look_up.answered()
    look_up.calls_back("party.partyIdInfo.fspId", payee.name)

    quote = payer.quote(payee, party, "100")
    quote.accepted()
    quote.answered()
    quote.calls_back("transferAmount.amount", amount(100))

    transfer = payer.transfer(payee, "100", quote=quote)
    transfer.accepted()
    transfer.answered()
    transfer.calls_back("transferState", "COMMITTED")
