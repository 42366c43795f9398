"""What becomes of ``{$request.body.x}``, ``{$function.generic.F}``, ``{$config.FSPID}`` in what a rule answers?

Facts of the reference engine: a value goes in as text, and what leads nowhere becomes the text ``undefined``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from harness.engine.ttk.values import ABSENT, get_path, js_text

__all__ = ["fill"]

_PLACEHOLDER = re.compile(r"\{\$([^}]+)\}")


def fill(document: Any, sources: Mapping[str, Any], functions: Mapping[str, Callable[[], str]]) -> Any:
    """Returns a copy of ``document`` with each placeholder replaced by what stands there in ``sources``.

    ``sources`` maps the first word (``request``, ``config``, ``environment``) to its values. A name that is neither a
    source nor a function is left as it is. Where a placeholder is the whole text and leads to an object or a list, that
    value stands in its place: as text it would be of no use.
    """

    def value_of(name: str) -> Any:
        source, _, path = name.partition(".")
        if source == "function":
            function = functions.get(path)
            return None if function is None else function()
        return get_path(sources[source], path) if source in sources else None

    def known(name: str) -> bool:
        source, _, path = name.partition(".")
        return path in functions if source == "function" else source in sources

    def text(match: re.Match[str]) -> str:
        return js_text(value_of(match[1])) if known(match[1]) else match[0]

    def walk(node: Any) -> Any:
        if isinstance(node, str):
            whole = _PLACEHOLDER.fullmatch(node)
            if whole is not None and known(whole[1]) and isinstance(value := value_of(whole[1]), dict | list):
                return value
            return _PLACEHOLDER.sub(text, node) if "{$" in node else node
        if isinstance(node, Mapping):
            return {walk(key): walk(value) for key, value in node.items()}
        if isinstance(node, list | tuple):
            return [walk(item) for item in node]
        return None if node is ABSENT else node

    return walk(document)
