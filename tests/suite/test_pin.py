"""A pin matches exactly the suite it was made of."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SuiteError
from harness.model.release import ReleaseVersion
from harness.suite.native import case, definition_of
from harness.suite.pin import check_pin, load_pin, make_pin, suite_digest, suite_files, write_pin

CASES = ["test_a.py::One", "test_b.py::Two: with colon"]


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "test_a.py").write_text("a = 1\n")
    (tmp_path / "test_b.py").write_text("b = 1\n")
    return tmp_path


def checked(suite: Path, cases: list[str] = CASES) -> tuple[str, tuple[str, ...]]:
    found = check_pin(load_pin(suite / "v1.0.0.yaml"), files=suite_files(suite), cases=cases)
    return found.status, found.differences


def pinned(suite: Path) -> None:
    write_pin(make_pin(suite, product="mojaloop", release="v1.0.0", cases=CASES), suite / "v1.0.0.yaml")


def test_a_suite_matches_its_own_pin(suite: Path) -> None:
    pinned(suite)
    assert checked(suite) == ("match", ())


def test_line_ends_are_no_difference(suite: Path) -> None:
    pinned(suite)
    (suite / "test_a.py").write_bytes(b"a = 1\r\n")
    assert checked(suite)[0] == "match"


def test_no_pin_is_no_match(suite: Path) -> None:
    assert checked(suite) == ("absent", ())


def test_every_difference_is_named(suite: Path) -> None:
    pinned(suite)
    (suite / "test_a.py").write_text("a = 2\n")
    (suite / "test_b.py").unlink()
    (suite / "helper.py").write_text("")
    status, differences = checked(suite, [CASES[0], "test_c.py::Three"])
    assert status == "differs"
    assert differences == (
        "file helper.py is new",
        "file test_a.py was changed",
        "file test_b.py is gone",
        f"case {CASES[1]} is gone",
        "case test_c.py::Three is new",
    )


def test_a_pin_that_contradicts_itself_is_no_match(suite: Path) -> None:
    pinned(suite)
    path = suite / "v1.0.0.yaml"
    path.write_text(path.read_text().replace("digest: sha256:", "digest: sha256:0", 1).replace("\nfiles", "\nfiles", 1))
    with pytest.raises(SuiteError, match="digest"):
        load_pin(path)
    pin = make_pin(suite, product="mojaloop", release="v1.0.0", cases=CASES)
    broken = pin.model_copy(update={"digest": "sha256:" + "0" * 64})
    assert check_pin(broken, files=suite_files(suite), cases=CASES).status == "differs"


@given(st.dictionaries(st.text(min_size=1, max_size=5), st.text(max_size=5)), st.text(min_size=1), st.text())
def test_any_other_file_gives_another_digest(files: dict[str, str], name: str, content: str) -> None:
    changed = {**files, name: content}
    assert (suite_digest(changed) == suite_digest(files)) is (changed == files)


def test_a_case_belongs_to_the_releases_it_says() -> None:
    @case("Since and until", since="16.0.0", until="17.0.0")
    def function() -> None: ...

    definition = definition_of(function)
    assert definition is not None
    holds = [
        definition.holds_for(ReleaseVersion(*version)) for version in ((15, 1, 0), (16, 0, 0), (17, 0, 0), (17, 1, 0))
    ]
    assert holds == [False, True, True, False]


@pytest.mark.parametrize("wrong", [{"since": "x"}, {"until": "1"}, {"severity": "huge"}])
def test_a_case_that_says_nonsense_of_itself_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(SuiteError, match="Nonsense"):
        case("Nonsense", **wrong)  # type: ignore[arg-type]
