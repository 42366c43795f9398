"""What may stand in a target file? The closed vocabulary; what it means is ``load``'s affair."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from harness.target.model import Stage

__all__ = ["ENDPOINT_TYPES", "TargetFile"]

_PREFIX = "FSPIOP_CALLBACK_URL_"
ENDPOINT_TYPES = tuple(
    _PREFIX + kind
    for kind in ("PARTIES_PUT", "PARTIES_PUT_ERROR", "QUOTES", "TRANSFER_POST", "TRANSFER_PUT", "TRANSFER_ERROR")
)
"""The endpoint types (central-ledger) without which a DFSP can neither pay nor be paid."""

_CURRENCY = r"^[A-Z]{3}$"
_NAME = r"^[A-Za-z0-9._-]{2,30}$"


class _Closed(BaseModel):
    # hidden: what a person writes in the wrong place may be a secret
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class CallbackPart(_Closed):
    """Where callbacks arrive."""

    host: str = "0.0.0.0"
    port: int = Field(default=0, ge=0, le=65535)
    public_url: str
    probe_as: str = Field(default="", pattern=r"^$|" + _NAME)


class OAuth2Part(_Closed):
    """Client credentials."""

    token_url: str
    client_id: str = Field(min_length=1)
    client_secret: Any
    scope: str = ""


class TlsPart(_Closed):
    """Certificates and key, each by reference."""

    verify: bool = True
    ca: Any = None
    certificate: Any = None
    key: Any = None


class ParticipantPart(_Closed):
    """A participant that must be there."""

    name: str = Field(pattern=_NAME)
    currency: str | None = Field(default=None, pattern=_CURRENCY)
    endpoints: list[str] = list(ENDPOINT_TYPES)
    callbacks_here: bool = False
    liquidity_at_least: Decimal | None = Field(default=None, ge=0)


class TargetFile(_Closed):
    """``scheme_rules/<scheme>/targets/<name>.yaml``. Credentials are ``Any``: ``references`` says what they may be."""

    name: str = Field(min_length=1)
    stage: Stage | None = None
    allow_writes: bool = False
    services: dict[str, str] = {}
    product_services: dict[str, str] = {}
    """Those of extension products, as their releases name their components."""
    ttk_environment: str | None = None
    callback: CallbackPart
    currency: str = Field(default="USD", pattern=_CURRENCY)
    hub_name: str = "Hub"
    bearer_token: Any = None
    oauth2: OAuth2Part | None = None
    tls: TlsPart = TlsPart()
    jws_key: Any = None
    secrets: list[Any] = []
    inputs: dict[str, Any] = {}
    secret_inputs: list[str] = []
    allowed_hosts: list[str] | None = None
    participants: list[ParticipantPart] = []
    oracles: list[str] = []
    facts: dict[str, Any] = {}
    dependencies: dict[str, str] = {}
    has: list[str] | None = None
    request_timeout_s: float = Field(default=10.0, gt=0, le=600)
    callback_timeout_s: float = Field(default=15.0, gt=0, le=600)
    preflight_timeout_s: float = Field(default=5.0, gt=0, le=5)
