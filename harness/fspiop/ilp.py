"""The Interledger part of a quote and a transfer: packet, condition, fulfilment.

The packet is an ILP version 1 payment (OER encoding) that carries the transaction as base64url JSON.
Condition = SHA-256(fulfilment), both base64url without padding (FSPIOP API 1.1, section 4.2).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

__all__ = ["IlpPacket", "build_packet", "condition_of", "fulfilment_for", "fulfils", "parse_packet"]

_PAYMENT = 1
_SCALE = 4


@dataclass(frozen=True, slots=True)
class IlpPacket:
    """A payment packet: amount in units of 10^-4 of the currency, ILP address, and the transaction it carries."""

    amount: int
    address: str
    transaction: Mapping[str, Any]


def encode(data: bytes) -> str:
    """Returns base64url without padding."""
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def decode(text: str) -> bytes:
    """Reads base64url with or without padding. Raises ``ValueError`` on other characters."""
    padded = text + "=" * (-len(text) % 4)
    return base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)


def build_packet(*, amount: Decimal, address: str, transaction: Mapping[str, Any]) -> str:
    """Returns the packet as base64url text. ``amount`` is in major units with at most four decimals."""
    scaled = amount.scaleb(_SCALE)
    if scaled != scaled.to_integral_value() or not 0 <= scaled < 2**64:
        raise ValueError(f"not a 64-bit number of 10^-{_SCALE} units: {amount}")
    payload = encode(json.dumps(transaction, separators=(",", ":"), ensure_ascii=False).encode()).encode("ascii")
    body = int(scaled).to_bytes(8) + _var_octets(address.encode("ascii")) + _var_octets(payload) + b"\x00"
    return encode(bytes([_PAYMENT]) + _var_octets(body))


def parse_packet(text: str) -> IlpPacket:
    """Reads what ``build_packet`` gave (or a DFSP's packet of the same type). Raises ``ValueError`` on any other."""
    try:
        raw = decode(text)
        if not raw or raw[0] != _PAYMENT:
            raise ValueError("not an ILP payment")
        body, _ = _read_octets(raw, 1)
        address, position = _read_octets(body, 8)
        payload, _ = _read_octets(body, position)
        transaction = json.loads(decode(payload.decode("ascii")))
    except (ValueError, IndexError) as error:
        raise ValueError(f"not an ILP packet: {error}") from error
    if not isinstance(transaction, dict):
        raise ValueError("not an ILP packet: the data is no transaction object")
    return IlpPacket(int.from_bytes(body[:8]), address.decode("ascii", "replace"), transaction)


def fulfilment_for(packet: str, secret: bytes) -> str:
    """Returns the payee's fulfilment of ``packet``: HMAC-SHA-256 keyed with ``secret``, base64url."""
    return encode(hmac.new(secret, packet.encode("ascii"), hashlib.sha256).digest())


def condition_of(fulfilment: str) -> str:
    """Returns the condition that ``fulfilment`` fulfils: SHA-256 of its octets, base64url."""
    return encode(hashlib.sha256(decode(fulfilment)).digest())


def fulfils(fulfilment: str, condition: str) -> bool:
    """Whether ``fulfilment`` (base64url of 32 octets) hashes to ``condition``."""
    try:
        return len(decode(fulfilment)) == 32 and hmac.compare_digest(condition_of(fulfilment), condition.rstrip("="))
    except ValueError:
        return False


def _var_octets(data: bytes) -> bytes:
    if len(data) < 128:
        return bytes([len(data)]) + data
    size = (len(data).bit_length() + 7) // 8
    return bytes([0x80 | size]) + len(data).to_bytes(size) + data


def _read_octets(data: bytes, position: int) -> tuple[bytes, int]:
    length, start = data[position], position + 1
    if length & 0x80:
        size = length & 0x7F
        length, start = int.from_bytes(data[start : start + size]), start + size
    if start + length > len(data):
        raise ValueError("cut short")
    return data[start : start + length], start + length
