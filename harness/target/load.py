"""Where does a target description come from? A YAML file of the Scheme, with credentials from where it refers to."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, final
from urllib.parse import urlsplit

from harness.errors import InputError, TargetError, UsageError
from harness.fspiop.jws import Signer
from harness.fspiop.resources import SERVICES
from harness.model.secret_names import is_secret_name
from harness.target.file import TargetFile
from harness.target.model import CallbackAddress, ExpectedParticipant, OAuth2Client, Target, Tls
from harness.target.references import References
from harness.target.tls import context_for
from harness.target.ttk_environment import read_environment, services_in
from harness.yaml_document import parse_yaml, read_text, validated

__all__ = ["REQUIRED_SERVICES", "load_target"]

REQUIRED_SERVICES = ("account-lookup-service", "quoting-service", "ml-api-adapter", "central-ledger")
_HOST = re.compile(r"(?!-)[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?")
_SERVICE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_BASE_URL = "Write it as http(s)://host[:port][/path]; credentials do not belong into it"


def load_target(path: Path, *, environ: Mapping[str, str] | None = None) -> Target:
    """Returns the target described by the YAML file ``path``.

    Credentials stand in the process environment (``environ``) or in files, never in ``path``. Raises ``TargetError``.
    """
    document = parse_yaml(read_text(path, TargetError, what="target description"), path, TargetError)
    data = validated(document, TargetFile, TargetError)
    return _Reading(data, References(document, path, os.environ if environ is None else environ)).target()


@final
class _Reading:
    """One target file on its way to a target."""

    def __init__(self, data: TargetFile, references: References) -> None:
        self._data = data
        self._references = references
        self._secrets: list[str] = []

    def target(self) -> Target:
        data = self._data
        published = read_environment(self._beside(data.ttk_environment)) if data.ttk_environment else {}
        callback = data.callback
        self._check_url(callback.public_url, "callback", "public_url")
        oauth2 = self._oauth2()
        if oauth2 is not None and data.bearer_token is not None:
            raise self._error("both a bearer token and oauth2 are given", ("oauth2",), "Keep one")
        token = self._secret(data.bearer_token, "bearer_token")
        secrets = [self._references.value(one, "secrets", number) for number, one in enumerate(data.secrets)]
        target = Target(
            name=data.name,
            kind="environment",
            services=self._services(published),
            stage=data.stage,
            allow_writes=data.allow_writes,
            callback=CallbackAddress(callback.host, callback.port, callback.public_url.rstrip("/"), callback.probe_as),
            currency=data.currency,
            hub_name=data.hub_name,
            bearer_token=token or None,
            oauth2=oauth2,
            jws_key=self._jws_key(),
            tls=self._tls(),
            allowed_hosts=self._hosts(),
            participants=tuple(self._participants()),
            oracles=tuple(data.oracles),
            inputs={**published, **self._inputs()},
            facts=data.facts,
            dependencies=data.dependencies,
            has=None if data.has is None else tuple(data.has),
            request_timeout_s=data.request_timeout_s,
            callback_timeout_s=data.callback_timeout_s,
            preflight_timeout_s=data.preflight_timeout_s,
        )
        return replace(target, secrets=tuple(dict.fromkeys([*secrets, *self._secrets])))

    # -- where things are ------------------------------------------------------------------------------------------

    def _services(self, published: dict[str, Any]) -> dict[str, str]:
        found: dict[str, str] = {}
        environment = self._data.ttk_environment
        for service, (name, url) in services_in(published).items():
            if service not in self._data.services:
                if not _is_base_url(url):
                    file = self._beside(environment or "")
                    raise TargetError(
                        f"{name} is not a base URL{_shown(url)}", file=file, place=f"inputValues.{name}",
                        remedy=f"Correct it there, or give services.{service} in {self._references.file}",
                    )  # fmt: skip
                found[service] = url.rstrip("/")
        for service, url in self._data.services.items():
            if service not in SERVICES:
                raise self._error(
                    f"no service is called {service!r}", ("services", service), f"Known are: {', '.join(SERVICES)}"
                )
            self._check_url(url, "services", service)
            found[service] = url.rstrip("/")
        if absent := [service for service in REQUIRED_SERVICES if service not in found]:
            raise self._error(f"services lacks {', '.join(absent)}", ("services",), "Give each its base URL")
        return {**{service: found[service] for service in SERVICES if service in found}, **self._product_services()}

    def _product_services(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for service, url in self._data.product_services.items():
            where = ("product_services", service)
            if service in SERVICES:
                raise self._error(f"{service} is a service of the core", where, f"Give it as services.{service}")
            if not _SERVICE.fullmatch(service):
                said = f"not the name of a service: {service!r}"
                raise self._error(said, where, "Name it as its product's release does")
            self._check_url(url, *where)
            found[service] = url.rstrip("/")
        return found

    def _hosts(self) -> tuple[str, ...] | None:
        hosts = self._data.allowed_hosts
        for number, host in enumerate(hosts or ()):
            if not _HOST.fullmatch(host):
                where = ("allowed_hosts", number)
                raise self._error(f"not a host{_shown(host)}", where, "Write host or host:port, without a path")
        return None if hosts is None else tuple(hosts)

    def _check_url(self, url: str, *location: str) -> None:
        if not _is_base_url(url):
            raise self._error(f"not a base URL{_shown(url)}", location, _BASE_URL)

    def _beside(self, name: str) -> Path:
        return self._references.file.parent / name

    # -- what is secret --------------------------------------------------------------------------------------------

    def _secret(self, reference: Any, *location: str | int) -> str:
        """Returns what ``reference`` refers to, remembered as a secret; empty where there is none."""
        if reference is None:
            return ""
        value = self._references.value(reference, *location)
        self._secrets.append(value)
        return value

    def _oauth2(self) -> OAuth2Client | None:
        given = self._data.oauth2
        if given is None:
            return None
        self._check_url(given.token_url, "oauth2", "token_url")
        secret = self._secret(given.client_secret, "oauth2", "client_secret")
        if not secret:
            raise self._error("client_secret is empty", ("oauth2", "client_secret"), "Write env:NAME or file:PATH")
        return OAuth2Client(given.token_url, given.client_id, secret, given.scope)

    def _jws_key(self) -> str | None:
        key = self._secret(self._data.jws_key, "jws_key")
        if key:
            try:
                Signer(key)
            except UsageError as problem:
                raise self._error(problem.message, ("jws_key",), problem.remedy or "Correct it") from None
        return key or None

    def _tls(self) -> Tls:
        given = self._data.tls
        # a CA and a certificate are no secrets, but by reference like the key: a target file is no place for PEM
        ca, certificate = (
            "" if reference is None else self._references.value(reference, "tls", name)
            for name, reference in (("ca", given.ca), ("certificate", given.certificate))
        )
        tls = Tls(given.verify, ca, certificate, self._secret(given.key, "tls", "key"))
        if bool(tls.certificate) != bool(tls.key):
            lacking = "key" if tls.certificate else "certificate"
            raise self._error(f"tls lacks its {lacking}", ("tls",), "Give certificate and key, or neither")
        try:
            context_for(tls)
        except UsageError as problem:
            raise self._error(problem.message, ("tls",), problem.remedy or "Correct it") from None
        return tls

    def _inputs(self) -> dict[str, Any]:
        data, inputs = self._data, dict(self._data.inputs)
        for number, name in enumerate(data.secret_inputs):
            if name not in inputs:
                raise self._error(
                    f"secret_inputs names {name!r}, which is no input", ("secret_inputs", number), "Correct it"
                )
            inputs[name] = self._secret(inputs[name], "inputs", name)
        for name, value in inputs.items():
            if name not in data.secret_inputs and isinstance(value, str) and value and is_secret_name(name):
                raise self._error(
                    f"inputs.{name} holds a credential in place",
                    ("inputs", name),
                    "List it under secret_inputs and write env:NAME or file:PATH",
                )
        return inputs

    # -- what must be there ----------------------------------------------------------------------------------------

    def _participants(self) -> list[ExpectedParticipant]:
        found = [
            ExpectedParticipant(
                name=one.name,
                currency=one.currency or self._data.currency,
                endpoints=tuple(one.endpoints),
                here=one.callbacks_here,
                liquidity_at_least=one.liquidity_at_least,
            )
            for one in self._data.participants
        ]
        seen = set()
        for number, one in enumerate(found):
            if (one.name, one.currency) in seen:
                where = ("participants", number)
                raise self._error(f"{one.name} is listed twice in {one.currency}", where, "Keep one")
            seen.add((one.name, one.currency))
        return found

    def _error(self, message: str, location: Sequence[str | int], remedy: str) -> InputError:
        return self._references.error(message, location, remedy)


def _is_base_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    # what a template left open is no host
    fits = re.fullmatch(r"[^\s{}$<>]+", url) is not None
    return fits and parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query and "@" not in url


def _shown(text: str) -> str:
    """What was given, unless a credential could be in it."""
    return "" if "@" in text or "=" in text or len(text) > 200 else f": {text!r}"
