"""How words from elsewhere (a hub, a case, release notes) are put into Markdown, and stay words there.

Nothing in them becomes a link, an image, HTML, a heading or the mention of somebody, in any dialect.
"""

from __future__ import annotations

import re

from harness.report.text import clean, crop, one_line

__all__ = ["code", "fence", "link", "words"]

_SPECIAL = re.compile(r"([\\`*\[\]|<>~$]|\{(?=[{%])|(?<![^\W_])_|_(?![^\W_]))")
_AT_THE_START = re.compile(r"^(\d{0,9})(?=[.)](?:\s|$)|[-+](?:\s|$)|#{1,6}(?:\s|$)|[-=]+$)")
"""What would make a list or a heading of a line."""
_BEFORE_NAME = re.compile(r"(?<=[@#])(?=\w)")
_LINK = re.compile(r"\b(https?|ftp|www)(?=[:.])", re.IGNORECASE)
_PLAIN_LINK = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.:-]*(?:/[A-Za-z0-9._~%/?#=&+-]*)?\Z")
_APART = "<!-- -->"
"""Shows nothing, and keeps apart what would else be taken together for a mention or a link."""


def words(text: str, at_most: int = 300) -> str:
    """Returns ``text`` as one line of running text, cut after ``at_most`` characters."""
    line = _SPECIAL.sub(r"\\\1", crop(one_line(text), at_most))
    line = _AT_THE_START.sub(r"\1\\", line).replace("&", "&amp;")
    return _LINK.sub(rf"\1{_APART}", _BEFORE_NAME.sub(_APART, line))


def link(text: str) -> str:
    """Returns ``text`` as a link to itself where it is a plain address on the web, else as ``words`` does."""
    return f"<{text}>" if _PLAIN_LINK.match(text) and len(text) <= 300 else words(text)


def code(text: str, at_most: int = 300) -> str:
    """Returns ``text`` as a code span of one line, in which nothing is interpreted."""
    line = crop(one_line(text), at_most)
    if not line:
        return "(empty)"
    fence_ = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence_}{pad}{line}{pad}{fence_}"


def fence(text: str, language: str = "", at_most: int = 4_000) -> list[str]:
    """Returns ``text`` as the lines of a fenced block, in which nothing is interpreted; what is cut off is told."""
    cleaned = clean(text)
    shown = cleaned[:at_most]
    marks = "`" * max(3, max(map(len, re.findall("`+", shown)), default=0) + 1)
    lines = [f"{marks}{language}", *shown.split("\n"), marks]
    return lines if len(shown) == len(cleaned) else [*lines, "", f"({len(cleaned) - len(shown):,} characters left out)"]
