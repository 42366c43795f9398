"""What did participants owe and hold before the night, and is it the same after it? Only reads central-ledger."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import httpx

from harness.errors import HarnessError
from harness.target.connection import trouble_with
from harness.target.credentials import credentials_of
from harness.target.model import Target
from harness.target.provisioned import LEDGER
from harness.target.tls import context_for

__all__ = ["Balances", "after", "balances", "differences"]

Balances = dict[str, str]
"""``payerfsp POSITION USD`` to what central-ledger says its value is, in major units."""

_ALL_AT_MOST = 200
_LOOK_S = 0.5


def balances(target: Target, *, transport: httpx.BaseTransport | None = None) -> Balances:
    """Returns what stands in the accounts of the target's participants: those that its file lists, else all.

    Raises ``HarnessError`` where central-ledger does not say.
    """
    base = target.url(LEDGER)
    client = httpx.Client(
        timeout=target.request_timeout_s,
        verify=context_for(target.tls),
        auth=credentials_of(target),
        trust_env=False,
        transport=transport,
    )
    try:
        with client:
            names = sorted({one.name for one in target.participants}) or _all(client, base, target.hub_name)
            found: Balances = {}
            for name in names[:_ALL_AT_MOST]:
                for row in _rows(client, f"{base}/participants/{name}/accounts", gone_is_none=True):
                    key = f"{name} {row.get('ledgerAccountType')} {row.get('currency')}"
                    found[key] = str(row.get("value"))
                    if row.get("reservedValue") is not None:
                        found[f"{key} reserved"] = str(row["reservedValue"])
            return found
    except httpx.HTTPError as problem:
        trouble = trouble_with(base, problem, setting=f"services.{LEDGER}", timeout_s=target.request_timeout_s)
        raise HarnessError(f"positions cannot be read: {trouble.text}", remedy=trouble.remedy) from problem


def after(
    target: Target,
    before: Mapping[str, str],
    *,
    patience_s: float,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    transport: httpx.BaseTransport | None = None,
) -> list[str]:
    """Returns what differs from ``before`` for longer than ``patience_s``: transfers in flight may still end."""
    deadline = clock() + patience_s
    while True:
        found = differences(before, balances(target, transport=transport))
        if not found or clock() >= deadline:
            return found
        sleep(_LOOK_S)


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Returns a sentence for each account of ``before`` that holds something else now; new accounts are none."""
    return [
        f"{account}: {value} before, {now.get(account, 'no such account')} after"
        for account, value in before.items()
        if account not in now or not _same(value, now[account])
    ]


def _same(one: str, other: str) -> bool:
    with contextlib.suppress(InvalidOperation):
        return Decimal(one) == Decimal(other)
    return one == other


def _all(client: httpx.Client, base: str, hub: str) -> list[str]:
    names = [str(row.get("name")) for row in _rows(client, f"{base}/participants")]
    return sorted(name for name in names if name.lower() != hub.lower())


def _rows(client: httpx.Client, url: str, *, gone_is_none: bool = False) -> list[dict[str, Any]]:
    answer = client.get(url)
    if gone_is_none and answer.status_code in (400, 404):
        return []
    try:
        rows = answer.json()
    except (ValueError, RecursionError):
        rows = None
    if answer.status_code != 200 or not isinstance(rows, list):
        raise HarnessError(
            f"positions cannot be read: {LEDGER} answered HTTP {answer.status_code} to GET {url}",
            remedy=f"See the log of {LEDGER} and our credentials",
        )
    return [row for row in rows if isinstance(row, dict)]
