"""What is in a release's archive, or a folder? Its files as streams in bounded memory, once every entry is proven safe.

Nothing here writes. An archive is gone through twice: first every entry is looked at, only then is one handed out.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self, cast, final

from harness.errors import SuiteError
from harness.suite.imported.names import Limits, NameCheck

__all__ = ["CHUNK", "Entry", "digest_of_file", "read_source"]

CHUNK = 1 << 16
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    UnicodeError,
    ValueError,
    OverflowError,
    RuntimeError,
    OSError,
)
_TAR_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE)
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_END, _END_SIZE, _LOCATOR = b"PK\x05\x06", 22, b"PK\x06\x07"


@final
@dataclass(frozen=True, slots=True)
class Entry:
    """One file. ``parts`` are below the archive's top folder; ``blocks`` may be gone through once, before the next."""

    parts: tuple[str, ...]
    blocks: Iterator[bytes]


def read_source(source: Path, limits: Limits, folders: Collection[str]) -> Iterator[Entry]:
    """Yields every file of the archive ``source``, or of those ``folders`` of the folder ``source``.

    Raises ``SuiteError`` naming archive and entry: before the first file where names, kinds or declared sizes are
    unsafe, later only where the content turns out to be damaged or larger than declared.
    """
    if source.is_dir():
        yield from _folder(source, limits, folders)
        return
    try:
        size = source.stat().st_size
        if not source.is_file():
            raise SuiteError("is neither an archive nor a folder", file=source)
        with source.open("rb") as file:
            head = file.read(6)
    except OSError as problem:
        raise SuiteError(f"cannot be read: {problem.strerror or problem}", file=source) from problem
    if size > limits.archive_bytes:
        raise SuiteError(f"is larger than {limits.archive_bytes} bytes", file=source, remedy="Is it the right archive?")
    if head.startswith(b"PK"):
        yield from _zip(source, limits, size)
        return
    unpack = _unpacker(head)
    top = _top_folder(source, [parts for parts, _, _ in _tar(source, limits, size, unpack)])
    for parts, member, blocks in _tar(source, limits, size, unpack):
        if member.isfile():
            yield Entry(_below(parts, top, source), blocks)


def digest_of_file(path: Path) -> str:
    """Returns the SHA-256 (hex) of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def _damage(source: Path) -> Iterator[None]:
    try:
        yield
    except SuiteError:
        raise
    except _DAMAGE as problem:
        message = f"is damaged, or no archive that can be read: {str(problem) or type(problem).__name__}"
        raise SuiteError(message, file=source, remedy="Fetch the archive again") from problem


@final
class _Budget:
    """Counts what is unpacked, against the limits."""

    def __init__(self, source: Path, limits: Limits, packed: int) -> None:
        self._source = source
        self._limits = limits
        self._packed = max(packed, 1)
        self._total = 0

    def spend(self, count: int, name: str) -> None:
        self._total += count
        limits = self._limits
        if self._total > limits.total_bytes:
            raise self._refused(f"holds more than {limits.total_bytes} bytes unpacked", name)
        if self._total > limits.ratio_from and self._total > limits.ratio * self._packed:
            raise self._refused(f"unpacks to more than {limits.ratio} times its size", name)

    def one(self, size: int, name: str) -> None:
        if size > self._limits.file_bytes:
            raise self._refused(f"holds a file of more than {self._limits.file_bytes} bytes", name)

    def entries(self, count: int, name: str) -> None:
        if count > self._limits.entries:
            raise self._refused(f"holds more than {self._limits.entries} entries", name)

    def _refused(self, message: str, name: str) -> SuiteError:
        return SuiteError(message, file=self._source, place=name or None, remedy="Do not trust the archive")


def _blocks(file: IO[bytes], source: Path, name: str, budget: _Budget) -> Iterator[bytes]:
    size = 0
    while True:
        with _damage(source):
            block = file.read(CHUNK)
        if not block:
            return
        size += len(block)
        budget.one(size, name)
        budget.spend(len(block), name)
        yield block


def _top_folder(source: Path, entries: list[tuple[str, ...]]) -> str:
    tops = {parts[0] for parts in entries}
    if len(tops) != 1 or all(len(parts) == 1 for parts in entries):
        raise SuiteError(
            f"has no single top folder, but {', '.join(sorted(tops)[:5]) or 'nothing at all'}",
            file=source,
            remedy="Take the archive as the release publishes it, or unpack it and import the folder",
        )
    return tops.pop()


def _below(parts: tuple[str, ...], top: str, source: Path) -> tuple[str, ...]:
    if parts[0] != top or len(parts) < 2:
        raise SuiteError("changed while it was read", file=source, place="/".join(parts))
    return parts[1:]


# --- zip


def _zip(source: Path, limits: Limits, size: int) -> Iterator[Entry]:
    with _damage(source), source.open("rb") as file:
        _check_zip_directory(file, source, limits, size)
    with _damage(source):
        archive = zipfile.ZipFile(source)
    with archive:
        members = archive.infolist()
        declared = _Budget(source, limits, size)
        check = NameCheck(str(source), limits)
        entries = []
        for count, member in enumerate(members, 1):
            declared.entries(count, "")
            entries.append(check.add(_zip_name(member, source), is_folder=member.is_dir()))
            _check_zip_member(member, source)
            declared.one(member.file_size, member.filename)
            declared.spend(member.file_size, member.filename)
        top = _top_folder(source, entries)
        spent = _Budget(source, limits, size)
        for parts, member in zip(entries, members, strict=True):
            if not member.is_dir():
                with _damage(source):
                    content = archive.open(member)
                with content:
                    yield Entry(_below(parts, top, source), _blocks(content, source, member.filename, spent))


def _check_zip_directory(file: IO[bytes], source: Path, limits: Limits, size: int) -> None:
    # Found as zipfile finds it, but before it reads the table of contents into memory.
    file.seek(max(0, size - (1 << 16) - _END_SIZE - len(_LOCATOR) - 16))
    tail = file.read()
    at = len(tail) - _END_SIZE
    if at < 0 or tail[at : at + 4] != _END or tail[-2:] != b"\0\0":
        at = tail.rfind(_END)
    if at < 0 or at + _END_SIZE > len(tail):
        raise SuiteError("is damaged: the table of contents is missing", file=source, remedy="Fetch the archive again")
    if tail[max(0, at - 20) : at].startswith(_LOCATOR):
        raise SuiteError("is a zip64 archive, which no suite needs", file=source, remedy="Do not trust the archive")
    if int.from_bytes(tail[at + 12 : at + 16], "little") > limits.directory_bytes:
        raise SuiteError("has a table of contents that is too large", file=source, remedy="Do not trust the archive")


def _zip_name(member: zipfile.ZipInfo, source: Path) -> str:
    name = member.orig_filename
    if not member.flag_bits & 0x800 and not name.isascii():
        raise SuiteError("the entry's name is not UTF-8", file=source, place=ascii(name), remedy="Pack it again")
    return name


def _check_zip_member(member: zipfile.ZipInfo, source: Path) -> None:
    kind = stat.S_IFMT(member.external_attr >> 16)
    fault = None
    if member.flag_bits & 0x41:
        fault = "is encrypted"
    elif kind == stat.S_IFLNK:
        fault = "is a link"
    elif kind not in (0, stat.S_IFDIR if member.is_dir() else stat.S_IFREG):
        fault = "is neither a file nor a folder"
    elif member.compress_type not in _ZIP_METHODS:
        fault = "is packed in a way that GitHub never uses"
    if fault:
        place = member.filename
        raise SuiteError(f"the entry {fault}", file=source, place=place, remedy="Do not trust the archive")


# --- tar


_Unpack = Callable[[IO[bytes]], IO[bytes]]


def _unpacker(head: bytes) -> _Unpack:
    if head.startswith(b"\x1f\x8b"):
        return lambda file: cast("IO[bytes]", gzip.GzipFile(fileobj=file))
    if head.startswith(b"\xfd7zXZ\0"):
        return lambda file: lzma.LZMAFile(file)
    if head.startswith(b"BZh"):
        return lambda file: bz2.BZ2File(file)
    return lambda file: file


@final
class _Counted:
    """A stream for tarfile: what it unpacks is counted, headers and padding too."""

    def __init__(self, file: IO[bytes], budget: _Budget) -> None:
        self._file = file
        self._budget = budget

    def read(self, size: int) -> bytes:
        data = self._file.read(min(size, CHUNK))
        self._budget.spend(len(data), "")
        return data


def _tar(
    source: Path, limits: Limits, size: int, unpack: _Unpack
) -> Iterator[tuple[tuple[str, ...], tarfile.TarInfo, Iterator[bytes]]]:
    """Yields every entry of a tar, each checked; its blocks may be left unread."""
    check = NameCheck(str(source), limits)
    counted, content_budget = _Budget(source, limits, size), _Budget(source, limits, size)
    with source.open("rb") as packed:
        with _damage(source):
            stream: Any = _Counted(unpack(packed), counted)
            archive = tarfile.open(  # noqa: SIM115 (it is entered below, outside of the net for damage)
                fileobj=stream, mode="r|", tarinfo=_StrictTarInfo, encoding="utf-8", errors="surrogateescape"
            )
        with archive:
            count = 0
            while True:
                with _damage(source):
                    member = archive.next()
                if member is None:
                    break
                count += 1
                counted.entries(count, "")
                parts = check.add(member.name, is_folder=member.isdir())
                _check_tar_member(member, source)
                if member.size < 0:
                    raise SuiteError("the entry has a size below 0", file=source, place=member.name)
                counted.one(member.size, member.name)
                yield parts, member, _tar_blocks(archive, member, source, content_budget)
            _read_to_end(archive, source)


@final
class _StrictTarInfo(tarfile.TarInfo):
    """tarfile takes a broken header for the end of the archive, and what follows it would be lost without a word."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        """Returns the next member. Raises ``ReadError`` where there is neither a member nor the mark of the end."""
        try:
            return super().fromtarfile(archive)
        except tarfile.HeaderError as problem:
            if type(problem).__name__ == "EOFHeaderError":
                raise
            raise tarfile.ReadError(str(problem)) from problem


def _read_to_end(archive: tarfile.TarFile, source: Path) -> None:
    # The checksum of a compressed stream is at its end; and nothing may hide behind the mark of the end.
    with _damage(source):
        while rest := archive.fileobj.read(CHUNK):
            if rest.strip(b"\0"):
                raise SuiteError("goes on after its end", file=source, remedy="Do not trust the archive")


def _tar_blocks(archive: tarfile.TarFile, member: tarfile.TarInfo, source: Path, budget: _Budget) -> Iterator[bytes]:
    with _damage(source):
        content = archive.extractfile(member)
    if content is not None:
        yield from _blocks(content, source, member.name, budget)


def _check_tar_member(member: tarfile.TarInfo, source: Path) -> None:
    fault = None
    if member.issym() or member.islnk():
        fault = "is a link"
    elif member.issparse():
        fault = "is a sparse file"
    elif not member.isdir() and member.type not in _TAR_FILES:
        fault = "is neither a file nor a folder"
    if fault:
        raise SuiteError(f"the entry {fault}", file=source, place=member.name, remedy="Do not trust the archive")


# --- folder


def _folder(source: Path, limits: Limits, folders: Collection[str]) -> Iterator[Entry]:
    check, budget = NameCheck(str(source), limits), _Budget(source, limits, limits.total_bytes)
    found: list[tuple[tuple[str, ...], Path]] = []
    for count, (path, is_folder) in enumerate(_walk(source, folders), 1):
        relative = path.relative_to(source).as_posix()
        budget.entries(count, relative)
        parts = check.add(relative, is_folder=is_folder)
        if not is_folder:
            found.append((parts, path))
    for parts, path in found:
        with _damage(path), path.open("rb") as content:
            yield Entry(parts, _blocks(content, source, "/".join(parts), budget))


def _walk(source: Path, folders: Collection[str]) -> Iterator[tuple[Path, bool]]:
    for top in folders:
        for at, inner, names in os.walk(source / top, onerror=_unreadable):
            inner.sort()
            for name in (*inner, *sorted(names)):
                path = Path(at, name)
                mode = path.lstat().st_mode
                if not (stat.S_ISDIR(mode) if name in inner else stat.S_ISREG(mode)):
                    kind = "is a link" if stat.S_ISLNK(mode) else "is neither a file nor a folder"
                    raise SuiteError(kind, file=path, remedy="Put the file or folder itself there")
                yield path, name in inner


def _unreadable(problem: OSError) -> None:
    raise SuiteError(f"cannot be read: {problem.strerror or problem}", file=problem.filename) from problem
