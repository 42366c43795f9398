"""In what do releases differ, as far as the embedded hub imitates them? One table, each fact with its source."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model.release import ReleaseVersion

__all__ = ["Profile", "profile_for"]


@dataclass(frozen=True, slots=True)
class Profile:
    """What a hub of one release does differently from others."""

    api_versions: tuple[str, ...]
    """FSPIOP versions accepted, oldest first."""
    default_version: str
    """What the hub writes where no request says which version is spoken (a time-out notification)."""
    hub_name: str
    """``FSPIOP-Source`` of what the hub says itself."""
    ulid_ids: bool
    """Whether ULIDs are accepted beside UUIDs for transferId and the like."""
    payee_told_of_expiry: bool
    """Whether the payee of a transfer that expired while reserved gets the error callback too."""


# 2.0 came with currency conversion, ULIDs with the schemas of v17. v15.1.0 calls itself "switch" where v17.1.0 says "Hub".
_SINCE: tuple[tuple[ReleaseVersion, Profile], ...] = (
    (
        ReleaseVersion(15, 0, 0),
        Profile(("1.0", "1.1"), "1.1", "switch", ulid_ids=False, payee_told_of_expiry=True),
    ),
    (
        ReleaseVersion(16, 0, 0),
        Profile(("1.0", "1.1", "2.0"), "1.1", "switch", ulid_ids=False, payee_told_of_expiry=True),
    ),
    (
        ReleaseVersion(17, 0, 0),
        Profile(("1.0", "1.1", "2.0"), "2.0", "Hub", ulid_ids=True, payee_told_of_expiry=True),
    ),
)


def profile_for(version: ReleaseVersion) -> Profile:
    """Returns the profile of the newest row not after ``version``; the oldest for releases before it."""
    chosen = _SINCE[0][1]
    for since, profile in _SINCE:
        if since <= version:
            chosen = profile
    return chosen
