"""Writes ``verdict.html``: one file that needs nothing else, not even a network.

Nothing that came from a hub is more than text on it.

Three things keep it so: every value is made harmless and escaped on its way into the template, the page's own policy
(Content-Security-Policy) lets only its own style and script in, by their digests, and nothing may be loaded at all.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import final

from jinja2 import Template
from markupsafe import Markup

from harness.report.files import utf8, write_file
from harness.report.interface import ReportInput
from harness.report.page.paper import environment, policy
from harness.report.page.view import view_of
from harness.report.products import PAGE
from harness.report.sequence import SEQUENCE_CSS

__all__ = ["VerdictPage", "page_of"]


@final
class VerdictPage:
    """The page as a report."""

    name = "html"

    def write(self, run: ReportInput, folder: Path) -> list[Path]:
        """Writes ``folder/verdict.html`` and returns its path. Raises ``OSError``; then an old one still stands."""
        return [write_file(folder / PAGE, utf8(page_of(run)))]


def page_of(run: ReportInput) -> str:
    """Returns the page. The same judged run gives the same text, whatever the hour."""
    css, js = _own("page.css") + SEQUENCE_CSS, _own("page.js")
    return _template().render(page=view_of(run), css=Markup(css), js=Markup(js), policy=policy(css, js))


def _own(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    return environment(_own).get_template("verdict.html.j2")
