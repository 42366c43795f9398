"""What does a hub hold for the cast once it is provisioned? Currencies, limits, funds and endpoints, as data.

Figures as recorded from the official provisioning of v17.1.0 (testing-toolkit-test-cases, for_golden_path).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, final

from harness.engine.inbound.behaviour import Party
from harness.engine.native.dfsp import Dfsp
from harness.engine.native.hub import ENDPOINTS, Hub, as_number
from harness.fspiop.ids import new_uuid
from harness.fspiop.money import format_amount
from harness.model.release import ReleaseVersion

__all__ = ["FX_ENDPOINTS", "Currencies", "Holding", "holdings", "provision", "register_numbers"]

FX_ENDPOINTS = {
    "FSPIOP_CALLBACK_URL_FX_QUOTES": "",
    "FSPIOP_CALLBACK_URL_FX_TRANSFER_POST": "/fxTransfers",
    "FSPIOP_CALLBACK_URL_FX_TRANSFER_PUT": "/fxTransfers/{{commitRequestId}}",
    "FSPIOP_CALLBACK_URL_FX_TRANSFER_ERROR": "/fxTransfers/{{commitRequestId}}/error",
}
"""Endpoint types of a DFSP or FXP that takes part in foreign exchange."""

_FX_SINCE = ReleaseVersion(17, 0, 0)
_CAP, _GROSS_CAP, _FUNDS = Decimal(1_000_000), Decimal(50_000), Decimal(5_000)
_NOTHING = Decimal(0)
_SIMULATORS = ("payerfsp", "payeefsp", "testfsp1", "testfsp2")
_NUMBERED = ("SIMPAYEE", "SIM1", "SIM2")
_GROSS_ONLY = ("testfsp3", "testfsp4")
_EVERYDAY = (*_SIMULATORS, "noresponsepayeefsp", "testingtoolkitdfsp")
_FX_SPEAKERS = frozenset({"testingtoolkitdfsp", "ttkfxp1", "ttkfxpayer", "ttkfxpayee"})


@final
@dataclass(frozen=True, slots=True)
class Currencies:
    """The currencies that collections name by their input values."""

    main: str
    second: str = "XTS"
    gross: str = "INR"
    """Settled gross, one transfer at a time."""
    fx_source: str = "XDR"
    fx_target: str = "XTS"

    @classmethod
    def of(cls, inputs: Mapping[str, Any], main: str) -> Currencies:
        """Returns what ``inputs`` name, else what the official environment of v17.1.0 does."""
        given = {
            "second": "currency2",
            "gross": "cgscurrency",
            "fx_source": "FX_SOURCE_CURRENCY",
            "fx_target": "FX_TARGET_CURRENCY",
        }
        return cls(main=main, **{name: str(inputs[key]) for name, key in given.items() if inputs.get(key)})


@final
@dataclass(frozen=True, slots=True)
class Holding:
    """A currency that a participant deals in. Amounts in major units."""

    fsp: str
    currency: str
    funds: Decimal = _FUNDS
    cap: Decimal = _CAP


def holdings(currencies: Currencies, version: ReleaseVersion) -> Iterator[Holding]:
    """Yields what each participant of the cast deals in, in the order it is registered."""
    gross = currencies.gross
    for fsp in _EVERYDAY:
        yield Holding(fsp, currencies.main)
        yield Holding(fsp, currencies.second)
        yield Holding(fsp, gross, _NOTHING, _GROSS_CAP if fsp in _SIMULATORS else _CAP)
    for currency in (currencies.main, currencies.second, gross):
        yield Holding("ttkpayeefsp", currency, _NOTHING)
    for fsp in _GROSS_ONLY:
        yield Holding(fsp, gross, cap=_GROSS_CAP)
    if version >= _FX_SINCE:
        yield Holding("ttkfxp1", currencies.fx_source, _NOTHING)
        yield Holding("ttkfxp1", currencies.fx_target)
        yield Holding("ttkfxpayee", currencies.fx_target, _NOTHING)
        yield Holding("ttkfxpayer", currencies.fx_source)


def provision(hub: Hub, currencies: Currencies) -> None:
    """Registers the cast at an empty hub. Raises ``ProvisioningError`` where the hub refuses."""
    version = hub.release.version
    rows = list(holdings(currencies, version))
    for currency in dict.fromkeys(row.currency for row in rows):
        for kind in ("HUB_MULTILATERAL_SETTLEMENT", "HUB_RECONCILIATION"):
            body = {"type": kind, "currency": currency}
            hub.prepare("POST", f"/participants/{hub.target.hub_name}/accounts", body)
    for row in rows:
        _open(hub, row)
    for fsp in dict.fromkeys(row.fsp for row in rows):
        speaks_fx = version >= _FX_SINCE and fsp in _FX_SPEAKERS
        base = hub.inbound.address.endpoint(fsp)
        for kind, path in {**ENDPOINTS, **(FX_ENDPOINTS if speaks_fx else {})}.items():
            hub.prepare("POST", f"/participants/{fsp}/endpoints", {"type": kind, "value": base + path})


def register_numbers(hub: Hub, inputs: Mapping[str, Any]) -> None:
    """Registers the numbers that the simulators have from the start, as ``inputs`` name them.

    Collection oracle_registration of the official provisioning. Raises ``ProvisioningError`` where the hub refuses.
    """
    for who in _NUMBERED:
        fsp, number = inputs.get(f"{who}_NAME"), inputs.get(f"{who}_MSISDN")
        if fsp in _SIMULATORS and number:
            Dfsp(str(fsp), hub).make_known(Party(id_type="MSISDN", identifier=str(number), name=str(fsp)))


def _open(hub: Hub, row: Holding) -> None:
    hub.prepare("POST", "/participants", {"name": row.fsp, "currency": row.currency})
    limit = {"type": "NET_DEBIT_CAP", "value": as_number(row.cap)}
    path = f"/participants/{row.fsp}/initialPositionAndLimits"
    hub.prepare("POST", path, {"currency": row.currency, "limit": limit, "initialPosition": 0})
    if not row.funds:
        return
    accounts = hub.prepare("GET", f"/participants/{row.fsp}/accounts?currency={row.currency}")
    number = next(found["id"] for found in accounts if found["ledgerAccountType"] == "SETTLEMENT")
    body = {
        "transferId": new_uuid(),
        "externalReference": "harness",
        "action": "recordFundsIn",
        "reason": "provisioning",
        "amount": {"amount": format_amount(row.funds), "currency": row.currency},
    }
    hub.prepare("POST", f"/participants/{row.fsp}/accounts/{number}", body)
