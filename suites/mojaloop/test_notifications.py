"""Notifications: everyone concerned is told how a transfer ended, once and only once."""

from __future__ import annotations

from harness.engine.inbound.behaviour import Behaviour, OnTransfers
from harness.engine.native.dfsp import Dfsp
from harness.engine.native.matchers import matches
from harness.run.fixtures import Onboard
from harness.suite.native import case

SILENT = Behaviour(transfers=OnTransfers(kind="silent"))
UNWILLING = Behaviour(transfers=OnTransfers(kind="abort"))
FORGER = Behaviour(transfers=OnTransfers(kind="wrong-fulfilment"))
CAUTIOUS = Behaviour(transfers=OnTransfers(kind="reserve"))
ADAPTER, LEDGER = "ml-api-adapter", "central-ledger"
EXPIRES_S = 2.0
"""Long enough to be reserved on a loaded machine, short enough to wait for."""


@case("A payee that answered RESERVED is told that the transfer is committed", labels=["p2p"], severity="blocker")
def test_patch(payer: Dfsp, onboard: Onboard) -> None:
    payee = onboard("payee", behaviour=CAUTIOUS)

    transfer = payer.transfer(payee, "100")
    transfer.accepted()
    transfer.answered_by_hub()
    transfer.calls_back("transferState", "COMMITTED")
    path = f"/transfers/{transfer.sent['transferId']}"
    state = payee.news("PATCH", path, "transferState")
    transfer.check("state that the payee is told", state, "COMMITTED", component=ADAPTER)
    moment = payee.news("PATCH", path, "completedTimestamp")
    transfer.check("moment that the payee is told", moment, matches(r"\d{4}-\d\d-\d\dT.*"), component=ADAPTER)


@case("A payee that answered COMMITTED is not told again", severity="minor")
def test_no_patch(payer: Dfsp, payee: Dfsp) -> None:
    transfer = payer.transfer(payee, "100")
    transfer.answered(by=payee.name)
    told = payee.times("PATCH", f"/transfers/{transfer.sent['transferId']}")
    transfer.check("notifications of the payee", told, 0, component=ADAPTER)


@case("The payer of a committed transfer is told exactly once", labels=["p2p"], severity="blocker")
def test_told_once(payer: Dfsp, payee: Dfsp) -> None:
    transfer = payer.transfer(payee, "100")
    transfer.answered(by=payee.name)
    told = payer.times("PUT", f"/transfers/{transfer.sent['transferId']}")
    transfer.check("callbacks to the payer", told, 1, component=ADAPTER)


@case("The payer of a rejected transfer is told exactly once", severity="major")
def test_rejection_told_once(payer: Dfsp, onboard: Onboard) -> None:
    payee = onboard("payee", behaviour=UNWILLING)

    transfer = payer.transfer(payee, "100")
    transfer.answered_with_error("5104", by=payee.name)
    told = payer.times("PUT", f"/transfers/{transfer.sent['transferId']}/error")
    transfer.check("callbacks to the payer", told, 1, component=ADAPTER)


@case("A payee that does not answer in time lets the transfer expire", labels=["liquidity"], severity="blocker")
def test_expiry(onboard: Onboard) -> None:
    payer, payee = onboard("payer"), onboard("payee", behaviour=SILENT)

    transfer = payer.transfer(payee, "100", expires_s=EXPIRES_S, lost_by=LEDGER)
    transfer.accepted()
    transfer.declined_by_hub("3303")
    told = payee.news("PUT", f"/transfers/{transfer.sent['transferId']}/error", "errorInformation.errorCode")
    transfer.check("error code that the payee is told", told, "3303", component=LEDGER)
    query = payer.get_transfer(str(transfer.sent["transferId"]))
    query.answered_by_hub()
    query.calls_back("transferState", "ABORTED")
    query.calls_back("extensionList.extension.0.value", matches("3303.*"))
    payer.has_position("0")
    payee.has_position("0")


@case("A payee whose reservation does not fit is told that the transfer is aborted", severity="major")
def test_patch_of_aborted(payer: Dfsp, onboard: Onboard) -> None:
    payee, other = onboard("payee", behaviour=SILENT), onboard("other")
    transfer = payer.transfer(payee, "100", awaits=False)
    payee.saw("POST", "/transfers")

    path = f"/transfers/{transfer.sent['transferId']}"
    body = {"fulfilment": other.fulfilment(str(transfer.sent["ilpPacket"])), "transferState": "RESERVED"}
    reserve = payee.send("PUT", path, body, to=payer.name)
    reserve.status(200)
    told = payer.news("PUT", f"{path}/error", "errorInformation.errorCode")
    reserve.check("error code that the payer is told", told, "3100", component=LEDGER)
    state = payee.news("PATCH", path, "transferState")
    reserve.check("state that the payee is told", state, "ABORTED", component=ADAPTER)


@case("A payee whose fulfilment does not fit is told so", severity="major")
def test_forger_is_told(payer: Dfsp, onboard: Onboard) -> None:
    payee = onboard("payee", behaviour=FORGER)

    transfer = payer.transfer(payee, "100")
    transfer.declined_by_hub("3100")
    told = payee.news("PUT", f"/transfers/{transfer.sent['transferId']}/error", "errorInformation.errorCode")
    transfer.check("error code that the payee is told", told, "3100", component=LEDGER)


@case("A declined transfer never reaches the payee", labels=["liquidity"], severity="blocker")
def test_declined_is_not_handed_on(onboard: Onboard) -> None:
    payer, payee = onboard("payer", net_debit_cap="10"), onboard("payee")

    transfer = payer.transfer(payee, "11")
    transfer.declined_by_hub("4200")
    transfer.check("requests at the payee", payee.times("POST", "/transfers"), 0, component=LEDGER)
