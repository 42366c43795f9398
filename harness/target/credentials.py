"""What must a request to the target carry besides its content? A bearer token, and the signature of a DFSP.

Only requests to the target's own services get any, so that no token goes to another host.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from typing import Final, final
from urllib.parse import urlsplit

import httpx

from harness.fspiop.jws import Signer, fspiop_uri
from harness.target.model import OAuth2Client, Target

__all__ = ["CREDENTIAL_HEADERS", "Credentials", "TokenError", "credentials_of"]

CREDENTIAL_HEADERS: Final = ("authorization", "fspiop-signature", "fspiop-uri", "fspiop-http-method")
"""What ``Credentials`` may add to a request."""

_MARGIN_S = 30.0
"""A token that is this near its end is not used any more, in seconds."""
_DEFAULT_S = 300.0
"""How long a token holds whose answer does not say (RFC 6749, section 5.1, leaves it open)."""


class TokenError(httpx.TransportError):
    """The token endpoint gave no token. To a client it is as if the service could not be reached."""


def credentials_of(target: Target) -> Credentials | None:
    """Returns what signs in to ``target``; ``None`` where it asks for nothing."""
    if target.bearer_token is None and target.oauth2 is None and target.jws_key is None:
        return None
    return Credentials(target)


@final
class Credentials(httpx.Auth):
    """Adds a token and a signature. Serves clients with and without asyncio; one per client."""

    def __init__(self, target: Target, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._origins = {_origin(url) for url in target.services.values()}
        self._given = target.bearer_token
        self._oauth2 = target.oauth2
        self._signer = None if target.jws_key is None else Signer(target.jws_key)
        self._clock = clock
        self._token = ""
        self._until = 0.0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Yields the request as it is to be sent, before it one for a token where one is needed.

        Raises ``TokenError`` where none is given. A token that the service refuses is asked for anew, once.
        """
        if _origin(str(request.url)) not in self._origins:
            yield request
            return
        if self._signer is not None:
            request.headers.update(_signature(self._signer, request))
        if "authorization" in request.headers or (self._given is None and self._oauth2 is None):
            yield request
            return
        if self._given is not None:
            request.headers["authorization"] = f"Bearer {self._given}"
            yield request
            return
        fresh = self._clock() >= self._until
        if fresh:
            yield from self._renew()
        request.headers["authorization"] = f"Bearer {self._token}"
        answer = yield request
        if answer.status_code == 401 and not fresh:
            yield from self._renew()
            request.headers["authorization"] = f"Bearer {self._token}"
            yield request

    # Only a token's answer is read here: the others may be large, and are their reader's to bound.

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """``auth_flow`` for a client without asyncio."""
        flow = self.auth_flow(request)
        sent = next(flow)
        while True:
            answer = yield sent
            if sent is not request:
                answer.read()
            try:
                sent = flow.send(answer)
            except StopIteration:
                return

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """``auth_flow`` for a client with asyncio."""
        flow = self.auth_flow(request)
        sent = next(flow)
        while True:
            answer = yield sent
            if sent is not request:
                await answer.aread()
            try:
                sent = flow.send(answer)
            except StopIteration:
                return

    def _renew(self) -> Generator[httpx.Request, httpx.Response, None]:
        asked = self._oauth2
        assert asked is not None
        answer = yield _token_request(asked)
        where = f"the token endpoint {asked.token_url}"
        try:
            document = answer.json()
        except ValueError:
            document = None
        if answer.status_code != 200 or not isinstance(document, dict):
            code = document.get("error") if isinstance(document, dict) else None
            told = f" {code}" if isinstance(code, str) and len(code) < 60 else ""
            raise TokenError(f"{where} answered HTTP {answer.status_code}{told}")
        token, lasts = document.get("access_token"), document.get("expires_in")
        if not isinstance(token, str) or not token:
            raise TokenError(f"{where} answered without an access_token")
        seconds = float(lasts) if isinstance(lasts, int | float) and lasts > 0 else _DEFAULT_S
        self._token = token
        self._until = self._clock() + max(seconds - _MARGIN_S, seconds / 2)


def _token_request(asked: OAuth2Client) -> httpx.Request:
    form = {"grant_type": "client_credentials", **({"scope": asked.scope} if asked.scope else {})}
    request = httpx.Request("POST", asked.token_url, data=form, headers={"accept": "application/json"})
    # RFC 6749, section 2.3.1: every server takes Basic
    return next(httpx.BasicAuth(asked.client_id, asked.client_secret).auth_flow(request))


def _signature(signer: Signer, request: httpx.Request) -> Mapping[str, str]:
    """The headers that sign a DFSP's request; none where it has no body, no source, or a signature already."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    uri = fspiop_uri(str(request.url))
    if uri is None or "fspiop-source" not in headers or "fspiop-signature" in headers:
        return {}
    try:
        body = request.content.decode("utf-8")
    except (httpx.RequestNotRead, UnicodeDecodeError):
        return {}
    return signer.headers(headers, method=request.method, uri=uri, body=body) if body else {}


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), port
