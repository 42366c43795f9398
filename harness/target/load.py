"""Where a target description comes from: a YAML file of the Scheme, with secrets taken from the process environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from harness.errors import TargetError
from harness.fspiop.resources import SERVICES
from harness.target.model import CallbackAddress, Target
from harness.yaml_document import read_yaml

__all__ = ["REQUIRED_SERVICES", "load_target"]

REQUIRED_SERVICES = ("account-lookup-service", "quoting-service", "ml-api-adapter", "central-ledger")


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Callback(_Closed):
    host: str = "0.0.0.0"
    port: int = Field(default=0, ge=0, le=65535)
    public_url: str


class _TargetFile(_Closed):
    name: str = Field(min_length=1)
    services: dict[str, str]
    callback: _Callback
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    hub_name: str = "Hub"
    bearer_token_env: str | None = None
    secret_envs: list[str] = Field(default_factory=list)
    secret_inputs: list[str] = Field(default_factory=list)
    inputs: dict[str, Any] = Field(default_factory=dict)
    facts: dict[str, Any] = Field(default_factory=dict)
    request_timeout_s: float = Field(default=10.0, gt=0, le=600)
    callback_timeout_s: float = Field(default=15.0, gt=0, le=600)
    verify_tls: bool = True


def load_target(path: Path, *, environ: Mapping[str, str] | None = None) -> Target:
    """Returns the target described by the YAML file ``path``.

    Credentials stand in the process environment (``environ``), never in the file. Raises ``TargetError``.
    """
    environ = os.environ if environ is None else environ
    data = read_yaml(path, _TargetFile, TargetError, what="target description")
    for service, url in data.services.items():
        _check_service(path, service, url)
    _check_url(path, "callback.public_url", data.callback.public_url)
    absent = [service for service in REQUIRED_SERVICES if service not in data.services]
    if absent:
        raise TargetError(
            f"services lacks {', '.join(absent)}", file=path, place="services", remedy="Give each its base URL"
        )
    token = _secret(path, environ, data.bearer_token_env) if data.bearer_token_env else None
    secrets = [_secret(path, environ, name) for name in data.secret_envs]
    for name in data.secret_inputs:
        if name not in data.inputs:
            raise TargetError(
                f"secret_inputs names {name!r}, which is no input",
                file=path,
                place="secret_inputs",
                remedy="Correct it",
            )
        secrets.append(str(data.inputs[name]))
    return Target(
        name=data.name,
        kind="environment",
        services={service: url.rstrip("/") for service, url in data.services.items()},
        callback=CallbackAddress(data.callback.host, data.callback.port, data.callback.public_url.rstrip("/")),
        currency=data.currency,
        hub_name=data.hub_name,
        bearer_token=token,
        secrets=tuple(secrets) + ((token,) if token else ()),
        inputs=data.inputs,
        facts=data.facts,
        request_timeout_s=data.request_timeout_s,
        callback_timeout_s=data.callback_timeout_s,
        verify_tls=data.verify_tls,
    )


def _check_service(path: Path, service: str, url: str) -> None:
    if service not in SERVICES:
        raise TargetError(
            f"no service is called {service!r}",
            file=path,
            place=f"services.{service}",
            remedy=f"Known are: {', '.join(SERVICES)}",
        )
    _check_url(path, f"services.{service}", url)


def _check_url(path: Path, place: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query and not parts.username
        _ = parts.port
    except ValueError:
        usable = False
    if not usable:
        raise TargetError(
            f"not a base URL: {url!r}", file=path, place=place, remedy="Write it as http(s)://host[:port][/path]"
        )


def _secret(path: Path, environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise TargetError(
            f"the environment variable {name} is not set", file=path, remedy=f"Export {name} before the run"
        )
    return value
