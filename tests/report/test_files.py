"""A report is on the disk whole, or as it was before; and its text is what every reader accepts."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from harness.judge.compare import Comparison
from harness.judge.document import verdict_to_json
from harness.report.files import json_bytes, replace_folder, write_file
from harness.report.properties import properties
from harness.report.text import crop, elide, one_line
from harness.report.verdict_file import VerdictFiles
from tests.report import scenarios


def test_the_verdict_is_stored_as_the_judge_gave_it_beside_its_comparison(tmp_path: Path) -> None:
    run = scenarios.rejected(tmp_path)
    assert VerdictFiles().write(run, tmp_path) == [tmp_path / "comparison.csv", tmp_path / "verdict.json"]
    assert (tmp_path / "verdict.json").read_text(encoding="utf-8") == verdict_to_json(run.judged)
    with (tmp_path / "comparison.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["check"] for row in rows] == run.judged.comparison.table["check"].tolist()
    assert sum(row["class"] == "regressed" for row in rows) == 14
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    VerdictFiles().write(run, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_what_a_hub_answers_is_no_formula_in_a_spreadsheet(tmp_path: Path, begin: str) -> None:
    run = scenarios.rejected(tmp_path)
    table = run.judged.comparison.table.copy()
    table["message"] = [f"{begin}HYPERLINK('http://evil.example')", "a = b", "", *table["message"][3:]]
    judged = replace(run.judged, comparison=Comparison(table))
    VerdictFiles().write(replace(run, judged=judged), tmp_path)
    with (tmp_path / "comparison.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["message"] == f"'{begin}HYPERLINK('http://evil.example')".replace("\r", "\n")
    assert [row["message"] for row in rows[1:3]] == ["a = b", ""]
    assert all(not cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row.values())
    assert table["message"].iloc[0].startswith(begin)


def test_a_file_that_cannot_be_put_in_place_leaves_the_old_one_and_no_remains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_file(tmp_path / "verdict.json", b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_file(tmp_path / "verdict.json", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("verdict.json", b"old")]


def test_a_folder_that_could_not_be_filled_leaves_the_old_one_and_no_remains(tmp_path: Path) -> None:
    folder = tmp_path / "allure-results"
    with replace_folder(folder) as fresh:
        (fresh / "a").write_text("old")

    def break_off() -> None:
        with replace_folder(folder) as fresh:
            (fresh / "b").write_text("new")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        break_off()
    assert [path.name for path in tmp_path.iterdir()] == ["allure-results"]
    assert [path.name for path in folder.iterdir()] == ["a"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(st.characters()) | st.sampled_from(["\ud800", "\udfff."]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(_JSON)
def test_json_is_standard_utf8_whatever_it_holds(value: object) -> None:
    json.loads(json_bytes(value).decode("utf-8"), parse_constant=pytest.fail)


@example({" key:=#": "  value", "!": "\t\\ü🏦\n"})
@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=20), max_size=4))
def test_properties_are_ascii_lines_that_read_back_as_written(values: dict[str, str]) -> None:
    data = properties(values)
    lines = data.decode("ascii").splitlines()
    assert len(lines) == len(values)
    assert dict(_read(line) for line in lines) == {_joined(key): _joined(value) for key, value in values.items()}


def _joined(text: str) -> str:
    """With the surrogate pairs joined, as reading joins them."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _read(line: str) -> tuple[str, str]:
    """A reader of ours after the rules of ``java.util.Properties.load`` for one line."""
    units: list[list[int]] = [[], []]
    side, index = 0, 0
    named = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
    while index < len(line):
        char = line[index]
        if char == "\\" and line[index + 1] == "u":
            units[side].append(int(line[index + 2 : index + 6], 16))
            index += 6
        elif char == "\\":
            units[side].append(ord(named.get(line[index + 1], line[index + 1])))
            index += 2
        elif side == 0 and char in "=: ":
            assert char == "="
            side, index = 1, index + 1
            assert not line[index:].startswith((" ", "\t"))
        else:
            units[side].append(ord(char))
            index += 1
    key, value = (
        b"".join(unit.to_bytes(2, "little") for unit in part).decode("utf-16-le", "surrogatepass") for part in units
    )
    return key, value


@given(st.text(max_size=200), st.integers(1, 100))
def test_shortened_text_fits(text: str, width: int) -> None:
    line = one_line(text)
    for shorten in (crop, elide):
        assert cell_len(shorten(line, width)) <= width
        if cell_len(line) <= width:
            assert shorten(line, width) == line


def test_an_id_keeps_its_end() -> None:
    assert elide("suite/file.py::case::step::the state is COMMITTED", 34) == "suite/file.…the state is COMMITTED"
