"""Where in a YAML file does a value stand? Reads a document so that every complaint can name its line.

Knows nothing of what the document means; refuses repeated keys, which plain loading would silently drop.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from harness.errors import InputError

__all__ = ["YamlDocument", "parse_yaml", "read_text", "read_yaml", "validated"]

_M = TypeVar("_M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A document's data and the nodes it came from."""

    data: Any
    root: yaml.Node
    file: Path | str

    def place(self, location: Sequence[int | str]) -> str:
        """Returns ``line N (a.b[0])`` for a path of keys and indexes; the nearest ancestor that exists is named."""
        node, walked = self.root, ""
        for part in location:
            if (found := _child(node, part)) is None:
                continue
            node = found
            walked += f"[{part}]" if isinstance(part, int) else f".{part}" if walked else str(part)
        line = f"line {node.start_mark.line + 1}"
        return f"{line} ({walked})" if walked else line


def read_yaml(path: Path, model: type[_M], error: type[InputError], *, what: str) -> _M:
    """Returns the file ``path`` as ``model``; ``what`` is what a person calls it. Raises ``error``."""
    return validated(parse_yaml(read_text(path, error, what=what), path, error), model, error)


def read_text(path: Path, error: type[InputError], *, what: str) -> str:
    """Returns the text of the file ``path``. Raises ``error`` where it is absent, unreadable or not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise error(f"there is no {what} here", file=path, remedy="Check the name, or create the file") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise error(f"the {what} cannot be read: {problem}", file=path, remedy="Save it as UTF-8 text") from None


def _child(node: yaml.Node, part: int | str) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        item = node.value[part]
        return item if isinstance(item, yaml.Node) else None
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                # A mapping or list begins below its key; a person looks for the key.
                return value if isinstance(value, yaml.ScalarNode) else _at(value, key)
    return None


def _at(value: yaml.Node, key: yaml.Node) -> yaml.Node:
    return type(value)(value.tag, value.value, key.start_mark, value.end_mark)


def parse_yaml(text: str, file: Path | str, error: type[InputError]) -> YamlDocument:
    """Returns the one document in ``text``. Raises ``error`` with file and line on bad YAML or a repeated key."""
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            raise error("the file is empty", file=file, remedy="Write the document or remove the file")
        _refuse_repeated_keys(root, file, error)
        return YamlDocument(loader.construct_document(root), root, file)
    except (yaml.YAMLError, ValueError) as problem:
        mark = getattr(problem, "problem_mark", None)
        place = f"line {mark.line + 1}" if mark else None
        detail = getattr(problem, "problem", None) or str(problem)
        raise error(f"not readable as YAML: {detail}", file=file, place=place, remedy="Correct the syntax") from None
    finally:
        loader.dispose()


def _refuse_repeated_keys(root: yaml.Node, file: Path | str, error: type[InputError]) -> None:
    todo, seen = [root], set()
    while todo:
        node = todo.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            todo.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            keys: dict[str, yaml.Node] = {}
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode):
                    if key.value in keys:
                        raise error(
                            f"the key {key.value!r} stands twice in one mapping",
                            file=file,
                            place=f"line {key.start_mark.line + 1}",
                            remedy=f"Keep one; the first is on line {keys[key.value].start_mark.line + 1}",
                        )
                    keys[key.value] = key
                todo.append(value)


def validated(document: YamlDocument, model: type[_M], error: type[InputError]) -> _M:
    """Returns ``document`` as ``model``. Raises ``error`` for the first misfit, with its line and what would fit."""
    try:
        # By way of JSON: there, strict models still take text for an enumeration and a list for a tuple.
        return model.model_validate_json(json.dumps(document.data))
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_context=False)[0]
        raise error(
            _complaint(first["type"], first["loc"], first["msg"]),
            file=document.file,
            place=document.place(first["loc"]),
            remedy=_remedy(first["type"]),
        ) from None
    except (TypeError, ValueError, RecursionError) as problem:
        raise error(
            f"holds a value that is not text, number, truth value, list or mapping: {problem}",
            file=document.file,
            place=document.place(()),
            remedy="Write dates and the like as text in quotes",
        ) from None


def _complaint(kind: str, location: Sequence[int | str], message: str) -> str:
    name = location[-1] if location else "the document"
    if kind == "extra_forbidden":
        return f"unknown key {name!r}"
    if kind == "missing":
        return f"the key {name!r} is absent"
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    return f"{name!r}: {message[:1].lower()}{message[1:]}"


def _remedy(kind: str) -> str:
    if kind == "extra_forbidden":
        return "Remove it or correct its spelling; the vocabulary is closed"
    return "Add it" if kind == "missing" else "Correct the value"
