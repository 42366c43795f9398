"""Are the headers of an FSPIOP request in order? The checks every service makes before it reads the body.

Order, codes and texts as recorded from the services of v17.1.0 (FSPIOP API 1.1, sections 3.2 and 3.3).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from email.utils import parsedate_to_datetime

from harness.fspiop.errors import FspiopError
from harness.fspiop.headers import ApiVersion, MediaType, parse_accept, parse_content_type
from harness.hub.faults import Fault
from harness.hub.messages import Message

__all__ = ["check_readable", "read_headers"]

_READABLE = re.compile(
    r"application/(json|[\w.+-]+\+json|octet-stream|x-www-form-urlencoded)|text/.+|multipart/form-data"
)
"""The types of content that the services' HTTP server reads a body of."""


def check_readable(content_type: str) -> None:
    """Raises ``Fault`` 3101 for a well-formed type of content that a service does not read."""
    kind = content_type.partition(";")[0].strip().lower()
    if "/" in kind and _READABLE.fullmatch(kind) is None:
        raise Fault(FspiopError.MALFORMED_SYNTAX, "Unsupported Media Type")


def read_headers(
    method: str,
    headers: Mapping[str, str],
    *,
    resource: str,
    versions: Collection[str],
    required: Collection[str] = (),
    refused_status: int = 406,
    dated: bool = True,
) -> Message:
    """Returns the message, still without its body. Raises ``Fault`` 3101, 3102 (HTTP 400) or 3001 (``refused_status``).

    ``required`` names further headers in lower case. An Accept header is asked of GET and POST, and
    must be right wherever there is one; a Date must be one where ``dated``.
    """
    if "date" not in headers:
        raise Fault(FspiopError.MISSING_ELEMENT, "Missing required date header")
    if dated and not _is_date(headers["date"]):
        raise Fault(FspiopError.MALFORMED_SYNTAX, "Invalid date header")
    if method == "GET" and "accept" not in headers:
        raise Fault(FspiopError.MISSING_ELEMENT, "Accept is required")
    if "content-type" not in headers:
        raise Fault(FspiopError.MISSING_ELEMENT, "Content-type is required")
    if "accept" in headers:
        _check_accept(headers["accept"], resource, versions, refused_status)
    content = _content_type(headers["content-type"], resource)
    version = str(content.version)
    if version not in versions:
        raise Fault(
            FspiopError.UNACCEPTABLE_VERSION,
            "Client supplied a protocol version which is not supported by the server",
            status=refused_status,
            extensions=_supported(versions),
        )
    wanted = ("accept", "fspiop-source", *required) if method == "POST" else ("fspiop-source", *required)
    for name in wanted:
        if not headers.get(name):
            raise Fault(FspiopError.MISSING_ELEMENT, f"/header must have required property '{name}'")
    return Message(
        source=headers["fspiop-source"],
        destination=headers.get("fspiop-destination") or None,
        resource=resource,
        version=version,
        headers=headers,
        raw=b"",
        body=None,
    )


def _is_date(text: str) -> bool:
    try:
        parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return False
    return True


def _content_type(text: str, resource: str) -> MediaType:
    try:
        media = parse_content_type(text)
    except ValueError:
        media = None
    if media is None or media.resource != resource or media.version is None or media.version.minor is None:
        raise Fault(FspiopError.MALFORMED_SYNTAX, "Invalid content-type header")
    return media


def _check_accept(text: str, resource: str, versions: Collection[str], refused_status: int) -> None:
    try:
        wanted = parse_accept(text)
    except ValueError:
        wanted = []
    if not wanted or any(media.resource != resource for media in wanted):
        raise Fault(FspiopError.MALFORMED_SYNTAX, "Invalid accept header")
    if not any(_offers(versions, media.version) for media in wanted):
        raise Fault(
            FspiopError.UNACCEPTABLE_VERSION,
            "The Client requested an unsupported version, see extension list for supported version(s).",
            status=refused_status,
            extensions=_supported(versions),
        )


def _offers(versions: Collection[str], wanted: ApiVersion | None) -> bool:
    """Whether one of ``versions`` answers what Accept asks for: a major alone takes any of its minors."""
    if wanted is None:
        return True
    if wanted.minor is None:
        return any(version.startswith(f"{wanted.major}.") for version in versions)
    return str(wanted) in versions


def _supported(versions: Collection[str]) -> list[tuple[str, str]]:
    return [(major, minor) for major, _, minor in (version.partition(".") for version in versions)]
