"""What do release notes say beside the components: dates, APIs, what was tested with, what breaks, what is known?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from harness.model.release import BreakingChange, ExpectedFailures, KnownIssue
from harness.release.findings import Finding, Weight
from harness.release.markdown import Item, Paragraph, Table, links, plain
from harness.release.outline import Outline, Role, says_none
from harness.release.versions import bare, is_version

__all__ = ["Said", "apis", "breaking_changes", "date_of", "dependencies", "expected_failures", "known_issues"]

_ISSUE = re.compile(r"#?(\d+)\s*[-–—:]\s*(.+)$")
_ISSUE_URL = re.compile(r"/issues/(\d+)\b")
_EXPECTED = re.compile(r"(\d+)\s+expected failures?", re.IGNORECASE)
_SETTING = re.compile(r"[A-Za-z][\w-]*(?:\.[\w-]+)+(?:\s*=\s*\w+)?")
_PARAMETER = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
_TESTED = re.compile(r"\b(tested|validated)\b.*\b(against|with)\b", re.IGNORECASE)
_PAIR = re.compile(r"([A-Za-z][\w ./()-]*?)\s*:\s*(\S.*)$")
_CASES = re.compile(r"testing-toolkit-test-cases/releases/tag/([\w.-]+)")
TEST_CASES = "testing toolkit test cases"


@dataclass(slots=True)
class Said:
    """What is to be said of the notes, as it is found."""

    findings: list[Finding] = field(default_factory=list)

    def say(self, weight: Weight, line: int, text: str, remedy: str = "") -> None:
        """Adds a finding about ``line``."""
        self.findings.append(Finding(weight, f"line {line}", text, remedy))


def date_of(outline: Outline, said: Said) -> str | None:
    """Returns the last date in the table of revisions (ISO 8601), ``None`` where there is none."""
    found: list[str] = []
    for table in outline.tables():
        if plain(table.head[0]).lower() != "date":
            continue
        for line, cells in table.rows:
            text = plain(cells[0]) if cells else ""
            try:
                found.append(date.fromisoformat(text).isoformat())
            except ValueError:
                if text:
                    said.say(Weight.WARNING, line, f"{text!r} is no date", "Write it as YYYY-MM-DD")
    return max(found, default=None)


def apis(outline: Outline, said: Said) -> dict[str, tuple[str, ...]]:
    """Returns the versions of each API that the release supports, as they are written."""
    found: dict[str, tuple[str, ...]] = {}
    for _, block in outline.blocks(Role.APIS):
        pairs: list[tuple[int, str, str]] = []
        if isinstance(block, Table):
            api, version = block.column("api"), block.column("supported", "version")
            if api is None or version is None:
                said.say(Weight.ERROR, block.line, "the table of APIs has no columns API and version", "Name them so")
                continue
            pairs = [(line, plain(_cell(row, api)), plain(_cell(row, version))) for line, row in block.rows]
        elif isinstance(block, Item):
            pair = _PAIR.match(plain(block.text))
            if pair is None:
                said.say(Weight.ERROR, block.line, f"no API with versions: {block.text[:80]!r}", "Write API: VERSIONS")
                continue
            pairs = [(block.line, pair[1], pair[2])]
        for line, name, versions in pairs:
            listed = tuple(part.strip() for part in re.split(r"[,;/]", versions) if part.strip())
            if not name or not listed:
                said.say(Weight.ERROR, line, "a row of the APIs lacks the name or the versions", "Complete it")
            elif name in found:
                said.say(Weight.ERROR, line, f"the API {name} stands twice", "Keep one row")
            else:
                found[name] = listed
    return found


def dependencies(outline: Outline, said: Said) -> tuple[dict[str, str], str | None]:
    """Returns what the release was validated against, and the version of its test cases (``None``: not told)."""
    found: dict[str, str] = {}
    for line, name, version in (*_matrix(outline, said), *_tested(outline, said), *_charts(outline, said)):
        text = plain(version)
        for shown, target in links(version):
            tag = bare(target.rsplit("/", 1)[-1])
            if is_version(tag) and is_version(bare(shown)) and tag != bare(shown):
                weight, remedy = Weight.WARNING, "The text is taken; correct the notes"
                said.say(weight, line, f"{name} is {shown}, its link leads to {tag}", remedy)
        if not name or not text:
            said.say(Weight.ERROR, line, "an entry lacks the dependency or its version", "Complete it")
        elif found.get(name, text) != text:
            said.say(Weight.ERROR, line, f"{name} stands twice: {found[name]} and {text}", "Keep one")
        else:
            found[name] = text
    for name, version in found.items():
        if name.lower().startswith(TEST_CASES):
            return found, version
    named = {target[1] for line in _testing_text(outline) for target in _CASES.finditer(line)}
    return found, named.pop() if len(named) == 1 else None


def _matrix(outline: Outline, said: Said) -> Iterator[tuple[int, str, str]]:
    for table in outline.tables():
        name, version = table.column("dependency"), table.column("version")
        if name is None:
            continue
        if version is None:
            said.say(Weight.ERROR, table.line, "the table of dependencies has no column version", "Add it")
            continue
        for line, row in table.rows:
            yield line, plain(_cell(row, name)), _cell(row, version)


def _tested(outline: Outline, said: Said) -> Iterator[tuple[int, str, str]]:
    below: int | None = None
    for _, block in outline.blocks(Role.TESTING):
        if not isinstance(block, Item):
            below = None if isinstance(block, Table) else below
        elif below is not None and block.depth > below:
            pair = _PAIR.match(block.text)
            if pair is None:
                said.say(
                    Weight.ERROR, block.line, f"no dependency with a version: {block.text[:80]!r}", "NAME: VERSION"
                )
            else:
                yield block.line, plain(pair[1]), pair[2]
        else:
            below = block.depth if _TESTED.search(plain(block.text)) else None


def _charts(outline: Outline, said: Said) -> Iterator[tuple[int, str, str]]:
    for _, block in outline.blocks(Role.CHARTS):
        pair = _PAIR.match(plain(block.text)) if isinstance(block, Item) else None
        if pair is not None:
            yield block.line, pair[1], pair[2]
        elif not isinstance(block, Paragraph) or not says_none(block.text):
            said.say(Weight.ERROR, block.line, "no chart with a version is in this line", "Write it as NAME: VERSION")


def _testing_text(outline: Outline) -> Iterator[str]:
    for group in outline.with_role(Role.TESTING):
        for section in group:
            yield from (line.text for line in section.lines)


def _cell(row: Sequence[str], column: int) -> str:
    return row[column] if column < len(row) else ""


def expected_failures(outline: Outline) -> tuple[ExpectedFailures, ...]:
    """Returns how many checks the notes expect to fail, and with which setting."""
    found = []
    for _, block in outline.blocks(Role.TESTING):
        text = "" if isinstance(block, Table) else plain(block.text)
        for expected in _EXPECTED.finditer(text):
            setting = _SETTING.search(text)
            parameter = _PARAMETER.search(text)
            named = re.sub(r"\s*=\s*", "=", setting[0]) if setting else text[:120]
            found.append(ExpectedFailures(int(expected[1]), named, parameter[0] if parameter else ""))
    return tuple(found)


def breaking_changes(outline: Outline, components: Sequence[str]) -> tuple[BreakingChange, ...]:
    """Returns what breaks: each entry of the list, or each paragraph where there is no list."""
    found: list[BreakingChange] = []
    for section, block in outline.blocks(Role.BREAKING):
        if isinstance(block, Table):
            found += [BreakingChange("", " · ".join(plain(cell) for cell in row if cell)) for _, row in block.rows]
            continue
        nested = isinstance(block, Item) and block.depth > 0
        if nested or (isinstance(block, Paragraph) and (block.code or plain(block.text).lower().startswith("note:"))):
            continue  # belongs to the entry before it, or to all of them
        text = plain(re.sub(r"\((https?://[^()]*)\)", "", block.lines[0].text)).rstrip(": ")
        if not text or says_none(text) or text.lower().startswith("full changelog"):
            continue
        component = section.title if section.title in components else ""
        lead = text.split(":", 1)[0].strip().lower()
        component = component or next((name for name in components if name.lower() == lead), "")
        found.append(BreakingChange(component, text))
    return tuple(found)


def known_issues(outline: Outline, said: Said) -> tuple[KnownIssue, ...]:
    """Returns the known issues, nested ones with the heading that they stand under as their group."""
    listed = [block for _, block in outline.blocks(Role.ISSUES)]
    found: list[KnownIssue] = []
    groups: list[tuple[int, str]] = []
    for position, block in enumerate(listed):
        if isinstance(block, Table):
            said.say(Weight.ERROR, block.line, "known issues stand in a table", "List them, one per line")
            continue
        if isinstance(block, Paragraph):
            if not says_none(block.text):
                said.say(Weight.NOTE, block.line, f"not an issue, but a remark: {plain(block.text)[:80]!r}")
            continue
        groups = [group for group in groups if group[0] < block.depth]
        following = listed[position + 1] if position + 1 < len(listed) else None
        linked = links(block.text)
        if not linked and isinstance(following, Item) and following.depth > block.depth:
            groups.append((block.depth, plain(block.text)))
        elif not says_none(block.text):
            found.append(_issue(block, linked, " / ".join(name for _, name in groups), said))
    seen: dict[str, str] = {}
    for issue in found:
        if seen.setdefault(issue.source, issue.title) != issue.title:
            said.findings.append(
                Finding(Weight.WARNING, "Known Issues", f"two issues lead to {issue.source}", "Correct the link")
            )
    return tuple(found)


def _issue(item: Item, linked: Sequence[tuple[str, str]], group: str, said: Said) -> KnownIssue:
    if not linked:
        return KnownIssue(plain(item.text), "the release notes, Known Issues", group=group)
    text, target = linked[0]
    numbered, leads_to = _ISSUE.match(plain(text)), _ISSUE_URL.search(target)
    if numbered and leads_to and numbered[1] != leads_to[1]:
        remedy = "The link is taken; correct the notes"
        said.say(
            Weight.WARNING, item.line, f"the issue is called #{numbered[1]}, its link leads to #{leads_to[1]}", remedy
        )
    title = (numbered[2] if numbered else plain(text)).strip()
    rest = plain(item.text.replace(f"[{text}]({target})", "", 1)).strip("* ")
    return KnownIssue(f"{title} ({rest})" if rest else title, target, group=group)
