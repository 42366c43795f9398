"""Release notes in every layout that was published give the same facts; what cannot be read is named by its line."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ReleaseError
from harness.model.release import BreakingChange, ExpectedFailures, ReleaseVersion
from harness.release.findings import Weight
from harness.release.manifest import load_manifest, write_manifest
from harness.release.notes import Notes, parse_notes
from tests.release.layouts import COMPONENTS, EXTENSION, LAYOUTS, V13, V14, V15, V17
from tests.support import REPOSITORY

FILE = Path("release-v13.9.0.md")


def read(text: str, **more: object) -> Notes:
    return parse_notes(text, FILE, product="mojaloop", **more)  # type: ignore[arg-type]


def said(notes: Notes, weight: Weight) -> str:
    return "\n".join(str(finding) for finding in notes.findings if finding.weight is weight)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_components(layout: str) -> None:
    notes = read(LAYOUTS[layout])
    assert dict(notes.release.components) == COMPONENTS
    assert dict(notes.release.previous) == {"ledger": "1.1.6", "adapter": "2.0.10"}
    assert notes.release.version == ReleaseVersion(13, 9, 0)
    assert notes.errors == ()
    assert [line.name for line in notes.component_lines] == list(COMPONENTS)


@pytest.mark.parametrize("layout", ["v13", "v14", "v15", "v17"])
def test_every_layout_gives_the_suite_and_the_known_issues(layout: str) -> None:
    release = read(LAYOUTS[layout]).release
    assert release.suite_version == "v13.9.0"
    assert release.dependencies["Kubernetes"] in ("v1.20.6", "v1.24.8", "v1.29")
    issue = release.known_issues[0]
    assert (issue.title, issue.source) == ("Sums are late", "https://git.example/team/project/issues/11")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_manifest_holds_all_that_the_notes_gave(layout: str, tmp_path: Path) -> None:
    release = read(LAYOUTS[layout]).release
    write_manifest(release, tmp_path / "release.yaml")
    assert load_manifest(tmp_path / "release.yaml") == release


def test_the_newest_date_of_the_revisions_is_the_date() -> None:
    dates = ["2021-03-14", None, "2021-03-14", "2021-03-14"]
    assert [read(text).release.date for text in (V13, V14, V15, V17)] == dates
    notes = read(V13.replace("2021-03-14", "2021-03-xx"))
    assert notes.release.date == "2021-03-01"
    assert "line 7: '2021-03-xx' is no date" in said(notes, Weight.WARNING)


def test_v13_expects_failures_under_a_condition() -> None:
    expected = ExpectedFailures(7, "adapter.config.simple_mode=true", "SIMPLE_MODE")
    assert read(V13).release.expected_failures == (expected,)


def test_v13_second_list_is_held_against_the_first_and_invents_nothing() -> None:
    notes = read(V13)
    warnings = said(notes, Weight.WARNING)
    assert "adapter is 2.1.0 in the list of versions, its link leads to 2.2.0" in warnings
    assert "gateway 9.0.0 is linked, but not in the list of versions" in warnings
    assert "gateway" not in notes.release.components
    assert notes.release.dependencies["LOGS"] == "v12.0.0"


def test_breaking_changes_come_from_lists_and_from_headings() -> None:
    assert read(V14).release.breaking_changes == (
        BreakingChange("ledger", "Ledger: Its port has moved"),
        BreakingChange("adapter", "Adapter: wants a key"),
    )
    assert read(V15).release.breaking_changes == ()
    assert read(V17).release.breaking_changes == (
        BreakingChange("ledger", "config/default.json"),
        BreakingChange("ledger", "migrations/1_a.js"),
        BreakingChange("adapter", "config/default.json"),
    )


def test_nested_issues_keep_the_heading_they_stand_under() -> None:
    groups = {issue.title: issue.group for issue in read(V14).release.known_issues}
    assert groups == {"Sums are late": "", "Not repeatable": "Test issues", "Unstable": ""}
    assert [issue.title for issue in read(V13).release.known_issues][1] == "Unstable (PENDING)"


def test_apis_and_the_release_before_are_told_from_v15_on() -> None:
    for text in (V15, V17):
        release = read(text).release
        assert dict(release.apis) == {"FSPIOP": ("v1.1", "v2.0"), "Admin": ("v1.0",)}
        assert release.previous_release == "v13.8.0"


def test_text_and_target_of_a_link_that_differ_are_named() -> None:
    assert "line 17: the text of the link gives adapter 2.1.0, the link leads to 2.0.10" in said(
        read(V15), Weight.WARNING
    )


def test_a_placeholder_is_named_with_its_line() -> None:
    assert "line 15: a placeholder was left" in said(read(V17), Weight.WARNING)


@pytest.mark.parametrize(
    "spoilt",
    ["5. gateway: TBD", "5. gateway: vX.Y.Z", "5. gateway: v1.0 ->", "5. gateway", "5. gateway: v1.0 and bureau: v2.0"],
)
def test_a_component_line_that_cannot_be_read_is_an_error_with_its_line(spoilt: str) -> None:
    marked = "4. portal: **v4.0.0** _(DEPRECATED)_\n"
    notes = read(V13.replace(marked, marked + spoilt + "\n"))
    line = 1 + V13[: V13.index(marked)].count("\n") + 1
    assert [error.where for error in notes.errors] == [f"line {line}"]


def test_two_entries_in_one_line_are_two_components() -> None:
    notes = read(V14.replace("_(DEPRECATED)_", "22. gateway: [v5.0.0](https://git.example/x/releases/v5.0.0)"))
    assert dict(notes.release.components) == {**COMPONENTS, "gateway": "5.0.0"}
    assert "another entry follows portal" in said(notes, Weight.WARNING)


def test_a_component_at_two_versions_is_an_error_until_a_person_decides() -> None:
    twice = V14.replace("## 5. Breaking", "5. ledger: **v1.3.0**\n\n## 5. Breaking")
    assert "ledger stands twice: 1.2.0" in said(read(twice), Weight.ERROR)
    decided = read(twice, settled={"ledger": "v1.3.0"})
    assert decided.errors == ()
    assert decided.release.components["ledger"] == "1.3.0"


def test_a_line_without_a_marker_is_read_all_the_same() -> None:
    notes = read(V14.replace("2. adapter: 2", "adapter: 2"))
    assert dict(notes.release.components) == COMPONENTS


def test_notes_that_do_not_tell_their_release_need_it_given() -> None:
    with pytest.raises(ReleaseError, match="--release"):
        parse_notes(V14, Path("notes.md"), product="mojaloop")
    given = parse_notes(V14, Path("notes.md"), product="mojaloop", release=ReleaseVersion(1, 0, 0))
    assert given.release.version == ReleaseVersion(1, 0, 0)
    assert parse_notes(V17, Path("notes.md"), product="mojaloop").release.version == ReleaseVersion(13, 9, 0)
    assert parse_notes(EXTENSION, Path("notes.md"), product="pm").release.version == ReleaseVersion(13, 9, 0)


def test_notes_without_components_are_refused() -> None:
    with pytest.raises(ReleaseError, match="Application versions"):
        read("# Notes\n\n## Summary\n\nNothing.\n")


NAMES = st.from_regex(r"[a-z]{2,8}(-[a-z]{2,8}){0,2}", fullmatch=True)
VERSIONS = st.from_regex(r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}(-snapshot(\.[0-9]{1,2})?)?", fullmatch=True)
WRITTEN = st.sampled_from(["{}", "v{}", "**v{}**", "[v{0}](https://h/r/v{0})", '["v{0}"](https://h/r/"v{0}")', "`v{}`"])


@given(st.dictionaries(NAMES, st.tuples(st.none() | VERSIONS, VERSIONS, WRITTEN), min_size=1, max_size=12))
def test_whatever_is_listed_is_what_comes_out(listed: dict[str, tuple[str | None, str, str]]) -> None:
    lines = [
        f"{number}. {name}: {f'v{old} -> ' if old else ''}{how.format(new)}"
        for number, (name, (old, new, how)) in enumerate(listed.items(), 1)
    ]
    notes = read("## Application versions\n\n" + "\n".join(lines) + "\n")
    assert dict(notes.release.components) == {name: new for name, (_, new, _) in listed.items()}
    assert dict(notes.release.previous) == {name: old for name, (old, _, _) in listed.items() if old}
    assert notes.errors == ()


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    notes = read("## Application versions\n\n1. ledger: v1.0.0\n\n" + text)
    assert notes.release.components


REAL = os.environ.get("HARNESS_HELM_NOTES")
ENTRY = re.compile(r"\s*\d+\. ([\w-]+):")


@pytest.mark.skipif(REAL is None, reason="HARNESS_HELM_NOTES names no folder with the published notes")
def test_the_published_notes_all_parse_and_every_component_line_is_accounted_for() -> None:
    files = sorted(Path(REAL or "").glob("release-v1[3-7].*.md"))
    assert files
    for file in files:
        text = file.read_text(encoding="utf-8")
        notes = parse_notes(text, file, product="mojaloop")
        part = re.split(r"^#+ .*application versions.*$", text, flags=re.MULTILINE | re.IGNORECASE)[1]
        listed = [ENTRY.match(line) for line in re.split(r"^#", part, flags=re.MULTILINE)[0].splitlines()]
        assert [line.name for line in notes.component_lines] == [found[1] for found in listed if found], file
        assert notes.errors == (), file
        shipped = REPOSITORY / "baselines/mojaloop" / str(notes.release.version) / "release.yaml"
        manifest = load_manifest(shipped) if shipped.exists() else None
        # v17.0.0 was published twice, in full and compact: a manifest is held against the one it names.
        if manifest is not None and file.name in manifest.source:
            for field in ("components", "previous", "date", "apis", "dependencies", "breaking_changes", "known_issues"):
                assert getattr(manifest, field) == getattr(notes.release, field), (file, field)
