"""Writes ``history.html``: the nights of one target on one page that needs nothing else."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Template
from markupsafe import Markup

from harness.errors import HarnessError
from harness.history.page.view import NIGHTS_SHOWN, PageView, page_view
from harness.history.reader import History
from harness.report.files import utf8, write_file
from harness.report.page.paper import base_css, environment, policy

__all__ = ["history_page", "write_page"]


def history_page(view: PageView) -> str:
    """Returns the page. The same nights give the same text, whatever the hour."""
    css = base_css() + _own("history.css")
    return _template().render(page=view, css=Markup(css), policy=policy(css))


def write_page(
    dataset: Path, target: str, out: Path, *, product: str = "mojaloop", shown: int = NIGHTS_SHOWN
) -> tuple[Path, tuple[str, ...]]:
    """Writes the page of ``target`` to ``out``; returns it with what of the history was passed over.

    Raises ``UsageError`` where no night is recorded, ``HarnessError`` where the page cannot be written.
    """
    view = page_view(History(dataset), target, product=product, shown=shown)
    try:
        return write_file(out, utf8(history_page(view))), view.problems
    except OSError as problem:
        raise HarnessError(
            f"{out} cannot be written: {problem.strerror or problem}", remedy="Give another place with --out"
        ) from problem


def _own(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    return environment(_own).get_template("history.html.j2")
