"""What does a hub need to know before it starts? One value that crosses the process boundary as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.errors import UsageError
from harness.model.release import Release, ReleaseVersion

__all__ = ["HUB_SERVICES", "HubConfig"]

HUB_SERVICES = (
    "account-lookup-service",
    "account-lookup-service-admin",
    "quoting-service",
    "ml-api-adapter",
    "central-ledger",
    "central-settlement",
    "transaction-requests-service",
)
"""What the hub serves, each on its own port, in the order ports are given out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubConfig:
    """How a hub is to be run. Durations in seconds."""

    release: str
    """``v17.1.0``."""
    components: Mapping[str, str]
    """Component name to version, as ``GET /health`` reports it."""
    defects: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    ports: Mapping[str, int] = field(default_factory=dict)
    """Service name to port; a service not named gets a free one."""
    expiry_interval_s: float = 0.25
    """How often transfers past their expiration are looked for."""
    callback_timeout_s: float = 5.0
    time_scale: float = 1.0
    """What the time left to an expiration is multiplied by when it is received; 1 but in dry runs."""
    on_us_transfers: bool = False
    """Whether a DFSP may transfer to itself (central-ledger, ENABLE_ON_US_TRANSFERS)."""
    simple_routing: bool = False
    """Whether the quoting service only hands on, and so knows no duplicates (SIMPLE_ROUTING_MODE)."""
    check_invariants: bool = False
    """Whether the laws of ``invariants`` are checked while it runs. Some defects break them on purpose."""

    @classmethod
    def of(
        cls,
        release: Release,
        *,
        defects: Iterable[str] = (),
        host: str = "127.0.0.1",
        ports: Mapping[str, int] | None = None,
        time_scale: float = 1.0,
        on_us_transfers: bool = False,
        simple_routing: bool = False,
        check_invariants: bool = False,
    ) -> HubConfig:
        """Returns the configuration that imitates ``release``. Raises ``UsageError`` on an unknown service name."""
        if unknown := sorted(set(ports or {}) - set(HUB_SERVICES)):
            raise UsageError(
                f"the embedded hub has no service {', '.join(unknown)}",
                remedy=f"Ports can be given for {', '.join(HUB_SERVICES)}",
            )
        return cls(
            release=str(release.version),
            components={name: version.removeprefix("v") for name, version in release.components.items()},
            defects=tuple(defects),
            host=host,
            ports=dict(ports or {}),
            time_scale=time_scale,
            on_us_transfers=on_us_transfers,
            simple_routing=simple_routing,
            check_invariants=check_invariants,
        )

    @property
    def version(self) -> ReleaseVersion:
        """The release number."""
        return ReleaseVersion.parse(self.release)

    def to_json(self) -> str:
        """Returns the configuration as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> HubConfig:
        """Reads what ``to_json`` gave. Raises ``UsageError`` on anything else."""
        try:
            data: dict[str, Any] = json.loads(text)
            return cls(**{**data, "defects": tuple(data.get("defects", ()))})
        except (ValueError, TypeError, AttributeError) as error:
            raise UsageError(f"the hub's configuration cannot be read: {error}") from error
