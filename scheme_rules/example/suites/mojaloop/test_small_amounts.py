"""What the example Scheme wants to see besides the release's suite: its participants' merchants sell by the piece."""

from __future__ import annotations

from harness.engine.native.dfsp import Dfsp
from harness.engine.native.matchers import amount
from harness.run.fixtures import Onboard
from harness.suite.native import case


@case("The smallest amount of money can be paid, and is owed to the last digit", labels=["scheme"], severity="major")
def test_smallest_amount(payee: Dfsp, onboard: Onboard) -> None:
    payer = onboard("payer", net_debit_cap="1", funds="1")

    quote = payer.quote(payee, payee.has_party("MSISDN"), "0.0001")
    quote.accepted()
    quote.answered(by=payee.name)
    quote.calls_back("transferAmount.amount", amount("0.0001"))

    transfer = payer.transfer(payee, "0.0001", quote=quote)
    transfer.accepted()
    transfer.calls_back("transferState", "COMMITTED")
    payer.has_position("0.0001")
