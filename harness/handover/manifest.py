"""What is in a bundle? ``manifest.json``: every member with digest and size, whose run it is, who signed it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.handover.collect import Absent
from harness.model.verdict import Verdict

__all__ = ["FORMAT", "Manifest", "Member", "Signer", "digest", "make_manifest", "parse_manifest"]

FORMAT: Final = 1
_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Member(_Part):
    """One file."""

    name: str
    sha256: _Sha256
    size: int


class Signer(_Part):
    """Whose key signed, as the bundle itself says: the key's id as securesystemslib has it, and the 32 bytes of it."""

    algorithm: Literal["ed25519"] = "ed25519"
    keyid: _Sha256
    public_key: _Sha256


class _Missing(_Part):
    what: str
    why: str


class Manifest(_Part):
    """A bundle's list of contents. ``signer`` is ``null`` where nobody signed."""

    format: Literal[1]
    tool: str
    """The version of the harness that made the bundle."""
    run: str
    """The run's folder in the bundle."""
    run_id: str
    product: str
    release: str
    scheme: str | None
    target: dict[str, str]
    verdict: str
    kind: str
    rehearsal: bool
    exit_code: int
    ended_at: str
    """When the evidence ends, as the journal says."""
    signer: Signer | None
    absent: tuple[_Missing, ...]
    """What a reader may look for and does not find, and why."""
    members: tuple[Member, ...]
    """Every file but this one and the statements, which are about this one."""

    def to_bytes(self) -> bytes:
        """Returns the one text that the manifest has."""
        return (json.dumps(self.model_dump(mode="json"), indent=1, sort_keys=True, ensure_ascii=True) + "\n").encode()


def digest(content: bytes) -> str:
    """Returns the SHA-256 of ``content`` in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def make_manifest(
    verdict: Verdict,
    *,
    tool: str,
    run: str,
    ended_at: str,
    signer: Signer | None,
    absent: Sequence[Absent],
    members: Mapping[str, bytes],
) -> Manifest:
    """Returns the manifest of ``members`` (name to content) for the run with this ``verdict``."""
    target: Mapping[str, Any] = verdict.inputs.get("target") or {}
    return Manifest(
        format=FORMAT,
        tool=tool,
        run=run,
        run_id=verdict.run_id,
        product=verdict.product,
        release=verdict.release,
        scheme=verdict.inputs.get("scheme"),
        target={key: str(target.get(key) or "") for key in ("name", "kind")},
        verdict=verdict.text,
        kind=verdict.kind.value,
        rehearsal=verdict.rehearsal,
        exit_code=int(verdict.kind.exit_code),
        ended_at=ended_at,
        signer=signer,
        absent=tuple(_Missing(what=one.what, why=one.why) for one in absent),
        members=tuple(
            Member(name=name, sha256=digest(content), size=len(content)) for name, content in sorted(members.items())
        ),
    )


def parse_manifest(data: bytes) -> Manifest:
    """Returns the manifest in ``data``. Raises ``ValueError`` saying what is wrong with it."""
    try:
        found = Manifest.model_validate_json(data)
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"it is not a manifest of format {FORMAT}: {where or 'the text'}: {first['msg']}") from None
    if found.to_bytes() != data:
        raise ValueError("it is not written as a manifest of ours is: bytes were changed")
    return found
