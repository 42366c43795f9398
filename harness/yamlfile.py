"""Reads a YAML file into a pydantic model; what does not fit is told with file, line and remedy.

Every description a person writes by hand (target, criteria, pin, manifest) comes in through here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from harness.errors import InputError

__all__ = ["parse_yaml", "read_yaml", "validate"]

Model = TypeVar("Model", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """Refuses a key given twice and remembers nothing else."""


def _mapping(loader: _Loader, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    seen: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str | int | float | bool):
            raise yaml.constructor.ConstructorError(None, None, "a key must be plain text", key_node.start_mark)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is given twice", key_node.start_mark)
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: Path, model: type[Model], error: type[InputError], *, what: str) -> Model:
    """Returns the content of ``path`` as ``model``. Raises ``error`` where the file is absent, broken or does not fit."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise error(f"there is no {what} here", file=path, remedy="Check the name, or create the file") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise error(f"the {what} cannot be read: {problem}", file=path, remedy="It must be UTF-8 text") from problem
    return validate(parse_yaml(text, path, error, what=what), text, model, error, file=path)


def parse_yaml(text: str, path: Path, error: type[InputError], *, what: str) -> Any:
    """Returns the document in ``text``. Raises ``error`` with line and column where it is not one YAML document."""
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else None
        reason = problem.problem or str(problem)
        raise error(
            f"the {what} is not valid YAML: {reason}", file=path, place=place, remedy="Mend this line"
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        raise error(f"the {what} is not valid YAML: {problem}", file=path, remedy="Mend the file") from None


def validate(data: Any, text: str, model: type[Model], error: type[InputError], *, file: Path) -> Model:
    """Returns ``data`` as ``model``. Raises ``error`` for the first thing that does not fit, with its line in ``text``."""
    try:
        return model.model_validate(data if data is not None else {})
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        line = _line(text, first["loc"])
        more = problem.error_count() - 1
        raise error(
            f"{where}: {first['msg']}" + (f" (and {more} more)" if more else ""),
            file=file,
            place=f"line {line}",
            remedy="Remove it or correct the spelling" if first["type"] == "extra_forbidden" else "Correct this value",
        ) from None


def _line(text: str, location: tuple[int | str, ...]) -> int:
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    line = 1 if node is None else node.start_mark.line + 1
    for part in location:
        step = _child(node, part)
        if step is None:
            # pydantic names union branches in the location; they are no part of the document
            continue
        line, node = step
    return line


def _child(node: yaml.Node | None, part: int | str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line + 1, value
    elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        item = node.value[part]
        return item.start_mark.line + 1, item
    return None
