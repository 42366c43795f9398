"""The two ways FSPIOP writes a moment: RFC 7231 in the Date header, ISO 8601 with milliseconds in bodies."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime

__all__ = ["http_date", "iso_ms", "parse_iso"]

_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)")


def http_date(moment: datetime | None = None) -> str:
    """Returns ``moment`` (default: now) as RFC 7231, section 7.1.1.1, writes it: ``Sun, 22 Nov 2026 08:21:28 GMT``."""
    return format_datetime((moment or datetime.now(UTC)).astimezone(UTC), usegmt=True)


def iso_ms(moment: datetime | None = None) -> str:
    """Returns ``moment`` (default: now) as FSPIOP's DateTime: ``2026-11-22T08:21:28.123Z``."""
    utc = (moment or datetime.now(UTC)).astimezone(UTC)
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_iso(text: str) -> datetime:
    """Reads FSPIOP's DateTime. Raises ``ValueError`` where ``text`` is none."""
    if _ISO.fullmatch(text) is None:
        raise ValueError(f"not an FSPIOP date and time: {text!r}")
    return datetime.fromisoformat(text)
