"""Protocol: headers, versions, errors and traces are as the API definition has them."""

from __future__ import annotations

import pytest

from harness.engine.native.dfsp import Dfsp
from harness.engine.native.hub import Hub
from harness.engine.native.matchers import ABSENT, present
from harness.engine.native.step import Step
from harness.fspiop.headers import accept, content_type
from harness.run.fixtures import Onboard
from harness.suite.native import case

RESOURCES = ("parties", "quotes", "transfers")


def ask(payer: Dfsp, payee: Dfsp, resource: str, headers: dict[str, str], *, awaits: bool = False) -> Step:
    """One request of the payer about ``resource``, complete and right but for its headers."""
    party = payee.has_party(registered=False)
    match resource:
        case "parties":
            return payer.send("GET", f"/parties/MSISDN/{party.identifier}", headers=headers, awaits=awaits)
        case "quotes":
            return payer.send("POST", "/quotes", payer.quote_body(payee, party, "100"), headers=headers, awaits=awaits)
    return payer.send("POST", "/transfers", payer.transfer_body(payee, "100"), headers=headers, awaits=awaits)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("resource", RESOURCES)
@case("A request in a version of FSPIOP 1 is answered", labels=["protocol"], severity="blocker")
def test_version(payer: Dfsp, payee: Dfsp, resource: str, version: str) -> None:
    headers = payer.headers(resource, version=version, to=payee.name)
    request = ask(payer, payee, resource, headers, awaits=True)
    request.accepted()
    request.answered(by=payee.name)


@pytest.mark.parametrize("resource", RESOURCES)
@case("A request in FSPIOP 2.0 is answered", labels=["protocol"], severity="major", since="17.0.0")
def test_version_2(payer: Dfsp, payee: Dfsp, resource: str) -> None:
    headers = payer.headers(resource, version="2.0", to=payee.name)
    request = ask(payer, payee, resource, headers, awaits=True)
    request.accepted()
    request.answered(by=payee.name)


@pytest.mark.parametrize("resource", RESOURCES)
@case("A request in FSPIOP 2.0 is refused", labels=["protocol"], severity="minor", until="16.999.0")
def test_version_2_refused(payer: Dfsp, payee: Dfsp, resource: str) -> None:
    ask(payer, payee, resource, payer.headers(resource, version="2.0", to=payee.name)).refused(406, "3001")


@pytest.mark.parametrize("resource", RESOURCES)
@case("A request in a version that does not exist is refused", labels=["protocol"], severity="major")
def test_unknown_version(payer: Dfsp, payee: Dfsp, resource: str) -> None:
    headers = payer.headers(resource, to=payee.name) | {"Content-Type": content_type(resource, "9.0")}
    request = ask(payer, payee, resource, headers)
    request.refused(406, "3001")
    request.says("errorInformation.extensionList.extension.0.key", present())


@pytest.mark.parametrize("resource", RESOURCES)
@case("A request that accepts no version of the hub's is refused", labels=["protocol"], severity="major")
def test_unacceptable_version(payer: Dfsp, payee: Dfsp, resource: str) -> None:
    headers = payer.headers(resource, to=payee.name, accept_version="9.0")
    request = ask(payer, payee, resource, headers)
    request.refused(406, "3001")
    request.says("errorInformation.extensionList.extension.0.key", present())


@case("Of several versions accepted, one that the hub speaks is enough", labels=["protocol"], severity="minor")
def test_several_versions(payer: Dfsp, payee: Dfsp) -> None:
    headers = payer.headers("transfers", to=payee.name) | {"Accept": accept("transfers", "9.0", "1.1")}
    transfer = ask(payer, payee, "transfers", headers, awaits=True)
    transfer.accepted()
    transfer.answered(by=payee.name)


@case("A major version accepted stands for each of its minor versions", labels=["protocol"], severity="minor")
def test_major_version(payer: Dfsp, payee: Dfsp) -> None:
    headers = payer.headers("transfers", to=payee.name) | {"Accept": accept("transfers", "1")}
    transfer = ask(payer, payee, "transfers", headers, awaits=True)
    transfer.accepted()
    transfer.answered(by=payee.name)


LACKING = [(resource, header) for resource in RESOURCES for header in ("Date", "Content-Type", "FSPIOP-Source")]
LACKING += [("quotes", "Accept"), ("transfers", "Accept")]


@pytest.mark.parametrize(("resource", "header"), LACKING)
@case("A request that lacks a header is refused", labels=["protocol"], severity="major")
def test_missing_header(payer: Dfsp, payee: Dfsp, resource: str, header: str) -> None:
    headers = payer.headers(resource, to=payee.name)
    del headers[header]
    ask(payer, payee, resource, headers).refused(400, "3102")


@case("A quote request that does not say for whom it is is refused", labels=["protocol"], severity="major")
def test_missing_destination(payer: Dfsp, payee: Dfsp) -> None:
    ask(payer, payee, "quotes", payer.headers("quotes")).refused(400, "3102")


WRONG = {
    "content of another resource": {"Content-Type": content_type("bulkTransfers")},
    "content that is not FSPIOP's": {"Content-Type": "application/json"},
    "accepts another resource": {"Accept": accept("bulkTransfers")},
    "date that is none": {"Date": "the day before yesterday"},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
@case("A request with a malformed header is refused", labels=["protocol"], severity="major")
def test_malformed_header(payer: Dfsp, payee: Dfsp, wrong: dict[str, str]) -> None:
    ask(payer, payee, "transfers", payer.headers("transfers", to=payee.name) | wrong).refused(400, "3101")


@case("A body that is not JSON is refused", labels=["protocol"], severity="major")
def test_not_json(payer: Dfsp, payee: Dfsp) -> None:
    headers = payer.headers("transfers", to=payee.name)
    payer.send("POST", "/transfers", '{"transferId": ', headers=headers, awaits=False).refused(400, "3101")


@pytest.mark.parametrize("service", ["account-lookup-service", "quoting-service", "ml-api-adapter"])
@case("A resource that does not exist is not found", labels=["protocol"], severity="minor")
def test_unknown_resource(hub: Hub, payer: Dfsp, service: str) -> None:
    hub.call(service, "GET", "/nosuchresource", headers=payer.headers("transfers")).refused(404, "3002")


@pytest.mark.parametrize("resource", RESOURCES)
@case("A callback belongs to the trace of the request", labels=["protocol"], severity="major")
def test_trace(payer: Dfsp, payee: Dfsp, resource: str) -> None:
    headers = payer.headers(resource, to=payee.name)
    request = ask(payer, payee, resource, headers, awaits=True)
    request.accepted()
    request.keeps_the_trace()


@case("The payee is asked in the trace of the request", labels=["protocol"], severity="minor")
def test_trace_at_payee(payer: Dfsp, onboard: Onboard) -> None:
    payee = onboard("payee")

    transfer = payer.transfer(payee, "100")
    asked = payee.saw("POST", "/transfers")
    trace = asked.trace_id if asked and asked.trace_id else ABSENT
    transfer.check("request at the payee is in the trace of the payer's", trace, transfer.trace)


@case("What a DFSP adds to a transfer reaches the other side", labels=["protocol"], severity="minor")
def test_extensions(payer: Dfsp, onboard: Onboard) -> None:
    payee = onboard("payee")
    extensions = {"extension": [{"key": "purpose", "value": "school fees"}]}

    transfer = payer.transfer(payee, "100", changes={"extensionList": extensions})
    transfer.accepted()
    transfer.check("extensions at the payee", payee.news("POST", "/transfers", "extensionList"), extensions)
