"""A folder of collections is read in the reference engine's order, with its labels, and nothing is lost on the way."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import CollectionError
from harness.suite.ttk.folder import Suite, labels_of, load_folder, root_of
from tests.suite.ttk.support import OSS, collection, master, request, write

REPORTS = OSS.parent / "ttk-reports"


def paths(suite: Suite) -> list[str]:
    return [file.collection.path for file in suite.files]


def labels(suite: Suite) -> dict[str, tuple[str, ...]]:
    return {case.case_id.partition("::")[0]: case.labels for case in suite.cases}


def refused(root: Path) -> str:
    with pytest.raises(CollectionError) as caught:
        load_folder(root)
    return str(caught.value)


class TestOrder:
    def test_without_a_master_paths_sort_as_localecompare_sorts(self, tmp_path: Path) -> None:
        names = ["b.json", "B/x.json", "a/z.json", "Z.json", "_last.json", "10/x.json", "9/x.json"]
        suite = load_folder(write(tmp_path, {name: collection() for name in names}))
        assert paths(suite) == ["9/x.json", "10/x.json", "_last.json", "a/z.json", "b.json", "B/x.json", "Z.json"]

    def test_a_master_says_the_order_and_what_it_leaves_out_comes_after(self, tmp_path: Path) -> None:
        files: dict[str, Any] = {name: collection() for name in ("a.json", "b.json", "sub/c.json", "sub/d.json")}
        files |= {"master.json": master("sub", "b.json"), "sub/master.json": master("d.json", "c.json")}
        assert paths(load_folder(write(tmp_path, files))) == ["sub/d.json", "sub/c.json", "b.json", "a.json"]

    def test_the_order_of_execution_groups_cases_and_does_not_reorder_them(self, tmp_path: Path) -> None:
        late, early = (collection() for _ in range(2))
        late["test_cases"][0]["options"] = {"executionOrder": 20}
        early["test_cases"][0]["options"] = {"executionOrder": 10}
        suite = load_folder(write(tmp_path, {"a.json": late, "b.json": early}))
        assert [case.execution_order for case in suite.cases] == [20, 10]

    @given(st.permutations(["a.json", "b.json", "c d.json", "é.json"]), st.integers(0, 4))
    def test_every_file_has_its_place_whatever_a_master_lists(self, order: list[str], listed: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            files: dict[str, Any] = {name: collection() for name in order}
            root = write(Path(folder), files | {"master.json": master(*order[:listed])})
            found = paths(load_folder(root))
        assert found[:listed] == order[:listed]
        assert sorted(found) == sorted(order)


class TestLabels:
    def test_they_come_down_from_every_folder_to_the_file_and_its_cases(self, tmp_path: Path) -> None:
        files = {
            "master.json": master({"name": "a", "type": "folder", "labels": ["one"]}),
            "a/master.json": master({"name": "b", "type": "folder", "labels": ["two", "one"]}, "y.json"),
            "a/b/master.json": master({"name": "x.json", "type": "file", "labels": ["three"]}),
            "a/b/x.json": collection(),
            "a/y.json": collection(),
        }
        root = write(tmp_path, files)
        assert labels(load_folder(root)) == {"a/b/x.json": ("one", "two", "three"), "a/y.json": ("one",)}
        assert labels_of(root / "a/b/x.json", root=root) == ("one", "two", "three")

    def test_what_a_tool_once_saved_in_a_case_counts_for_nothing(self, tmp_path: Path) -> None:
        document = collection()
        document["test_cases"][0]["fileInfo"] = {"path": "elsewhere.json", "labels": ["stale"]}
        assert labels(load_folder(write(tmp_path, {"a.json": document}))) == {"a.json": ()}

    def test_a_part_of_a_suite_has_the_ids_order_and_labels_it_has_in_the_whole(self, tmp_path: Path) -> None:
        files = {
            "master.json": master({"name": "a", "type": "folder", "labels": ["one"]}),
            "a/b/x.json": collection(),
            "a/bb.json": collection(),
            "broken.json": "{",
        }
        root = write(tmp_path, files)
        assert labels(load_folder(root, below=root / "a" / "b")) == {"a/b/x.json": ("one",)}
        assert labels(load_folder(root, below=root / "a" / "bb.json")) == {"a/bb.json": ("one",)}
        with pytest.raises(CollectionError, match="not under the suite's root"):
            load_folder(root, below=root.parent)

    def test_ids_begin_at_the_folder_collections_wherever_one_points(self, tmp_path: Path) -> None:
        root = write(tmp_path, {"collections/hub/a.json": collection(), "other/b.json": collection()}) / "collections"
        assert [root_of(path) for path in (root, root / "hub", root / "hub" / "a.json")] == [root] * 3
        assert root_of(tmp_path / "other" / "b.json") == root_of(tmp_path / "other") == tmp_path / "other"


class TestReferences:
    def entry(self, path: str) -> dict[str, Any]:
        return {"name": "again", "type": "fileRef", "path": path, "labels": ["ignored"]}

    @pytest.mark.parametrize("path", ["../shared/s.json", "/shared/s.json", "./../shared/s.json"])
    def test_one_brings_in_another_file_under_its_own_path(self, tmp_path: Path, path: str) -> None:
        files = {
            "a/master.json": master(self.entry(path)),
            "master.json": master({"name": "a", "type": "folder", "labels": ["one"]}),
            "shared/s.json": collection(),
        }
        suite = load_folder(write(tmp_path, files))
        assert labels(suite) == {"a/again": ("one",), "shared/s.json": ()}
        assert suite.files[0].file.resolve() == tmp_path / "shared" / "s.json"
        assert len(set(suite.checks)) == 2

    @pytest.mark.parametrize("path", ["none.json", "../../etc/passwd", "/../x.json", "../shared"])
    def test_one_that_leads_nowhere_or_out_is_an_error(self, tmp_path: Path, path: str) -> None:
        write(tmp_path.parent, {"x.json": collection()})
        files = {"a/master.json": master(self.entry(path)), "shared/s.json": collection()}
        text = refused(write(tmp_path, files))
        assert "master.json, line 6, column 12 ($.order[0].path)" in text
        assert "which is no file of this suite" in text


class TestMalformed:
    @pytest.mark.parametrize(
        ("document", "place"),
        [
            ("{", "master.json, line 1, column 2: is not JSON"),
            ({}, "($): lacks 'order'"),
            ({"order": [{"name": "a.json"}]}, "($.order[0]): lacks 'type'"),
            ({"order": [{"name": "a.json", "type": "link"}]}, "($.order[0].type): is no type of entry: 'link'"),
            ({"order": [{"name": "../a.json", "type": "file"}]}, "is no name of a file or folder here"),
            (master("a.json", "a.json"), "($.order[1].name): lists 'a.json' a second time"),
            ({"order": [{"name": "a.json", "type": "file", "labels": "p2p"}]}, "labels): must be an array"),
        ],
    )
    def test_a_master_is_refused_at_its_place(self, tmp_path: Path, document: Any, place: str) -> None:
        assert place in refused(write(tmp_path, {"a.json": collection(), "master.json": document}))

    def test_a_file_that_is_no_collection_is_an_error(self, tmp_path: Path) -> None:
        assert "b.json, line 1, column 1 ($): lacks 'test_cases'" in refused(
            write(tmp_path, {"a.json": collection(), "b.json": {"name": "b"}})
        )

    def test_of_ten_files_with_one_malformed_nine_are_loaded_if_one_goes_on(self, tmp_path: Path) -> None:
        files: dict[str, Any] = {f"{i}.json": collection() for i in range(10)} | {
            "3.json": '{"name": "c",\n "test_cases"'
        }
        root = write(tmp_path, files)
        assert "3.json, line 2, column 14: is not JSON" in refused(root)
        found: list[CollectionError] = []
        suite = load_folder(root, on_problem=found.append)
        assert len(suite.files) == 9
        assert suite.problems == tuple(found)
        assert [Path(str(problem.file)).name for problem in found] == ["3.json"]

    def test_every_problem_is_told_and_a_broken_master_costs_only_its_order(self, tmp_path: Path) -> None:
        files = {"a.json": "[", "b.json": "{}", "c.json": collection(), "master.json": "{}"}
        suite = load_folder(write(tmp_path, files), on_problem=lambda _: None)
        assert paths(suite) == ["c.json"]
        assert len(suite.problems) == 3

    def test_what_is_not_there_is_noted_with_its_place(self, tmp_path: Path) -> None:
        suite = load_folder(write(tmp_path, {"a.json": collection(), "master.json": master("gone.json", "a.json")}))
        assert suite.notes == (
            "master.json, line 4, column 12 ($.order[0].name): lists 'gone.json', and there is none",
        )

    def test_links_are_an_error_and_not_followed(self, tmp_path: Path) -> None:
        root = write(tmp_path / "suite", {"a.json": collection()})
        write(tmp_path / "outside", {"b.json": collection()})
        (root / "linked").symlink_to(tmp_path / "outside")
        assert "linked: is a link" in refused(root)
        (root / "linked").unlink()
        (root / "b.json").symlink_to(tmp_path / "outside" / "b.json")
        assert "b.json: is a link" in refused(root)

    def test_a_pipe_is_an_error_and_does_not_hold_up_the_run(self, tmp_path: Path) -> None:
        os.mkfifo(write(tmp_path, {"a.json": collection()}) / "b.json")
        assert "is no plain file" in refused(tmp_path)

    @pytest.mark.parametrize("name", ["nothing", "empty"])
    def test_a_folder_without_a_collection_is_an_error(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "empty").mkdir()
        assert "holds no collection" in refused(tmp_path / name) or "is no folder" in refused(tmp_path / name)


def test_environments_and_rules_are_known_and_left_alone(tmp_path: Path) -> None:
    rule = {"conditions": {"all": []}, "event": {"type": "NO_CALLBACK"}}
    files = {
        "collections/a.json": collection(request()),
        "environments/hub.json": {"inputValues": {}, "options": {}},
        "rules/hub/rules_callback/default.json": [rule],
        "rules/hub/rules_response/default.json": [],
    }
    suite = load_folder(write(tmp_path, files))
    assert paths(suite) == ["collections/a.json"]
    assert suite.environments == ("environments/hub.json",)
    assert suite.rules == ("rules/hub/rules_callback/default.json", "rules/hub/rules_response/default.json")
    (tmp_path / "collections" / "empty.json").write_text("[]")
    assert "empty.json, line 1, column 1 ($): must be an object" in refused(tmp_path)


def official(release: str) -> Path:
    root = OSS / release
    if not root.is_dir():
        pytest.skip(f"{root} is not here: the official collections are read from beside the project")
    return root


@pytest.mark.parametrize("release", ["v15.1.0", "v17.1.0"])
def test_every_official_check_has_one_id_that_is_the_same_each_time(release: str) -> None:
    suite, again = (load_folder(official(release)) for _ in range(2))
    checks = [str(check) for check in suite.checks]
    assert len(checks) > 2900
    assert len(set(checks)) == len(checks)
    assert checks == [str(check) for check in again.checks]
    assert {file.collection.path.split("/")[2] for file in suite.files} == {"golden_path", "provisioning", "cleanup"}


@pytest.mark.parametrize("report", ["official-v17.1.0-golden-path-1.json", "official-v17.1.0-provisioning.json"])
def test_order_and_labels_are_those_the_reference_engine_recorded(report: str) -> None:
    suite = load_folder(official("v17.1.0"))
    recorded = [
        (case["fileInfo"]["path"], tuple(case["fileInfo"].get("labels", ())), case["name"].strip())
        for case in json.loads((REPORTS / report).read_text(encoding="utf-8"))["test_cases"]
    ]
    run = {path for path, _, _ in recorded}
    ours = [(case.case_id.partition("::")[0], case.labels, case.name) for case in suite.cases]
    assert [case for case in ours if case[0] in run] == recorded
