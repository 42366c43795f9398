"""Which component, at which version, and which before, does one line of release notes name?

Reads every way in which they were written from v13 to v17: plain, bold, linked, quoted, with and without ``v`` and with
an empty version before. What it cannot read, or reads with doubt, it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.release.findings import Finding, Weight
from harness.release.markdown import links
from harness.release.versions import bare, is_version

__all__ = ["ComponentLine", "read_component_line", "read_value"]

_HEAD = re.compile(
    r"\s*(?:\[(?P<linked>[^\]]+)\]\([^)]*\)|(?P<name>[A-Za-z][\w@./ -]*?))"
    r"\s*(?::\s*|\s+-\s+(?!>)|\s+(?=[\"'“]?v?\d|\[|-+>|=>|→))(?P<rest>.*)$"
)
_ARROW = re.compile(r"\s*(?:-+>|=>|→|⇒)\s*")
_VALUE = re.compile(r"\s*(?:\[(?P<text>[^\]]*)\]\((?P<url>\([^)]*\)|[^)]*)\)|(?P<plain>[\"'“]?[vV]?\d[\w.+-]*[\"'”]?))")
_ASIDE = re.compile(r"\s*[*_]*\(((?:\[[^\]]*\]\([^)]*\)|[^()])*)\)[*_]*")
_GLUED = re.compile(r"\s*\d+[.)]\s+(?=[A-Za-z\[])")


@dataclass(frozen=True, slots=True)
class ComponentLine:
    """A component as one line names it. ``previous`` is ``None`` where the line names none."""

    name: str
    version: str
    previous: str | None
    line: int


@dataclass(slots=True)
class _Reading:
    line: int
    found: list[ComponentLine] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def say(self, weight: Weight, text: str, remedy: str = "") -> None:
        self.findings.append(Finding(weight, f"line {self.line}", text, remedy))


def read_component_line(text: str, line: int) -> tuple[tuple[ComponentLine, ...], tuple[Finding, ...]]:
    """Returns the components that ``text`` (a list item without its marker) names, and what there is to say of it.

    One, as a rule; two where two lines were run together; none, and an error, where it cannot be read.
    """
    reading = _Reading(line)
    _read(text.replace("**", "").replace("`", ""), reading)
    return tuple(reading.found), tuple(reading.findings)


def _read(text: str, reading: _Reading) -> None:
    head = _HEAD.match(text)
    if head is None:
        _unread(text, reading, "no component with a version is in this line")
        return
    name, rest = (head["linked"] or head["name"]).strip(), head["rest"]
    values, tail = _values(rest, name, reading)
    if not values or values[-1] is None:
        _unread(text, reading, f"{name} has no version")
        return
    if any(value is not None and not is_version(value) for value in values):
        _unread(text, reading, f"what stands as version of {name} is none")
        return
    version, before = values[-1], [value for value in values[:-1] if value]
    if len(before) > 1:
        reading.say(Weight.WARNING, f"{name} has {len(values)} versions in a row", "The first and the last are taken")
    if before and before[0] == version:
        reading.say(Weight.NOTE, f"{name} {version} is listed as changed, but is as before")
    reading.found.append(ComponentLine(name, version, before[0] if before else None, reading.line))
    _read_tail(tail, name, reading)


def _unread(text: str, reading: _Reading, why: str) -> None:
    remedy = "Write it as NAME: OLD -> NEW, or NAME: VERSION"
    reading.say(Weight.ERROR, f"{why}: {text.strip()[:100]!r}", remedy)


def _values(rest: str, name: str, reading: _Reading) -> tuple[list[str | None], str]:
    values: list[str | None] = []
    position = 0
    while True:
        value = _VALUE.match(rest, position)
        arrow = _ARROW.match(rest, position if value is None else value.end())
        if value is not None:
            values.append(_version(value, name, reading))
            position = value.end()
        elif arrow is not None:
            values.append(None)  # an empty version before: the component is new
        else:
            return values + [None] * bool(values), rest[position:]
        if arrow is None:
            return values, rest[position:]
        position = arrow.end()


def _version(value: re.Match[str], name: str, reading: _Reading) -> str:
    version, findings = read_value(value[0].strip(), name, reading.line)
    reading.findings.extend(findings)
    return version


def read_value(text: str, name: str, line: int) -> tuple[str, tuple[Finding, ...]]:
    """Returns the version that ``text`` (perhaps a link) gives for ``name``, and what there is to say of it."""
    linked = links(text)
    shown = linked[0][0] if linked else text
    version = bare(shown)
    said = []
    if shown.strip()[:1] in "\"'“":
        said.append(Finding(Weight.NOTE, f"line {line}", f"the version of {name} is in quotes: {shown}"))
    target = bare(linked[0][1].rstrip("/").rsplit("/", 1)[-1]) if linked else version
    if is_version(target) and target != version:
        text = f"the text of the link gives {name} {version}, the link leads to {target}"
        said.append(Finding(Weight.WARNING, f"line {line}", text, "The text is taken; correct the notes"))
    return version, tuple(said)


def _read_tail(tail: str, name: str, reading: _Reading) -> None:
    while (aside := _ASIDE.match(tail)) is not None:
        tail = tail[aside.end() :]
        _compare(aside[1], name, reading)
    if (glued := _GLUED.match(tail)) is not None:
        reading.say(Weight.WARNING, f"another entry follows {name} in the same line", "It is read as a line of its own")
        _read(tail[glued.end() :], reading)
    elif tail.strip(" .,;*_\\"):
        weight = Weight.ERROR if re.search(r"\d+\.\d+", tail) else Weight.NOTE
        reading.say(weight, f"not understood after the version of {name}: {tail.strip()[:80]!r}", "Put it elsewhere")


def _compare(aside: str, name: str, reading: _Reading) -> None:
    found = reading.found[-1]
    compared = list(_compared(aside))
    if not compared:
        reading.say(Weight.NOTE, f"beside {name} stands: {aside.strip()[:80]!r}")
    for before, after in compared:
        if (before or None) != found.previous or after != found.version:
            said = f"{found.previous or ''} -> {found.version}".strip()
            text = f"the line gives {name} {said}, its comparison leads to {before} -> {after}"
            reading.say(Weight.WARNING, text, "The line is taken; correct the notes")


def _compared(aside: str) -> Iterator[tuple[str, str]]:
    for _, target in links(aside):
        if "/compare/" in target and "..." in target:
            before, after = target.rsplit("/compare/", 1)[1].split("...", 1)
            yield bare(before), bare(after)
