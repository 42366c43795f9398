"""What does a release consist of, by its notes? Markdown as published in, a manifest out, and what was odd in between.

Reads the layouts of Mojaloop's Helm releases from v13 to v17 and notes of extension products in the same spirit:
sections are found by their titles, whatever their number and order. Every line of the list of components is either a
component or a finding.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from harness.errors import ReleaseError
from harness.model.release import Release, ReleaseVersion
from harness.release.component_lines import ComponentLine, read_component_line, read_value
from harness.release.findings import Finding, Weight
from harness.release.markdown import Item, Table, plain
from harness.release.notes_parts import (
    Said,
    apis,
    breaking_changes,
    date_of,
    dependencies,
    expected_failures,
    known_issues,
)
from harness.release.outline import Outline, Role, is_placeholder
from harness.release.versions import bare, is_version

__all__ = ["Notes", "parse_notes"]

_FILE = re.compile(r"v?(\d+\.\d+\.\d+)(?![\d.]*\d)")
_CHANGELOG = re.compile(
    r"full changelog\b.*?/compare/(v?\d+\.\d+\.\d+)\.\.\.(v?\d+\.\d+\.\d+)(?![\w.-]*\w)", re.IGNORECASE
)
_RELEASE_LINK = re.compile(r"\[(v?\d+\.\d+\.\d+) release\]", re.IGNORECASE)
_TITLE = re.compile(r"\bv?(\d+\.\d+\.\d+)\b")
_LINKED = re.compile(r"([A-Za-z][\w./-]*?)(?:\s*[*_]*\([^()]*\)[*_]*)?\s*-\s*(https?://\S+)")


@final
@dataclass(frozen=True, slots=True)
class Notes:
    """Release notes, read. ``component_lines`` are all that were found, in their order."""

    file: Path
    release: Release
    outline: Outline
    component_lines: tuple[ComponentLine, ...]
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What could not be read: the manifest lacks it."""
        return tuple(finding for finding in self.findings if finding.weight is Weight.ERROR)


def parse_notes(
    text: str,
    file: Path,
    *,
    product: str,
    release: ReleaseVersion | None = None,
    otherwise: ReleaseVersion | None = None,
    source: str | None = None,
    settled: Mapping[str, str] | None = None,
) -> Notes:
    """Returns what the notes ``text`` say. ``file`` is named in errors, and perhaps tells the release.

    ``release`` (default: by the file's name, the link to the changelog or the title) is the release they are of;
    ``otherwise`` is taken where none of these tells.
    ``settled`` are versions of components that a person decided, where the notes contradict themselves.
    Raises ``ReleaseError`` where the release cannot be told or the notes list no component.
    """
    said = Said()
    outline = Outline.of(text)
    version = release or _version(text, file, outline, otherwise, said)
    lines = _components(outline, said)
    components, previous = _settled(lines, settled or {}, said)
    if not components:
        raise ReleaseError(
            "no component with a version is listed",
            file=file,
            place=_place(outline),
            remedy="List them below a heading 'Application versions', one per line, as NAME: OLD -> NEW",
        )
    _compare_links(outline, components, said)
    validated_with, suite_version = dependencies(outline, said)
    made = Release(
        product=product,
        version=version,
        components=components,
        source=source or file.name,
        date=date_of(outline, said),
        known_issues=known_issues(outline, said),
        previous_release=_previous(text, version),
        previous=previous,
        apis=apis(outline, said),
        dependencies=validated_with,
        suite_version=suite_version,
        expected_failures=expected_failures(outline),
        breaking_changes=breaking_changes(outline, tuple(components)),
    )
    _say_what_is_absent(made, outline, said)
    return Notes(file, made, outline, tuple(lines), tuple(said.findings))


def _place(outline: Outline) -> str | None:
    groups = outline.with_role(Role.COMPONENTS)
    return f"line {groups[0][0].line}" if groups else None


def _version(text: str, file: Path, outline: Outline, otherwise: ReleaseVersion | None, said: Said) -> ReleaseVersion:
    titles = [found[1] for section in outline.sections[:3] if (found := _TITLE.search(section.title))]
    compared = [found[2] for found in _CHANGELOG.finditer(text)][-1:]
    candidates = [*(found[1] for found in [_FILE.search(file.stem)] if found), *compared, *titles]
    if not candidates and otherwise is not None:
        return otherwise
    if not candidates:
        raise ReleaseError(
            "neither the file's name nor the notes tell which release they are of",
            file=file,
            remedy="Give it with --release, for instance --release v17.1.0",
        )
    versions = [ReleaseVersion.parse(candidate) for candidate in candidates]
    for other in versions[1:]:
        if other != versions[0]:
            say = f"the notes may be of {versions[0]} or of {other}: {versions[0]} is taken"
            said.findings.append(Finding(Weight.WARNING, file.name, say, "Give it with --release"))
    return versions[0]


def _previous(text: str, version: ReleaseVersion) -> str | None:
    found = [match[1] for match in _CHANGELOG.finditer(text)][-1:] + _RELEASE_LINK.findall(text)[:1]
    others = [str(ReleaseVersion.parse(one)) for one in found]
    return next((other for other in others if other != str(version)), None)


def _components(outline: Outline, said: Said) -> list[ComponentLine]:
    groups = outline.with_role(Role.COMPONENTS)
    if len(groups) > 1:
        where = ", ".join(str(group[0].line) for group in groups)
        said.say(Weight.WARNING, groups[1][0].line, f"components are listed in several sections: lines {where}")
    found: list[ComponentLine] = []
    for _, block in outline.blocks(Role.COMPONENTS):
        if isinstance(block, Table):
            found += _table(block, said)
            continue
        for position, line in enumerate(block.lines):
            continues = position > 0 or not isinstance(block, Item)
            if continues and not re.search(r"\d+\.\d+|->|→", line.text):
                said.say(Weight.NOTE, line.number, f"not a component, but a remark: {plain(line.text)[:80]!r}")
                continue
            if continues:
                said.say(Weight.NOTE, line.number, "read as a component, though it is no list item")
            made, findings = read_component_line(line.text, line.number)
            found += made
            said.findings += findings
    return found


def _table(table: Table, said: Said) -> list[ComponentLine]:
    name = table.column("component", "application", "service", "name", "module")
    before = table.column("previous", "old", "from", "before")
    version = table.column("version", "new", "current", "to", "after", "released")
    if name is None or version is None:
        said.say(Weight.ERROR, table.line, "the table names no component or no version", "Head it Component | Version")
        return []
    found = []
    for line, row in table.rows:
        cells = [row[column] if column is not None and column < len(row) else "" for column in (name, version, before)]
        called = plain(cells[0])
        shown, findings = read_value(cells[1].replace("*", "").replace("`", ""), called, line)
        said.findings += findings
        old = bare(plain(cells[2]))
        if not called or not is_version(shown):
            said.say(Weight.ERROR, line, f"no component with a version: {' | '.join(row)[:100]!r}", "Complete the row")
            continue
        if old and not is_version(old) and old.lower() not in ("-", "–", "new", "n/a", "none"):
            said.say(Weight.ERROR, line, f"what stands as version of {called} before is none: {old!r}", "Correct it")
        found.append(ComponentLine(called, shown, old if is_version(old) else None, line))
    return found


def _settled(
    lines: Sequence[ComponentLine], settled: Mapping[str, str], said: Said
) -> tuple[dict[str, str], dict[str, str]]:
    components: dict[str, ComponentLine] = {}
    for line in lines:
        other = components.get(line.name)
        if other is not None and line.name not in settled:
            same = other.version == line.version
            text = f"{line.name} stands twice: {other.version} (line {other.line}) and {line.version}"
            remedy = "Keep one line" if same else f"Correct the notes, or say which: --component {line.name}=VERSION"
            said.say(Weight.WARNING if same else Weight.ERROR, line.line, text, remedy)
        components[line.name] = line
    versions = {name: bare(settled.get(name, line.version)) for name, line in components.items()}
    for name, version in settled.items():
        if name not in components:
            text = f"{name} {version} is given by hand; no line of the notes names it"
            said.findings.append(Finding(Weight.WARNING, f"--component {name}", text, "Add it to the notes"))
            versions[name] = bare(version)
        else:
            said.say(Weight.NOTE, components[name].line, f"{name} {version} is given by hand")
    before = {name: line.previous for name, line in components.items() if line.previous is not None}
    return versions, before


def _compare_links(outline: Outline, components: Mapping[str, str], said: Said) -> None:
    """v13 and v14 list the releases of the components a second time, as links; the two lists do not always agree."""
    for _, block in outline.blocks(Role.LINKS):
        found = _LINKED.match(block.text) if isinstance(block, Item) else None
        if found is None:
            said.say(Weight.NOTE, block.line, "not a link to a component's release")
            continue
        name, version = found[1].rstrip("-"), bare(found[2].rstrip("/").rsplit("/", 1)[-1])
        if name not in components:
            text = f"{name} {version} is linked, but not in the list of versions: it is not taken"
            said.say(Weight.WARNING, block.line, text, "Add it to the list of versions if it is part of the release")
        elif is_version(version) and version != components[name]:
            text = f"{name} is {components[name]} in the list of versions, its link leads to {version}"
            said.say(Weight.WARNING, block.line, text, "The list is taken; correct the notes")


def _say_what_is_absent(release: Release, outline: Outline, said: Said) -> None:
    for role, value, what in (
        (None, release.date, "no date is told in a table of revisions"),
        (Role.APIS, release.apis, "no API versions are told"),
        (Role.TESTING, release.dependencies, "nothing is told of what it was validated against"),
        (Role.TESTING, release.suite_version, "the version of the test cases is not told"),
        (Role.ISSUES, outline.with_role(Role.ISSUES), "there is no section on known issues"),
        (Role.BREAKING, outline.with_role(Role.BREAKING), "there is no section on breaking changes"),
    ):
        if not value:
            groups = outline.with_role(role) if role else ()
            where = f"line {groups[0][0].line}" if groups else "the notes"
            said.findings.append(Finding(Weight.WARNING, where, what, "Add it to the notes"))
    for section in outline.sections:
        for line in section.lines:
            if is_placeholder(line.text) and not re.fullmatch(r"[\s|:-]*", line.text):
                said.say(Weight.WARNING, line.number, f"a placeholder was left: {plain(line.text)[:80]!r}", "Write it")
