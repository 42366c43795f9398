"""What is a section, a list item, a table row in Markdown, and on which line does it stand?

As much of Markdown as release notes and runbooks use. Every line ends up in exactly one block, so that whoever reads a
document can account for all of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Block", "Item", "Paragraph", "Section", "Table", "blocks", "links", "plain", "sections", "unlinked"]

_HEADING = re.compile(r" {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_NUMBER = re.compile(r"(\d+(?:\.\d+)*)[.):]*\s+(?=\S)")
_ITEM = re.compile(r"(\s*)(?:[-*+]|\d+[.)])\s+(.*)$")
_FENCE = re.compile(r"\s*(```|~~~)")
_RULE = re.compile(r"[\s|:]*-[\s|:-]*\Z")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
# A link's target may itself stand in brackets, and may hold a pair of them: both are found in published notes.
_LINK = re.compile(r"\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\((\((?:[^()]*)\)|(?:[^()]|\([^()]*\))*)\)")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the document, counted from 1."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it, down to the next heading of any level. Level 0 is what precedes them all."""

    level: int
    title: str
    line: int
    lines: tuple[Line, ...]


@dataclass(slots=True)
class Item:
    """A list item: its first line without the marker, then what continues it. ``depth`` counts from 0."""

    depth: int
    lines: list[Line]

    @property
    def line(self) -> int:
        return self.lines[0].number

    @property
    def text(self) -> str:
        return " ".join(line.text.strip() for line in self.lines)


@dataclass(slots=True)
class Paragraph:
    """Lines of text outside a list; ``code`` where they are fenced."""

    lines: list[Line]
    code: bool = False

    @property
    def line(self) -> int:
        return self.lines[0].number

    @property
    def text(self) -> str:
        return " ".join(line.text.strip() for line in self.lines)


@dataclass(slots=True)
class Table:
    """A table: the cells of its head and, with their lines, of its rows."""

    line: int
    head: tuple[str, ...]
    rows: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)

    def column(self, *names: str) -> int | None:
        """Returns the first column whose head begins with one of ``names``, in lower case; ``None`` without one."""
        for number, cell in enumerate(self.head):
            if plain(cell).lower().startswith(names):
                return number
        return None


Block = Item | Paragraph | Table


def sections(text: str) -> tuple[Section, ...]:
    """Returns the sections of the Markdown ``text`` in their order. A title is without number, colon and emphasis."""
    hidden = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text)
    made: list[tuple[int, str, int, list[Line]]] = [(0, "", 1, [])]
    fenced = False
    for number, line in enumerate(hidden.expandtabs(4).splitlines(), 1):
        fenced ^= _FENCE.match(line) is not None
        heading = None if fenced else _HEADING.match(line)
        if heading is None:
            made[-1][3].append(Line(number, line.rstrip()))
        else:
            title = plain(_NUMBER.sub("", plain(heading[2]), count=1)).rstrip(":").strip()
            made.append((len(heading[1]), title, number, []))
    return tuple(Section(level, title, number, tuple(lines)) for level, title, number, lines in made)


def blocks(lines: Sequence[Line]) -> tuple[Block, ...]:
    """Returns the list items, tables and paragraphs that ``lines`` make up, in their order."""
    found: list[Block] = []
    indents: list[int] = []
    open_block: Block | None = None
    fenced = False
    for position, line in enumerate(lines):
        text = line.text
        last = found[-1] if found else None
        if _FENCE.match(text) or fenced:
            fenced ^= _FENCE.match(text) is not None
            open_block = _coded(found, line)
            continue
        if not text.strip():
            open_block = None
            continue
        if isinstance(open_block, Table) and "|" in text:
            if not _RULE.match(text):
                open_block.rows.append((line.number, _cells(text)))
            continue
        following = lines[position + 1].text if position + 1 < len(lines) else ""
        if "|" in text and "|" in following and _RULE.match(following):
            open_block = Table(line.number, _cells(text))
            found.append(open_block)
            continue
        if (item := _ITEM.match(text)) is not None:
            indent = len(item[1])
            while indents and indents[-1] > indent:
                indents.pop()
            if not indents or indents[-1] < indent:
                indents.append(indent)
            inner = _ITEM.match(item[2])
            open_block = Item(len(indents) - 1, [Line(line.number, inner[2] if inner else item[2])])
            found.append(open_block)
            continue
        indented = text.startswith(" ") and isinstance(last, Item)
        if (open_block is not None and not isinstance(open_block, Table)) or indented:
            assert last is not None
            if not isinstance(last, Table):
                last.lines.append(line)
                open_block = last
                continue
        indents = []
        open_block = Paragraph([line])
        found.append(open_block)
    return tuple(found)


def _coded(found: list[Block], line: Line) -> Block:
    last = found[-1] if found else None
    if isinstance(last, Paragraph) and last.code:
        last.lines.append(line)
        return last
    block = Paragraph([line], code=True)
    found.append(block)
    return block


def _cells(text: str) -> tuple[str, ...]:
    bare = text.strip()
    bare = bare.removeprefix("|")
    bare = bare[:-1] if bare.endswith("|") and not bare.endswith("\\|") else bare
    return tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", bare))


def links(text: str) -> tuple[tuple[str, str], ...]:
    """Returns text and target of every link in ``text``."""
    return tuple((found[1], found[2].strip("()") if found[2].startswith("(") else found[2]) for found in _found(text))


def _found(text: str) -> list[re.Match[str]]:
    return list(_LINK.finditer(text))


def unlinked(text: str) -> str:
    """Returns ``text`` with every link replaced by its text."""
    return _LINK.sub(lambda found: found[1], text)


def plain(text: str) -> str:
    """Returns ``text`` without links, emphasis and superfluous blanks."""
    bare = unlinked(text).replace("**", "").replace("__", "").replace("`", "")
    bare = re.sub(r"(?<![\w*])\*(?=\S)(.*?)(?<=\S)\*(?![\w*])", r"\1", bare)
    bare = re.sub(r"(?<!\w)_(?=\S)(.*?)(?<=\S)_(?!\w)", r"\1", bare)
    return " ".join(bare.split())
