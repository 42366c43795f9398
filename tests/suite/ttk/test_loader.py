"""A collection is read as it stands, and what is malformed is named with file, line and column."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import CollectionError
from harness.model.ids import fingerprint
from harness.suite.ttk.jsontext import place_of
from harness.suite.ttk.loader import load_collection
from harness.suite.ttk.model import Collection
from tests.suite.ttk.support import OSS


def request(**changes: Any) -> dict[str, Any]:
    assertion = {"id": "1", "description": "is accepted", "exec": ["expect(1)", ".to.equal(1)"]}
    return {
        "id": "send",
        "description": "Send transfer",
        "method": "post",
        "operationPath": "/transfers",
        "tests": {"assertions": [assertion, assertion]},
    } | changes


def collection(*requests: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"name": "c", "test_cases": [{"id": 1, "name": "Happy", "requests": list(requests)} | changes]}


def load(tmp_path: Path, document: Any) -> Collection:
    file = tmp_path / "suite" / "a" / "x.json"
    file.parent.mkdir(parents=True)
    file.write_text(document if isinstance(document, str) else json.dumps(document, indent=1))
    return load_collection(file, root=tmp_path / "suite")


def refused(tmp_path: Path, document: Any) -> str:
    with pytest.raises(CollectionError) as caught:
        load(tmp_path, document)
    assert "x.json" in str(caught.value)
    return str(caught.value)


class TestNames:
    def test_ids_are_made_of_words_and_repeated_ones_are_numbered(self, tmp_path: Path) -> None:
        found = load(tmp_path, collection(request(), request(id="again")))
        assert [str(check) for check in found.checks] == [
            "a/x.json::Happy::Send transfer::is accepted",
            "a/x.json::Happy::Send transfer::is accepted#2",
            "a/x.json::Happy::Send transfer#2::is accepted",
            "a/x.json::Happy::Send transfer#2::is accepted#2",
        ]

    def test_what_has_no_words_goes_by_its_id(self, tmp_path: Path) -> None:
        bare = {"id": "t1", "exec": []}
        found = load(tmp_path, collection(request(description="", tests={"assertions": [bare]}), id="case-7", name=""))
        assert str(found.checks[0]) == "a/x.json::case-7::send::t1"

    def test_the_fingerprint_is_of_method_operation_and_assertion(self, tmp_path: Path) -> None:
        assertion = load(tmp_path, collection(request())).cases[0].requests[0].assertions[0]
        assert assertion.fingerprint == fingerprint("POST", "/transfers", "expect(1).to.equal(1)")

    def test_renumbering_requests_that_an_assertion_refers_to_changes_no_fingerprint(self, tmp_path: Path) -> None:
        def marks(first: str, second: str, asked: str) -> list[str]:
            line = f"expect(response.body.id).to.equal('{{$prev.{asked}.response.body.id}}')"
            tests = {"assertions": [{"id": "t", "description": "is the same", "exec": [line]}]}
            steps = [
                request(id=first, description="Prepare"),
                request(id=second, description="Confirm"),
                request(id="last", tests=tests),
            ]
            case = load(tmp_path / f"{first}-{asked}", collection(*steps)).cases[0]
            return [assertion.fingerprint for step in case.requests for assertion in step.assertions]

        first = marks("8", "9", "8")
        assert marks("prepare-id", "confirm-id", "prepare-id") == first
        assert marks("8", "9", "9") != first
        assert marks("8", "9", "gone") != first


class TestMalformed:
    def test_json_errors_have_line_and_column(self, tmp_path: Path) -> None:
        assert "line 2, column 3" in refused(tmp_path, '{"a": 1,\n  ]')

    def test_a_repeated_key_is_an_error_where_it_repeats(self, tmp_path: Path) -> None:
        text = refused(tmp_path, '{"name": "c",\n "test_cases": [],\n "name": "d"}')
        assert "line 3, column 10" in text
        assert "'name' twice" in text

    def test_nan_is_an_error(self, tmp_path: Path) -> None:
        assert "line 2, column 7" in refused(tmp_path, '{"test_cases": [],\n "a": NaN}')

    def test_other_encodings_are_an_error(self, tmp_path: Path) -> None:
        file = tmp_path / "x.json"
        file.write_bytes(b'{"name": "\xff"}')
        with pytest.raises(CollectionError, match="line 1, column 11: is not UTF-8: byte 10"):
            load_collection(file, root=tmp_path)

    def test_deep_nesting_is_an_error(self, tmp_path: Path) -> None:
        assert "line 1, column 100000: is nested too deeply" in refused(tmp_path, "[" * 100_000)

    def test_half_a_character_is_an_error_for_no_journal_could_hold_it(self, tmp_path: Path) -> None:
        assert "line 2, column 11: holds half of a surrogate" in refused(
            tmp_path, '{"test_cases": [],\n "name": "\\ud83d"}'
        )
        assert load(tmp_path / "whole", '{"test_cases": [], "name": "\\ud83d\\ude00 \\\\ud83d"}').name == "😀 \\ud83d"

    def test_a_number_of_thousands_of_digits_is_an_error(self, tmp_path: Path) -> None:
        assert "line 2, column 7: holds a number of too many" in refused(
            tmp_path, '{"a": 17,\n "b": ' + "9" * 5000 + "}"
        )

    @pytest.mark.parametrize(
        ("document", "place"),
        [
            ({"name": "c"}, "line 1, column 1 ($): lacks 'test_cases'"),
            ({"test_cases": {}}, "($.test_cases): must be an array"),
            ([], "($): must be an object"),
            (collection(request(method="SEND")), "($.test_cases[0].requests[0].method): is no HTTP method"),
            (collection(request(method=1)), "requests[0].method): must be text"),
            (collection(request(), request()), "requests[1].id): is the id of an earlier request"),
            (collection(request(id=None)), "requests[0].id): must be given"),
            (collection(request(retries="often")), "requests[0].retries): must be a number"),
            (collection(request(retries=10**400)), "requests[0].retries): must be a number"),
            (collection(request(disabled="yes")), "requests[0].disabled): must be true or false"),
            (collection(request(scriptingEngine="perl")), "is no scripting engine: 'perl'"),
            (collection(request(scripts={"preRequest": {}})), "scripts.preRequest): lacks 'exec'"),
            (
                collection(request(tests={"assertions": [{"id": 1, "exec": [1]}]})),
                "assertions[0].exec[0]): must be text",
            ),
            (collection(request(headers=[])), "requests[0].headers): must be an object"),
        ],
    )
    def test_wrong_structure_names_its_place(self, tmp_path: Path, document: Any, place: str) -> None:
        assert place in refused(tmp_path, document)

    def test_a_file_outside_the_root_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(CollectionError, match="not under the suite's root"):
            load_collection(tmp_path / "x.json", root=tmp_path / "suite")

    def test_a_file_that_is_not_there_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(CollectionError, match="cannot be read"):
            load_collection(tmp_path / "x.json", root=tmp_path)


@given(
    st.recursive(
        st.integers() | st.text(),
        lambda inner: st.lists(inner, min_size=1) | st.dictionaries(st.text(), inner, min_size=1),
    )
)
def test_every_place_in_a_document_is_found(document: Any) -> None:
    text = json.dumps(document, indent=2, ensure_ascii=False)
    lines = text.split("\n")
    value, path = document, []
    while isinstance(value, dict | list):
        key: Any = next(iter(value)) if isinstance(value, dict) else 0
        path.append(key)
        value = value[key]
    line, column = (int(part.split()[1]) for part in place_of(text, tuple(path)).partition(" (")[0].split(", "))
    rest = "\n".join([lines[line - 1][column - 1 :], *lines[line:]])
    assert json.JSONDecoder().raw_decode(rest)[0] == value


@pytest.mark.parametrize(("release", "counts"), [("v15.1.0", (131, 610, 2556)), ("v17.1.0", (129, 631, 2617))])
def test_the_official_golden_path_has_its_published_size_and_unique_ids(
    release: str, counts: tuple[int, int, int]
) -> None:
    root = OSS / release / "collections"
    if not root.is_dir():
        pytest.skip(f"{root} is not here: the official collections are read from beside the project")
    files = [file for file in sorted((root / "hub" / "golden_path").rglob("*.json")) if file.name != "master.json"]
    loaded = [load_collection(file, root=root) for file in files]
    cases = [case for one in loaded for case in one.cases]
    checks = [str(check) for one in loaded for check in one.checks]
    assert (len(cases), sum(len(case.requests) for case in cases), len(checks)) == counts
    assert len(set(checks)) == len(checks)
