"""Input values of a run of collections: what does the environment file say, and what does the target override?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import CollectionError
from harness.suite.ttk.jsontext import place_of, read_json

__all__ = ["load_inputs"]


def load_inputs(file: Path | None, overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Returns the ``inputValues`` of environment ``file``, with ``overrides`` over them.

    Raises ``CollectionError`` with file, line and column where the file is no environment.
    """
    values: dict[str, Any] = {}
    if file is not None:
        document, text = read_json(file)
        if not isinstance(document, dict):
            raise CollectionError("must be an object", file=file, place=place_of(text, ()))
        given = document.get("inputValues")
        if not isinstance(given, dict):
            raise CollectionError(
                "must hold inputValues, an object",
                file=file,
                place=place_of(text, ("inputValues",)),
                remedy="Name a TTK environment file",
            )
        values.update(given)
    values.update(overrides or {})
    return values
