"""Which base URLs does a Testing Toolkit environment file give? Its input values that name a hub's services.

The names are those that the published collections read (testing-toolkit-test-cases, v13 to v17).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import TargetError

__all__ = ["hosts_of", "read_environment", "services_in"]

_NAMES = {
    "account-lookup-service": ("HOST_ACCOUNT_LOOKUP_SERVICE",),
    "account-lookup-service-admin": ("HOST_ACCOUNT_LOOKUP_ADMIN", "HOST_ACCOUNT_LOOKUP_SERVICE_ADMIN"),
    "quoting-service": ("HOST_QUOTING_SERVICE",),
    "ml-api-adapter": ("HOST_ML_API_ADAPTER",),
    "central-ledger": ("HOST_CENTRAL_LEDGER",),
    "central-settlement": ("HOST_CENTRAL_SETTLEMENT",),
    "transaction-requests-service": ("HOST_TRANSACTION_REQUESTS_SERVICE",),
}


def hosts_of(services: Mapping[str, str]) -> dict[str, str]:
    """Returns the input values by which collections find ``services`` (name to base URL)."""
    return {name: url for service, url in services.items() for name in _NAMES.get(service, ())}


def read_environment(path: Path) -> dict[str, Any]:
    """Returns the ``inputValues`` of the environment file ``path``. Raises ``TargetError``."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TargetError("there is no Testing Toolkit environment here", file=path, remedy="Check the path") from None
    except json.JSONDecodeError as problem:
        raise TargetError(
            f"not readable as JSON: {problem.msg}", file=path, place=f"line {problem.lineno}", remedy="Correct it"
        ) from None
    except (OSError, UnicodeDecodeError, RecursionError) as problem:
        raise TargetError(f"cannot be read: {type(problem).__name__}", file=path, remedy="Save it as UTF-8") from None
    values = document.get("inputValues") if isinstance(document, dict) else None
    if not isinstance(values, dict):
        raise TargetError("holds no inputValues", file=path, remedy="Name a Testing Toolkit environment file")
    return values


def services_in(values: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Returns, per service that ``values`` name, the input's name and its text."""
    found = {}
    for service, names in _NAMES.items():
        for name in names:
            if isinstance(value := values.get(name), str) and value:
                found[service] = (name, value)
                break
    return found
