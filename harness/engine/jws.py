"""Signs a request as FSPIOP wants it, and checks such a signature: RS256 over the body and a protected header.

"Signature", sections 3 and 4 of the FSPIOP API's documents; RFC 7515 (JWS), RFC 7518 section 3.3 (RS256). Keys are of
simulated DFSPs, on the machine that made them: nothing here tries to hide them from a clock.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, final

from harness.errors import UsageError

__all__ = ["RsaKey", "body_text", "read_key", "signature_fault", "signed_headers"]

_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""What precedes a SHA-256 digest: RFC 8017, section 9.2, note 1."""
_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----")
_RESOURCE = re.compile(
    r"/(?:participants|parties|quotes|bulkQuotes|transfers|bulkTransfers|transactionRequests|thirdpartyRequests"
    r"|authorizations|consents|consentRequests|fxQuotes|fxTransfers)(?:/.*)?$"
)
_INTEGER, _BITS, _OCTETS, _SEQUENCE = 0x02, 0x03, 0x04, 0x30


@final
@dataclass(frozen=True, slots=True)
class RsaKey:
    """An RSA key. ``private`` holds p, q, d mod (p-1), d mod (q-1) and q's inverse mod p; ``None`` for a public key."""

    modulus: int
    exponent: int
    private: tuple[int, int, int, int, int] | None = None

    @property
    def size(self) -> int:
        """Length of a signature, in octets."""
        return (self.modulus.bit_length() + 7) // 8


def body_text(body: Any) -> str:
    """Returns the text that ``body`` is sent as: what is text goes as it is, the rest as JSON without spaces."""
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def signed_headers(headers: Mapping[str, str], *, method: str, url: str, body: Any, key: str) -> dict[str, str]:
    """Returns the three headers that sign a request: ``fspiop-uri``, ``fspiop-http-method``, ``fspiop-signature``.

    ``headers`` are those it is sent with, names in lower case. Raises ``UsageError`` where the key is no RSA private
    key, there is no body, or the URL names no FSPIOP resource.
    """
    private = read_key(key)
    if private.private is None:
        raise UsageError("the key to sign with is a public one", remedy="Give the RSA private key in PEM")
    if body in (None, ""):
        raise UsageError("a request without a body cannot be signed")
    found = _RESOURCE.search(url.partition("?")[0])
    if found is None:
        raise UsageError(f"{url} is no FSPIOP resource, so there is no FSPIOP-URI to sign")
    protected = {
        "alg": "RS256",
        "FSPIOP-URI": found[0],
        "FSPIOP-HTTP-Method": method.upper(),
        "FSPIOP-Source": headers.get("fspiop-source"),
    }
    for field, name in (("FSPIOP-Destination", "fspiop-destination"), ("Date", "date")):
        if headers.get(name):
            protected[field] = headers[name]
    header = _base64url(json.dumps(protected, separators=(",", ":")).encode())
    signing_input = f"{header}.{_base64url(body_text(body).encode())}"
    signature = _base64url(_sign(signing_input.encode(), private))
    value = json.dumps({"signature": signature, "protectedHeader": header}, separators=(",", ":"))
    return {"fspiop-uri": found[0], "fspiop-http-method": method.upper(), "fspiop-signature": value}


def signature_fault(headers: Mapping[str, str], body: str, key: str) -> str:
    """Returns why the signature in ``headers`` (names in lower case) over ``body`` does not hold; empty where it does.

    Raises ``UsageError`` where ``key`` is no RSA key in PEM.
    """
    public = read_key(key)
    try:
        value = json.loads(headers["fspiop-signature"])
        header, signature = value["protectedHeader"], _octets(value["signature"])
        protected = json.loads(_octets(header))
    except (KeyError, TypeError, ValueError) as problem:
        return f"fspiop-signature cannot be read: {type(problem).__name__}: {problem}"
    if protected.get("alg") != "RS256":
        return f"alg is {protected.get('alg')}, not RS256"
    signing_input = f"{header}.{_base64url(body.encode())}".encode()
    opened = pow(int.from_bytes(signature, "big"), public.exponent, public.modulus)
    if len(signature) != public.size or opened.to_bytes(public.size, "big") != _encoded(signing_input, public.size):
        return "the signature does not hold"
    for field in ("FSPIOP-URI", "FSPIOP-HTTP-Method", "FSPIOP-Source", "FSPIOP-Destination", "Date"):
        if protected.get(field) != headers.get(field.lower()) and (field != "Date" or field in protected):
            return f"{field} is {protected.get(field)} in the signature, {headers.get(field.lower())} in the headers"
    return ""


def read_key(pem: str) -> RsaKey:
    """Returns the RSA key in ``pem``: PKCS#1 or PKCS#8, public key or certificate. Raises ``UsageError``."""
    block = _PEM.search(str(pem))
    try:
        key = None if block is None else _key_in(base64.b64decode(block[2]), private="PRIVATE" in block[1])
    except (IndexError, ValueError):
        key = None
    if key is None:
        raise UsageError("there is no RSA key in what was given as one", remedy="Give an RSA key in PEM")
    return key


def _key_in(data: bytes, *, private: bool) -> RsaKey | None:
    parts = list(_elements(data))
    numbers = [int.from_bytes(value, "big") for tag, value in parts if tag == _INTEGER]
    if len(numbers) == len(parts):
        if private and len(numbers) == 9:
            return RsaKey(numbers[1], numbers[2], (numbers[4], numbers[5], numbers[6], numbers[7], numbers[8]))
        if not private and len(numbers) == 2:
            return RsaKey(numbers[0], numbers[1])
    for tag, value in parts:
        inner = value[1:] if tag == _BITS else value
        if (tag in (_SEQUENCE, _BITS, _OCTETS) and inner[:1] == bytes([_SEQUENCE])) or tag == _SEQUENCE:
            try:
                found = _key_in(inner, private=private)
            except (IndexError, ValueError):
                continue
            if found is not None:
                return found
    return None


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """X.690, section 8.1: each element's tag and contents."""
    at = 0
    while at < len(data):
        tag, size = data[at], data[at + 1]
        at += 2
        if size > 0x7F:
            count = size & 0x7F
            size = int.from_bytes(data[at : at + count], "big")
            at += count
        if at + size > len(data):
            raise ValueError("cut short")
        yield tag, data[at : at + size]
        at += size


def _encoded(message: bytes, size: int) -> bytes:
    """RFC 8017, section 9.2 (EMSA-PKCS1-v1_5) with SHA-256."""
    tail = b"\x00" + _DIGEST_INFO + hashlib.sha256(message).digest()
    return b"\x00\x01" + b"\xff" * (size - 2 - len(tail)) + tail


def _sign(message: bytes, key: RsaKey) -> bytes:
    """RFC 8017, section 5.1.2, with the second form of the private key."""
    assert key.private is not None
    p, q, dp, dq, inverse = key.private
    value = int.from_bytes(_encoded(message, key.size), "big")
    one, two = pow(value, dp, p), pow(value, dq, q)
    return (two + q * ((one - two) * inverse % p)).to_bytes(key.size, "big")


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _octets(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as problem:
        raise ValueError(str(problem)) from problem
