"""Participants: which DFSP holds a party, and what an inactive participant or account can no longer do."""

from __future__ import annotations

from harness.engine.native.dfsp import Dfsp
from harness.run.fixtures import Onboard
from harness.suite.native import case


@case("A registered party is known to be at its DFSP", labels=["smoke"], severity="blocker")
def test_register(payer: Dfsp, payee: Dfsp) -> None:
    party = payee.has_party(registered=False)

    registered = payee.register(party)
    registered.accepted()
    registered.answered_by_hub()
    registered.calls_back("partyList.0.fspId", payee.name)

    asked = payer.look_up_participant(party)
    asked.accepted()
    asked.answered_by_hub()
    asked.calls_back("fspId", payee.name)


@case("A party that was taken out of the registry is not found any more", severity="major")
def test_unregister(payer: Dfsp, payee: Dfsp) -> None:
    party = payee.has_party()

    removed = payee.unregister(party)
    removed.accepted()
    removed.answered_by_hub()

    payer.look_up_participant(party).declined_by_hub("3204")
    payer.look_up(party).declined_by_hub("3204")


@case("A party with a sub-id is registered apart from the one without", severity="minor")
def test_register_sub_id(payer: Dfsp, payee: Dfsp) -> None:
    party = payee.has_party(sub_id="CHILD", registered=False)

    registered = payee.register(party)
    registered.answered_by_hub()
    registered.calls_back("partyList.0.partySubIdOrType", "CHILD")

    payer.look_up_participant(party).calls_back("fspId", payee.name)


@case("A party cannot be registered at a DFSP that does not exist", severity="minor")
def test_register_at_nobody(payer: Dfsp, payee: Dfsp) -> None:
    party = payee.has_party(registered=False)

    payee.register(party, holder="nosuchdfsp").declined_by_hub("3003")
    payer.look_up_participant(party).declined_by_hub("3204")


@case("An inactive DFSP is not asked for a quote", severity="major")
def test_quote_from_inactive(payer: Dfsp, onboard: Onboard) -> None:
    closed = onboard("payee")
    party = closed.has_party(registered=False)
    closed.switched("participant", False)

    quote = payer.quote(closed, party, "100")
    quote.accepted()
    quote.declined_by_hub("3201")
    quote.check("quote requests at the payee", closed.times("POST", "/quotes"), 0)


@case("Nothing can be transferred to an inactive DFSP", labels=["liquidity"], severity="blocker")
def test_transfer_to_inactive(onboard: Onboard) -> None:
    payer, closed = onboard("payer"), onboard("payee").switched("participant", False)

    transfer = payer.transfer(closed, "100")
    transfer.accepted()
    transfer.declined_by_hub("3100")
    payer.has_position("0")


@case("An inactive DFSP cannot transfer", labels=["liquidity"], severity="blocker")
def test_transfer_from_inactive(payee: Dfsp, onboard: Onboard) -> None:
    closed = onboard("payer").switched("participant", False)

    transfer = closed.transfer(payee, "100")
    transfer.accepted()
    transfer.declined_by_hub("3100")
    closed.has_position("0")


@case("Nothing can be transferred to a DFSP whose account is inactive", labels=["liquidity"], severity="blocker")
def test_transfer_to_inactive_account(onboard: Onboard) -> None:
    payer, blocked = onboard("payer"), onboard("payee").switched("POSITION", False)

    transfer = payer.transfer(blocked, "100")
    transfer.accepted()
    transfer.declined_by_hub("3100")
    payer.has_position("0")


@case("A DFSP whose account is inactive cannot transfer", labels=["liquidity"], severity="blocker")
def test_transfer_from_inactive_account(payee: Dfsp, onboard: Onboard) -> None:
    blocked = onboard("payer").switched("POSITION", False)

    transfer = blocked.transfer(payee, "100")
    transfer.accepted()
    transfer.declined_by_hub("3100")
    blocked.has_position("0")


@case("A DFSP that is made active again receives transfers again", severity="major")
def test_reactivated(payer: Dfsp, onboard: Onboard) -> None:
    payee = onboard("payee").switched("participant", False).switched("participant", True)

    transfer = payer.transfer(payee, "100")
    transfer.answered(by=payee.name)
    transfer.calls_back("transferState", "COMMITTED")
    payee.has_position("-100")
