"""Limits and liquidity: nobody owes more than its net debit cap and its funds allow, to the smallest amount."""

from __future__ import annotations

from harness.engine.inbound.behaviour import Behaviour, OnTransfers
from harness.engine.native.dfsp import Dfsp
from harness.engine.native.matchers import amount
from harness.run.fixtures import Onboard
from harness.suite.native import case

SILENT = Behaviour(transfers=OnTransfers(kind="silent"))
UNWILLING = Behaviour(transfers=OnTransfers(kind="abort"))


@case("A transfer may reach the net debit cap exactly", labels=["liquidity"], severity="blocker")
def test_cap_reached(payee: Dfsp, onboard: Onboard) -> None:
    payer = onboard("payer", net_debit_cap="100", funds="1000")

    transfer = payer.transfer(payee, "100")
    transfer.accepted()
    transfer.answered(by=payee.name)
    transfer.calls_back("transferState", "COMMITTED")
    payer.has_position("100")


@case("A transfer may not exceed the net debit cap by the smallest amount", labels=["liquidity"], severity="blocker")
def test_cap_exceeded(payee: Dfsp, onboard: Onboard) -> None:
    payer = onboard("payer", net_debit_cap="100", funds="1000")

    transfer = payer.transfer(payee, "100.0001")
    transfer.accepted()
    transfer.declined_by_hub("4200")
    payer.has_position("0")


@case("What is reserved counts against the net debit cap", labels=["liquidity"], severity="blocker")
def test_reserved_counts(payee: Dfsp, onboard: Onboard) -> None:
    payer, slow = onboard("payer", net_debit_cap="100", funds="1000"), onboard("slow", behaviour=SILENT)
    payer.transfer(slow, "60", awaits=False).accepted()
    payer.has_position("60")

    transfer = payer.transfer(payee, "40.0001", label="POST /transfers beyond what is left")
    transfer.declined_by_hub("4200")
    payer.has_position("60", "after the refusal")


@case("A declined transfer does not use up the net debit cap", labels=["liquidity"], severity="blocker")
def test_refused_does_not_count(payee: Dfsp, onboard: Onboard) -> None:
    payer = onboard("payer", net_debit_cap="100", funds="1000")

    payer.transfer(payee, "101", label="POST /transfers beyond the cap").declined_by_hub("4200")
    transfer = payer.transfer(payee, "100", label="POST /transfers up to the cap")
    transfer.answered(by=payee.name)
    payer.has_position("100")


@case("A rejected transfer frees the net debit cap", labels=["liquidity"], severity="blocker")
def test_abort_frees(payee: Dfsp, onboard: Onboard) -> None:
    payer, unwilling = onboard("payer", net_debit_cap="100", funds="1000"), onboard("unwilling", behaviour=UNWILLING)

    payer.transfer(unwilling, "100", label="POST /transfers that is rejected").answered_with_error("5104")
    payer.has_position("0", "after the rejection")
    transfer = payer.transfer(payee, "100", label="POST /transfers of the same amount")
    transfer.answered(by=payee.name)
    payer.has_position("100", "after the transfer")


@case("What a DFSP has received it may pay out of", labels=["liquidity"], severity="blocker")
def test_received_counts(payer: Dfsp, payee: Dfsp, onboard: Onboard) -> None:
    between = onboard("between", net_debit_cap="10", funds="10")

    payer.transfer(between, "100", label="POST /transfers to it").answered(by=between.name)
    between.has_position("-100")
    onward = between.transfer(payee, "110", label="POST /transfers from it")
    onward.answered(by=payee.name)
    between.has_position("10", "after paying on")


@case("A transfer beyond the funds paid in is declined", labels=["liquidity"], severity="blocker")
def test_no_liquidity(payee: Dfsp, onboard: Onboard) -> None:
    payer = onboard("payer", net_debit_cap="1000", funds="100")

    transfer = payer.transfer(payee, "100.0001")
    transfer.accepted()
    transfer.declined_by_hub("4001")
    payer.has_position("0")


@case("A transfer may use the funds paid in to the last unit", labels=["liquidity"], severity="blocker")
def test_all_liquidity(payee: Dfsp, onboard: Onboard) -> None:
    payer = onboard("payer", net_debit_cap="1000", funds="100")

    transfer = payer.transfer(payee, "100")
    transfer.answered(by=payee.name)
    transfer.calls_back("transferState", "COMMITTED")
    payer.has_position("100")


@case("A raised net debit cap holds from then on", labels=["liquidity"], severity="blocker")
def test_cap_raised(payee: Dfsp, onboard: Onboard) -> None:
    payer = onboard("payer", net_debit_cap="100", funds="1000")
    payer.transfer(payee, "150", label="POST /transfers beyond the old cap").declined_by_hub("4200")

    change = payer.change_limit("150")
    change.status(200)
    change.says("limit.value", amount(150))
    payer.limit().says("0.limit.value", amount(150))
    transfer = payer.transfer(payee, "150", label="POST /transfers up to the new cap")
    transfer.answered(by=payee.name)
    payer.has_position("150")


@case("A lowered net debit cap holds from then on", labels=["liquidity"], severity="blocker")
def test_cap_lowered(payee: Dfsp, onboard: Onboard) -> None:
    payer = onboard("payer", net_debit_cap="100", funds="1000")

    payer.change_limit("50").status(200)
    transfer = payer.transfer(payee, "50.0001")
    transfer.declined_by_hub("4200")
    payer.has_position("0")


@case("A DFSP's net debit cap is the one it was given", labels=["liquidity"], severity="major")
def test_cap_shown(onboard: Onboard) -> None:
    dfsp = onboard("dfsp", net_debit_cap="1234.5", funds="0")

    limit = dfsp.limit()
    limit.status(200)
    limit.says("0.limit.type", "NET_DEBIT_CAP")
    limit.says("0.limit.value", amount("1234.5"))
    limit.says("0.currency", dfsp.hub.target.currency)
