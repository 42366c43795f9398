"""Each defect shows at the API when it is on, and does not when it is off."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from harness.errors import UsageError
from harness.fspiop.dates import iso_ms
from harness.fspiop.headers import content_type
from harness.fspiop.ids import new_uuid
from harness.fspiop.resources import SERVICES
from harness.hub.defects import DEFECTS, Defects
from tests.hub.fx_world import Fx, fx_answer, fx_quote, path_of
from tests.hub.settling import (
    DEFAULT,
    DEFERRED,
    FEES,
    GROSS,
    SECOND,
    open_currency,
    paid,
    paid_between_wallets,
    settle,
    started,
    step,
)
from tests.hub.world import World, in_seconds, quote, quote_answer, transfer, world

Probe = Callable[[World], bool]
"""Whether a hub shows the defect."""

ALS, QS, MLA = "account-lookup-service", "quoting-service", "ml-api-adapter"
TRS = "transaction-requests-service"
PROBES: dict[str, Probe] = {}


def shows(name: str) -> Callable[[Probe], Probe]:
    def register(probe: Probe) -> Probe:
        PROBES[name] = probe
        return probe

    return register


def eventually(condition: Callable[[], bool], patience: float = 1.0) -> bool:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False


def parties_answered(w: World) -> tuple[dict[str, Any], str]:
    identifier = str(time.monotonic_ns())
    body = {"party": {"partyIdInfo": {"partyIdType": "MSISDN", "partyIdentifier": identifier, "fspId": "payee"}}}
    path = f"/parties/MSISDN/{identifier}"
    w.fspiop("PUT", ALS, path, "parties", "payee", body, destination="payer")
    return body, path


@shows("lookup-callback-lost")
def _(w: World) -> bool:
    _, path = parties_answered(w)
    return not eventually(lambda: bool(w.receiver.of("payer", "PUT", path)))


@shows("lookup-wrong-party")
def _(w: World) -> bool:
    body, path = parties_answered(w)
    return bool(w.receiver.wait("payer", "PUT", path).body != body)


@shows("lookup-unknown-wrong-code")
def _(w: World) -> bool:
    w.fspiop("GET", ALS, "/parties/MSISDN/404", "parties", "payer")
    return bool(w.error("payer", "/parties/MSISDN/404")["errorCode"] != "3204")


@shows("lookup-sub-id-ignored")
def _(w: World) -> bool:
    w.fspiop("GET", ALS, "/parties/MSISDN/1/30", "parties", "payer", destination="payee")
    return not eventually(lambda: bool(w.receiver.of("payee", "GET", "/parties/MSISDN/1/30")))


def quote_answered(w: World) -> tuple[dict[str, Any], Any]:
    body, path = quote_answer(), f"/quotes/{new_uuid()}"
    w.fspiop("PUT", QS, path, "quotes", "payee", body, destination="payer")
    return body, w.receiver.wait("payer", "PUT", path)


@shows("quote-amount-altered")
def _(w: World) -> bool:
    body, callback = quote_answered(w)
    return bool(callback.body["transferAmount"] != body["transferAmount"])


@shows("destination-header-dropped")
def _(w: World) -> bool:
    return "fspiop-destination" not in quote_answered(w)[1].headers


@shows("quote-duplicate-accepted")
def _(w: World) -> bool:
    body = quote()
    for note in ("one", "two"):
        w.fspiop("POST", QS, "/quotes", "quotes", "payer", {**body, "note": note}, destination="payee")
    return not eventually(lambda: bool(w.receiver.of("payer", "PUT", f"/quotes/{body['quoteId']}/error")))


@shows("quote-slow")
def _(w: World) -> bool:
    body = quote()
    w.fspiop("POST", QS, "/quotes", "quotes", "payer", body, destination="payee")
    return not eventually(
        lambda: any(call.body["quoteId"] == body["quoteId"] for call in w.receiver.of("payee", "POST", "/quotes"))
    )


@shows("quote-accepted-200")
def _(w: World) -> bool:
    return w.fspiop("POST", QS, "/quotes", "quotes", "payer", quote(), destination="payee").status_code != 202


@shows("quote-bad-amount-accepted")
def _(w: World) -> bool:
    body = {**quote(), "amount": {"amount": "1.23456", "currency": "XXX"}}
    return w.fspiop("POST", QS, "/quotes", "quotes", "payer", body, destination="payee").status_code != 400


@shows("transfer-slow")
def _(w: World) -> bool:
    body, _ = w.prepare()
    return not eventually(
        lambda: any(c.body["transferId"] == body["transferId"] for c in w.receiver.of("payee", "POST", "/transfers"))
    )


def fulfilled(w: World, **changes: Any) -> str:
    body = w.reserve()
    w.fulfil(body, **changes)
    return f"/transfers/{body['transferId']}"


@shows("transfer-callback-lost")
def _(w: World) -> bool:
    path = fulfilled(w)
    return not eventually(lambda: bool(w.receiver.of("payer", "PUT", path)))


@shows("transfer-callback-twice")
def _(w: World) -> bool:
    path = fulfilled(w)
    w.receiver.wait("payer", "PUT", path)
    return w.receiver.count("payer", "PUT", path) > 1


@shows("content-type-version")
def _(w: World) -> bool:
    callback = w.receiver.wait("payer", "PUT", fulfilled(w))
    return callback.headers["content-type"] != content_type("transfers", "1.1")


@shows("traceparent-dropped")
def _(w: World) -> bool:
    return "traceparent" not in w.receiver.wait("payer", "PUT", fulfilled(w)).headers


@shows("version-negotiation")
def _(w: World) -> bool:
    headers = {"accept": content_type("transfers", "9.9")}
    return w.send_prepare(transfer(), headers=headers).status_code != 406


@shows("patch-notification-lost")
def _(w: World) -> bool:
    path = fulfilled(w, transferState="RESERVED")
    return not eventually(lambda: bool(w.receiver.of("payee", "PATCH", path)))


@shows("transfer-not-found-wrong-code")
def _(w: World) -> bool:
    path = f"/transfers/{new_uuid()}"
    w.fspiop("GET", MLA, path, "transfers", "payer")
    return bool(w.error("payer", path)["errorCode"] != "3208")


@shows("transfer-state-wrong")
def _(w: World) -> bool:
    return bool(w.state(w.committed()["transferId"])["transferState"] != "COMMITTED")


@shows("fulfilment-unchecked")
def _(w: World) -> bool:
    path = fulfilled(w, fulfilment="A" * 43)
    return not eventually(lambda: bool(w.receiver.of("payer", "PUT", f"{path}/error")))


@shows("duplicate-modified-accepted")
def _(w: World) -> bool:
    body = w.reserve()
    w.send_prepare({**body, "expiration": in_seconds(99)})
    return not eventually(lambda: bool(w.receiver.of("payer", "PUT", f"/transfers/{body['transferId']}/error")))


@shows("duplicate-not-resent")
def _(w: World) -> bool:
    body = w.committed()
    w.send_prepare(body)
    return w.receiver.count("payer", "PUT", f"/transfers/{body['transferId']}") != 2


@shows("expired-prepare-accepted")
def _(w: World) -> bool:
    body, _ = w.prepare(expiration=in_seconds(-5))
    error = w.error("payer", f"/transfers/{body['transferId']}")
    return bool(error["errorCode"] != "3100")


@shows("inactive-participant-accepted")
def _(w: World) -> bool:
    w.admin("PUT", "/participants/payee", {"isActive": False})
    body, _ = w.prepare()
    refused = eventually(lambda: bool(w.receiver.of("payer", "PUT", f"/transfers/{body['transferId']}/error")))
    w.admin("PUT", "/participants/payee", {"isActive": True})
    return not refused


@shows("inactive-account-accepted")
def _(w: World) -> bool:
    account = f"/participants/payee/accounts/{w.accounts['payee', 'POSITION']}"
    w.admin("PUT", account, {"isActive": False})
    body, _ = w.prepare()
    refused = eventually(lambda: bool(w.receiver.of("payer", "PUT", f"/transfers/{body['transferId']}/error")))
    w.admin("PUT", account, {"isActive": True})
    return not refused


@shows("position-kept-on-abort")
def _(w: World) -> bool:
    before = w.balance("payer")
    w.abort(w.reserve())
    return w.balance("payer") != before


@shows("position-kept-on-expiry")
def _(w: World) -> bool:
    before = w.balance("payer")
    body = w.reserve(expiration=in_seconds(0.3))
    w.error("payer", f"/transfers/{body['transferId']}")
    return w.balance("payer") != before


@shows("payee-position-unchanged")
def _(w: World) -> bool:
    before = w.balance("payee")
    w.committed()
    return w.balance("payee") == before


@shows("expiry-not-notified")
def _(w: World) -> bool:
    body = w.reserve(expiration=in_seconds(0.3))
    w.error("payee", f"/transfers/{body['transferId']}")
    return not eventually(lambda: bool(w.receiver.of("payer", "PUT", f"/transfers/{body['transferId']}/error")))


def cap(w: World, value: Decimal) -> None:
    limit = {"type": "NET_DEBIT_CAP", "value": str(value), "alarmPercentage": 10}
    assert w.admin("PUT", "/participants/payer/limits", {"currency": "XXX", "limit": limit}).status_code == 200


def refused_over_the_cap(w: World, room: int, amount: str) -> bool:
    cap(w, w.balance("payer") + room)
    body, _ = w.prepare(amount)
    refused = eventually(lambda: bool(w.receiver.of("payer", "PUT", f"/transfers/{body['transferId']}/error")))
    cap(w, Decimal(10000))
    return refused


@shows("net-debit-cap-ignored")
def _(w: World) -> bool:
    return not refused_over_the_cap(w, 10, "10.0001")


@shows("limit-change-ignored")
def _(w: World) -> bool:
    cap(w, Decimal(7777))
    changed = w.admin("GET", "/participants/payer/limits").json()[0]["limit"]["value"] == 7777
    cap(w, Decimal(10000))
    return not changed


@shows("net-debit-cap-off-by-one")
def _(w: World) -> bool:
    return refused_over_the_cap(w, 10, "10")


@shows("liquidity-wrong-code")
def _(w: World) -> bool:
    body, _ = w.prepare("9000")
    return bool(w.error("payer", f"/transfers/{body['transferId']}")["errorCode"] != "4001")


@shows("funds-in-doubled")
def _(w: World) -> bool:
    before = w.balance("payer", "SETTLEMENT")
    w.funds_in("payer", "1")
    return w.balance("payer", "SETTLEMENT") != before - 1


@shows("funds-out-beyond-balance")
def _(w: World) -> bool:
    transfer_id, _ = w.funds("payer", "recordFundsOutPrepareReserve", "1000000")
    return bool(w.state(transfer_id)["transferState"] != "ABORTED")


@shows("funds-out-abort-keeps")
def _(w: World) -> bool:
    before = w.balance("payer", "SETTLEMENT")
    transfer_id, _ = w.funds("payer", "recordFundsOutPrepareReserve", "1")
    path = f"/participants/payer/accounts/{w.accounts['payer', 'SETTLEMENT']}/transfers/{transfer_id}"
    w.admin("PUT", path, {"action": "recordFundsOutAbort", "reason": "test"})
    return w.balance("payer", "SETTLEMENT") != before


# --- foreign exchange


@shows("fx-quote-amount-altered")
def _(w: World) -> bool:
    body = fx_quote()
    terms, path = fx_answer(body), f"/fxQuotes/{body['conversionRequestId']}"
    Fx(w).say("PUT", QS, path, "fxp", terms, destination="payer")
    return bool(w.receiver.wait("payer", "PUT", path).body != terms)


@shows("fx-quote-provider-unchecked")
def _(w: World) -> bool:
    body = fx_quote()
    body["conversionTerms"]["sourceAmount"]["currency"] = "INR"
    Fx(w).say("POST", QS, "/fxQuotes", "payer", body, destination="fxp")
    path = f"/fxQuotes/{body['conversionRequestId']}/error"
    return not eventually(lambda: bool(w.receiver.of("payer", "PUT", path)))


@shows("fx-fulfilment-unchecked")
def _(w: World) -> bool:
    fx = Fx(w)
    body = fx.reserve()
    fx.fulfil(body, fulfilment="A" * 43)
    return not eventually(lambda: bool(w.receiver.of("payer", "PUT", f"{path_of(body)}/error")))


@shows("fx-unfulfilled-accepted")
def _(w: World) -> bool:
    transfer = Fx(w).transfer(Fx(w).reserve())
    return not eventually(lambda: bool(w.receiver.of("payer", "PUT", f"/transfers/{transfer['transferId']}/error")))


@shows("fx-duplicate-modified-accepted")
def _(w: World) -> bool:
    fx = Fx(w)
    body = fx.reserve()
    fx.say("POST", MLA, "/fxTransfers", "payer", {**body, "expiration": in_seconds(99)}, destination="fxp")
    return not eventually(lambda: bool(w.receiver.of("payer", "PUT", f"{path_of(body)}/error")))


@shows("fx-not-found-wrong-code")
def _(w: World) -> bool:
    path = f"/fxTransfers/{new_uuid()}"
    Fx(w).say("GET", MLA, path, "payer")
    return bool(w.error("payer", path)["errorCode"] != "3208")


def settled(fx: Fx, before: tuple[Decimal, ...]) -> bool:
    return fx.positions() == before


@shows("fx-position-kept-on-abort")
def _(w: World) -> bool:
    fx = Fx(w)
    before = fx.positions()
    body = fx.reserve()
    fx.refuse(body)
    fx.error("payer", body)
    return not settled(fx, before)


@shows("fx-provider-position-kept-on-abort")
def _(w: World) -> bool:
    fx = Fx(w)
    before = fx.positions()
    body = fx.fulfilled()
    w.abort(fx.reserved_transfer(body))
    fx.error("payer", body)
    return not settled(fx, before)


@shows("fx-provider-not-credited")
def _(w: World) -> bool:
    fx = Fx(w)
    before = fx.positions()[1]
    fx.committed()
    return fx.positions()[1] == before


@shows("fx-expiry-leaves-transfer")
def _(w: World) -> bool:
    fx = Fx(w)
    body = fx.fulfilled(expiration=in_seconds(0.6))
    transfer = fx.reserved_transfer(body)
    fx.error("payer", body)
    return not eventually(lambda: bool(w.receiver.of("payer", "PUT", f"/transfers/{transfer['transferId']}/error")))


@shows("fx-kept-on-transfer-expiry")
def _(w: World) -> bool:
    fx = Fx(w)
    body = fx.fulfilled()
    transfer = fx.reserved_transfer(body, expiration=in_seconds(0.3))
    w.error("payer", f"/transfers/{transfer['transferId']}")
    return not eventually(lambda: bool(w.receiver.of("payer", "PUT", f"{path_of(body)}/error")))


@shows("fx-patch-lost")
def _(w: World) -> bool:
    body, _ = Fx(w).committed()
    return not eventually(lambda: bool(w.receiver.of("fxp", "PATCH", path_of(body))))


def transferred_to_oneself(w: World) -> bool:
    """Whether a transfer of payer to payer goes through."""
    body, _ = w.prepare("10", payeeFsp="payer")
    path = f"/transfers/{body['transferId']}"
    if not eventually(lambda: any(c.body == body for c in w.receiver.of("payer", "POST", "/transfers"))):
        return False
    w.fulfil(body, source="payer")
    return eventually(lambda: bool(w.receiver.of("payer", "PUT", path)))


@shows("on-us-refused")
def _(w: World) -> bool:
    return not transferred_to_oneself(w)


@shows("on-us-position-kept")
def _(w: World) -> bool:
    before = w.balance("payer")
    transferred_to_oneself(w)
    return w.balance("payer") != before


@shows("reject-modified-accepted")
def _(w: World) -> bool:
    body = w.reserve()
    w.abort(body)
    w.abort(body, code="5105")
    return not eventually(lambda: bool(w.receiver.of("payee", "PUT", f"/transfers/{body['transferId']}/error")))


@shows("fulfil-repeat-unanswered")
def _(w: World) -> bool:
    body, moment = w.reserve(), iso_ms(datetime.now(UTC))
    for _ in range(2):
        w.fulfil(body, completedTimestamp=moment)
    return not eventually(lambda: bool(w.receiver.of("payee", "PUT", f"/transfers/{body['transferId']}")))


@shows("hub-signature-missing")
def _(w: World) -> bool:
    path = f"/transfers/{new_uuid()}"
    w.fspiop("GET", MLA, path, "transfers", "payer")
    return "fspiop-signature" not in w.receiver.wait("payer", "PUT", f"{path}/error").headers


CONSENT = "authenticationType=OTP&retriesLeft={retries}&amount=1&currency=XXX"


@shows("trx-rejection-lost")
def _(w: World) -> bool:
    path, said = f"/transactionRequests/{new_uuid()}", {"transactionRequestState": "REJECTED"}
    w.fspiop("PUT", TRS, path, "transactionRequests", "payer", said, destination="payee")
    return not eventually(lambda: bool(w.receiver.of("payee", "PUT", path)))


@shows("authorization-query-dropped")
def _(w: World) -> bool:
    path = f"/authorizations/{new_uuid()}?{CONSENT.format(retries=1)}"
    w.fspiop("GET", TRS, path, "authorizations", "payee", destination="payer")
    return not eventually(lambda: bool(w.receiver.of("payer", "GET", path)))


@shows("authorization-retries-unchecked")
def _(w: World) -> bool:
    path = f"/authorizations/{new_uuid()}?{CONSENT.format(retries='two')}"
    return w.fspiop("GET", TRS, path, "authorizations", "payee", destination="payer").status_code != 400


@shows("authorization-failure-untold")
def _(w: World) -> bool:
    path = f"/authorizations/{new_uuid()}"
    w.fspiop("PUT", TRS, path, "authorizations", "payer", {"responseType": "REJECTED"}, destination="nobody")
    return not eventually(lambda: bool(w.receiver.of("payer", "PUT", f"{path}/error")))


@shows("funds-out-commit-lost")
def _(w: World) -> bool:
    transfer_id, _ = w.funds("payer", "recordFundsOutPrepareReserve", "1")
    path = f"/participants/payer/accounts/{w.accounts['payer', 'SETTLEMENT']}/transfers/{transfer_id}"
    w.admin("PUT", path, {"action": "recordFundsOutCommit", "reason": "test"})
    return bool(w.state(transfer_id)["transferState"] != "COMMITTED")


@shows("account-switch-ignored")
def _(w: World) -> bool:
    path = f"/participants/payer/accounts/{w.accounts['payer', 'POSITION']}"
    w.admin("PUT", path, {"isActive": False})
    ignored = bool(w.admin("GET", "/participants/payer/accounts").json()[0]["isActive"])
    w.admin("PUT", path, {"isActive": True})
    return ignored


def has_models(w: World) -> None:
    """Sees to it that the hub settles by a model of its currency and by a default one."""
    if not w.admin("GET", "/settlementModels").json():
        for model in (DEFERRED, DEFAULT):
            assert w.admin("POST", "/settlementModels", model).status_code == 201


def closed(w: World) -> int:
    """A window that 10 was paid in, closed."""
    has_models(w)
    settle(w, "POST", f"/settlementWindows/{open_window(w)}", {"state": "CLOSED", "reason": "before"})
    paid(w, "10")
    number = open_window(w)
    settle(w, "POST", f"/settlementWindows/{number}", {"state": "CLOSED", "reason": "test"})
    return number


def open_window(w: World) -> int:
    return max(each["settlementWindowId"] for each in settle(w, "GET", "/settlementWindows?state=OPEN")[1])


def nets(settlement: dict[str, Any]) -> list[str]:
    return [a["netSettlementAmount"]["amount"] for each in settlement["participants"] for a in each["accounts"]]


def taken_to(w: World, state: str) -> tuple[int, dict[str, Any]]:
    """A settlement of a window of its own that has come to ``state``: the window and the settlement."""
    number = closed(w)
    settlement = started(w, number)
    for each in (
        "PS_TRANSFERS_RECORDED",
        "PS_TRANSFERS_RESERVED",
        "PS_TRANSFERS_COMMITTED",
        "SETTLED",
    ):
        step(w, settlement, each)
        if each == state:
            break
    return number, settlement


@shows("settlement-window-stays-open")
def _(w: World) -> bool:
    return bool(settle(w, "GET", f"/settlementWindows/{closed(w)}")[1]["state"] != "CLOSED")


@shows("settlement-window-never-settled")
def _(w: World) -> bool:
    number, _ = taken_to(w, "SETTLED")
    return bool(settle(w, "GET", f"/settlementWindows/{number}")[1]["state"] != "SETTLED")


@shows("settlement-transfer-counted-twice")
def _(w: World) -> bool:
    return sorted(nets(started(w, closed(w)))) == ["-20.0000", "20.0000"]


@shows("settlement-sign-turned")
def _(w: World) -> bool:
    return nets(started(w, closed(w)))[0].startswith("-")  # the payer is the first participant, and owes


@shows("settlement-step-skipped")
def _(w: World) -> bool:
    settlement = started(w, closed(w))
    return "errorInformation" not in step(w, settlement, "PS_TRANSFERS_COMMITTED")["participants"][0]["accounts"][0]


@shows("settlement-sender-position-kept")
def _(w: World) -> bool:
    _, settlement = taken_to(w, "PS_TRANSFERS_RESERVED")
    before = w.balance("payer")
    step(w, settlement, "PS_TRANSFERS_COMMITTED")
    return w.balance("payer") != before - 10


@shows("settlement-abort-keeps")
def _(w: World) -> bool:
    before = w.balance("payee")
    _, settlement = taken_to(w, "PS_TRANSFERS_RESERVED")
    settle(w, "PUT", f"/settlements/{settlement['id']}", {"state": "ABORTED", "reason": "test"})
    return w.balance("payee") != before - 10


@shows("settlement-filter-ignored")
def _(w: World) -> bool:
    taken_to(w, "PS_TRANSFERS_RECORDED")
    return settle(w, "GET", "/settlements?settlementWindowId=4711")[0] == 200


@shows("settlement-default-model-greedy")
def _(w: World) -> bool:
    return started(w, closed(w), model="DEFAULTDEFERREDNET")["participants"] != []


@shows("interchange-fee-forgotten")
def _(w: World) -> bool:
    assert w.admin("POST", "/settlementModels", {**FEES, "currency": "KES"}).status_code == 201
    open_currency(w, "KES")
    paid_between_wallets(w, "100", "KES")
    rows = w.admin("GET", "/participants/payer/accounts?currency=KES").json()
    return not any(row["ledgerAccountType"] == "INTERCHANGE_FEE" and row["value"] for row in rows)


@shows("gross-settlement-left-out")
def _(w: World) -> bool:
    if not any(each["name"] == "CGS" for each in w.admin("GET", "/settlementModels").json()):
        open_currency(w)
        assert w.admin("POST", "/settlementModels", {**GROSS, "currency": SECOND}).status_code == 201
    paid(w, "7", SECOND)
    return bool(w.admin("GET", f"/participants/payer/positions?currency={SECOND}").json()["value"] != 0)


def test_every_defect_has_a_probe_and_a_component_to_blame() -> None:
    assert PROBES.keys() == DEFECTS.keys()
    for name, defect in DEFECTS.items():
        assert defect.name == name
        assert defect.component in SERVICES
        assert defect.description
        assert defect.capability


def test_a_sound_hub_shows_no_defect_and_its_ledger_balances() -> None:
    with world(on_us_transfers=True) as w:
        assert [name for name, probe in PROBES.items() if probe(w)] == []
        assert w.core is not None
        w.core.ledger.check_invariants()


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_shows(name: str) -> None:
    with world(name, on_us_transfers=True) as w:
        assert PROBES[name](w)
        assert {w.client.get(f"{url}/health").json()["status"] for url in w.services.values()} == {"OK"}


def test_a_name_that_is_not_in_the_table_is_an_error() -> None:
    with pytest.raises(UsageError, match="unknown defect: nonsense"):
        Defects(["nonsense"])
    with pytest.raises(KeyError):
        Defects().active("nonsense")
