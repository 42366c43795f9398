"""What may depend on order stays in one worker, in that order; every case is in exactly one group."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.suite.ttk.folder import load_folder
from harness.suite.ttk.ordering import Group, needs_order
from tests.suite.ttk.support import OSS, collection, request, scripted, write


def groups(root: Path, files: dict[str, Any]) -> list[tuple[str, ...]]:
    return [group.files for group in needs_order(load_folder(write(root, files)))]


APART = [("a.json",), ("b.json",)]
TOGETHER = [("a.json", "b.json")]


class TestEnvironment:
    @pytest.mark.parametrize(
        ("writes", "reads", "expected"),
        [
            ("environment.id = 1", "x(environment.id)", TOGETHER),
            ("environment['id'] = 1", "x(environment.id)", TOGETHER),
            ("pm.environment.set('id', 1)", "pm.environment.get('id')", TOGETHER),
            ("postman.setEnvironmentVariable('id', 1)", "postman.getEnvironmentVariable('id')", TOGETHER),
            ("environment.unset('id')", "environment.get('id')", TOGETHER),
            ("environment.list = []", "environment.list.push(1)", TOGETHER),
            ("environment.id = 1", "x(environment.other)", APART),
            ("x(environment.id === 1)", "x(environment.id)", APART),
            ("environment.id = 1", "environment.id = 2; ", APART),
            ("environment.n = 1", "environment.n += 1", TOGETHER),
            ("environment.n = 1", "environment.n = environment.n + 1", TOGETHER),
            ("environment[name + 'Id'] = 1", "x(environment.id)", TOGETHER),
            ("environment.id = 1", "x(environment[name])", TOGETHER),
            ("environment.id = 1", "JSON.stringify(environment)", TOGETHER),
            ("pm.environment.set(name, 1)", "x(environment.id)", TOGETHER),
        ],
    )
    def test_a_value_left_for_another_file_keeps_them_together(
        self, tmp_path: Path, writes: str, reads: str, expected: list[tuple[str, ...]]
    ) -> None:
        files = {"a.json": collection(scripted(after=[writes])), "b.json": collection(scripted([reads]))}
        assert groups(tmp_path, files) == expected

    def test_a_placeholder_reads_too(self, tmp_path: Path) -> None:
        placeholder = request(headers={"X": "{$environment.id}"})
        files = {"a.json": collection(scripted(["environment.id = 1"])), "b.json": collection(placeholder)}
        assert groups(tmp_path, files) == TOGETHER

    def test_what_a_file_wrote_itself_before_it_takes_from_none(self, tmp_path: Path) -> None:
        own = collection(scripted(["environment.id = 1"], headers={"X": "{$environment.id}"}))
        assert groups(tmp_path, {"a.json": own, "b.json": own}) == APART

    def test_what_a_later_file_writes_does_not_reach_an_earlier_one(self, tmp_path: Path) -> None:
        files = {
            "a.json": collection(scripted(["x(environment.id)"])),
            "b.json": collection(scripted(["environment.id = 1"])),
        }
        assert groups(tmp_path, files) == APART


class TestHub:
    def step(self, path: str, method: str = "get", script: str = "") -> dict[str, Any]:
        return collection(scripted([script], operationPath=path, method=method))

    @pytest.mark.parametrize(
        ("first", "second", "expected"),
        [
            ("/health", "/participants/{name}", APART),
            ("/transfers", "/participants/{name}/positions", TOGETHER),
            ("/settlementWindows", "/transfers", TOGETHER),
            ("/quotes", "/transfers", APART),
            ("/quotes", "/participants/{name}/limits", TOGETHER),
            ("/quotes", "/parties/{Type}/{ID}", APART),
            ("/unheard-of", "/parties/{Type}/{ID}", TOGETHER),
        ],
    )
    def test_what_touches_its_state_is_not_parted(
        self, tmp_path: Path, first: str, second: str, expected: list[tuple[str, ...]]
    ) -> None:
        files = {"a.json": self.step(first, "post"), "b.json": self.step(second, "put")}
        assert groups(tmp_path, files) == expected

    @pytest.mark.parametrize("script", ["await axios.get(url)", "pm.sendRequest(url)", "require('axios')"])
    def test_a_script_that_calls_out_may_touch_anything(self, tmp_path: Path, script: str) -> None:
        files = {"a.json": self.step("/health", script=script), "b.json": self.step("/quotes", "post")}
        assert groups(tmp_path, files) == TOGETHER

    def test_with_provisioning_in_the_suite_all_of_it_waits(self, tmp_path: Path) -> None:
        files = {"hub/a.json": collection(), "hub/provisioning/b.json": collection(), "hub/c.json": collection()}
        found = needs_order(load_folder(write(tmp_path, files)))
        assert [group.files for group in found] == [("hub/a.json", "hub/c.json", "hub/provisioning/b.json")]
        assert found[0].reasons == ("provisioning sets the stage",)


@given(
    st.lists(
        st.tuples(
            st.sampled_from("xyz"), st.sampled_from("xyz"), st.sampled_from(["/health", "/quotes", "/transfers"])
        ),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=40, deadline=None)
def test_groups_part_the_suite_and_keep_its_order(steps: list[tuple[str, str, str]]) -> None:
    files = {
        f"{i}.json": collection(scripted([f"environment.{write}=1"], [f"f(environment.{read})"], operationPath=path))
        for i, (write, read, path) in enumerate(steps)
    }
    with tempfile.TemporaryDirectory() as folder:
        suite = load_folder(write(Path(folder), files))
    found = needs_order(suite)
    order = [case.case_id for case in suite.cases]
    assert sorted(case for group in found for case in group.cases) == sorted(order)
    assert all(list(group.cases) == [case for case in order if case in group.cases] for group in found)
    where = {file: i for i, group in enumerate(found) for file in group.files}
    for later, (own, read, _) in enumerate(steps):
        for earlier, (left, _, _) in enumerate(steps[:later]):
            if left == read != own:
                assert where[f"{earlier}.json"] == where[f"{later}.json"]


def test_the_official_p2p_collections_are_not_parted() -> None:
    root = OSS / "v17.1.0" / "collections"
    if not root.is_dir():
        pytest.skip(f"{root} is not here: the official collections are read from beside the project")
    suite = load_folder(root, below=root / "hub" / "golden_path" / "feature_tests" / "p2p_money_transfer")
    (group,) = needs_order(suite)
    assert isinstance(group, Group)
    assert len(group.cases) == len(suite.cases) == 7
