"""Signs a request as FSPIOP wants it, and checks such a signature: RS256 over the body and a protected header.

"Signature", sections 3 and 4 of the FSPIOP API's documents; RFC 7515 (JWS), RFC 7518 section 3.3 (RS256).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from cryptography.x509 import load_pem_x509_certificate

from harness.errors import UsageError

__all__ = ["KeyPair", "Signer", "body_text", "fspiop_uri", "new_key", "read_key", "signature_fault", "signed_headers"]

_RESOURCE = re.compile(
    r"/(?:participants|parties|quotes|bulkQuotes|transfers|bulkTransfers|transactionRequests|thirdpartyRequests"
    r"|authorizations|consents|consentRequests|fxQuotes|fxTransfers)(?:/.*)?$"
)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An RSA key, both halves in PEM."""

    private: str = field(repr=False)
    public: str


def new_key() -> KeyPair:
    """Returns a new key of 2048 bits, the least that RFC 7518, section 3.3, allows."""
    key = generate_private_key(public_exponent=65537, key_size=2048)
    return KeyPair(
        private=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii"),
        public=key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii"),
    )


def body_text(body: Any) -> str:
    """Returns the text that ``body`` is sent as: what is text goes as it is, the rest as JSON without spaces."""
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def fspiop_uri(url: str) -> str | None:
    """Returns the part of ``url`` that FSPIOP-URI names, from the resource on; ``None`` where it names none."""
    found = _RESOURCE.search(url.partition("?")[0])
    return None if found is None else found[0]


@final
class Signer:
    """Signs with one key, read once."""

    def __init__(self, key: str) -> None:
        """Raises ``UsageError`` where ``key`` is no RSA private key in PEM."""
        private = read_key(key)
        if not isinstance(private, RSAPrivateKey):
            raise UsageError("the key to sign with is a public one", remedy="Give the RSA private key in PEM")
        self._key = private

    def headers(self, headers: Mapping[str, str], *, method: str, uri: str, body: str) -> dict[str, str]:
        """Returns the three headers that sign a request: ``fspiop-uri``, ``fspiop-http-method``, ``fspiop-signature``.

        ``headers`` are those it is sent with, names in lower case; ``body`` is its text.
        """
        protected = {
            "alg": "RS256",
            "FSPIOP-URI": uri,
            "FSPIOP-HTTP-Method": method.upper(),
            "FSPIOP-Source": headers.get("fspiop-source"),
        }
        for name in ("FSPIOP-Destination", "Date"):
            if headers.get(name.lower()):
                protected[name] = headers[name.lower()]
        header = _base64url(json.dumps(protected, separators=(",", ":")).encode())
        signing_input = f"{header}.{_base64url(body.encode())}"
        signature = _base64url(self._key.sign(signing_input.encode(), PKCS1v15(), SHA256()))
        value = json.dumps({"signature": signature, "protectedHeader": header}, separators=(",", ":"))
        return {"fspiop-uri": uri, "fspiop-http-method": method.upper(), "fspiop-signature": value}


def signed_headers(headers: Mapping[str, str], *, method: str, url: str, body: Any, key: str) -> dict[str, str]:
    """Returns the three headers that sign a request: ``fspiop-uri``, ``fspiop-http-method``, ``fspiop-signature``.

    ``headers`` are those it is sent with, names in lower case. Raises ``UsageError`` where the key is no RSA private
    key, there is no body, or the URL names no FSPIOP resource.
    """
    signer = Signer(key)
    if body in (None, ""):
        raise UsageError("a request without a body cannot be signed")
    uri = fspiop_uri(url)
    if uri is None:
        raise UsageError(f"{url} is no FSPIOP resource, so there is no FSPIOP-URI to sign")
    return signer.headers(headers, method=method, uri=uri, body=body_text(body))


def signature_fault(headers: Mapping[str, str], body: str, key: str) -> str:
    """Returns why the signature in ``headers`` (names in lower case) over ``body`` does not hold; empty where it does.

    Raises ``UsageError`` where ``key`` is no RSA key in PEM.
    """
    known = read_key(key)
    public = known.public_key() if isinstance(known, RSAPrivateKey) else known
    try:
        value = json.loads(headers["fspiop-signature"])
        header, signature = value["protectedHeader"], _octets(value["signature"])
        protected = json.loads(_octets(header))
    except (KeyError, TypeError, ValueError) as problem:
        return f"fspiop-signature cannot be read: {type(problem).__name__}: {problem}"
    if protected.get("alg") != "RS256":
        return f"alg is {protected.get('alg')}, not RS256"
    signing_input = f"{header}.{_base64url(body.encode())}".encode()
    try:
        public.verify(signature, signing_input, PKCS1v15(), SHA256())
    except InvalidSignature:
        return "the signature does not hold"
    for name in ("FSPIOP-URI", "FSPIOP-HTTP-Method", "FSPIOP-Source", "FSPIOP-Destination", "Date"):
        if protected.get(name) != headers.get(name.lower()) and (name != "Date" or name in protected):
            return f"{name} is {protected.get(name)} in the signature, {headers.get(name.lower())} in the headers"
    return ""


def read_key(pem: str) -> RSAPrivateKey | RSAPublicKey:
    """Returns the RSA key in ``pem``: PKCS#1 or PKCS#8, public key or certificate. Raises ``UsageError``."""
    return _read_key(str(pem))


@lru_cache(maxsize=32)  # proving that a private key is one takes longer than all else about a request
def _read_key(pem: str) -> RSAPrivateKey | RSAPublicKey:
    text = pem.encode()
    try:
        key = _key_in(text)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey | RSAPublicKey):
        raise UsageError("there is no RSA key in what was given as one", remedy="Give an RSA key in PEM")
    return key


def _key_in(text: bytes) -> object:
    if b"PRIVATE KEY" in text:
        return load_pem_private_key(text, password=None)
    if b"BEGIN CERTIFICATE" in text:
        return load_pem_x509_certificate(text).public_key()
    return load_pem_public_key(text)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _octets(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as problem:
        raise ValueError(str(problem)) from problem
