"""The hub holds for the cast what the official provisioning gives it."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from harness.engine.exchange import Exchanger
from harness.engine.inbound.client import InboundClient
from harness.engine.inbound.server import InboundServer
from harness.engine.native.hub import Hub
from harness.engine.provisioning import FX_ENDPOINTS, Currencies, Holding, holdings, provision
from harness.engine.recorder import CaseRecorder
from harness.engine.simulators import set_stage
from harness.errors import ProvisioningError
from harness.model.release import ReleaseVersion
from harness.target.model import Target
from tests.hub.world import World, release, world

RECORDED = Path(__file__).parents[3] / "shared" / "oss" / "ttk-reports" / "official-v17.1.0-provisioning.json"
V15, V17 = ReleaseVersion(15, 1, 0), ReleaseVersion(17, 1, 0)
OFFICIAL = Currencies("XXX")


@pytest.mark.skipif(not RECORDED.exists(), reason=f"the recorded provisioning is not at {RECORDED}")
def test_the_cast_holds_what_the_recorded_provisioning_gave_it() -> None:
    found: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    fx = set()
    for case in json.loads(RECORDED.read_text())["test_cases"]:
        for step in case["requests"]:
            request = step["request"]
            body: Any = request.get("body") or {}
            match re.findall(r"/participants/(\w+)/(\w+)", request["path"]), request["method"]:
                case [(fsp, "initialPositionAndLimits")], "post":
                    found[fsp, body["currency"]][1] = Decimal(body["limit"]["value"])
                case [(fsp, "limits")], "put":
                    found[fsp, body["currency"]][1] = Decimal(body["limit"]["value"])
                case [(fsp, "accounts")], "post" if body.get("action") == "recordFundsIn":
                    found[fsp, body["amount"]["currency"]][0] += Decimal(body["amount"]["amount"])
                case [(fsp, "endpoints")], "post" if body["type"] in FX_ENDPOINTS:
                    fx.add((fsp, body["type"]))
    assert {(row.fsp, row.currency): [row.funds, row.cap] for row in holdings(OFFICIAL, V17)} == found
    assert fx == {
        (fsp, kind) for fsp in ("testingtoolkitdfsp", "ttkfxp1", "ttkfxpayer", "ttkfxpayee") for kind in FX_ENDPOINTS
    }


def test_before_fx_nobody_holds_the_currencies_of_fx() -> None:
    rows = list(holdings(OFFICIAL, V15))
    assert {row.currency for row in rows} == {"XXX", "XTS", "INR"}
    assert not any(row.fsp.startswith("ttkfx") for row in rows)


def test_currencies_are_those_that_the_environment_names() -> None:
    inputs = {"currency2": "BGN", "cgscurrency": "KES", "FX_SOURCE_CURRENCY": "", "FX_TARGET_CURRENCY": "EUR"}
    assert Currencies.of(inputs, "USD") == Currencies("USD", "BGN", "KES", "XDR", "EUR")
    assert Currencies.of({}, "XXX") == OFFICIAL


def provisioned(w: World, version: str) -> None:
    target = Target(name="embedded", kind="embedded", services=dict(w.services), currency="XXX")
    exchanger = Exchanger(None, request_timeout_s=5)
    with InboundServer.start() as inbound, InboundClient(inbound.address) as client:
        try:
            provision(Hub(target, release(version), exchanger, client, CaseRecorder("set-up")), OFFICIAL)
        finally:
            exchanger.close()


@pytest.mark.parametrize("version", ["v15.1.0", "v17.1.0"])
def test_an_empty_hub_is_provisioned_with_it(version: str) -> None:
    with world(version=version, onboarded=False) as w:
        provisioned(w, version)
        for row in holdings(OFFICIAL, ReleaseVersion.parse(version)):
            assert held(w, row) == (-row.funds, row.cap), row
        endpoints = {row["type"] for row in w.admin("GET", "/participants/testingtoolkitdfsp/endpoints").json()}
        assert (endpoints >= FX_ENDPOINTS.keys()) is (version == "v17.1.0")
        assert w.core is not None
        w.core.ledger.check_invariants()


@pytest.mark.parametrize("version", ["v15.1.0", "v17.1.0"])
def test_the_stage_is_set_for_every_release_and_the_simulators_numbers_are_known(version: str) -> None:
    inputs = {"SIM1_NAME": "testfsp1", "SIM1_MSISDN": "17039811903", "SIM2_NAME": "a stranger", "SIM2_MSISDN": "1"}
    with world(version=version, onboarded=False) as w, InboundServer.start() as inbound:
        target = Target(name="embedded", kind="embedded", services=dict(w.services), currency="XXX")
        set_stage(target, release(version), inbound, api_version="1.1", inputs=inputs)
        for fsp in ("testfsp1", "payeefsp"):
            kinds = {row["type"] for row in w.admin("GET", f"/participants/{fsp}/endpoints").json()}
            assert {"FSPIOP_CALLBACK_URL_TRX_REQ_SERVICE", "FSPIOP_CALLBACK_URL_AUTHORIZATIONS"} <= kinds
        with InboundClient(inbound.address) as client:
            for number, found in (("17039811903", ""), ("1", "/error")):
                path = f"/participants/MSISDN/{number}"
                w.fspiop("GET", "account-lookup-service", path, "participants", "payerfsp")
                assert client.seen("payerfsp", method="PUT", path=path + found, wait_s=3.0)


def held(w: World, row: Holding) -> tuple[Decimal, Decimal]:
    path = f"/participants/{row.fsp}"
    accounts = w.admin("GET", f"{path}/accounts?currency={row.currency}").json()
    settlement = next(found["value"] for found in accounts if found["ledgerAccountType"] == "SETTLEMENT")
    (limit,) = w.admin("GET", f"{path}/limits?currency={row.currency}").json()
    return Decimal(settlement), Decimal(limit["limit"]["value"])


def test_a_hub_that_is_not_empty_is_said_to_refuse() -> None:
    with world() as w, pytest.raises(ProvisioningError, match="set-up was refused"):
        provisioned(w, "v17.1.0")
