"""Duplicates: what is sent twice happens once, and what is changed under a known id is refused."""

from __future__ import annotations

from harness.engine.inbound.behaviour import Behaviour, OnTransfers
from harness.engine.native.dfsp import Dfsp
from harness.engine.native.matchers import amount
from harness.run.fixtures import Onboard
from harness.suite.native import case

SILENT = Behaviour(transfers=OnTransfers(kind="silent"))
UNWILLING = Behaviour(transfers=OnTransfers(kind="abort"))
LEDGER = "central-ledger"


@case("A repeated transfer is answered again and moves no money again", labels=["liquidity"], severity="blocker")
def test_repeated_transfer(onboard: Onboard) -> None:
    payer, payee = onboard("payer"), onboard("payee")
    transfer = payer.transfer(payee, "100")
    transfer.answered(by=payee.name)

    again = payer.resend_transfer(transfer.sent, label="POST /transfers again", lost_by=LEDGER)
    again.accepted()
    again.answered_by_hub()
    again.calls_back("transferState", "COMMITTED")
    again.calls_back("fulfilment", payee.fulfilment(str(transfer.sent["ilpPacket"])))
    payer.has_position("100")
    payee.has_position("-100")


@case("A repeated transfer that was rejected stays rejected", labels=["liquidity"], severity="major")
def test_repeated_rejected_transfer(onboard: Onboard) -> None:
    payer, payee = onboard("payer"), onboard("payee", behaviour=UNWILLING)
    transfer = payer.transfer(payee, "100")
    transfer.answered_with_error("5104", by=payee.name)

    again = payer.resend_transfer(transfer.sent, label="POST /transfers again", lost_by=LEDGER)
    again.accepted()
    again.answered_by_hub()
    again.calls_back("transferState", "ABORTED")
    payer.has_position("0")


@case("A transfer that is repeated while it waits reaches the payee once", labels=["liquidity"], severity="blocker")
def test_repeated_waiting_transfer(onboard: Onboard) -> None:
    payer, payee = onboard("payer"), onboard("payee", behaviour=SILENT)
    transfer = payer.transfer(payee, "100", awaits=False)
    payer.has_position("100", "while it waits")

    again = payer.resend_transfer(transfer.sent, label="POST /transfers again", awaits=False)
    again.accepted()
    again.check("requests at the payee", payee.times("POST", "/transfers"), 1, component=LEDGER)
    payer.has_position("100", "after the repetition")


@case("A transfer that is changed under a known id is declined", labels=["liquidity"], severity="blocker")
def test_modified_transfer(onboard: Onboard) -> None:
    payer, payee = onboard("payer"), onboard("payee")
    transfer = payer.transfer(payee, "100")
    transfer.answered(by=payee.name)

    money = {"amount": "200", "currency": payer.hub.target.currency}
    modified = payer.resend_transfer(
        {**transfer.sent, "amount": money}, label="POST /transfers changed", lost_by=LEDGER
    )
    modified.accepted()
    modified.declined_by_hub("3106")
    payer.has_position("100")
    payee.has_position("-100")


@case("A repeated fulfilment moves no money again", labels=["liquidity"], severity="blocker")
def test_repeated_fulfilment(onboard: Onboard) -> None:
    payer, payee = onboard("payer"), onboard("payee", behaviour=SILENT)
    transfer = payer.transfer(payee, "100", awaits=False)
    payer.has_position("100", "while it waits")

    fulfil = payee.fulfil(transfer.sent)
    payee.has_position("-100", "after the first")
    again = payee.send("PUT", f"/transfers/{transfer.sent['transferId']}", dict(fulfil.sent), to=payer.name)
    again.status(200)
    payee.has_position("-100", "after the second")
    payer.has_position("100", "after the second")


@case("A fulfilment that is changed afterwards is declined", labels=["liquidity"], severity="major")
def test_modified_fulfilment(onboard: Onboard) -> None:
    payer, payee = onboard("payer"), onboard("payee", behaviour=SILENT)
    transfer = payer.transfer(payee, "100", awaits=False)
    payer.has_position("100", "while it waits")
    fulfil = payee.fulfil(transfer.sent)
    payee.has_position("-100", "after the first")

    path = f"/transfers/{transfer.sent['transferId']}"
    extensions = {"extension": [{"key": "afterthought", "value": "yes"}]}
    changed = payee.send("PUT", path, {**fulfil.sent, "extensionList": extensions}, to=payer.name)
    told = payee.news("PUT", f"{path}/error", "errorInformation.errorCode")
    changed.check("error code that the payee is told", told, "3106", component=LEDGER)
    payee.has_position("-100", "after the second")


@case("A payee that fulfils again is told how the transfer stands", severity="major")
def test_repeated_fulfilment_is_answered(onboard: Onboard) -> None:
    payer, payee = onboard("payer"), onboard("payee", behaviour=SILENT)
    transfer = payer.transfer(payee, "100", awaits=False)
    payer.has_position("100", "while it waits")
    fulfil = payee.fulfil(transfer.sent)
    payee.has_position("-100", "after the first")

    path = f"/transfers/{transfer.sent['transferId']}"
    again = payee.send("PUT", path, dict(fulfil.sent), to=payer.name)
    again.status(200)
    told = payee.news("PUT", path, "transferState")
    again.check("state that the payee is told", told, "COMMITTED", component=LEDGER)


@case("A rejection that is changed afterwards is declined", labels=["liquidity"], severity="major")
def test_modified_rejection(onboard: Onboard) -> None:
    payer, payee = onboard("payer"), onboard("payee", behaviour=SILENT)
    transfer = payer.transfer(payee, "100", awaits=False)
    payer.has_position("100", "while it waits")
    payee.reject(transfer.sent)
    payer.has_position("0", "after the first")

    changed = payee.reject(transfer.sent, "5105", label="PUT /transfers/{ID}/error changed")
    path = f"/transfers/{transfer.sent['transferId']}/error"
    told = payee.news("PUT", path, "errorInformation.errorCode")
    changed.check("error code that the payee is told", told, "3106", component=LEDGER)
    payer.has_position("0", "after the second")


@case("A repeated quote request is answered again", severity="major")
def test_repeated_quote(payer: Dfsp, payee: Dfsp) -> None:
    party = payee.has_party(registered=False)
    quote = payer.quote(payee, party, "100")
    quote.answered(by=payee.name)

    again = payer.send("POST", "/quotes", dict(quote.sent), to=payee.name, label="POST /quotes again")
    again.accepted()
    again.answered(by=payee.name)
    again.calls_back("transferAmount.amount", amount(100))


@case("A quote request that is changed under a known id is declined", severity="blocker")
def test_modified_quote(payer: Dfsp, onboard: Onboard) -> None:
    payee = onboard("payee")
    quote = payer.quote(payee, payee.has_party(registered=False), "100")
    quote.answered(by=payee.name)

    money = {"amount": "200", "currency": payer.hub.target.currency}
    changed = {**quote.sent, "amount": money}
    modified = payer.send("POST", "/quotes", changed, to=payee.name, label="POST /quotes changed")
    modified.accepted()
    modified.declined_by_hub("3106")
    modified.check("requests at the payee", payee.times("POST", "/quotes"), 1)


@case("Funds that are recorded twice under one id come in once", labels=["liquidity"], severity="blocker")
def test_repeated_funds(onboard: Onboard) -> None:
    dfsp = onboard("dfsp", funds="1000")

    funds = dfsp.pay_in("50")
    funds.accepted()
    dfsp.has_funds("1050", "after the first")
    dfsp.repeat_funds(funds)
    dfsp.hub.listen()
    dfsp.has_funds("1050", "after the second")
