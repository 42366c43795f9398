"""A DFSP that plays by rules answers as its rules say, and like a good DFSP where they leave the payload open."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.engine.inbound.responder import Outgoing, Reaction
from harness.engine.rules.cast import SILENCE, rules_of_the_toolkit
from harness.engine.rules.load import load_rules
from harness.engine.rules.model import RuleBook
from harness.engine.rules.responder import RuleResponder
from harness.engine.rules.scripts import ScriptOutcome
from harness.errors import InternalError, UsageError
from harness.fspiop import ilp
from harness.fspiop.money import format_amount
from harness.fspiop.resources import OPERATIONS
from tests.engine.rules.support import (
    HUB,
    NOW,
    FakeScripts,
    call,
    condition,
    on,
    quote_request,
    rule,
    rule_folder,
    transfer_request,
)


def toolkit(fsp: str = "ttkpayeefsp") -> RuleResponder:
    return RuleResponder(fsp, HUB, rules_of_the_toolkit())


def only(reaction: Reaction) -> Outgoing:
    assert reaction.taken
    (sent,) = reaction.sends
    return sent


def answered(responder: RuleResponder, body: dict[str, Any], path: str = "/transfers") -> Outgoing:
    return only(responder.respond(call("POST", path, body), NOW))


def played(tmp_path: Path, *rules: Any, scripts: Any = None, **more: Any) -> RuleResponder:
    book = load_rules(rule_folder(tmp_path, callback=list(rules)))
    return RuleResponder("ttkpayeefsp", HUB, book, scripts=scripts, **more)


# --- what is generated


def test_a_look_up_is_answered_with_the_party_that_was_asked_for() -> None:
    sent = only(toolkit().respond(call("GET", "/parties/MSISDN/27713803912/30"), NOW))
    assert (sent.method, sent.url) == ("PUT", "http://hub.test/account-lookup-service/parties/MSISDN/27713803912/30")
    assert sent.headers["FSPIOP-Source"] == "ttkpayeefsp"
    assert sent.headers["FSPIOP-Destination"] == "testingtoolkitdfsp"
    assert sent.headers["Content-Type"] == "application/vnd.interoperability.parties+json;version=1.1"
    assert sent.body["party"]["partyIdInfo"] == {
        "partyIdType": "MSISDN", "partyIdentifier": "27713803912", "partySubIdOrType": "30", "fspId": "ttkpayeefsp",
    }  # fmt: skip


@pytest.mark.parametrize("amount_type", ["SEND", "RECEIVE"])
def test_a_quote_has_terms_whose_packet_and_condition_its_transfer_fulfils(amount_type: str) -> None:
    responder = toolkit()
    quote = answered(responder, quote_request("12.5", amount_type), "/quotes")
    assert quote.url == "http://hub.test/quoting-service/quotes/b51ec534-ee48-4575-b6a9-ead2955b8069"
    assert quote.body["transferAmount"] == {"currency": "XXX", "amount": "12.5"}
    packet = ilp.parse_packet(quote.body["ilpPacket"])
    assert packet.amount == 125_000
    assert packet.transaction["quoteId"] == "b51ec534-ee48-4575-b6a9-ead2955b8069"
    transfer = answered(responder, transfer_request(quote.body, "12.5"))
    assert transfer.body["transferState"] == "COMMITTED"
    assert ilp.fulfils(transfer.body["fulfilment"], quote.body["condition"])


MAGIC = {Decimal(each) for each in (13, 15, 16, 1001)}


@given(st.decimals(min_value=Decimal("0.0001"), max_value=Decimal("1e9"), places=4).filter(lambda a: a not in MAGIC))
def test_whatever_is_quoted_is_fulfilled_and_asked_twice_is_answered_alike(amount: Decimal) -> None:
    text = format_amount(amount)
    responder = toolkit()
    quote = answered(responder, quote_request(text), "/quotes").body
    assert answered(toolkit(), quote_request(text), "/quotes").body == quote
    assert ilp.fulfils(answered(responder, transfer_request(quote, text)).body["fulfilment"], quote["condition"])


def test_a_conversion_is_quoted_and_fulfilled_too() -> None:
    responder = toolkit("ttkfxp1")
    terms = {
        "conversionId": "b51ec534-ee48-4575-b6a9-ead2955b8071",
        "initiatingFsp": "ttkfxpayer",
        "counterPartyFsp": "ttkfxp1",
        "amountType": "SEND",
        "sourceAmount": {"currency": "XXX", "amount": "300"},
        "targetAmount": {"currency": "XTS"},
    }
    asked = {"conversionRequestId": "b51ec534-ee48-4575-b6a9-ead2955b8072", "conversionTerms": terms}
    quote = answered(responder, asked, "/fxQuotes")
    assert quote.url.endswith("/quoting-service/fxQuotes/b51ec534-ee48-4575-b6a9-ead2955b8072")
    assert quote.body["conversionTerms"]["targetAmount"] == {"currency": "XTS", "amount": "500"}
    body = {"commitRequestId": terms["conversionId"], "sourceAmount": terms["sourceAmount"]}
    told = answered(responder, {**body, "condition": quote.body["condition"]}, "/fxTransfers")
    assert told.url.endswith("/ml-api-adapter/fxTransfers/b51ec534-ee48-4575-b6a9-ead2955b8071")
    assert told.body["conversionState"] == "RESERVED"
    assert ilp.fulfils(told.body["fulfilment"], quote.body["condition"])


def test_an_answer_is_given_again_to_who_asks_for_it_and_an_unknown_id_is_an_error() -> None:
    responder = toolkit()
    quote = answered(responder, quote_request(), "/quotes")
    again = only(responder.respond(call("GET", f"/quotes/{quote_request()['quoteId']}"), NOW))
    assert (again.url, again.body) == (quote.url, quote.body)
    lost = only(responder.respond(call("GET", "/transfers/b51ec534-ee48-4575-b6a9-ead2955b8079"), NOW))
    assert lost.url.endswith("/error")
    assert lost.body["errorInformation"]["errorCode"] == "3208"


def test_every_request_of_the_api_is_answered_and_every_callback_left_to_who_waits_for_it() -> None:
    responder = toolkit()
    names = {"Type": "MSISDN", "ID": "5", "SubId": "1", "SourceCurrency": "XDR", "TargetCurrency": "XTS"}
    for operation in OPERATIONS:
        path = operation.template.format(**names)
        reaction = responder.respond(call(operation.method, path, {} if operation.method == "POST" else None), NOW)
        assert reaction.taken is (operation.callback is not None), operation.key
        assert len(reaction.sends) == int(operation.callback is not None), operation.key


def test_the_version_of_the_answer_is_what_the_call_accepts() -> None:
    wanted = "application/vnd.interoperability.parties+json;version=2.0"
    sent = only(toolkit().respond(call("GET", "/parties/MSISDN/5", accept=wanted), NOW))
    assert sent.headers["Content-Type"] == wanted
    strange = only(toolkit().respond(call("GET", "/parties/MSISDN/5", accept="text/html"), NOW))
    assert strange.headers["Content-Type"].endswith("version=1.1")


# --- the amounts that stand for something


@pytest.mark.parametrize(
    ("amount", "state", "destination", "fulfils"),
    [
        ("15", "COMMITTED", "testingtoolkitdfsp", False),
        ("101", "RESERVED", "testingtoolkitdfsp", True),
        ("102", "RESERVED", "doesnotexistfsp", True),
        ("103", "RESERVED", "testingtoolkitdfsp", False),
        ("104", "COMMITTED", "doesnotexistfsp", True),
        ("14", "COMMITTED", "testingtoolkitdfsp", True),
    ],
)
def test_a_magic_amount_is_answered_in_its_own_way(amount: str, state: str, destination: str, fulfils: bool) -> None:
    responder = toolkit()
    quote = answered(responder, quote_request(amount), "/quotes").body
    sent = answered(responder, transfer_request(quote, amount))
    assert sent.body["transferState"] == state
    assert sent.headers["FSPIOP-Destination"] == destination
    assert len(ilp.decode(sent.body["fulfilment"])) == 32
    assert ilp.fulfils(sent.body["fulfilment"], quote["condition"]) is fulfils


@pytest.mark.parametrize(("amount", "code"), [("13", "2000"), ("1001", "5104")])
def test_a_magic_amount_is_refused(amount: str, code: str) -> None:
    quote = answered(toolkit(), quote_request(amount), "/quotes").body
    sent = answered(toolkit(), transfer_request(quote, amount))
    assert sent.url.endswith("/error")
    assert sent.body["errorInformation"]["errorCode"] == code


AGREED = ("GRzLaTP7DJ9t4P-a_BA0WA9wzzlsugf00-Tn6kESAfM", "UNlJ98hZTY_dsw0cAqw4i_UN3v4utt7CZFB4yfLbVFA")
"""A condition that collections name without a quote, and what fulfils it."""


def conversion_request(amount: str, condition: str = AGREED[0]) -> dict[str, Any]:
    return {
        "commitRequestId": "b51ec534-ee48-4575-b6a9-ead2955b8069",
        "determiningTransferId": "a8323bc6-c228-4df2-ae82-e5a997baf890",
        "initiatingFsp": "ttkfxpayer",
        "counterPartyFsp": "ttkfxp1",
        "sourceAmount": {"currency": "XDR", "amount": amount},
        "targetAmount": {"currency": "XTS", "amount": "500"},
        "condition": condition,
    }


@pytest.mark.parametrize(("payer", "currencies"), [("ttkfxpayer", ["XTS"]), ("testingtoolkitdfsp", None)])
def test_a_payer_with_a_foreign_currency_hears_which_one_the_payee_takes(payer: str, currencies: Any) -> None:
    party = only(toolkit().respond(call("GET", "/parties/MSISDN/54321001", source=payer), NOW)).body["party"]
    assert party.get("supportedCurrencies") == currencies
    assert party["partyIdInfo"]["partyIdentifier"] == "54321001"


def test_an_fxp_that_is_told_what_to_give_takes_as_much() -> None:
    ident = "b51ec534-ee48-4575-b6a9-ead2955b8069"
    terms = {**conversion_request("10"), "amountType": "RECEIVE", "sourceAmount": {"currency": "XDR"}}
    offer = answered(toolkit(), {"conversionRequestId": ident, "conversionTerms": terms}, "/fxQuotes")
    assert offer.body["conversionTerms"]["sourceAmount"] == {"currency": "XDR", "amount": "500"}
    assert offer.body["conversionTerms"]["targetAmount"] == {"currency": "XTS", "amount": "500"}


@pytest.mark.parametrize(("amount", "fulfilled"), [("10", True), ("15", False)])
def test_the_condition_that_was_agreed_beforehand_is_fulfilled(amount: str, fulfilled: bool) -> None:
    for path, body in (
        ("/fxTransfers", conversion_request(amount)),
        ("/transfers", transfer_request({"ilpPacket": "packet", "condition": AGREED[0]}, amount)),
    ):
        assert (answered(toolkit(), body, path).body["fulfilment"] == AGREED[1]) is fulfilled


def test_an_fxp_refuses_13_and_never_answers_16() -> None:
    refused = answered(toolkit(), conversion_request("13"), "/fxTransfers")
    assert refused.url.endswith("/error")
    assert toolkit().respond(call("POST", "/fxTransfers", conversion_request("16")), NOW) == Reaction(taken=True)


def test_the_news_of_a_conversion_is_taken_by_the_fxp_that_answered_it() -> None:
    responder = toolkit()
    asked = conversion_request("10")
    news = call("PATCH", f"/fxTransfers/{asked['commitRequestId']}", {"conversionState": "COMMITTED"})
    assert not responder.respond(news, NOW).taken
    answered(responder, asked, "/fxTransfers")
    assert responder.respond(news, NOW).taken


def test_silence_takes_the_call_and_sends_nothing() -> None:
    quote = answered(toolkit(), quote_request("16"), "/quotes").body
    assert toolkit().respond(call("POST", "/transfers", transfer_request(quote, "16")), NOW) == Reaction(taken=True)
    silent = RuleResponder("noresponsepayeefsp", HUB, SILENCE)
    assert silent.respond(call("POST", "/quotes", quote_request()), NOW) == Reaction(taken=True)


def test_the_news_of_a_transfer_is_taken_by_who_answered_it() -> None:
    responder = toolkit()
    quote = answered(responder, quote_request("101"), "/quotes").body
    asked = transfer_request(quote, "101")
    news = call("PATCH", f"/transfers/{asked['transferId']}", {"transferState": "COMMITTED"})
    assert not responder.respond(news, NOW).taken
    answered(responder, asked)
    assert responder.respond(news, NOW).taken


# --- what rules say


def test_a_fixed_callback_is_sent_as_the_rule_writes_it(tmp_path: Path) -> None:
    event = {
        "type": "FIXED_CALLBACK",
        "method": "put",
        "path": "/transfers/{ID}",
        "delay": 40,
        "params": {
            "headers": {
                "content-type": "{$request.headers.content-type}",
                "Date": "Tue, 23 Jul 2024 02:05:53 GMT",
                "fspiop-source": "{$config.FSPID}x",
            },
            "body": {"to": "{$request.headers.fspiop-source}", "amount": "{$request.body.amount.amount}", "n": None},
        },
    }
    sent = answered(played(tmp_path, rule(event, *on("post", "/transfers"))), transfer_request({"ilpPacket": "", "condition": ""}, "7"))  # noqa: E501 # fmt: skip
    assert sent.body == {"to": "testingtoolkitdfsp", "amount": "7", "n": None}
    assert sent.headers["FSPIOP-Source"] == "ttkpayeefspx"
    assert "Date" not in sent.headers
    assert "fspiop-source" not in sent.headers
    assert sent.delay_ms == 40


def test_a_mocked_callback_is_ours_with_the_rule_laid_on_it_and_null_taken_away(tmp_path: Path) -> None:
    event = {
        "type": "MOCK_CALLBACK",
        "params": {"body": {"party": {"name": None, "personalInfo": {"dateOfBirth": "1971-12-25"}}}},
    }
    responder = played(tmp_path, rule(event, *on("get", "/parties/{Type}/{ID}")))
    party = only(responder.respond(call("GET", "/parties/MSISDN/5"), NOW)).body["party"]
    assert "name" not in party
    assert party["personalInfo"]["dateOfBirth"] == "1971-12-25"
    assert party["personalInfo"]["complexName"]["firstName"] == "Test"


def test_the_packet_of_a_quote_is_of_the_amount_that_the_rule_writes(tmp_path: Path) -> None:
    amount = {"currency": "XXX", "amount": "{$environment.total}"}
    scripted = {"exec": ["environment.total = 0.1 + 0.2"], "scriptingEngine": "javascript"}
    event = {"type": "MOCK_CALLBACK", "params": {"body": {"transferAmount": amount}, "scripts": scripted}}
    scripts = FakeScripts(ScriptOutcome({"total": 0.30000000000000004}))
    responder = played(tmp_path, rule(event, *on("post", "/quotes")), scripts=scripts)
    body = answered(responder, quote_request(), "/quotes").body
    assert body["transferAmount"] == {"currency": "XXX", "amount": "0.3"}
    assert ilp.parse_packet(body["ilpPacket"]).amount == 3_000


def test_what_a_script_writes_stays_for_the_next_and_can_change_the_event(tmp_path: Path) -> None:
    event = {
        "type": "FIXED_CALLBACK",
        "params": {"body": {"a": 1, "b": "{$environment.x}"}, "scripts": {"exec": ["y"]}},
    }
    scripts = FakeScripts(ScriptOutcome({"x": "kept"}, override={"appendMode": True, "body": {"a": 2}}))
    responder = played(tmp_path, rule(event, *on("post", "/quotes")), scripts=scripts)
    assert answered(responder, quote_request(), "/quotes").body == {"a": 2, "b": "kept"}
    answered(responder, quote_request(), "/quotes")
    assert [environment for _, _, environment in scripts.asked] == [{}, {"x": "kept"}]
    assert scripts.asked[0][0].engine == "postman"


def test_a_broken_script_is_said_and_not_answered_over(tmp_path: Path) -> None:
    event = {"type": "FIXED_CALLBACK", "params": {"scripts": {"exec": ["oops"]}}}
    scripts = FakeScripts(ScriptOutcome({}, error="unknown name: oops is not defined"))
    responder = played(tmp_path, rule(event, *on("post", "/quotes")), scripts=scripts)
    with pytest.raises(UsageError, match=r"script of rule 1 .* broke: unknown name"):
        responder.respond(call("POST", "/quotes", quote_request()), NOW)
    with pytest.raises(InternalError, match="nobody to run them"):
        played(tmp_path / "again", rule(event, *on("post", "/quotes")))


def test_validation_is_asked_first_and_its_error_goes_to_the_error_path(tmp_path: Path) -> None:
    refused = {"type": "MOCK_ERROR_CALLBACK", "params": {"body": {"errorInformation": {"errorCode": "5101"}}}}
    book = load_rules(
        rule_folder(
            tmp_path,
            validation=[
                rule(refused, *on("post", "/quotes"), condition("body", "13", "numericEqual", "amount.amount"))
            ],
            callback=[rule({"type": "MOCK_CALLBACK"}, *on("post", "/quotes"))],
        )
    )
    responder = RuleResponder("ttkpayeefsp", HUB, book)
    sent = answered(responder, quote_request("13"), "/quotes")
    assert sent.url.endswith("/error")
    assert sent.body["errorInformation"] == {"errorCode": "5101", "errorDescription": "Generic server error"}
    assert "transferAmount" in answered(responder, quote_request("14"), "/quotes").body


def test_a_response_rule_answers_a_synchronous_operation_at_once(tmp_path: Path) -> None:
    event = {
        "type": "FIXED_RESPONSE",
        "params": {"body": {"id": "{$request.params.id}", "state": "{$request.query.state}"}, "statusCode": "201"},
    }
    book = load_rules(rule_folder(tmp_path, response=[rule(event, *on("get", "/settlements/{id}"))]))
    responder = RuleResponder("ttkpayeefsp", HUB, book)
    reaction = responder.respond(call("GET", "/settlements/7", query="state=OPEN"), NOW)
    assert reaction == Reaction(taken=True, status=201, body={"id": "7", "state": "OPEN"})
    assert not responder.respond(call("GET", "/settlements/7/more"), NOW).taken


def test_a_forwarded_call_reaches_the_other_dfsp_as_it_came(tmp_path: Path) -> None:
    event = {"type": "FORWARD", "params": {"dfspId": "pinkbankfsp"}}
    rules = rule(event, *on("get", "/parties/{Type}/{ID}"))
    responder = played(tmp_path, rules, peers={"pinkbankfsp": "http://pink.test/"})
    sent = only(responder.respond(call("GET", "/parties/MSISDN/5", query="a=b"), NOW))
    assert (sent.method, sent.url) == ("GET", "http://pink.test/parties/MSISDN/5?a=b")
    assert sent.headers["fspiop-source"] == "testingtoolkitdfsp"
    with pytest.raises(UsageError, match="nobody plays"):
        played(tmp_path / "again", rules).respond(call("GET", "/parties/MSISDN/5"), NOW)


def test_without_a_rule_the_call_is_left_to_who_comes_next() -> None:
    empty = RuleResponder("ttkpayeefsp", HUB, RuleBook())
    assert empty.respond(call("POST", "/quotes", quote_request()), NOW) == Reaction()
    nested = RuleResponder("ttkpayeefsp", HUB, RuleBook(), otherwise=toolkit())
    assert nested.respond(call("POST", "/quotes", quote_request()), NOW).taken


@pytest.mark.parametrize("body", [None, [], "text", 5, {"transferId": None}, {"amount": {"amount": {}}}])
@pytest.mark.parametrize("path", ["/transfers", "/quotes", "/fxQuotes", "/fxTransfers", "/participants"])
def test_a_malformed_request_breaks_nothing(path: str, body: Any) -> None:
    assert toolkit().respond(call("POST", path, body), NOW).taken


def test_a_service_that_the_target_does_not_name_is_missed_by_name() -> None:
    lonely = RuleResponder("ttkpayeefsp", {}, rules_of_the_toolkit())
    with pytest.raises(UsageError, match="does not know where quoting-service is"):
        lonely.respond(call("POST", "/quotes", quote_request()), NOW)
