"""A hostile or damaged archive is refused, naming archive and entry, and leaves nothing behind."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.errors import SuiteError
from harness.suite.imported.names import Limits, NameCheck
from tests.suite.imported.support import RELEASE, SMALL, TOP, brought_in, tarred, with_entries, with_members, zipped


def refused(source: Path, limits: Limits | None = None) -> str:
    suites = source.parent / "suites"
    destination = suites / str(RELEASE)
    with pytest.raises(SuiteError) as caught:
        brought_in(source, destination, limits=limits)
    assert source.name in str(caught.value)
    assert not suites.exists() or list(suites.iterdir()) == []
    return str(caught.value)


BAD_NAMES = [
    ("/etc/passwd.json", "is an absolute path"),
    (f"{TOP}/../../x.json", "leads out of the archive"),
    (f"{TOP}/collections/../../../x.json", "leads out of the archive"),
    (f"{TOP}/./x.json", "has an empty segment"),
    (f"{TOP}//x.json", "has an empty segment"),
    (f"{TOP}\\collections\\x.json", "holds a backslash"),
    (f"{TOP}/collections/..\\x.json", "holds a backslash"),
    ("C:/x.json", "begins with a drive"),
    (f"{TOP}/collections/a.json:hidden", "means something else"),
    (f"{TOP}/collections/nul.json", "means something else"),
    (f"{TOP}/collections/a.json.", "means something else"),
    (f"{TOP}/collections/\u202ea.json", "cannot be seen"),
    (f"{TOP}/collections/a\nb.json", "cannot be seen"),
    (f"{TOP}/{'d/' * 40}a.json", "too long or too deep"),
    (f"{TOP}/{'é' * 200}.json", "too long or too deep"),
    (f"{TOP}/collections/hub/golden_path/A.json", "differs from"),
    (f"{TOP}/COLLECTIONS/x.json", "differs from"),
    (f"{TOP}/collections/hub/golden_path/ａ.json", "differs from"),
    (f"{TOP}/collections/hub/golden_path/a.json", "is in the archive twice"),
    (f"{TOP}/collections/hub/golden_path/a.json/x.json", "is a file and a folder at once"),
    (f"{TOP}/collections/hub/golden_path", "is a file and a folder at once"),
    ("other/x.json", "has no single top folder"),
    ("x.json", "has no single top folder"),
]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(("name", "message"), BAD_NAMES)
def test_a_name_that_could_land_elsewhere_is_refused(tmp_path: Path, name: str, message: str) -> None:
    member = tarfile.TarInfo(name)
    assert message in refused(with_members(tmp_path / "a.tar.gz", [member]))
    assert message in refused(with_entries(tmp_path / "a.zip", [(zipfile.ZipInfo(name), b"{}")]))


def patched(path: Path, old: bytes, new: bytes) -> Path:
    data = path.read_bytes()
    assert old in data
    assert len(old) == len(new)
    path.write_bytes(data.replace(old, new))
    return path


def test_a_name_with_a_nul_is_refused(tmp_path: Path) -> None:
    entry = [(zipfile.ZipInfo(f"{TOP}/collections/a.jsonQ.png"), b"{}")]
    path = patched(with_entries(tmp_path / "a.zip", entry), b"a.jsonQ.png", b"a.json\0.png")
    assert "holds a NUL" in refused(path)
    member = tarfile.TarInfo("x")
    member.pax_headers = {"path": f"{TOP}/collections/a.json\0.png"}
    assert "holds a NUL" in refused(with_members(tmp_path / "a.tar.gz", [member]))


def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    entry = [(zipfile.ZipInfo(f"{TOP}/collections/QQ.json"), b"{}")]
    path = patched(with_entries(tmp_path / "a.zip", entry), b"QQ.json", b"\xe9\xe9.json")
    assert "not UTF-8" in refused(path)
    member = tarfile.TarInfo(f"{TOP}/collections/\udce9.json")
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(member)
    assert "is not UTF-8" in refused(tmp_path / "a.tar")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (tarfile.SYMTYPE, "is a link"),
        (tarfile.LNKTYPE, "is a link"),
        (tarfile.CHRTYPE, "is neither a file nor a folder"),
        (tarfile.BLKTYPE, "is neither a file nor a folder"),
        (tarfile.FIFOTYPE, "is neither a file nor a folder"),
        (tarfile.CONTTYPE, "is neither a file nor a folder"),
        (tarfile.GNUTYPE_SPARSE, "is a sparse file"),
    ],
)
def test_only_files_and_folders_come_in_from_a_tar(tmp_path: Path, kind: bytes, message: str) -> None:
    member = tarfile.TarInfo(f"{TOP}/collections/odd.json")
    member.type = kind
    member.linkname = "../../../../etc/passwd"
    text = refused(with_members(tmp_path / "a.tar.gz", [member]))
    assert message in text
    assert "odd.json" in text


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        (stat.S_IFLNK | 0o777, "is a link"),
        (stat.S_IFIFO | 0o644, "is neither a file nor a folder"),
        (stat.S_IFCHR | 0o644, "is neither a file nor a folder"),
        (stat.S_IFDIR | 0o755, "is neither a file nor a folder"),
    ],
)
def test_only_files_and_folders_come_in_from_a_zip(tmp_path: Path, mode: int, message: str) -> None:
    info = zipfile.ZipInfo(f"{TOP}/collections/odd.json")
    info.external_attr = mode << 16
    text = refused(with_entries(tmp_path / "a.zip", [(info, b"/etc/passwd")]))
    assert message in text
    assert "odd.json" in text


def flagged(path: Path, flag: int, method: int | None = None) -> Path:
    """Sets a flag, and a method, in the table of contents of a zip, for its last entry."""
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    struct.pack_into("<H", data, at + 8, struct.unpack_from("<H", data, at + 8)[0] | flag)
    if method is not None:
        struct.pack_into("<H", data, at + 10, method)
    path.write_bytes(data)
    return path


def test_what_is_encrypted_or_packed_oddly_is_refused(tmp_path: Path) -> None:
    assert "is encrypted" in refused(flagged(zipped(tmp_path / "a.zip", SMALL), 0x1))
    assert "is encrypted" in refused(flagged(zipped(tmp_path / "b.zip", SMALL), 0x40))
    assert "is packed in a way" in refused(flagged(zipped(tmp_path / "c.zip", SMALL), 0, zipfile.ZIP_LZMA))


LIMITS = Limits(entries=40, file_bytes=50_000, total_bytes=200_000, ratio_from=100_000, ratio=10)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ([50_001], "a file of more than 50000 bytes"),
        ([45_000] * 5, "more than 200000 bytes unpacked"),
        ([40_000] * 4, "more than 10 times its size"),
        ([1] * 41, "more than 40 entries"),
    ],
)
def test_what_is_too_much_is_refused(tmp_path: Path, sizes: list[int], message: str) -> None:
    names = [f"{TOP}/collections/{i}.json" for i in range(len(sizes))]
    members = []
    for name, size in zip(names, sizes, strict=True):
        members.append(tarfile.TarInfo(name))
        members[-1].size = size
    limits = LIMITS if "times" in message else Limits(entries=40, file_bytes=50_000, total_bytes=200_000)
    assert message in refused(with_members(tmp_path / "a.tar.gz", members), limits)
    entries = [(zipfile.ZipInfo(name), b" " * size) for name, size in zip(names, sizes, strict=True)]
    for info, _ in entries:
        info.compress_type = zipfile.ZIP_DEFLATED
    assert message in refused(with_entries(tmp_path / "a.zip", entries), limits)


def test_a_bomb_is_refused_before_it_has_gone_off(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.tar.gz", "wb") as archive:
        archive.write(tarfile.TarInfo(f"{TOP}/collections/0.json").tobuf())
        for _ in range(64):
            archive.write(b"\0" * (1 << 20))
    assert "times its size" in refused(tmp_path / "a.tar.gz")
    assert "larger than 100 bytes" in refused(zipped(tmp_path / "a.zip", SMALL), Limits(archive_bytes=100))


def test_a_size_below_nothing_is_refused(tmp_path: Path) -> None:
    header = bytearray(tarfile.TarInfo(f"{TOP}/collections/a.json").tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" * 12
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    (tmp_path / "a.tar").write_bytes(bytes(header) + b"\0" * 2048)
    assert "size below 0" in refused(tmp_path / "a.tar")


def test_headers_without_end_are_refused(tmp_path: Path) -> None:
    long_name = tarfile.TarInfo("x")
    long_name.type, long_name.size = tarfile.GNUTYPE_LONGNAME, 5
    block = long_name.tobuf(tarfile.GNU_FORMAT) + b"abcd".ljust(512, b"\0")
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(block * 900))
    refused(tmp_path / "a.tar.gz")
    (tmp_path / "b.tar").write_bytes(block * 5000)
    assert "recursion" in refused(tmp_path / "b.tar")


def test_a_size_that_is_a_lie_is_found_out(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", SMALL)
    data = bytearray(path.read_bytes())
    struct.pack_into("<L", data, data.rfind(b"PK\x01\x02") + 24, 3)
    path.write_bytes(data)
    assert "is damaged" in refused(path)


def test_a_table_of_contents_that_would_fill_the_memory_is_not_read(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", SMALL)
    assert "table of contents that is too large" in refused(path, Limits(directory_bytes=100))
    data = path.read_bytes()
    at = data.rfind(b"PK\x05\x06")
    path.write_bytes(data[:at] + b"PK\x06\x07" + b"\0" * 16 + data[at:])
    assert "is a zip64 archive" in refused(path)


def cuts(size: int) -> Iterable[int]:
    return {0, 1, 10, size // 3, size // 2, size - 30, size - 9, size - 1}


@pytest.mark.parametrize("mode", ["w:gz", "w:xz", "w:bz2", "zip"])
def test_what_is_cut_short_is_refused(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a"
    whole = (zipped(path, SMALL) if mode == "zip" else tarred(path, SMALL, mode=mode)).read_bytes()
    for cut in cuts(len(whole)):
        path.write_bytes(whole[:cut])
        refused(path)


def test_a_plain_tar_cut_at_any_block_is_refused(tmp_path: Path) -> None:
    path = tarred(tmp_path / "a.tar", SMALL, mode="w")
    whole = path.read_bytes()
    with tarfile.open(path) as archive:
        end = archive.getmembers()[-1].offset_data + 512
    for cut in range(0, end + 1, 512):
        path.write_bytes(whole[:cut])
        refused(path)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_flipped_byte_is_refused_or_changes_nothing(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        sound = brought_in(zipped(root / "sound.zip", SMALL), root / "sound").lock.digest
        kind = data.draw(st.sampled_from(["w:gz", "w:xz", "zip"]))
        path = zipped(root / "a", SMALL) if kind == "zip" else tarred(root / "a", SMALL, mode=kind)
        content = bytearray(path.read_bytes())
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        path.write_bytes(content)
        try:
            found = brought_in(path, root / "found")
        except SuiteError:
            assert not (root / "found").exists()
        else:
            same = found.lock.digest == sound
            # A zip has no checksum over its names: an entry may then bear another, and that one is listed.
            assert same or (kind == "zip" and (found.lock.files.keys() ^ set(SMALL)))


def test_what_hides_behind_the_end_is_refused(tmp_path: Path) -> None:
    path = tarred(tmp_path / "a.tar", SMALL, mode="w")
    path.write_bytes(path.read_bytes() + b"more")
    assert "goes on after its end" in refused(path)


@pytest.mark.parametrize("content", [b"", b"no archive at all", b"PK", b"\x1f\x8b", b"\0" * 2048, b"\xfd7zXZ\0rest"])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    refused(tmp_path / "a")


@pytest.mark.parametrize("top", ["outer/inner", "a/b/c"])
def test_folders_around_the_top_folder_are_refused(tmp_path: Path, top: str) -> None:
    assert "has no folder 'collections'" in refused(zipped(tmp_path / "a.zip", SMALL, top=top))


def test_links_and_pipes_in_a_folder_are_refused(tmp_path: Path) -> None:
    collections = tmp_path / "checkout" / "collections"
    collections.mkdir(parents=True)
    (collections / "x.json").symlink_to("/etc/passwd")
    assert "is a link" in refused(tmp_path / "checkout")


NAMES: Any = st.text(
    st.sampled_from("aA./\\:.. é\0\n\udce9C") | st.characters(exclude_categories=()), max_size=12
) | st.lists(st.sampled_from(["..", ".", "a", "A", "", "nul", "~", "*", "a.json"]), max_size=5).map("/".join)


@given(st.lists(NAMES, max_size=5))
@example(["a/../../x.json"])
@settings(max_examples=200, deadline=None)
def test_whatever_its_names_an_archive_is_refused_or_lands_inside(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        with tarfile.open(root / "a.tar", "w", format=tarfile.PAX_FORMAT) as archive:
            for name in ["collections/a0.json", *(f"collections/{name}" for name in names)]:
                member = tarfile.TarInfo("x")
                member.pax_headers = {"path": f"{TOP}/{name}"}
                content = b'{"test_cases": []}'
                member.size = len(content)
                try:
                    archive.addfile(member, io.BytesIO(content))
                except UnicodeError:
                    continue
        before = sorted(path for path in root.rglob("*"))
        try:
            found = brought_in(root / "a.tar", root / "in" / "side")
        except SuiteError:
            assert not (root / "in" / "side").exists()
        else:
            stored = {path.relative_to(found.folder).as_posix() for path in found.folder.rglob("*") if path.is_file()}
            assert stored == {*found.lock.files, "suite.lock.yaml"}
        after = sorted(path for path in root.rglob("*") if not path.is_relative_to(root / "in"))
        assert after == before


@given(st.lists(NAMES, max_size=8))
def test_names_that_pass_are_distinct_on_any_file_system(names: list[str]) -> None:
    check = NameCheck("a.zip", Limits())
    passed: list[str] = []
    for name in names:
        try:
            parts = check.add(name, is_folder=name.endswith("/"))
        except SuiteError:
            continue
        assert not {"", ".", ".."} & set(parts)
        assert not any(part.startswith("/") or "\\" in part or "\0" in part for part in parts)
        passed.append("/".join(parts).casefold())
    assert len(set(passed)) == len(passed)
