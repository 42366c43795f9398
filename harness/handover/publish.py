"""How does a Hub Operator come by a release's bundle? Filed where it can be fetched, never over another, in an index.

What is filed is exactly the bytes that were verified. A bundle that lets no release go is filed as evidence, apart from
the others, and only where that was asked for.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, final
from urllib.parse import urlsplit

from harness.errors import HandoverError, UsageError
from harness.handover.index import INDEX_JSON, INDEX_MD, Entry, index_json, index_markdown, parse_entry
from harness.handover.stores import FolderStore, S3Store, Store

if TYPE_CHECKING:
    from harness.handover.verify import Verification

__all__ = ["Published", "entry_of", "file_bundle", "publish", "refusal"]

_APPROVED: Final = "approved"
_EVIDENCE: Final = "evidence"
_ENTRY: Final = ".json"
_ROUNDS: Final = 8


@final
@dataclass(frozen=True, slots=True)
class Published:
    """What became of it. ``unreadable`` are entries of others that the index had to leave out."""

    entry: Entry
    was_there: bool
    unreadable: tuple[str, ...] = ()


def refusal(found: Verification) -> str | None:
    """Returns why the verified bundle is not for a Hub Operator; ``None`` where it is."""
    manifest = found.manifest
    if not found.holds or manifest is None:
        return "the bundle is not what it says"
    if found.may_go:
        return None
    if manifest.rehearsal:
        return f"its verdict is {manifest.verdict}: a rehearsal approves no release"
    return f"its verdict is {manifest.verdict}"


def entry_of(found: Verification, size: int, now: datetime) -> Entry:
    """Returns the entry of a verified bundle of ``size`` bytes. It is called after its run, whatever its file was."""
    from harness.handover.bundle import bundle_name
    from harness.handover.verify import SignerStatus

    manifest = found.manifest
    assert manifest is not None  # what does not hold is never filed
    kind = _APPROVED if found.may_go else _EVIDENCE
    return Entry(
        path="/".join((kind, _part(manifest.product), _part(manifest.release), _part(bundle_name(manifest)))),
        sha256=found.sha256,
        size=size,
        evidence_only=not found.may_go,
        verdict=manifest.verdict,
        product=manifest.product,
        release=manifest.release,
        scheme=manifest.scheme,
        target=manifest.target.get("name", ""),
        run_id=manifest.run_id,
        ended_at=manifest.ended_at,
        published_at=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        signer=found.keyid or None,
        signer_checked=found.signer is SignerStatus.CHECKED,
    )


def publish(
    entry: Entry, data: bytes, to: str, environ: Mapping[str, str] = os.environ, *, endpoint: str | None = None
) -> Published:
    """Files the bundle ``data`` at ``to``: a folder, ``s3://BUCKET/PREFIX`` or ``git+URL[#BRANCH]``.

    Raises ``HandoverError`` where other bytes are there under its name, or the place cannot be used.
    """
    if to.startswith("git+"):
        from harness.handover.git_store import published_in_git

        return published_in_git(entry, data, to.removeprefix("git+"), environ)
    return file_bundle(_store(to, environ, endpoint), entry, data)


def _store(to: str, environ: Mapping[str, str], endpoint: str | None) -> Store:
    parts = urlsplit(to)
    if parts.scheme == "s3":
        if not parts.netloc:
            raise UsageError(f"{to!r} names no bucket", remedy="Give s3://BUCKET/PREFIX")
        return S3Store.at(parts.netloc, parts.path, environ, endpoint)
    if "://" in to:
        raise UsageError(f"{to!r} is no place to publish to", remedy="Give a folder, s3://BUCKET/PREFIX or git+URL")
    return FolderStore(Path(to))


def file_bundle(store: Store, entry: Entry, data: bytes, pause: Callable[[float], None] = time.sleep) -> Published:
    """Files ``data`` and its entry in ``store`` and makes the index anew. Filing the same again changes nothing."""
    with store.alone():
        there = store.read(entry.path + _ENTRY)
        known = parse_entry(there) if there is not None else None
        store.create(entry.path, data)
        if known is not None and known.sha256 == entry.sha256:
            entry, was_there = known, True
        else:
            store.create(entry.path + _ENTRY, entry.to_bytes())
            was_there = False
        return Published(entry, was_there, _index(store, entry, pause))


def _index(store: Store, entry: Entry, pause: Callable[[float], None]) -> tuple[str, ...]:
    """Makes the index of all entries. Another may make one at the same time: what stands there is looked at again."""
    for round_ in range(_ROUNDS):
        names = _entries(store)
        read = {name: parse_entry(store.read(name) or b"") for name in names}
        entries = [found for found in read.values() if found is not None]
        text = index_json(entries)
        if store.read(INDEX_JSON) != text:
            store.replace(INDEX_JSON, text)
        store.replace(INDEX_MD, index_markdown(entries))
        if _entries(store) == names and store.read(INDEX_JSON) == text and entry in entries:
            return tuple(name for name, found in read.items() if found is None)
        pause(random.uniform(0, 0.1 * 2**round_))
    raise HandoverError(
        "the bundle is filed, but others change the index all the time",
        file=entry.path,
        remedy="Publish it again: that makes the index anew",
    )


def _entries(store: Store) -> list[str]:
    names = [*store.names(_APPROVED), *store.names(_EVIDENCE)]
    return [name for name in names if name.endswith(f".zip{_ENTRY}")]


def _part(text: str) -> str:
    """``text`` as one part of a path."""
    kept = "".join(char if char.isalnum() or char in "._-" else "_" for char in text).strip(".")
    return kept or "unnamed"
