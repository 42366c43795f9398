"""When does a transfer expire, and when may a DFSP say that it completed one?

The check of completedTimestamp is that of ml-api-adapter.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from harness.fspiop.dates import parse_iso
from harness.fspiop.errors import FspiopError
from harness.hub.faults import Fault

__all__ = ["check_completed", "expires_at"]

_MAX_AGE = timedelta(seconds=300)
"""MAX_FULFIL_TIMEOUT_DURATION_SECONDS of ml-api-adapter's config/default.json."""

_MAX_LEAD = timedelta(milliseconds=200)
"""MAX_CALLBACK_TIME_LAG_DILATION_MILLISECONDS there: how far a DFSP's clock may be ahead."""


def expires_at(text: str, now: datetime, time_scale: float) -> datetime:
    """Returns the moment in ``text``; in a dry run (``time_scale`` below 1) as much sooner as time runs faster.

    Raises ``ValueError`` where it is no date and time.
    """
    moment = parse_iso(text)
    return now + (moment - now) * time_scale if moment > now else moment


def check_completed(text: str | None, now: datetime) -> None:
    """Raises ``Fault`` 3100 where completedTimestamp lies ahead, or too far back."""
    if text is None:
        return
    try:
        moment = parse_iso(text)
    except ValueError as error:
        raise Fault(FspiopError.VALIDATION, "completedTimestamp is not a date and time") from error
    if moment > now + _MAX_LEAD:
        raise Fault(FspiopError.VALIDATION, "completedTimestamp fails because future timestamp was provided")
    if moment < now - _MAX_AGE:
        raise Fault(
            FspiopError.VALIDATION,
            "completedTimestamp fails because provided timestamp exceeded the maximum timeout duration",
        )
