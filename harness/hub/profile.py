"""In what do releases differ, as far as the embedded hub imitates them? One table, each fact with its source."""

from __future__ import annotations

from dataclasses import dataclass

from harness.fspiop.errors import FspiopError
from harness.model.release import ReleaseVersion

__all__ = ["Profile", "profile_for"]


@dataclass(frozen=True, slots=True)
class Profile:
    """What a hub of one release does differently from others."""

    api_versions: tuple[str, ...]
    """FSPIOP versions accepted, oldest first."""
    default_version: str
    """The version the hub writes in what it says itself, whatever version it was asked in."""
    hub_name: str
    """``FSPIOP-Source`` of what the hub says itself."""
    ulid_ids: bool
    """Whether ULIDs are accepted beside UUIDs for transferId and the like."""
    quotes_media_type_first: bool
    """Whether the quoting service refuses content it does not read before it looks at any header."""
    unknown_destination: tuple[FspiopError, str]
    """How a look-up that names a destination nobody knows is answered: code and detail."""
    fx: bool
    """Whether currencies are converted: fxQuotes and fxTransfers (FSPIOP API 2.0)."""
    settlement_amounts_are_text: bool
    """Whether central-settlement writes a net amount as ``"5.0000"`` rather than as the number 5."""
    transfer_texts_are_syntax: bool
    """Whether ml-api-adapter takes a text out of its pattern for malformed syntax (3101), not for invalid (3100)."""
    dates_checked: bool
    """Whether every service refuses a Date that is none; before, ml-api-adapter alone did."""


_BEFORE_FX = Profile(
    api_versions=("1.0", "1.1"),
    default_version="1.1",
    hub_name="switch",
    ulid_ids=False,
    quotes_media_type_first=True,
    unknown_destination=(FspiopError.ID_NOT_FOUND, "Destination FSP not found"),
    fx=False,
    settlement_amounts_are_text=False,
    transfer_texts_are_syntax=True,
    dates_checked=False,
)
_SINCE_FX = Profile(
    api_versions=("1.0", "1.1", "2.0"),
    default_version="2.0",
    hub_name="Hub",
    ulid_ids=True,
    quotes_media_type_first=False,
    unknown_destination=(FspiopError.PARTY_NOT_FOUND, ""),
    fx=True,
    settlement_amounts_are_text=True,
    transfer_texts_are_syntax=False,
    dates_checked=True,
)

_SINCE: tuple[tuple[ReleaseVersion, Profile], ...] = (
    # mojaloop/helm release-v16.0.0.md, section 4: FSPIOP v1.1 and v1.0; ml-api-adapter 14.0.5 (v15 and v16),
    # config/default.json: content version 1.1, source "switch", as the golden path of v15.1.0 expects;
    # account-lookup-service 15.0.0, getPartiesByTypeAndID; central-settlement 15.0.0, config/default.json: the driver
    # "mysql", which reads decimals as numbers. Quotes in XML are an "Unsupported Media Type" in the golden path of
    # v15.1.0 (Bugfix #990), and an invalid header in that of v17.1.0. Transfers are checked with Joi up to
    # ml-api-adapter 14.0.5, src/api/transfers/routes.js, and what Joi says of a text becomes 3101
    # (central-services-error-handling 12.0.3, createFSPIOPErrorFromJoiError); from 16.x on by the API definition.
    # Dates: central-services-shared, src/util/hapi/plugins/headerValidation.js, which looks at them since January 2025.
    (ReleaseVersion(15, 0, 0), _BEFORE_FX),
    # mojaloop/helm release-v17.0.0.md: "bump protocol versions to 2.0", "parameterize switch id", ULID patterns;
    # ml-api-adapter 16.x, config/default.json: content version 2.0, HUB_PARTICIPANT.NAME "Hub";
    # account-lookup-service 17.12.2, GetPartiesService (no proxies: the party is not found); central-settlement 17.2.2:
    # the driver "mysql2", which reads decimals as text.
    (ReleaseVersion(17, 0, 0), _SINCE_FX),
)


def profile_for(version: ReleaseVersion) -> Profile:
    """Returns the profile of the newest row not after ``version``; the oldest for releases before it."""
    chosen = _SINCE[0][1]
    for since, profile in _SINCE:
        if since <= version:
            chosen = profile
    return chosen
