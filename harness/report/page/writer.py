"""Writes ``verdict.html``: one file that needs nothing else, not even a network.

Nothing that came from a hub is more than text on it.

Three things keep it so: every value is made harmless and escaped on its way into the template, the page's own policy
(Content-Security-Policy) lets only its own style and script in, by their digests, and nothing may be loaded at all.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, final

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from harness.report.files import utf8, write_file
from harness.report.interface import ReportInput
from harness.report.page.view import view_of
from harness.report.sequence import SEQUENCE_CSS
from harness.report.text import clean

__all__ = ["VerdictPage", "page_of"]

_LONGEST: Final = 1_000
_WEB: Final = re.compile(r"https?://[^\s/]+\.?[^\s]*", re.IGNORECASE)


@final
class VerdictPage:
    """The page as a report."""

    name = "html"

    def write(self, run: ReportInput, folder: Path) -> list[Path]:
        """Writes ``folder/verdict.html`` and returns its path. Raises ``OSError``; then an old one still stands."""
        return [write_file(folder / "verdict.html", utf8(page_of(run)))]


def page_of(run: ReportInput) -> str:
    """Returns the page. The same judged run gives the same text, whatever the hour."""
    css, js = _own("page.css") + SEQUENCE_CSS, _own("page.js")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src {_digest(css)}",
            f"script-src {_digest(js)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return _template().render(page=view_of(run), css=Markup(css), js=Markup(js), policy=policy)


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


def _own(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = Environment(
        loader=FunctionLoader(_own),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["jsontext"] = lambda value: json.dumps([_harmless(text) for text in value])
    environment.filters["whole"] = _whole
    environment.tests["weblink"] = _is_web_link
    return environment.get_template("verdict.html.j2")
