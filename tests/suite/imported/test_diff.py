"""Between two suites every case and check is in one place: the same, changed, moved, added or removed."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.suite.imported.diff import SuiteDiff, diff
from harness.suite.ttk.folder import load_folder
from tests.suite.ttk.support import OSS, collection, request, write


def asserting(*texts: str, name: str = "Send", **changes: Any) -> dict[str, Any]:
    assertions = [
        {"id": f"{name}-{i}", "description": text, "exec": [f"expect('{text}')"]} for i, text in enumerate(texts)
    ]
    return request(name, tests={"assertions": assertions}, **changes)


def between(root: Path, before: dict[str, Any], after: dict[str, Any]) -> SuiteDiff:
    return diff(load_folder(write(root / "before", before)), load_folder(write(root / "after", after)))


def test_a_suite_does_not_differ_from_itself(tmp_path: Path) -> None:
    files = {"a.json": collection(asserting("one", "one", "two"))}
    found = between(tmp_path, files, files)
    assert found.is_empty
    assert (found.checks.unchanged, found.cases.unchanged) == (3, 1)


def test_a_check_with_another_meaning_under_its_name_is_changed(tmp_path: Path) -> None:
    before, after = asserting("one", "two"), asserting("one", "two")
    after["tests"]["assertions"][1]["exec"] = ["expect(2)"]
    found = between(tmp_path, {"a.json": collection(before)}, {"a.json": collection(after)})
    assert found.checks.changed == ("a.json::Happy::Send::two",)
    assert found.checks.unchanged == 1
    assert found.cases.changed == ("a.json::Happy",)


def test_a_case_that_only_sends_something_else_is_changed_and_its_checks_are_not(tmp_path: Path) -> None:
    before, after = asserting("one", body={"amount": "1"}), asserting("one", body={"amount": "2"})
    found = between(tmp_path, {"a.json": collection(before)}, {"a.json": collection(after)})
    assert (found.cases.changed, found.checks.changed) == (("a.json::Happy",), ())


def test_other_ids_and_references_to_them_change_nothing(tmp_path: Path) -> None:
    def steps(first: str, second: str) -> dict[str, Any]:
        ask, use = asserting("one", name="Ask"), asserting("two", name="Use", body={"x": f"{{$prev.{first}.body.id}}"})
        return collection(ask | {"id": first}, use | {"id": second})

    assert between(tmp_path, {"a.json": steps("1", "2")}, {"a.json": steps("ask", "use")}).is_empty


def test_a_file_that_moved_takes_its_cases_and_checks_with_it(tmp_path: Path) -> None:
    document = collection(asserting("one", "two"))
    found = between(tmp_path, {"a.json": document}, {"sub/b.json": document})
    assert found.cases.moved == (("a.json::Happy", "sub/b.json::Happy"),)
    assert found.checks.moved == (
        ("a.json::Happy::Send::one", "sub/b.json::Happy::Send::one"),
        ("a.json::Happy::Send::two", "sub/b.json::Happy::Send::two"),
    )
    assert not found.is_empty


def test_of_two_places_a_check_went_to_the_nearer(tmp_path: Path) -> None:
    before = {"a.json": collection(asserting("one"), name="Old")}
    after = {
        "0.json": collection(asserting("one"), name="Far"),
        "a.json": collection(asserting("one"), name="New"),
    }
    found = between(tmp_path, before, after)
    assert found.checks.moved == (("a.json::Old::Send::one", "a.json::New::Send::one"),)
    assert found.checks.added == ("0.json::Far::Send::one",)
    assert found.cases.added == ("0.json::Far",)


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_every_check_is_in_exactly_one_place(data: st.DataObject) -> None:
    def suite() -> dict[str, Any]:
        words = st.lists(st.sampled_from(["one", "two", "three"]), max_size=3)
        names = data.draw(st.lists(st.sampled_from(["a.json", "b.json", "c/a.json"]), min_size=1, unique=True))
        return {name: collection(asserting(*data.draw(words)), name=data.draw(st.sampled_from("xy"))) for name in names}

    with tempfile.TemporaryDirectory() as folder:
        before, after = (load_folder(write(Path(folder, name), suite())) for name in ("before", "after"))
    found = diff(before, after)
    for part, old, new in (
        (found.checks, [str(check) for check in before.checks], [str(check) for check in after.checks]),
        (found.cases, [case.case_id for case in before.cases], [case.case_id for case in after.cases]),
    ):
        same = set(old) & set(new)
        assert part.unchanged == len(same) - len(part.changed)
        assert sorted([*part.removed, *(a for a, _ in part.moved), *same]) == sorted(old)
        assert sorted([*part.added, *(b for _, b in part.moved), *same]) == sorted(new)
    back = diff(after, before)
    assert back.checks.unchanged == found.checks.unchanged
    assert len(back.checks.moved) == len(found.checks.moved)


def test_between_official_releases_what_moved_is_found() -> None:
    roots = [OSS / release / "collections" for release in ("v15.1.0", "v17.1.0")]
    if not all(root.is_dir() for root in roots):
        pytest.skip(f"{OSS} is not here: the official collections are read from beside the project")
    before, after = (load_folder(root) for root in roots)
    found = diff(before, after)
    assert (
        len(before.checks)
        == len(found.checks.removed) + len(found.checks.moved) + len(found.checks.changed) + found.checks.unchanged
    )
    renamed = (
        "hub/golden_path/bug fixes/Test for Bugfix #2697 - Fulfil Handler does not correctly invalidate requests.json"
    )
    assert {after.partition("::")[0] for _, after in found.cases.moved} >= {renamed}
    assert diff(after, after).is_empty
