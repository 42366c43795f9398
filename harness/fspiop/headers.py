"""Which headers FSPIOP asks for, and how a resource's media type and version are written and read."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = [
    "DESTINATION",
    "HTTP_METHOD",
    "SIGNATURE",
    "SOURCE",
    "URI",
    "ApiVersion",
    "MediaType",
    "accept",
    "content_type",
    "parse_accept",
    "parse_content_type",
]

SOURCE = "FSPIOP-Source"
DESTINATION = "FSPIOP-Destination"
SIGNATURE = "FSPIOP-Signature"
URI = "FSPIOP-URI"
HTTP_METHOD = "FSPIOP-HTTP-Method"

_MEDIA_TYPE = re.compile(
    r"application/vnd\.interoperability\.(?:iso20022\.)?(?P<resource>[A-Za-z]+)\+json"
    r"(?:\s*;\s*version=(?P<major>\d+)(?:\.(?P<minor>\d+))?)?$"
)
_CHARSET = re.compile(r"\s*;\s*charset=[\w-]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class ApiVersion:
    """A version of an API resource. ``minor`` is ``None`` where only the major was asked for (Accept allows it)."""

    major: int
    minor: int | None = None

    @classmethod
    def parse(cls, text: str) -> ApiVersion:
        """Reads ``1.1`` or ``1``. Raises ``ValueError`` on anything else."""
        match = re.fullmatch(r"(\d+)(?:\.(\d+))?", text)
        if match is None:
            raise ValueError(f"not an API version: {text!r}")
        return cls(int(match[1]), None if match[2] is None else int(match[2]))

    def __str__(self) -> str:
        return str(self.major) if self.minor is None else f"{self.major}.{self.minor}"


@dataclass(frozen=True, slots=True)
class MediaType:
    """The parts of ``application/vnd.interoperability.{resource}+json;version={version}``."""

    resource: str
    version: ApiVersion | None


def content_type(resource: str, version: str | ApiVersion = "1.1") -> str:
    """Returns the Content-Type of ``resource`` (FSPIOP API 1.1, section 3.3.4.2: always major and minor)."""
    return f"application/vnd.interoperability.{resource}+json;version={version}"


def accept(resource: str, *versions: str | ApiVersion) -> str:
    """Returns an Accept header that names ``versions`` in order of preference (default: 1.1)."""
    return ",".join(content_type(resource, version) for version in versions or ("1.1",))


def parse_content_type(text: str) -> MediaType:
    """Reads a Content-Type; a ``charset`` parameter is passed over. Raises ``ValueError`` where it is not FSPIOP's."""
    match = _MEDIA_TYPE.fullmatch(_CHARSET.sub("", text).strip())
    if match is None:
        raise ValueError(f"not an FSPIOP media type: {text!r}")
    if match["major"] is None:
        return MediaType(match["resource"], None)
    return MediaType(match["resource"], ApiVersion(int(match["major"]), _minor(match["minor"])))


def parse_accept(text: str) -> list[MediaType]:
    """Reads an Accept header: its media types, most preferred first. Raises ``ValueError`` where one is foreign."""
    return [parse_content_type(part) for part in text.split(",")]


def _minor(text: str | None) -> int | None:
    return None if text is None else int(text)
