"""How is a bundle packed so that no byte of it can change unseen? A zip in one canonical form, written and read here.

Members are stored, not compressed, in order of their names, with fixed times and rights, and nothing stands before,
between or after them. What was read is packed again and must give the same bytes: so every byte of the container is
checked, the content of the members is left to the manifest, and nothing unpacks to more than it weighs. Any program
reads it (PKWARE APPNOTE 6.3, sections 4.3.7, 4.3.12 and 4.3.16).
"""

from __future__ import annotations

import struct
import unicodedata
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from harness.errors import HandoverError

__all__ = ["LARGEST", "Packed", "bad_name", "pack", "read_bundle", "unpack", "write_members"]

LARGEST: Final = 1 << 30
"""The most bytes that a bundle may have. All of it is held in memory."""
_MOST_MEMBERS: Final = 20_000
_LONGEST_NAME: Final = 1_000

_LOCAL: Final = struct.Struct("<4s5H3I2H")
_CENTRAL: Final = struct.Struct("<4s6H3I5H2I")
_END: Final = struct.Struct("<4s4H2IH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_VERSION: Final = 10  # stored members need no more (APPNOTE 4.4.3.2)
_UNIX: Final = 3 << 8
_UTF8: Final = 1 << 11
_STORED: Final = 0
_MIDNIGHT, _FIRST_DAY = 0, (0 << 9) | (1 << 5) | 1  # 1980-01-01, the first that a zip can tell
_PLAIN_FILE: Final = 0o100644 << 16


@final
@dataclass(frozen=True, slots=True)
class Packed:
    """What a bundle holds, and in ``faults`` all that is wrong with how it is packed: no faults, no changed byte."""

    members: Mapping[str, bytes]
    faults: tuple[str, ...]


def bad_name(name: str) -> str | None:
    """Returns why ``name`` cannot be a member's, on any system that may unpack it; ``None`` where it can."""
    parts = name.split("/")
    if not name or len(name) > _LONGEST_NAME:
        return "it is empty or too long"
    if name.startswith("/") or any(part in ("", ".", "..") for part in parts):
        return "it leads out of the bundle, or is not in its shortest form"
    if any(char in '\\:*?"<>|' or unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in name):
        return "it holds a character that not every system can have in a name"
    if any(part != part.rstrip(" .") for part in parts) or unicodedata.normalize("NFC", name) != name:
        return "not every system would keep it as it is"
    return None


def pack(members: Mapping[str, bytes]) -> bytes:
    """Returns the bundle that holds ``members`` (name to content): the same members, the same bytes, everywhere.

    Raises ``HandoverError`` where a name cannot be used or there is too much of it.
    """
    for name in members:
        if (why := bad_name(name)) is not None:
            raise HandoverError(f"{name!r} cannot be in a bundle: {why}", remedy="Rename the file")
    folded = {name.casefold() for name in members}
    if len(folded) != len(members):
        raise HandoverError("two names differ in upper and lower case only", remedy="Rename one of the files")
    if sum(map(len, members.values())) > LARGEST or len(members) > _MOST_MEMBERS:
        raise HandoverError(
            f"a bundle holds at most {LARGEST >> 20} MB in {_MOST_MEMBERS:,} files", remedy="Hand over a smaller run"
        )
    return _packed([(name, members[name]) for name in sorted(members)])


def _packed(members: list[tuple[str, bytes]]) -> bytes:
    out, directory = bytearray(), bytearray()
    for name, content in members:
        raw, crc, size = name.encode("utf-8", "surrogateescape"), zlib.crc32(content), len(content)
        shared = (_VERSION, _UTF8, _STORED, _MIDNIGHT, _FIRST_DAY, crc, size, size, len(raw), 0)
        directory += _CENTRAL.pack(_CENTRAL_MARK, _UNIX | _VERSION, *shared, 0, 0, 0, _PLAIN_FILE, len(out)) + raw
        out += _LOCAL.pack(_LOCAL_MARK, *shared) + raw + content
    end = _END.pack(_END_MARK, 0, 0, len(members), len(members), len(directory), len(out), 0)
    return bytes(out + directory + end)


def read_bundle(path: Path) -> bytes:
    """Returns the bytes of the bundle at ``path``. Raises ``HandoverError`` where there is none that can be read."""
    try:
        if not path.is_file():
            raise HandoverError("there is no bundle here", file=path, remedy="Give the zip that harness handover wrote")
        if path.stat().st_size > LARGEST:
            raise HandoverError(f"larger than the {LARGEST >> 20} MB that a bundle can have", file=path)
        data = path.read_bytes()
    except OSError as problem:
        raise HandoverError(f"cannot be read: {problem.strerror or problem}", file=path) from problem
    if not data.startswith(_LOCAL_MARK) and data[-_END.size :][:4] != _END_MARK:
        raise HandoverError("this is no zip", file=path, remedy="Give the zip that harness handover wrote")
    return data


def unpack(data: bytes) -> Packed:
    """Returns the members of a bundle as far as they can be read, and what is wrong with the container. Never raises.

    Reading goes from the first byte on and trusts no figure further than the data reaches.
    """
    members: list[tuple[str, bytes]] = []
    faults: list[str] = []
    seen: set[str] = set()
    at = 0
    while data[at : at + 4] == _LOCAL_MARK and len(data) - at >= _LOCAL.size:
        _, _, flags, method, _, _, crc, size, whole, name_size, extra = _LOCAL.unpack_from(data, at)
        begin = at + _LOCAL.size + name_size + extra
        name = data[at + _LOCAL.size : at + _LOCAL.size + name_size].decode("utf-8", "surrogateescape")
        shown = _shown(name)
        if method != _STORED or size != whole or flags != _UTF8:
            faults.append(f"{shown} is compressed, encrypted or packed in another way than a bundle's members are")
            break
        if begin + size > len(data):
            faults.append(f"{shown} is cut off")
            break
        content = data[begin : begin + size]
        if zlib.crc32(content) != crc:
            faults.append(f"{shown} was changed: its checksum in the zip differs")
        if (why := bad_name(name)) is not None:
            faults.append(f"the name {shown} cannot be a member's: {why}")
        elif name.casefold() in seen:
            faults.append(f"{shown} is there twice")
        seen.add(name.casefold())
        members.append((name, content))
        at = begin + size
        if len(members) > _MOST_MEMBERS:
            faults.append(f"there are more than {_MOST_MEMBERS:,} members")
            break
    if not members:
        faults.append("there is no member at its beginning")
    again = _packed(members)
    if again != data and not faults:
        faults.append(_difference(again, data, at, members))
    safe = {name: content for name, content in members if bad_name(name) is None}
    return Packed(safe, tuple(faults))


def _difference(expected: bytes, data: bytes, directory: int, members: list[tuple[str, bytes]]) -> str:
    """Says in which part of the container the first differing byte lies."""
    shortest = min(len(expected), len(data))
    step = 1 << 16
    block = next((at for at in range(0, shortest, step) if expected[at : at + step] != data[at : at + step]), shortest)
    first = next((at for at in range(block, shortest) if expected[at] != data[at]), shortest)
    if first >= len(expected):
        return f"{len(data) - len(expected)} bytes stand after its end"
    if first >= directory:
        return f"the directory at its end was changed, or does not fit its members (byte {first})"
    begin = 0
    for name, content in members:
        end = begin + _LOCAL.size + len(name.encode("utf-8", "surrogateescape")) + len(content)
        if first < end:
            return f"what the zip says of {_shown(name)} was changed (byte {first})"
        begin = end
    return f"byte {first} was changed"


def _shown(name: str) -> str:
    text = ascii(name)
    return text if len(text) <= 120 else f"{text[:80]}…{text[-30:]}"


def write_members(members: Mapping[str, bytes], folder: Path) -> None:
    """Writes every member below ``folder``. Only names that ``bad_name`` finds nothing wrong with may be given."""
    for name, content in members.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
