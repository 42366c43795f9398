"""May an archive's entry be stored under its name? Names are hostile until proven otherwise. Pure; touches no file."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import final

from harness.errors import SuiteError

__all__ = ["Limits", "NameCheck", "parts_of"]

_DRIVE = re.compile(r"[A-Za-z]:")
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)
_MEBIBYTE = 1 << 20


@final
@dataclass(frozen=True, slots=True)
class Limits:
    """How much an archive may hold. The largest official one so far: 302 files, 10 MiB in all, 2 MiB in one."""

    entries: int = 10_000
    file_bytes: int = 16 * _MEBIBYTE
    total_bytes: int = 64 * _MEBIBYTE
    archive_bytes: int = 64 * _MEBIBYTE
    directory_bytes: int = 4 * _MEBIBYTE
    """Of a zip's table of contents, which is read into memory at once."""
    ratio: int = 200
    """Unpacked to packed size; looked at once more than ``ratio_from`` bytes are unpacked."""
    ratio_from: int = _MEBIBYTE
    depth: int = 32
    name_bytes: int = 255
    path_bytes: int = 1024


def parts_of(name: str, *, archive: str, limits: Limits) -> tuple[str, ...]:
    """Returns the segments of the entry ``name``. Raises ``SuiteError`` where it could land anywhere else, or differ
    from system to system."""
    if fault := _fault(name, limits):
        shown = name.encode("utf-8", "backslashreplace").decode().encode("unicode_escape").decode("ascii")
        raise SuiteError(
            f"the entry's name {fault}", file=archive, place=shown[:200], remedy="Do not trust the archive"
        )
    return tuple(name.removesuffix("/").split("/"))


def _fault(name: str, limits: Limits) -> str | None:
    if "\0" in name:
        return "holds a NUL"
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        return "is not UTF-8"
    if name.startswith("/"):
        return "is an absolute path"
    if "\\" in name:
        return "holds a backslash"
    if _DRIVE.match(name):
        return "begins with a drive"
    segments = name.removesuffix("/").split("/")
    if ".." in segments:
        return "leads out of the archive with '..'"
    if any(segment in ("", ".") for segment in segments):
        return "has an empty segment or '.'"
    if len(segments) > limits.depth or len(encoded) > limits.path_bytes:
        return "is too long or too deep"
    return next((fault for segment in segments if (fault := _segment_fault(segment, limits))), None)


def _segment_fault(segment: str, limits: Limits) -> str | None:
    if len(segment.encode()) > limits.name_bytes:
        return "is too long or too deep"
    if not segment.isprintable():
        return "holds a character that cannot be seen"
    if ":" in segment or segment[-1] in ". " or _DEVICES.fullmatch(segment):
        return "means something else on other systems"
    return None


@final
class NameCheck:
    """Watches that no two entries of an archive could meet in one place, on any file system."""

    def __init__(self, archive: str, limits: Limits) -> None:
        self._archive = archive
        self._limits = limits
        self._seen: dict[str, tuple[str, bool]] = {}
        self._explicit: set[str] = set()

    def add(self, name: str, *, is_folder: bool) -> tuple[str, ...]:
        """Returns the segments of the next entry. Raises ``SuiteError`` where it is unsafe or meets an earlier one."""
        parts = parts_of(name, archive=self._archive, limits=self._limits)
        for end in range(1, len(parts)):
            self._put("/".join(parts[:end]), is_folder=True)
        path = "/".join(parts)
        self._put(path, is_folder=is_folder)
        if path in self._explicit:
            raise self._clash(path, "is in the archive twice")
        self._explicit.add(path)
        return parts

    def _put(self, path: str, *, is_folder: bool) -> None:
        # Twice folded: normalising may bring back what folding took away.
        key = path
        for _ in range(2):
            key = unicodedata.normalize("NFC", unicodedata.normalize("NFKD", key).casefold())
        spelled, was_folder = self._seen.setdefault(key, (path, is_folder))
        if was_folder != is_folder:
            raise self._clash(path, "is a file and a folder at once")
        if spelled != path:
            raise self._clash(path, f"differs from {spelled!r} in spelling only")

    def _clash(self, path: str, message: str) -> SuiteError:
        return SuiteError(f"the entry {message}", file=self._archive, place=path, remedy="Do not trust the archive")
