"""What has a Scheme agreed to live with, until when? Its waivers, read from ``scheme_rules/<scheme>/waivers.yaml``.

What a waiver does to a judgement stands in ``waiving.py``.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from harness.errors import CriteriaError
from harness.judge.criteria import refuse_repeated_ids
from harness.judge.vocabulary import Name, Part
from harness.yaml_document import parse_yaml, read_text, validated

__all__ = ["DAYS_AT_MOST", "Waiver", "Waivers", "load_waivers", "parse_waivers", "waivers_schema"]

DAYS_AT_MOST: Final = 180
"""How long after its approval a waiver may expire, where the Scheme's criteria say nothing else."""

_PLACEHOLDERS: Final = frozenset(
    {
        "tbd", "tba", "todo", "fixme", "na", "none", "null", "later", "pending", "unknown", "test", "testing", "asdf",
        "lorem", "ipsum", "dummy", "placeholder", "wip", "see", "ticket", "reason",
    }
)  # fmt: skip
_WORDS_AT_LEAST: Final = 3


def _words(text: str) -> set[str]:
    found = re.findall(r"[^\W\d_]+", text.replace("/", "").lower())
    return {word for word in found if word not in _PLACEHOLDERS and len(set(word)) > 1}


class Waiver(Part):
    """One agreement. It covers what it names, in this run at most up to its bound, and nothing else."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    checks: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    """Exact ids of checks, or of a case that failed outside any check."""
    label: Name | None = None
    """Instead: all checks of the cases with this label or feature."""
    ticket: Annotated[str, Field(pattern=r"^https?://[^\s/.]+\.[^\s/]+/\S+$")]
    reason: Annotated[str, Field(min_length=20)]
    approved_by: Name
    approved_on: date
    expires: date
    """The last day on which it holds, in UTC."""
    at_most: Annotated[int, Field(ge=1)] | None = None
    """It covers so many checks. Where more fail of what it names, it covers none."""
    rate_at_most: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Instead: such a share of the checks that it names."""

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if (self.checks is None) == (self.label is None):
            raise ValueError("a waiver needs either 'checks' or 'label'")
        for name in (*(self.checks or ()), *((self.label,) if self.label else ())):
            if not re.search(r"[^\W_]", name):
                raise ValueError(f"{name!r} is a wildcard: a waiver names what it covers")
        for check in self.checks or ():
            if "::" not in check:
                raise ValueError(f"{check!r} is not the id of a check or case (path::case::step::check)")
        if (self.at_most is None) == (self.rate_at_most is None):
            raise ValueError("a waiver needs either 'at_most' or 'rate_at_most'")
        if len(self.reason.strip()) < 20 or len(_words(self.reason)) < _WORDS_AT_LEAST:
            raise ValueError("'reason' does not say why: say it in at least 20 characters, without placeholders")
        if not _words(self.approved_by):
            raise ValueError("'approved_by' names nobody")
        if self.expires < self.approved_on:
            raise ValueError(f"it expires ({self.expires}) before it was approved ({self.approved_on})")
        return self


class _Document(Part):
    scheme: Name
    waivers: tuple[Waiver, ...]


class Waivers(_Document):
    """A Scheme's waivers and the SHA-256 of the file they were read from."""

    digest: str = ""


def load_waivers(path: Path, *, scheme: str | None, days_at_most: int = DAYS_AT_MOST) -> Waivers:
    """Returns the waivers in the file ``path``. Raises ``CriteriaError`` naming file, line and remedy.

    ``scheme`` is the one they must be of; ``None`` accepts any.
    """
    waivers = parse_waivers(read_text(path, CriteriaError, what="waiver file"), path, days_at_most=days_at_most)
    if scheme is not None and waivers.scheme != scheme:
        raise CriteriaError(
            f"the waivers are of scheme {waivers.scheme!r}, the run is judged by {scheme!r}",
            file=path,
            place="scheme",
            remedy="Give the Scheme's own waivers: one Scheme cannot waive what another demands",
        )
    return waivers


def parse_waivers(text: str, file: Path | str, *, days_at_most: int = DAYS_AT_MOST) -> Waivers:
    """Returns the waivers in ``text``; ``file`` is what errors name. Raises ``CriteriaError``."""
    document = parse_yaml(text, file, CriteriaError)
    refuse_repeated_ids(document, "waivers", "waiver")
    read = validated(document, _Document, CriteriaError)
    for index, waiver in enumerate(read.waivers):
        latest = waiver.approved_on + timedelta(days=days_at_most)
        if waiver.expires > latest:
            raise CriteriaError(
                f"waiver {waiver.id!r} holds longer than {days_at_most} days after its approval",
                file=document.file,
                place=document.place(("waivers", index, "expires")),
                remedy=f"Let it expire by {latest}, and approve it again if need be",
            )
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return Waivers(scheme=read.scheme, waivers=read.waivers, digest=digest)


def waivers_schema() -> dict[str, Any]:
    """Returns the JSON Schema of ``waivers.yaml``, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_Document.model_json_schema()}
