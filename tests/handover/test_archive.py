"""A bundle is packed in one form; whatever differs from it is found and named, and nothing leads out of it."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import HandoverError
from harness.handover.archive import bad_name, pack, read_bundle, unpack

MEMBERS = {"README.md": b"read me", "a/b.json": b"{}" * 40, "a/über.txt": b"", "z": bytes(range(256))}
SAFE = st.text("abcXYZ09._-é", min_size=1, max_size=8).filter(lambda name: bad_name(name) is None)


def plain_zip(*files: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return out.getvalue()


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(SAFE, st.binary(max_size=40), min_size=1, max_size=6))
def test_what_was_packed_is_unpacked_and_any_zip_program_reads_it(members: dict[str, bytes]) -> None:
    if len({name.casefold() for name in members}) != len(members):
        return
    data = pack(members)
    assert (unpack(data).members, unpack(data).faults) == (members, ())
    assert pack(dict(reversed(members.items()))) == data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == members


def test_every_single_byte_counts() -> None:
    data = pack(MEMBERS)
    chance = random.Random(1)
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1 << chance.randrange(8)
        assert unpack(bytes(changed)).faults, f"byte {at}"
    for cut in range(len(data)):
        assert unpack(data[:cut]).faults, f"cut at {cut}"
    assert "after its end" in unpack(data + b"\0").faults[0]
    assert unpack(b"\0" + data).faults


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../x", "leads out"), ("/etc/passwd", "leads out"), ("a//b", "leads out"), ("a/./b", "leads out"),
        ("a\\b", "character"), ("C:x", "character"), ("a\0b", "character"), ("a\u202eb", "character"),
        ("a/", "leads out"),
        ("", "empty"), ("x" * 2000, "too long"), ("a.", "keep it"), ("a /b", "keep it"), ("u\u0308", "keep it"),
    ],
)  # fmt: skip
def test_names_that_mean_harm_are_neither_packed_nor_unpacked(name: str, why: str) -> None:
    with pytest.raises(HandoverError, match="cannot be in a bundle"):
        pack({name: b""})
    if "\0" in name or not name:
        return
    packed = unpack(plain_zip((name, b"x")))
    assert packed.members == {}
    assert any(why in fault for fault in packed.faults) or "packed in another way" in packed.faults[0]


def test_members_that_are_there_twice_are_named() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = plain_zip(("ü", b"one"), ("ü", b"two"))
    assert any("is there twice" in fault for fault in unpack(twice).faults)
    assert any("is there twice" in fault for fault in unpack(plain_zip(("ü", b""), ("Ü", b""))).faults)
    with pytest.raises(HandoverError, match="upper and lower case"):
        pack({"a": b"", "A": b""})


def test_a_compressed_bomb_a_link_and_a_lie_about_size_are_refused_unopened() -> None:
    bomb = plain_zip(("ü", b"\0" * 10_000_000), method=zipfile.ZIP_DEFLATED)
    assert "compressed" in unpack(bomb).faults[0]
    assert unpack(bomb).members == {}
    link = bytearray(pack({"a": b"/etc/passwd"}))
    struct.pack_into("<I", link, link.index(b"PK\x01\x02") + 38, 0o120777 << 16)
    assert "directory at its end" in unpack(bytes(link)).faults[0]
    lie = bytearray(pack({"a": b"1234"}))
    struct.pack_into("<2I", lie, 18, 0xFFFFFFF0, 0xFFFFFFF0)
    assert "cut off" in unpack(bytes(lie)).faults[0]


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK", b"\x89PNG\r\n"])
def test_what_is_no_zip_is_unreadable(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(HandoverError, match="no zip"):
        read_bundle(tmp_path / "x.zip")
    with pytest.raises(HandoverError, match="no bundle here"):
        read_bundle(tmp_path)
