"""What was published? One entry beside each bundle, and the index that is made of all entries, newest first.

Entries are the truth, the index is derived: whoever publishes makes it anew, so that no publisher can lose another's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.handover.markdown import code, words

__all__ = ["INDEX_JSON", "INDEX_MD", "Entry", "index_json", "index_markdown", "parse_entry"]

INDEX_JSON: Final = "index.json"
INDEX_MD: Final = "index.md"


class Entry(BaseModel):
    """One published bundle."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    format: Literal[1] = 1
    path: str
    """Where it lies, from the index."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: int
    evidence_only: bool
    """It lets no release go, and is kept as evidence."""
    verdict: str
    product: str
    release: str
    scheme: str | None
    target: str
    run_id: str
    ended_at: str
    """When its evidence ends."""
    published_at: str
    """ISO 8601, UTC."""
    signer: str | None
    """The id of the key that signed it."""
    signer_checked: bool
    """Whether the publisher was given the key that it had to be signed by."""

    def to_bytes(self) -> bytes:
        """Returns the entry's file."""
        return (json.dumps(self.model_dump(mode="json"), indent=1, sort_keys=True) + "\n").encode()


def parse_entry(data: bytes) -> Entry | None:
    """Returns the entry in ``data``, or ``None`` where there is none that can be read."""
    try:
        return Entry.model_validate_json(data)
    except ValidationError:
        return None


def index_json(entries: Iterable[Entry]) -> bytes:
    """Returns ``index.json``: ``{format, bundles: [entry…]}``, newest first."""
    bundles = [entry.model_dump(mode="json") for entry in _newest_first(entries)]
    return (json.dumps({"format": 1, "bundles": bundles}, indent=1, sort_keys=True) + "\n").encode()


def index_markdown(entries: Iterable[Entry]) -> bytes:
    """Returns ``index.md``, for people: what may be deployed first, then what is kept as evidence."""
    ordered = _newest_first(entries)
    lines = ["# Published releases", ""]
    lines += _table([entry for entry in ordered if not entry.evidence_only], "None so far.")
    kept = [entry for entry in ordered if entry.evidence_only]
    if kept:
        lines += ["", "## Kept as evidence", "", "**None of these may be deployed.**", "", *_table(kept, "")]
    lines += ["", "Check what you fetch: `harness verify FILE --key PUBLIC-KEY --approved`."]
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")


def _newest_first(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(sorted(entries, key=lambda entry: entry.path), key=lambda entry: entry.published_at, reverse=True)


def _table(entries: Sequence[Entry], otherwise: str) -> list[str]:
    if not entries:
        return [otherwise]
    lines = ["| published | release | verdict | Scheme | file | sha256 | signed by |", "|---|---|---|---|---|---|---|"]
    for entry in entries:
        signer = "**nobody**" if entry.signer is None else code(entry.signer[:12])
        checked = "" if entry.signer_checked or entry.signer is None else " (not checked)"
        cells = (
            words(entry.published_at),
            words(f"{entry.product} {entry.release}"),
            words(entry.verdict),
            words(entry.scheme or "none"),
            words(entry.path),
            code(entry.sha256),
            signer + checked,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines
