"""What every page of ours is written on: values made harmless and escaped, and a policy that lets nothing else in."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from harness.report.text import clean

__all__ = ["base_css", "environment", "policy"]

_LONGEST: Final = 1_000
"""Characters of a value on a page, where its template does not take it as it is (``whole``)."""
_WEB: Final = re.compile(r"https?://[^\s/]+\.?[^\s]*", re.IGNORECASE)


def environment(source: Callable[[str], str]) -> Environment:
    """Returns what renders the templates that ``source`` gives by name: everything is escaped, nothing undefined."""
    made = Environment(
        loader=FunctionLoader(source),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["jsontext"] = lambda value: json.dumps([_harmless(text) for text in value])
    made.filters["whole"] = _whole
    made.tests["weblink"] = _is_web_link
    return made


def policy(css: str, js: str = "") -> str:
    """Returns a Content-Security-Policy under which only this style and this script hold, and nothing is loaded."""
    script = [f"script-src {_digest(js)}"] if js else []
    return "; ".join(
        (
            "default-src 'none'", f"style-src {_digest(css)}", *script, "img-src data:", "base-uri 'none'",
            "form-action 'none'",
        )
    )  # fmt: skip


def base_css() -> str:
    """Returns the style that our pages share."""
    return files(__package__).joinpath("page.css").read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """A source expression for exactly this text (W3C Content Security Policy Level 3, section 2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _harmless(value: Any) -> Any:
    """What every value becomes before it is escaped: bounded, and made of nothing but text."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    longer = len(value) - _LONGEST
    return _text(value if longer <= 0 else f"{value[:_LONGEST]} … {longer:,} more characters")


def _text(value: str) -> str:
    """No control character, no half of a surrogate pair, no change of direction, nothing that is no character."""
    return clean(value).translate({0xFFFE: "\\ufffe", 0xFFFF: "\\uffff"})


def _whole(value: str) -> Markup:
    """What was shortened already, as text."""
    return escape(_text(value))


def _is_web_link(value: Any) -> bool:
    """Whether ``value`` may become a link: an absolute http or https URL and nothing else."""
    return isinstance(value, str) and _WEB.fullmatch(value) is not None
