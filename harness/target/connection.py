"""Why did a call to the target fail, and what is to be done? One sentence and one remedy for each way it can."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final
from urllib.parse import urlsplit

import httpx

from harness.target.credentials import TokenError

__all__ = ["Trouble", "trouble_with"]

_EXPIRED, _NOT_YET, _SELF_SIGNED, _SELF_SIGNED_CHAIN, _NO_ISSUER, _NO_LEAF, _OTHER_HOST, _OTHER_IP = (
    10, 9, 18, 19, 20, 21, 62, 64,
)  # fmt: skip
"""X509_V_ERR_… of OpenSSL (x509_vfy.h)."""
_PLAIN = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG")
"""What OpenSSL says where the other side does not speak TLS at all."""

_ALERTS = {
    "CERTIFICATE_REQUIRED": "none is given",
    "CERTIFICATE_EXPIRED": "ours has expired or is not valid yet",
    "UNKNOWN_CA": "ours is from an authority that it does not trust",
    "CERTIFICATE_REVOKED": "ours was revoked",
    "BAD_CERTIFICATE": "did not accept ours",
    "UNSUPPORTED_CERTIFICATE": "did not accept ours",
    "CERTIFICATE_UNKNOWN": "did not accept ours",
}
"""What the other side alerts us of (RFC 8446, section 6.2), in OpenSSL's words, and what it says of our certificate."""


@final
@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong, as a sentence without its full stop, and what to do."""

    text: str
    remedy: str


def trouble_with(url: str, problem: Exception, *, setting: str, timeout_s: float) -> Trouble:
    """Returns what ``problem`` on the way to ``url`` means. ``setting`` is where the target file gives the URL."""
    place = _place(url)
    correct = f"correct {setting} in the target file"
    if isinstance(problem, TokenError):
        return Trouble(str(problem), "Correct oauth2 in the target file: URL, client id, secret and scope")
    for cause in _causes(problem):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate(place, cause, setting)
        if isinstance(cause, ssl.SSLError):
            return _tls(place, cause, correct)
        if isinstance(cause, socket.gaierror):
            host = urlsplit(url).hostname
            return Trouble(f"the name {host} is not known to the name service", f"See DNS or VPN, or {correct}")
        if isinstance(cause, OSError) and cause.errno == errno.ECONNREFUSED:
            text = f"nothing listens at {place} (connection refused)"
            return Trouble(text, f"Start the service; or, if it listens at another port, {correct}")
        if isinstance(cause, OSError) and cause.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
            return Trouble(f"there is no route to {place}", f"See network and VPN, or {correct}")
    if isinstance(problem, httpx.ConnectTimeout):
        text = f"{place} did not take the connection within {timeout_s:g} s"
        return Trouble(text, f"See firewall and VPN, or {correct}")
    if isinstance(problem, httpx.TimeoutException | TimeoutError):
        text = f"{place} took the connection but gave no whole answer within {timeout_s:g} s"
        return Trouble(text, f"See whether the service is overloaded or hangs; or, if another one is there, {correct}")
    if isinstance(problem, httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError):
        hint = "https" if url.startswith("http:") else "http"
        text = f"what listens at {place} does not speak {urlsplit(url).scheme.upper()}, or broke off"
        return Trouble(
            text, f"If the port is another service's or it speaks {hint}, {correct}; else restart the service"
        )
    return Trouble(f"{place} cannot be reached ({type(problem).__name__})", f"See the service, or {correct}")


def _certificate(place: str, problem: ssl.SSLCertVerificationError, setting: str) -> Trouble:
    match problem.verify_code:
        case code if code == _EXPIRED:
            return Trouble(f"the certificate of {place} has expired", "Renew the certificate of the service or gateway")
        case code if code == _NOT_YET:
            text = f"the certificate of {place} is not valid yet"
            return Trouble(text, "See the clock of this machine, then the certificate")
        case code if code in (_OTHER_HOST, _OTHER_IP):
            text = f"the certificate of {place} is for another host"
            return Trouble(text, f"Call it by the name in its certificate in {setting}, or issue one for this name")
        case code if code in (_SELF_SIGNED, _SELF_SIGNED_CHAIN, _NO_ISSUER, _NO_LEAF):
            text = f"the certificate of {place} is from an authority that is not trusted here"
            return Trouble(text, "Refer to that authority's certificate in tls.ca of the target file")
    text = f"the certificate of {place} was not accepted ({problem.verify_message})"
    return Trouble(text, "Renew the certificate of the service or gateway")


def _tls(place: str, problem: ssl.SSLError, correct: str) -> Trouble:
    reason = problem.reason or ""
    if any(word in reason for word in _PLAIN):
        return Trouble(f"{place} does not speak TLS", f"Use http:// or the TLS port: {correct}")
    for alert, ours in _ALERTS.items():
        if alert in reason:
            text = f"{place} asks for a client certificate, and {ours}"
            return Trouble(text, "Refer to a certificate that it accepts, and its key, in tls of the target file")
    told = reason.lower().replace("_", " ") or "handshake broken off"
    text = f"no TLS connection to {place} came about ({told})"
    return Trouble(text, "See the TLS versions and whether a client certificate is needed (tls in the target file)")


def _causes(problem: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = problem
    while seen is not None:
        yield seen
        if isinstance(seen, OSError) and seen.errno is None and seen.args and isinstance(seen.args[0], BaseException):
            yield seen.args[0]
        seen = seen.__cause__ or seen.__context__


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
