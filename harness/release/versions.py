"""Which of two versions is the older one? Versions of components and suites, as release notes write them."""

from __future__ import annotations

import re

__all__ = ["bare", "is_version", "order"]

_VERSION = re.compile(r"v?(\d+(?:\.\d+)*)(?:[-.]([A-Za-z][\w.-]*))?(?:\+[\w.-]+)?$")


def bare(text: str) -> str:
    """Returns ``text`` without quotes and the leading ``v``: ``"v1.2.0"`` gives ``1.2.0``."""
    stripped = text.strip().strip("\"'“”`").strip()
    return stripped[1:] if re.match(r"[vV]\d", stripped) else stripped


def is_version(text: str) -> bool:
    """Returns whether ``text`` (as ``bare`` gives it) is a version: numbers, perhaps with a pre-release."""
    return _VERSION.match(text) is not None


def order(before: str, after: str) -> int | None:
    """Returns -1 where ``before`` is the older, 1 where it is the newer, 0 where they are the same; ``None``: unknown.

    Numbers count as numbers, absent ones as 0; a pre-release is older than its release (Semantic Versioning 2.0.0,
    section 11).
    """
    keys = [_key(bare(text)) for text in (before, after)]
    if keys[0] is None or keys[1] is None:
        return 0 if bare(before) == bare(after) else None
    return (keys[0] > keys[1]) - (keys[0] < keys[1])


_Part = tuple[int, int, str]


def _key(version: str) -> tuple[tuple[int, ...], bool, tuple[_Part, ...]] | None:
    match = _VERSION.match(version)
    if match is None:
        return None
    numbers = [int(part) for part in match[1].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    pre = match[2]
    parts = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"[.-]", pre or ""))
    return tuple(numbers), pre is None, parts if pre else ()
