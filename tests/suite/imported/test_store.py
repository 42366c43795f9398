"""A suite comes in whole or not at all, stays as imported, and is refused once it differs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from harness.errors import SuiteError, UsageError
from harness.model.release import ReleaseVersion
from harness.suite.imported.lock import LOCK
from harness.suite.imported.store import count, imported_folder, list_imported, load_imported, verify
from tests.suite.imported.support import RELEASE, SMALL, brought_in, official, tarred, texts, zipped
from tests.suite.ttk.support import collection, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return imported_folder(tmp_path / "suites", "mojaloop", RELEASE)


def siblings(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.parent.iterdir())


class TestImport:
    def test_what_is_stored_is_the_json_of_collections_environments_and_rules(
        self, tmp_path: Path, folder: Path
    ) -> None:
        found = brought_in(zipped(tmp_path / "a.zip", SMALL), folder)
        stored = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        kept = sorted(set(SMALL) - {"package.json", "collections/conftest.py"})
        assert stored == sorted([*kept, LOCK])
        assert found.lock.left_out == ["collections/conftest.py", "package.json"]
        assert all((folder / name).read_bytes() == texts(SMALL)[name] for name in kept)
        assert [case.name for case in found.suite.cases] == ["A", "B"]
        assert found.suite.cases[0].labels == ("p2p",)
        assert siblings(folder) == ["v17.1.0"]

    def test_the_lock_says_where_it_came_from_and_what_it_holds(self, tmp_path: Path, folder: Path) -> None:
        lock = brought_in(zipped(tmp_path / "a.zip", SMALL), folder).lock
        assert (lock.product, lock.release, lock.source.name, lock.source.kind) == (
            "mojaloop",
            "v17.1.0",
            "a.zip",
            "archive",
        )
        assert str(lock.source.digest).startswith("sha256:")
        assert list(lock.counts) == ["hub/golden_path", "hub/provisioning", "total"]
        assert lock.counts["total"].model_dump() == {"files": 2, "cases": 2, "requests": 2, "assertions": 2}

    def test_zip_tar_and_folder_of_one_release_are_one_suite(self, tmp_path: Path, folder: Path) -> None:
        unpacked = write(tmp_path / "checkout", {name: text.decode() for name, text in texts(SMALL).items()})
        sources = [zipped(tmp_path / "a.zip", SMALL), unpacked]
        sources += [tarred(tmp_path / f"a.{mode[2:]}", SMALL, mode=mode) for mode in ("w:", "w:gz", "w:xz", "w:bz2")]
        found = [brought_in(source, folder) for source in sources]
        assert len({one.lock.digest for one in found}) == 1
        assert [one.is_new for one in found] == [True] + [False] * 5
        assert {one.lock.source.name for one in found} == {"a.zip"}

    def test_other_content_in_its_place_needs_leave(self, tmp_path: Path, folder: Path) -> None:
        first = brought_in(zipped(tmp_path / "a.zip", SMALL), folder)
        other = zipped(tmp_path / "b.zip", SMALL | {"collections/hub/golden_path/a.json": collection(name="Other")})
        with pytest.raises(SuiteError, match=r"holds another suite than b\.zip"):
            brought_in(other, folder)
        assert load_imported(folder).lock == first.lock
        replaced = brought_in(other, folder, replace=True)
        assert replaced.is_new
        assert load_imported(folder).suite.cases[0].name == "Other"
        assert siblings(folder) == ["v17.1.0"]

    def test_one_that_was_tampered_with_is_not_taken_for_the_same(self, tmp_path: Path, folder: Path) -> None:
        archive = zipped(tmp_path / "a.zip", SMALL)
        brought_in(archive, folder)
        (folder / "environments" / "hub.json").write_text("{}")
        with pytest.raises(SuiteError, match="holds another suite"):
            brought_in(archive, folder)
        brought_in(archive, folder, replace=True)
        assert verify(folder) == ()

    def test_a_malformed_collection_is_refused_with_its_place_in_the_archive(
        self, tmp_path: Path, folder: Path
    ) -> None:
        archive = zipped(tmp_path / "a.zip", SMALL | {"collections/hub/bad.json": '{"name": 1,\n}'})
        with pytest.raises(SuiteError) as caught:
            brought_in(archive, folder)
        assert "a.zip, collections/hub/bad.json, line 2, column 1" in str(caught.value)
        assert siblings(folder) == []

    def test_where_nothing_can_be_written_the_old_suite_stays(
        self, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = brought_in(zipped(tmp_path / "a.zip", SMALL), folder)
        other = zipped(tmp_path / "b.zip", SMALL | {"environments/more.json": {"inputValues": {}}})
        rename = Path.rename

        def full(path: Path, target: Path) -> Path:
            if path.name.startswith(".import-"):
                raise OSError(28, "No space left on device")
            return rename(path, target)

        monkeypatch.setattr(Path, "rename", full)
        with pytest.raises(SuiteError, match="cannot be written: No space left"):
            brought_in(other, folder, replace=True)
        assert load_imported(folder).lock == first.lock
        assert siblings(folder) == ["v17.1.0"]

    def test_what_is_not_there_is_refused(self, tmp_path: Path, folder: Path) -> None:
        with pytest.raises(SuiteError, match="is not there"):
            brought_in(tmp_path / "none.zip", folder)
        with pytest.raises(SuiteError, match="has no folder 'collections'"):
            brought_in(write(tmp_path / "checkout", {"a.json": collection()}), folder)
        with pytest.raises(SuiteError, match="has no folder 'collections'"):
            brought_in(zipped(tmp_path / "a.zip", {"rules/a.json": []}), folder)

    def test_a_product_is_no_path(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="no product's name"):
            imported_folder(tmp_path, "../elsewhere", RELEASE)


class TestLock:
    @pytest.fixture
    def imported(self, tmp_path: Path, folder: Path) -> Path:
        brought_in(zipped(tmp_path / "a.zip", SMALL), folder)
        return folder

    def test_an_untouched_suite_loads(self, imported: Path) -> None:
        assert verify(imported) == ()
        assert len(load_imported(imported).suite.cases) == 2
        assert load_imported(imported).release == RELEASE

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            (lambda at: (at / "collections/hub/golden_path/a.json").unlink(), "golden_path/a.json is missing"),
            (lambda at: (at / "environments/hub.json").write_text("{ }"), "environments/hub.json was changed"),
            (lambda at: (at / "collections/new.json").write_text("{}"), "collections/new.json was added"),
            (lambda at: (at / "collections/conftest.py").write_text(""), "collections/conftest.py was added"),
            (lambda at: (at / "linked").symlink_to(at / "rules"), "linked was added"),
        ],
    )
    def test_every_change_is_named_and_refused(self, imported: Path, change: object, told: str) -> None:
        assert callable(change)
        change(imported)
        (found,) = verify(imported)
        assert found.endswith(told)
        with pytest.raises(SuiteError, match="is not what was imported") as caught:
            load_imported(imported)
        assert told in str(caught.value)

    def test_a_file_replaced_by_a_link_to_its_twin_is_refused(self, imported: Path, tmp_path: Path) -> None:
        file = imported / "environments" / "hub.json"
        shutil.move(file, tmp_path / "twin.json")
        file.symlink_to(tmp_path / "twin.json")
        assert verify(imported) == ("file environments/hub.json is no plain file any more",)

    def test_a_lock_that_was_edited_is_refused(self, imported: Path) -> None:
        data = yaml.safe_load((imported / LOCK).read_text())
        data["counts"]["total"]["cases"] = 3
        (imported / LOCK).write_text(yaml.safe_dump(data))
        assert verify(imported) == (f"{LOCK} was changed: its digest is not that of what it lists",)

    def test_when_and_from_what_it_was_imported_do_not_make_another_suite(self, imported: Path) -> None:
        data = yaml.safe_load((imported / LOCK).read_text())
        data |= {"imported_at": "2001-01-01T00:00:00+00:00", "tool": "mojaloop-harness 9"}
        data["source"]["name"] = "renamed.zip"
        (imported / LOCK).write_text(yaml.safe_dump(data))
        assert verify(imported) == ()

    @pytest.mark.parametrize("text", [None, "", "product: x\n", "- 1\n"])
    def test_a_lock_that_cannot_be_read_is_refused(self, imported: Path, text: str | None) -> None:
        (imported / LOCK).unlink()
        if text is not None:
            (imported / LOCK).write_text(text)
        with pytest.raises(SuiteError, match=LOCK):
            load_imported(imported)


def test_imported_suites_are_listed_by_product_and_version(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", SMALL)
    versions = [ReleaseVersion(17, 10, 0), ReleaseVersion(17, 9, 0)]
    folders = [imported_folder(tmp_path / "suites", "mojaloop", version) for version in versions]
    for folder in folders:
        brought_in(archive, folder)
    write(tmp_path / "suites", {"mojaloop/v17.1.0.yaml": "", "mojaloop/official/other/a.json": {}})
    assert list_imported(tmp_path / "suites") == tuple(reversed(folders))


@pytest.mark.parametrize(("release", "counts"), [("v15.1.0", (131, 610, 2556)), ("v17.1.0", (129, 631, 2617))])
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_the_official_golden_path_has_its_published_totals(
    tmp_path: Path, folder: Path, release: str, counts: tuple[int, int, int], pack: object
) -> None:
    assert callable(pack)
    archive = pack(tmp_path / "archive", official(release))
    found = count(brought_in(archive, folder).suite)
    golden = found["hub/golden_path"]
    assert (golden.cases, golden.requests, golden.assertions) == counts
    assert found["total"].cases == sum(part.cases for name, part in found.items() if name != "total")
    assert found == load_imported(folder).lock.counts
