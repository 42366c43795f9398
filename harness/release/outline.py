"""Which section of release notes answers which question, whatever its number, level, place and exact title?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import final

from harness.release.markdown import Block, Section, Table, blocks, plain, sections

__all__ = ["Outline", "Role", "is_placeholder", "says_none"]


class Role(Enum):
    """What a section is about, with the titles it was found under."""

    SUMMARY = r"(release )?(summary|overview|highlights)|description( of (the )?changes)?|changes"
    STORIES = r"(new )?(features?|stories|enhancements)|user stories|maintenance updates|stories (and|&) bugs( fixed)?"
    BUGS = r"(bug ?-?fixes|bugs?( fixed)?|fixe[sd]|resolved issues)|(user )?stories (and|&) bugs( fixed)?"
    COMPONENTS = (
        r"(application|component|service|image)s?( release)?[ -]versions?"
        r"|(changed )?(components|applications|services)( changed| changes)?"
    )
    LINKS = r"application release notes"
    CHARTS = r"operational chart versions"
    APIS = r"(supported )?apis?( versions?)?( supported)?"
    TESTING = r"test(ing)?( ?notes)?|(dependency )?test matrix|dependenc(y|ies)( matrix)?|compatibility( matrix)?"
    BREAKING = r"breaking (changes?|issues?)"
    ISSUES = r"known (issues?|limitations?|bugs?)"


_ROLES = {role: re.compile(rf"(?:{role.value})\Z", re.IGNORECASE) for role in Role}
_PLACEHOLDER = re.compile(
    r"release summary points go here|\bgo(es)? here\b|\bT\.?B\.?[DA]\b|\bTODO\b|\bFIXME\b|lorem ipsum|#X{2,}|/X{4,}"
    r"|^\s*(<[^<>]+>|\{\{.*\}\}|\.{3}|…|-|\?+)\s*$",
    re.IGNORECASE,
)
_NONE = re.compile(
    r"(n/?a|none|nothing|not applicable|no(ne)? (known|new|breaking)?.*"
    r"|there (are|is|were) no(ne)?\b.*|this release (has|contains|brings) no\b.*)[.!]?\Z",
    re.IGNORECASE,
)


def is_placeholder(text: str) -> bool:
    """Returns whether ``text`` is what a template holds until somebody writes."""
    return _PLACEHOLDER.search(plain(text)) is not None


def says_none(text: str) -> bool:
    """Returns whether ``text`` states that there is nothing: ``N/A``, ``There are no breaking changes``."""
    return _NONE.match(plain(text)) is not None


@final
@dataclass(frozen=True, slots=True)
class Outline:
    """A document's sections, and which of them have a role."""

    sections: tuple[Section, ...]

    @classmethod
    def of(cls, text: str) -> Outline:
        """Returns the outline of the Markdown ``text``."""
        return cls(sections(text))

    def with_role(self, role: Role) -> tuple[tuple[Section, ...], ...]:
        """Returns every section with ``role``, each followed by the sections below it that have no role of their own.

        As a rule there is one; what stands twice is given twice.
        """
        found: list[tuple[Section, ...]] = []
        for position, section in enumerate(self.sections):
            if _ROLES[role].match(section.title) and section.level:
                found.append((section, *self._below(position)))
        return tuple(found)

    def _below(self, position: int) -> Iterator[Section]:
        for section in self.sections[position + 1 :]:
            if section.level <= self.sections[position].level or any(
                pattern.match(section.title) for pattern in _ROLES.values()
            ):
                return
            yield section

    def blocks(self, role: Role) -> Iterator[tuple[Section, Block]]:
        """Yields the blocks of every section with ``role``, with the section that each stands in."""
        for group in self.with_role(role):
            for section in group:
                for block in blocks(section.lines):
                    yield section, block

    def tables(self) -> Iterator[Table]:
        """Yields every table of the document."""
        for section in self.sections:
            for block in blocks(section.lines):
                if isinstance(block, Table):
                    yield block
