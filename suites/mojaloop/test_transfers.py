"""Transfers: money moves from payer to payee, once, on the agreed terms."""

from __future__ import annotations

from decimal import Decimal

from harness.engine.inbound.behaviour import Behaviour, OnQuotes, OnTransfers
from harness.engine.native.dfsp import Dfsp
from harness.engine.native.matchers import amount, matches
from harness.fspiop.ids import new_ulid
from harness.run.fixtures import Onboard
from harness.suite.native import case

SILENT = Behaviour(transfers=OnTransfers(kind="silent"))


@case("A payment goes through look-up, quote and transfer", labels=["p2p", "smoke"], severity="blocker")
def test_payment(payer: Dfsp, payee: Dfsp) -> None:
    party = payee.has_party("MSISDN")

    look_up = payer.look_up(party)
    look_up.accepted()
    look_up.answered(by=payee.name)
    look_up.calls_back("party.partyIdInfo.fspId", payee.name)

    quote = payer.quote(payee, party, "100")
    quote.accepted()
    quote.answered(by=payee.name)
    quote.calls_back("transferAmount.amount", amount(100))

    transfer = payer.transfer(payee, "100", quote=quote)
    transfer.accepted()
    transfer.answered(by=payee.name)
    transfer.calls_back("transferState", "COMMITTED")
    transfer.callback_within(2000)


@case("A payment with fees transfers what was quoted", labels=["p2p"], severity="blocker")
def test_payment_with_fees(onboard: Onboard) -> None:
    payer = onboard("payer")
    payee = onboard("payee", behaviour=Behaviour(quotes=OnQuotes(fee=Decimal(2), commission=Decimal("0.5"))))

    quote = payer.quote(payee, payee.has_party(registered=False), "100")
    quote.calls_back("transferAmount.amount", amount("99.5"))

    transfer = payer.transfer(payee, "99.5", quote=quote)
    transfer.answered(by=payee.name)
    transfer.calls_back("transferState", "COMMITTED")
    payer.has_position("99.5")
    payee.has_position("-99.5")


@case("A committed transfer moves both positions", labels=["p2p", "liquidity", "smoke"], severity="blocker")
def test_positions(onboard: Onboard) -> None:
    payer, payee = onboard("payer"), onboard("payee")

    transfer = payer.transfer(payee, "100")
    transfer.accepted()
    transfer.answered(by=payee.name)
    transfer.calls_back("transferState", "COMMITTED")
    payer.has_position("100")
    payee.has_position("-100")


@case("The payee is handed the transfer as the payer sent it", severity="blocker")
def test_request_is_handed_on(payer: Dfsp, onboard: Onboard) -> None:
    payee = onboard("payee")

    transfer = payer.transfer(payee, "100")
    transfer.accepted()
    transfer.check("request at the payee", payee.news("POST", "/transfers"), dict(transfer.sent))
    asked = payee.saw("POST", "/transfers")
    transfer.check("source of the request at the payee", asked and asked.source, payer.name)


@case("The payer is given the payee's fulfilment", labels=["p2p"], severity="blocker")
def test_fulfilment(payer: Dfsp, payee: Dfsp) -> None:
    transfer = payer.transfer(payee, "100")
    transfer.answered(by=payee.name)
    transfer.calls_back("fulfilment", payee.fulfilment(str(transfer.sent["ilpPacket"])))
    transfer.calls_back("completedTimestamp", matches(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)"))


@case("Payer and payee are told that a committed transfer is committed", severity="major")
def test_state_of_committed(payer: Dfsp, payee: Dfsp) -> None:
    transfer = payer.transfer(payee, "100")
    transfer.answered(by=payee.name)

    for dfsp in (payer, payee):
        query = dfsp.get_transfer(str(transfer.sent["transferId"]), label=f"GET /transfers/{{ID}} by the {dfsp.role}")
        query.accepted()
        query.answered_by_hub()
        query.calls_back("transferState", "COMMITTED")
        query.calls_back("fulfilment", payee.fulfilment(str(transfer.sent["ilpPacket"])))


@case("Until the payee answers, the amount is reserved", labels=["liquidity"], severity="blocker")
def test_reserved(onboard: Onboard) -> None:
    payer, payee = onboard("payer"), onboard("payee", behaviour=SILENT)

    transfer = payer.transfer(payee, "100", awaits=False)
    transfer.accepted()
    payer.has_position("100", "while it waits")
    payee.has_position("0", "while it waits")

    fulfil = payee.fulfil(transfer.sent)
    fulfil.status(200)
    path = f"/transfers/{transfer.sent['transferId']}"
    fulfil.check(
        "payer is told that it is committed", payer.news("PUT", path, "transferState"), "COMMITTED",
        component="ml-api-adapter",
    )  # fmt: skip
    payer.has_position("100", "after the answer")
    payee.has_position("-100", "after the answer")


@case("A transfer that waits for the payee is RESERVED", severity="minor")
def test_state_of_reserved(payer: Dfsp, onboard: Onboard) -> None:
    payee = onboard("payee", behaviour=SILENT)
    transfer = payer.transfer(payee, "100", awaits=False)
    transfer.check(
        "transferId at the payee", payee.news("POST", "/transfers", "transferId"), transfer.sent["transferId"]
    )

    query = payer.get_transfer(str(transfer.sent["transferId"]))
    query.answered_by_hub()
    query.calls_back("transferState", "RESERVED")


@case("Amounts are kept to the fourth decimal", labels=["liquidity"], severity="blocker")
def test_decimals(onboard: Onboard) -> None:
    payer, payee = onboard("payer"), onboard("payee")

    payer.transfer(payee, "0.0001").calls_back("transferState", "COMMITTED")
    payer.transfer(payee, "1234.5678").calls_back("transferState", "COMMITTED")
    payer.has_position("1234.5679")
    payee.has_position("-1234.5679")


@case("What two DFSPs owe each other is netted", labels=["liquidity"], severity="blocker")
def test_netting(onboard: Onboard) -> None:
    first, second = onboard("first"), onboard("second")

    there = first.transfer(second, "100", label="POST /transfers there")
    there.calls_back("transferState", "COMMITTED")
    back = second.transfer(first, "40.5", label="POST /transfers back")
    back.calls_back("transferState", "COMMITTED")
    first.has_position("59.5")
    second.has_position("-59.5")


@case("A transfer may be identified by a ULID", labels=["protocol"], severity="major", since="17.0.0")
def test_ulid(payer: Dfsp, payee: Dfsp) -> None:
    transfer = payer.transfer(payee, "100", changes={"transferId": new_ulid()})
    transfer.accepted()
    transfer.answered(by=payee.name)
    transfer.calls_back("transferState", "COMMITTED")


@case("A transfer identified by a ULID is refused", labels=["protocol"], severity="minor", until="16.999.0")
def test_ulid_refused(payer: Dfsp, payee: Dfsp) -> None:
    payer.transfer(payee, "100", changes={"transferId": new_ulid()}, awaits=False).refused(400, "3101")
