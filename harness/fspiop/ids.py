"""Correlation ids: UUIDs, and the ULIDs that releases from v17 also accept."""

from __future__ import annotations

import os
import re
import time
import uuid

__all__ = ["is_correlation_id", "is_ulid", "is_uuid", "new_ulid", "new_uuid"]

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-7][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_uuid() -> str:
    """Returns a random (version 4) UUID in lower case."""
    return str(uuid.uuid4())


def new_ulid() -> str:
    """Returns a ULID: 48 bits of milliseconds, 80 random bits, in Crockford's base 32."""
    value = (time.time_ns() // 1_000_000 << 80) | int.from_bytes(os.urandom(10))
    return "".join(_CROCKFORD[value >> shift & 31] for shift in range(125, -1, -5))


def is_uuid(text: object) -> bool:
    """Whether ``text`` is a UUID as FSPIOP writes it (API 1.1, section 7.2.16)."""
    return isinstance(text, str) and _UUID.fullmatch(text) is not None


def is_ulid(text: object) -> bool:
    """Whether ``text`` is a ULID."""
    return isinstance(text, str) and _ULID.fullmatch(text) is not None


def is_correlation_id(text: object) -> bool:
    """Whether ``text`` may identify a transfer or quote in releases that accept both forms."""
    return is_uuid(text) or is_ulid(text)
