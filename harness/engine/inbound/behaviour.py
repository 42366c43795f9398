"""Who a simulated DFSP is and how it behaves: declarations in small closed vocabularies, JSON-able."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, Self, get_args

from harness.errors import UsageError
from harness.fspiop.errors import FspiopError
from harness.fspiop.money import format_amount, parse_amount

__all__ = ["Behaviour", "OnParties", "OnQuotes", "OnTransfers", "Party", "SimulatedDfsp", "extension_list", "secret_of"]

Json = dict[str, Any]
PartiesKind = Literal["answer", "error", "silent"]
QuotesKind = Literal["answer", "error", "silent"]
TransfersKind = Literal["commit", "reserve", "abort", "wrong-fulfilment", "silent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """An account holder of a DFSP (FSPIOP API 1.1, data type Party)."""

    id_type: str
    """``MSISDN``, ``ACCOUNT_ID``, …"""
    identifier: str
    sub_id: str | None = None
    name: str | None = None
    first_name: str | None = None
    middle_name: str | None = None
    last_name: str | None = None
    date_of_birth: str | None = None
    """``YYYY-MM-DD``."""
    merchant_classification_code: str | None = None
    extensions: tuple[tuple[str, str], ...] = ()
    """Keys and values beside the identifier (PartyIdInfo, extensionList)."""

    @property
    def key(self) -> tuple[str, str, str | None]:
        """What the party is looked up by."""
        return self.id_type, self.identifier, self.sub_id

    def fspiop(self, fsp: str) -> Json:
        """Returns the Party object as ``fsp`` sends it, absent elements left out."""
        complex_name = _present(firstName=self.first_name, middleName=self.middle_name, lastName=self.last_name)
        return _present(
            partyIdInfo=_present(
                partyIdType=self.id_type,
                partyIdentifier=self.identifier,
                partySubIdOrType=self.sub_id,
                fspId=fsp,
                extensionList=extension_list(self.extensions),
            ),
            merchantClassificationCode=self.merchant_classification_code,
            name=self.name,
            personalInfo=_present(complexName=complex_name or None, dateOfBirth=self.date_of_birth) or None,
        )

    def to_json(self) -> Json:
        """Returns a JSON-ready object."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Reads what ``to_json`` gave."""
        pairs = tuple((str(key), str(value)) for key, value in data.get("extensions", ()))
        return cls(**{**data, "extensions": pairs})


def extension_list(pairs: Iterable[tuple[str, str]]) -> Json | None:
    """Returns an ExtensionList (FSPIOP API 1.1, section 7.4.3), or ``None`` where there are no ``pairs``."""
    listed = [{"key": key, "value": value} for key, value in pairs]
    return {"extension": listed} if listed else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnParties:
    """How look-ups are answered. ``answer`` gives error 3204 for a party that is not known."""

    kind: PartiesKind = "answer"
    error: FspiopError | None = None
    delay_ms: int = 0

    def __post_init__(self) -> None:
        _check("parties", self.kind, get_args(PartiesKind), self.error, self.delay_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnQuotes:
    """How quotes are answered. ``fee`` and ``commission`` are the payee DFSP's, in the quote's currency."""

    kind: QuotesKind = "answer"
    error: FspiopError | None = None
    delay_ms: int = 0
    fee: Decimal = Decimal(0)
    commission: Decimal = Decimal(0)
    expires_s: int = 60
    """For how long an answer holds, in seconds."""

    def __post_init__(self) -> None:
        _check("quotes", self.kind, get_args(QuotesKind), self.error, self.delay_ms)
        for name, amount in (("fee", self.fee), ("commission", self.commission)):
            try:
                format_amount(amount)
            except ValueError as error:
                raise UsageError(f"the {name} of a simulated DFSP: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTransfers:
    """How transfers are answered. ``reserve`` answers RESERVED and then expects the hub's PATCH."""

    kind: TransfersKind = "commit"
    error: FspiopError | None = None
    """With ``abort`` only; 5104 where none is named."""
    delay_ms: int = 0
    any_amount: bool = False
    """Whether a transfer of another amount than the quote's is taken."""

    def __post_init__(self) -> None:
        _check("transfers", self.kind, get_args(TransfersKind), self.error, self.delay_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How a simulated DFSP behaves, per resource."""

    parties: OnParties = field(default_factory=OnParties)
    quotes: OnQuotes = field(default_factory=OnQuotes)
    transfers: OnTransfers = field(default_factory=OnTransfers)

    def to_json(self) -> Json:
        """Returns a JSON-ready object: amounts as text, errors by code."""
        return {
            "parties": _plain(self.parties),
            "quotes": {
                **_plain(self.quotes),
                "fee": format_amount(self.quotes.fee),
                "commission": format_amount(self.quotes.commission),
                "expires_s": self.quotes.expires_s,
            },
            "transfers": {**_plain(self.transfers), "any_amount": self.transfers.any_amount},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Reads what ``to_json`` gave."""
        quotes = data["quotes"]
        amounts = {name: parse_amount(quotes[name]) for name in ("fee", "commission")}
        return cls(
            parties=OnParties(**_read(data["parties"])),
            quotes=OnQuotes(**{**_read(quotes), **amounts}),
            transfers=OnTransfers(**_read(data["transfers"])),
        )


@dataclass(frozen=True, slots=True)
class SimulatedDfsp:
    """A DFSP that we play. ``hub`` maps each service (by component name) to its base URL."""

    fsp: str
    hub: Mapping[str, str]
    behaviour: Behaviour = field(default_factory=Behaviour)
    api_version: str = "1.1"
    parties: tuple[Party, ...] = ()

    def __post_init__(self) -> None:
        absent = sorted({"account-lookup-service", "quoting-service", "ml-api-adapter"} - self.hub.keys())
        if absent:
            raise UsageError(f"the simulated DFSP {self.fsp} does not know where to reach {', '.join(absent)}")

    def to_json(self) -> Json:
        """Returns a JSON-ready object."""
        return {
            "fsp": self.fsp,
            "hub": dict(self.hub),
            "behaviour": self.behaviour.to_json(),
            "api_version": self.api_version,
            "parties": [party.to_json() for party in self.parties],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Reads what ``to_json`` gave."""
        return cls(
            fsp=data["fsp"],
            hub=data["hub"],
            behaviour=Behaviour.from_json(data["behaviour"]),
            api_version=data["api_version"],
            parties=tuple(Party.from_json(party) for party in data["parties"]),
        )


def secret_of(fsp: str) -> bytes:
    """Returns the ILP secret of the simulated DFSP ``fsp``: the same in every run, so that a case can use it."""
    return hashlib.sha256(b"simulated DFSP " + fsp.encode()).digest()


def _check(resource: str, kind: str, kinds: tuple[str, ...], error: FspiopError | None, delay_ms: int) -> None:
    if kind not in kinds:
        raise UsageError(f"a simulated DFSP cannot {kind!r} {resource}", remedy=f"Choose one of: {', '.join(kinds)}")
    if (kind == "error") is (error is None) and kind != "abort":
        remedy = "Name the error with kind 'error' (or 'abort'), and only then"
        raise UsageError(f"a simulated DFSP with {resource} of kind {kind!r} and error {error}", remedy=remedy)
    if delay_ms < 0:
        raise UsageError(f"a simulated DFSP cannot answer {resource} before it was asked ({delay_ms} ms)")


def _plain(on: OnParties | OnQuotes | OnTransfers) -> Json:
    return {"kind": on.kind, "error": None if on.error is None else on.error.name, "delay_ms": on.delay_ms}


def _read(data: Mapping[str, Any]) -> Json:
    return {**data, "error": None if data["error"] is None else FspiopError[data["error"]]}


def _present(**elements: Any) -> Json:
    return {name: value for name, value in elements.items() if value is not None}
