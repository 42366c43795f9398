"""Look-up: the payer finds the payee, at the DFSP that holds the account."""

from __future__ import annotations

import secrets

from harness.engine.inbound.behaviour import Behaviour, OnParties, Party
from harness.engine.native.dfsp import Dfsp
from harness.engine.native.hub import Hub
from harness.fspiop.errors import FspiopError
from harness.run.fixtures import Onboard
from harness.suite.native import case


def nobody(hub: Hub) -> Party:
    """A number that no DFSP holds, of a type that can be looked up."""
    hub.has_oracle("MSISDN")
    return Party(id_type="MSISDN", identifier=f"28{secrets.randbelow(10**9):09d}")


@case("A party is found at the DFSP that holds it", labels=["p2p", "smoke"], severity="blocker")
def test_party_is_found(payer: Dfsp, payee: Dfsp) -> None:
    party = payee.has_party(name="Amina Wanjiru")

    look_up = payer.look_up(party)
    look_up.accepted()
    look_up.answered(by=payee.name)
    look_up.calls_back("party.partyIdInfo.partyIdType", "MSISDN")
    look_up.calls_back("party.partyIdInfo.partyIdentifier", party.identifier)
    look_up.calls_back("party.partyIdInfo.fspId", payee.name)
    look_up.callback_within(2000)


@case("The payer learns who the payee is", severity="major")
def test_party_is_named(payer: Dfsp, payee: Dfsp) -> None:
    party = payee.has_party(name="Amina Wanjiru")

    look_up = payer.look_up(party)
    look_up.answered(by=payee.name)
    look_up.calls_back("party.name", "Amina Wanjiru")
    look_up.calls_back("party.personalInfo.complexName.firstName", "Amina")
    look_up.calls_back("party.personalInfo.complexName.lastName", "Wanjiru")
    look_up.calls_back("party.personalInfo.dateOfBirth", "1984-01-01")


@case("The payee DFSP is asked in the name of the payer DFSP", severity="major")
def test_request_is_handed_on(payer: Dfsp, payee: Dfsp) -> None:
    party = payee.has_party()

    look_up = payer.look_up(party)
    look_up.accepted()
    asked = payee.saw("GET", f"/parties/MSISDN/{party.identifier}")
    look_up.check("source of the request at the payee", asked and asked.source, payer.name)


@case("A party with a sub-id is found by it", severity="major")
def test_sub_id(payer: Dfsp, payee: Dfsp) -> None:
    party = payee.has_party(sub_id="PASSPORT")

    look_up = payer.look_up(party)
    look_up.accepted()
    look_up.answered(by=payee.name)
    look_up.calls_back("party.partyIdInfo.partySubIdOrType", "PASSPORT")
    look_up.calls_back("party.partyIdInfo.partyIdentifier", party.identifier)


@case("A party that nobody holds is not found", severity="major")
def test_unknown_party(payer: Dfsp) -> None:
    look_up = payer.look_up(nobody(payer.hub))
    look_up.accepted()
    look_up.declined_by_hub("3204")


@case("A party that its DFSP no longer knows is not found", severity="major")
def test_payee_knows_no_such_party(payer: Dfsp, onboard: Onboard) -> None:
    forgetful = onboard(
        "payee", behaviour=Behaviour(parties=OnParties(kind="error", error=FspiopError.PARTY_NOT_FOUND))
    )
    party = forgetful.has_party()

    look_up = payer.look_up(party)
    look_up.accepted()
    look_up.answered_with_error("3204", by=forgetful.name)


@case("Another error of the payee DFSP reaches the payer as it is", severity="minor")
def test_payee_error_is_handed_on(payer: Dfsp, onboard: Onboard) -> None:
    busy = onboard("payee", behaviour=Behaviour(parties=OnParties(kind="error", error=FspiopError.SERVER_BUSY)))
    party = busy.has_party()

    look_up = payer.look_up(party)
    look_up.answered_with_error("2005", by=busy.name)
    look_up.calls_back("errorInformation.errorDescription", FspiopError.SERVER_BUSY.text)


@case("A look-up addressed to a DFSP goes to it, whatever the oracle knows", severity="minor")
def test_addressed(payer: Dfsp, payee: Dfsp) -> None:
    party = payee.has_party(registered=False)

    look_up = payer.look_up(party, to=payee.name)
    look_up.accepted()
    look_up.answered(by=payee.name)
    look_up.calls_back("party.partyIdInfo.partyIdentifier", party.identifier)


@case("A look-up addressed to a DFSP that does not exist finds nobody", severity="minor", since="17.0.0")
def test_addressed_to_nobody(payer: Dfsp) -> None:
    look_up = payer.look_up(nobody(payer.hub), to="nosuchdfsp")
    look_up.accepted()
    look_up.declined_by_hub("3204")


@case("A look-up addressed to a DFSP that does not exist is declined", severity="minor", until="16.999.0")
def test_addressed_to_nobody_before_17(payer: Dfsp) -> None:
    look_up = payer.look_up(nobody(payer.hub), to="nosuchdfsp")
    look_up.accepted()
    look_up.declined_by_hub("3200")


@case("A look-up by an identifier type that FSPIOP does not have is refused", labels=["protocol"], severity="minor")
def test_unknown_type(payer: Dfsp) -> None:
    look_up = payer.send("GET", "/parties/SHOE_SIZE/43", awaits=False)
    look_up.refused(400, "3100")
