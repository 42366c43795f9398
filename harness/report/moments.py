"""When did it happen? Times as reports count them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

__all__ = ["milliseconds"]


def milliseconds(moment: Any) -> int | None:
    """Returns an ISO 8601 time as milliseconds since 1970, UTC where it names no zone; ``None`` where it is none."""
    try:
        parsed = datetime.fromisoformat(str(moment))
        aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        return round(aware.timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return None
