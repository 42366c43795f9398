"""Funds in and out: what a DFSP pays in is there once, and what it takes out must be there."""

from __future__ import annotations

from harness.engine.native.dfsp import Dfsp
from harness.run.fixtures import Onboard
from harness.suite.native import case

OUT_COMMIT, OUT_ABORT = "recordFundsOutCommit", "recordFundsOutAbort"


@case("Funds paid in are there, once", labels=["liquidity", "smoke"], severity="blocker")
def test_funds_in(onboard: Onboard) -> None:
    dfsp = onboard("dfsp", funds="0")

    dfsp.pay_in("250.25").accepted()
    dfsp.has_funds("250.25")
    dfsp.has_position("0")


@case("Funds paid out leave the account", labels=["liquidity"], severity="blocker")
def test_funds_out(onboard: Onboard) -> None:
    dfsp = onboard("dfsp", funds="0")
    dfsp.pay_in("100").accepted()
    dfsp.has_funds("100", "before")

    reserve = dfsp.pay_out("40")
    reserve.accepted()
    dfsp.has_funds("60", "while they are reserved")
    commit = dfsp.finish_pay_out(str(reserve.sent["transferId"]), OUT_COMMIT)
    commit.accepted()
    dfsp.hub.listen()
    dfsp.has_funds("60", "after they have left")


@case("Funds whose paying out is given up are there again", labels=["liquidity"], severity="blocker")
def test_funds_out_aborted(onboard: Onboard) -> None:
    dfsp = onboard("dfsp", funds="0")
    dfsp.pay_in("100").accepted()
    dfsp.has_funds("100", "before")

    reserve = dfsp.pay_out("40")
    dfsp.has_funds("60", "while they are reserved")
    dfsp.finish_pay_out(str(reserve.sent["transferId"]), OUT_ABORT).accepted()
    dfsp.has_funds("100", "after it was given up")


@case("Funds that were paid out do not come back", labels=["liquidity"], severity="blocker")
def test_funds_out_not_undone(onboard: Onboard) -> None:
    dfsp = onboard("dfsp", funds="0")
    dfsp.pay_in("100").accepted()
    dfsp.has_funds("100", "before")
    reserve = dfsp.pay_out("40")
    dfsp.has_funds("60", "while they are reserved")
    dfsp.finish_pay_out(str(reserve.sent["transferId"]), OUT_COMMIT).accepted()
    dfsp.hub.listen()

    dfsp.finish_pay_out(str(reserve.sent["transferId"]), OUT_ABORT)
    dfsp.hub.listen()
    dfsp.has_funds("60", "after the attempt to give it up")


@case("No more than the balance can be paid out", labels=["liquidity"], severity="blocker")
def test_funds_out_beyond_balance(onboard: Onboard) -> None:
    dfsp = onboard("dfsp", funds="0")
    dfsp.pay_in("100").accepted()
    dfsp.has_funds("100", "before")

    dfsp.pay_out("100.0001")
    dfsp.hub.listen()
    dfsp.has_funds("100", "after the attempt")


@case("The whole balance can be paid out", labels=["liquidity"], severity="major")
def test_funds_out_whole_balance(onboard: Onboard) -> None:
    dfsp = onboard("dfsp", funds="0")
    dfsp.pay_in("100").accepted()
    dfsp.has_funds("100", "before")

    reserve = dfsp.pay_out("100")
    dfsp.has_funds("0", "while they are reserved")
    dfsp.finish_pay_out(str(reserve.sent["transferId"]), OUT_COMMIT).accepted()


@case("Funds paid in can be spent at once", labels=["liquidity"], severity="blocker")
def test_funds_in_can_be_spent(payee: Dfsp, onboard: Onboard) -> None:
    payer = onboard("payer", funds="0")
    payer.transfer(payee, "100", label="POST /transfers without funds").declined_by_hub("4001")

    payer.pay_in("100").accepted()
    payer.has_funds("100")
    transfer = payer.transfer(payee, "100", label="POST /transfers with funds")
    transfer.answered(by=payee.name)
    payer.has_position("100")


@case("Funds reserved for paying out cannot be spent", labels=["liquidity"], severity="blocker")
def test_reserved_funds_cannot_be_spent(payee: Dfsp, onboard: Onboard) -> None:
    payer = onboard("payer", funds="0")
    payer.pay_in("100").accepted()
    payer.has_funds("100", "before")
    payer.pay_out("60").accepted()
    payer.has_funds("40", "while some are reserved")

    payer.transfer(payee, "40.0001").declined_by_hub("4001")
    payer.has_position("0")


@case("A movement of funds of an unknown kind is refused", labels=["protocol"], severity="minor")
def test_unknown_action(onboard: Onboard) -> None:
    dfsp = onboard("dfsp", funds="0")

    dfsp.move_funds("recordFundsSideways", "10").refused(400, "3101")
    dfsp.has_funds("0")
