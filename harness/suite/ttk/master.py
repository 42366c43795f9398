"""What does a ``master.json`` say? In which order a folder's entries run, with which labels, and what it refers to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from harness.suite.ttk.checked import Checked
from harness.suite.ttk.jsontext import JsonPath, read_json

__all__ = ["MASTER", "Listed", "read_master"]

MASTER = "master.json"
_TYPES = ("file", "folder", "fileRef")


@final
@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of ``order``. ``reference`` is set for a ``fileRef`` only: the path of the file it stands for."""

    name: str
    labels: tuple[str, ...] = ()
    reference: str | None = None
    place: str = ""
    """Where the entry stands in the file."""


def read_master(file: Path) -> tuple[Listed, ...]:
    """Returns what the ``master.json`` at ``file`` lists, in order. Raises ``CollectionError`` if it is malformed."""
    value, text = read_json(file)
    checked = Checked(file, text)
    order = checked.field(checked.need(value, dict, ()), "order", list, ())
    listed: list[Listed] = []
    names: set[str] = set()
    for i, item in enumerate(order):
        entry = _entry(checked, item, ("order", i))
        if entry.name in names:
            checked.refuse(f"lists {entry.name!r} a second time", ("order", i, "name"))
        names.add(entry.name)
        listed.append(entry)
    return tuple(listed)


def _entry(checked: Checked, item: Any, at: JsonPath) -> Listed:
    entry = checked.need(item, dict, at)
    name = checked.field(entry, "name", str, at)
    if not name or name in (".", "..") or "/" in name or "\\" in name:
        checked.refuse(f"is no name of a file or folder here: {name!r}", (*at, "name"))
    kind = checked.field(entry, "type", str, at)
    if kind not in _TYPES:
        checked.refuse(f"is no type of entry: {kind!r} (known: {', '.join(_TYPES)})", (*at, "type"))
    labels = checked.optional(entry, "labels", list, at, [])
    for i, label in enumerate(labels):
        checked.need(label, str, (*at, "labels", i))
    # The reference engine gives what a fileRef brings in the labels of its folder alone.
    if kind == "fileRef":
        return Listed(name, reference=checked.field(entry, "path", str, at), place=checked.place((*at, "path")))
    return Listed(name, tuple(labels), place=checked.place((*at, "name")))
