"""Does a runbook hold what an operator needs? Deployment, rollback, environment variables, database, prerequisites."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from harness.release.findings import Finding, Weight
from harness.release.markdown import sections
from harness.release.outline import is_placeholder, says_none

__all__ = ["check_runbook"]

# A heading answers the first that it fits: "Rollback of the deployment" is about the rollback.
_PARTS = {
    "prerequisites": r"pre-?\s?requisites?|before you (begin|start)|requirements",
    "rollback": r"roll(ing)?[ -]?backs?|back[ -]?out|revert",
    "environment variables": r"environment variables?|env(ironment)?[ .-]?vars?",
    "database scripts": r"\b(database|db|sql|schema)\b|migrations?",
    "deployment": r"deploy(ment|ing)?|install(ation|ing)?|upgrad(e|ing)|roll-?out",
}
_MUST_SAY = ("deployment", "rollback")


def check_runbook(text: str, file: Path) -> Iterator[Finding]:
    """Yields what the runbook ``text`` (Markdown) lacks: a part that is absent, empty, or still its template's."""
    found = sections(text)
    bodies: dict[str, list[str]] = {}
    lines: dict[str, int] = {}
    part, depth = None, 0
    for section in found:
        named = _part_of(section.title) if section.level else None
        if named is not None or (part is not None and section.level <= depth):
            part, depth = named, section.level
        if part is not None:
            lines.setdefault(part, section.line)
            bodies.setdefault(part, []).extend(line.text.strip() for line in section.lines)
    for name in _PARTS:
        if name not in bodies:
            text, remedy = f"the runbook has no part on {name}", f"Add a heading on {name}, and what is to be done"
            yield Finding(Weight.ERROR, file.name, text, remedy)
            continue
        where = f"{file.name}, line {lines[name]}"
        written = [line for line in bodies[name] if line and not re.fullmatch(r"[`~|:\s-]*", line)]
        if not written:
            yield Finding(Weight.ERROR, where, f"the part on {name} is empty", "Write what is to be done, or 'None'")
        elif all(is_placeholder(line) for line in written):
            yield Finding(Weight.ERROR, where, f"the part on {name} is a placeholder", "Write what is to be done")
        elif all(says_none(line) for line in written):
            if name in _MUST_SAY:
                text = f"the part on {name} says that there is nothing to do"
                yield Finding(Weight.ERROR, where, text, "Every release is deployed and may have to be rolled back")
            else:
                yield Finding(Weight.NOTE, where, f"the runbook states that there are no {name}")


def _part_of(title: str) -> str | None:
    for name, pattern in _PARTS.items():
        if re.search(pattern, title, re.IGNORECASE):
            return name
    return None
