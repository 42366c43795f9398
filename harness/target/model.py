"""What a target environment is: where its services are, how its callbacks reach us, which values are secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self, final

__all__ = ["CallbackAddress", "ExpectedParticipant", "OAuth2Client", "Stage", "Target", "Tls"]


class Stage(StrEnum):
    """What an environment is for, from the earliest to the one with real money in it."""

    SUPPORT = "support"
    DEVELOPMENT = "development"
    UAT = "uat"
    SANDBOX = "sandbox"
    STAGING = "staging"
    PRODUCTION = "production"


@final
@dataclass(frozen=True, slots=True)
class CallbackAddress:
    """Where the hub's callbacks reach us. ``public_url`` is what participants are registered with; empty: as bound."""

    host: str = "127.0.0.1"
    port: int = 0
    public_url: str = ""
    probe_as: str = ""
    """The participant in whose name preflight makes a look-up; empty: the round trip is not proven beforehand."""


@final
@dataclass(frozen=True, slots=True)
class Tls:
    """How connections are secured. All PEM texts; ``ca`` replaces the authorities that this machine trusts."""

    verify: bool = True
    ca: str = ""
    certificate: str = ""
    """What we show of ourselves where the target asks for it (mTLS)."""
    key: str = field(default="", repr=False)


@final
@dataclass(frozen=True, slots=True)
class OAuth2Client:
    """Client credentials (RFC 6749, section 4.4)."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = ""


@final
@dataclass(frozen=True, slots=True)
class ExpectedParticipant:
    """A participant that must be provisioned before a run."""

    name: str
    currency: str
    endpoints: tuple[str, ...] = ()
    """Endpoint types of central-ledger that it must have."""
    here: bool = False
    """Whether its callbacks must come to us."""
    liquidity_at_least: Decimal | None = None
    """What it must still be able to send, in major units."""

    def to_json(self) -> dict[str, Any]:
        """Returns a JSON-ready object."""
        amount = self.liquidity_at_least
        return {**asdict(self), "liquidity_at_least": None if amount is None else str(amount)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Reads what ``to_json`` gave."""
        amount = data["liquidity_at_least"]
        read = {
            "endpoints": tuple(data["endpoints"]),
            "liquidity_at_least": None if amount is None else Decimal(amount),
        }
        return cls(**{**data, **read})


@final
@dataclass(frozen=True, slots=True)
class Target:
    """One environment. ``kind`` is ``embedded`` or ``environment``; only the latter can approve a release."""

    name: str
    kind: str
    services: Mapping[str, str]
    """Service name (``harness.fspiop.resources.SERVICES``) to base URL, no slash at the end."""
    stage: Stage | None = None
    """``None`` for the embedded hub."""
    allow_writes: bool = False
    """Whether suites that move money may run although it is production."""
    callback: CallbackAddress = CallbackAddress()
    currency: str = "USD"
    hub_name: str = "Hub"
    bearer_token: str | None = field(default=None, repr=False)
    """Sent as ``Authorization: Bearer …`` with every request to a service; a secret."""
    oauth2: OAuth2Client | None = None
    """Where such a token comes from, where it is not given."""
    jws_key: str | None = field(default=None, repr=False)
    """What simulated DFSPs sign with: an RSA private key in PEM; a secret."""
    tls: Tls = Tls()
    allowed_hosts: tuple[str, ...] | None = None
    """``host`` or ``host:port`` that scripts may reach beside services and callback; ``None``: those of the inputs."""
    participants: tuple[ExpectedParticipant, ...] = ()
    oracles: tuple[str, ...] = ()
    """Types of identifier that an oracle must serve: ``MSISDN``."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Values that may stand nowhere in a run's files."""
    inputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Input values for collections, over those of the collection's own environment."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What is true of this environment and a Scheme's criteria may ask for."""
    dependencies: Mapping[str, str] = field(default_factory=dict)
    """What it runs on, as declared: ``{"kafka": "3.7.1"}``."""
    has: tuple[str, ...] | None = None
    """Elements of the Scheme's declared standard that are there; ``None``: not stated."""
    defects: tuple[str, ...] = ()
    """Defects switched on in the embedded hub."""
    request_timeout_s: float = 10.0
    callback_timeout_s: float = 10.0
    preflight_timeout_s: float = 5.0
    time_scale: float = 1.0
    """What the delays of collections are multiplied by, in a dry run on the embedded hub; else 1."""

    def url(self, service: str) -> str:
        """Returns the base URL of ``service``. Raises ``KeyError`` where the target has none."""
        return self.services[service]

    def to_json(self) -> dict[str, Any]:
        """Returns all of it, secrets included: for handing to a worker, never for writing."""
        return {
            "name": self.name,
            "kind": self.kind,
            "services": dict(self.services),
            "stage": self.stage and self.stage.value,
            "allow_writes": self.allow_writes,
            "callback": asdict(self.callback),
            "currency": self.currency,
            "hub_name": self.hub_name,
            "bearer_token": self.bearer_token,
            "oauth2": self.oauth2 and asdict(self.oauth2),
            "jws_key": self.jws_key,
            "tls": asdict(self.tls),
            "allowed_hosts": None if self.allowed_hosts is None else list(self.allowed_hosts),
            "participants": [participant.to_json() for participant in self.participants],
            "oracles": list(self.oracles),
            "secrets": list(self.secrets),
            "inputs": dict(self.inputs),
            "facts": dict(self.facts),
            "dependencies": dict(self.dependencies),
            "has": None if self.has is None else list(self.has),
            "defects": list(self.defects),
            "request_timeout_s": self.request_timeout_s,
            "callback_timeout_s": self.callback_timeout_s,
            "preflight_timeout_s": self.preflight_timeout_s,
            "time_scale": self.time_scale,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Reads what ``to_json`` gave."""
        hosts, has = data["allowed_hosts"], data["has"]
        return cls(
            **{
                **data,
                "stage": Stage(data["stage"]) if data["stage"] else None,
                "callback": CallbackAddress(**data["callback"]),
                "oauth2": OAuth2Client(**data["oauth2"]) if data["oauth2"] else None,
                "tls": Tls(**data["tls"]),
                "allowed_hosts": None if hosts is None else tuple(hosts),
                "participants": tuple(ExpectedParticipant.from_json(one) for one in data["participants"]),
                "has": None if has is None else tuple(has),
                **{name: tuple(data[name]) for name in ("oracles", "secrets", "defects")},
            }
        )

    def describe(self) -> dict[str, Any]:
        """Returns what a journal says of the target: no credentials, no inputs."""
        return {
            "name": self.name,
            "kind": self.kind,
            **({} if self.stage is None else {"stage": self.stage.value}),
            "services": dict(self.services),
            "facts": dict(self.facts),
            **({"dependencies": dict(self.dependencies)} if self.dependencies else {}),
            **({"has": list(self.has)} if self.has else {}),
            "defects": list(self.defects),
            **({} if self.time_scale == 1 else {"time_scale": self.time_scale}),
        }
