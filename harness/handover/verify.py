"""Is a bundle what it says it is? Every byte is checked, and the verdict is derived again from the evidence inside.

In this order: how the zip is packed, the manifest and the digest of every member, the statements and who signed them,
and, where all of that is whole, the verdict: judged again in an empty workspace made of nothing but the bundle.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import yaml

from harness import __version__
from harness.errors import HarnessError
from harness.handover.archive import bad_name, read_bundle, unpack, write_members
from harness.handover.bundle import derived, names_in, statements
from harness.handover.collect import Absent
from harness.handover.layout import MANIFEST, README, STATEMENTS, name_of_statement
from harness.handover.manifest import Manifest, digest, make_manifest, parse_manifest
from harness.handover.readme import bundle_readme
from harness.judge.document import verdict_to_json

if TYPE_CHECKING:
    from securesystemslib.signer import Key

    from harness.report.interface import ReportInput

__all__ = [
    "Fault",
    "FaultKind",
    "SignerStatus",
    "Verification",
    "verification_data",
    "verify_bundle",
    "verify_file",
]


class FaultKind(StrEnum):
    """What is wrong with a bundle."""

    ARCHIVE = "archive"
    """It is not packed as a bundle is."""
    MANIFEST = "manifest"
    MISSING = "missing"
    """The manifest names a member that is not there."""
    EXTRA = "extra"
    """There is a member that the manifest does not name."""
    CHANGED = "changed"
    """A member is not what the manifest says."""
    STATEMENT = "statement"
    """What is said of the bundle does not fit it."""
    SIGNATURE = "signature"
    VERDICT = "verdict"
    """The evidence leads to another verdict."""
    DERIVED = "derived"
    """A report is not what is derived from the evidence."""


class SignerStatus(StrEnum):
    """What is known of who signed."""

    CHECKED = "signed by the given key"
    NOT_CHECKED = "signed, signer not checked"
    UNSIGNED = "not signed"
    WRONG = "not signed by the given key"


@final
@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong. ``member`` is empty where it is about the bundle as a whole."""

    kind: FaultKind
    member: str
    text: str

    def __str__(self) -> str:
        return f"{self.member}: {self.text}" if self.member else self.text


@final
@dataclass(frozen=True, slots=True)
class Verification:
    """What was found. Only where there is no fault may anything in ``manifest`` be believed."""

    sha256: str
    faults: tuple[Fault, ...]
    signer: SignerStatus
    keyid: str
    manifest: Manifest | None
    notes: tuple[str, ...]
    run: ReportInput | None = None
    """The run as judged again; ``None`` where that could not be done."""

    @property
    def holds(self) -> bool:
        """Whether the bundle is whole and its verdict follows from its evidence."""
        return not self.faults and self.manifest is not None and self.run is not None

    @property
    def may_go(self) -> bool:
        """Whether it holds, and its verdict lets the release go: approved, and no rehearsal."""
        return self.holds and self.manifest is not None and not self.manifest.exit_code and not self.manifest.rehearsal


def verify_file(path: Path, key: Key | None = None) -> Verification:
    """Returns what ``verify_bundle`` finds of the file at ``path``. Raises ``HandoverError`` for what is no bundle."""
    return verify_bundle(read_bundle(path), key)


def verify_bundle(data: bytes, key: Key | None = None) -> Verification:
    """Returns what is wrong with the bundle ``data``. With ``key`` it must be signed by that key, else by the one that
    it names itself, if it names one."""
    packed = unpack(data)
    faults = [Fault(FaultKind.ARCHIVE, "", text) for text in packed.faults]
    members, manifest = packed.members, None
    try:
        manifest = parse_manifest(members[MANIFEST])
    except KeyError:
        faults.append(Fault(FaultKind.MISSING, MANIFEST, "it is not there"))
    except ValueError as problem:
        faults.append(Fault(FaultKind.MANIFEST, MANIFEST, str(problem)))
    sha256 = hashlib.sha256(data).hexdigest()
    if manifest is None:
        status = SignerStatus.UNSIGNED if key is None else SignerStatus.WRONG
        return Verification(sha256, tuple(faults), status, "", None, ())
    faults += _members(members, manifest)
    payloads, signing, status = _payloads(members, manifest, key)
    faults += signing
    run, notes = None, []
    if manifest.tool != __version__:
        notes.append(
            f"made by mojaloop-harness {manifest.tool}, checked by {__version__}: another version may judge "
            "differently, and its pages are not compared"
        )
    if any(fault.kind is not FaultKind.SIGNATURE for fault in faults):
        notes.append("the verdict was not derived again: the bundle is not whole")
    else:
        run, judging = _judged_again(members, manifest)
        faults += judging
        if run is not None:
            faults += _told(run, members, manifest, payloads)
    keyid = manifest.signer.keyid if manifest.signer else ""
    return Verification(sha256, tuple(faults), status, keyid, manifest, tuple(notes), run)


def _members(members: Mapping[str, bytes], manifest: Manifest) -> Iterator[Fault]:
    """Compares what is there with what the manifest says."""
    listed = {member.name: member for member in manifest.members}
    if len(listed) != len(manifest.members):
        yield Fault(FaultKind.MANIFEST, MANIFEST, "it names a member twice")
    around = {MANIFEST, *(name_of_statement(name, signed=manifest.signer is not None) for name in STATEMENTS)}
    for name in sorted((listed.keys() | around) - members.keys()):
        yield Fault(FaultKind.MISSING, name, "it is not there")
    for name in sorted(members.keys() - listed.keys() - around):
        yield Fault(FaultKind.EXTRA, name, "the manifest does not name it")
    for name in sorted(listed.keys() & around):
        yield Fault(FaultKind.MANIFEST, MANIFEST, f"it lists {name}, which it cannot know")
    for name in sorted(listed.keys() & members.keys()):
        if (len(members[name]), digest(members[name])) != (listed[name].size, listed[name].sha256):
            yield Fault(FaultKind.CHANGED, name, "its digest is not the one in the manifest")


def _payloads(
    members: Mapping[str, bytes], manifest: Manifest, key: Key | None
) -> tuple[dict[str, bytes], list[Fault], SignerStatus]:
    """Returns what the statements say, what is wrong with their signatures, and what is known of the signer."""
    payloads: dict[str, bytes] = {}
    faults: list[Fault] = []
    if manifest.signer is None:
        for name in STATEMENTS:
            payloads[name] = members.get(name_of_statement(name, signed=False), b"")
        if key is None:
            return payloads, faults, SignerStatus.UNSIGNED
        faults.append(Fault(FaultKind.SIGNATURE, "", "it is not signed, and must be signed by the given key"))
        return payloads, faults, SignerStatus.WRONG
    from harness.handover.signing import key_named, open_envelope

    own = key_named(manifest.signer.keyid, manifest.signer.public_key)
    if own is None:
        faults.append(Fault(FaultKind.MANIFEST, MANIFEST, "the key that it names does not have the id that it names"))
    by_key = True
    for name in STATEMENTS:
        member = name_of_statement(name, signed=True)
        try:
            signed = open_envelope(members.get(member, b""))
        except ValueError as problem:
            faults.append(Fault(FaultKind.SIGNATURE, member, str(problem)))
            by_key = False
            continue
        payloads[name] = signed.payload
        if key is not None and not signed.is_by(key):
            by_key = False
            others = ", ".join(keyid[:12] for keyid in signed.keyids) or "no key"
            forged = key.keyid in signed.keyids
            why = "the signature does not hold" if forged else f"it is signed by another key ({others})"
            faults.append(Fault(FaultKind.SIGNATURE, member, f"{why}, not by the given one ({key.keyid[:12]})"))
        elif own is not None and not signed.is_by(own):
            by_key = False
            faults.append(Fault(FaultKind.SIGNATURE, member, "the signature does not hold"))
    if key is None:
        return payloads, faults, SignerStatus.NOT_CHECKED
    return payloads, faults, SignerStatus.CHECKED if by_key else SignerStatus.WRONG


def _judged_again(members: Mapping[str, bytes], manifest: Manifest) -> tuple[ReportInput | None, list[Fault]]:
    """Judges the run in a workspace that holds the bundle and nothing else."""
    from harness.validation import judge_as_before
    from harness.workspace import PARTS, Workspace

    verdict = f"{manifest.run}/verdict.json"
    if f"{manifest.run}/journal.jsonl" not in members or verdict not in members:
        return None, [Fault(FaultKind.MISSING, manifest.run, "it holds no run with a journal and a verdict")]
    if outside := sorted(_leading_out(members)):
        return None, [Fault(FaultKind.VERDICT, name, "it leads out of the bundle") for name in outside]
    with tempfile.TemporaryDirectory(prefix="harness-") as name:
        root = Path(name).resolve()
        write_members(members, root)
        for part in PARTS:
            (root / part).mkdir(exist_ok=True)
        try:
            run = judge_as_before(Workspace(root), root / manifest.run)
        except HarnessError as problem:
            text = str(problem).replace(f"{root}/", "").replace(str(root), "the bundle")
            return None, [Fault(FaultKind.VERDICT, verdict, text)]
    if members[verdict] != verdict_to_json(run.judged).encode("utf-8", "backslashreplace"):
        return run, [Fault(FaultKind.VERDICT, verdict, f"the evidence leads to: {run.judged.verdict.text}")]
    return run, []


def _leading_out(members: Mapping[str, bytes]) -> Iterator[str]:
    """Yields the members by which a run would be judged by something that is not in the bundle."""
    for name, content in members.items():
        folder, _, file = name.rpartition("/")
        if file == "artefacts.yaml" and any(_outside(folder, one) for one in _documents(content)):
            yield name
        if file not in ("journal.jsonl", "judged-by.json"):
            continue
        lines = [line for line in content.split(b"\n") if b'"run-started"' in line]
        for line in lines if file == "journal.jsonl" else [content]:
            try:
                said = json.loads(line)
                names = [said.get(key) for key in ("scheme", "product", "release", "criteria", "waivers")]
                for key in ("baseline", "fallback"):
                    names += (said.get(key) or {}).values()
            except (ValueError, AttributeError, RecursionError):
                continue  # what cannot be read at all is for the judge to say
            if any(isinstance(one, str) and one and bad_name(one) is not None for one in names):
                yield name


def _documents(content: bytes) -> Iterator[str]:
    """Yields the paths that an ``artefacts.yaml`` names; none of one that cannot be read, which is for the judge."""
    try:
        said = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError, RecursionError):
        return
    if isinstance(said, dict):
        evidence = said.get("evidence")
        named = [said.get("notes"), said.get("runbook"), *(evidence.values() if isinstance(evidence, dict) else ())]
        yield from (one for one in named if isinstance(one, str) and not one.startswith(("https://", "http://")))


def _outside(folder: str, path: str) -> bool:
    place = posixpath.normpath(posixpath.join(folder, path))
    return place.startswith(("/", "../")) or place == ".."


def _told(
    run: ReportInput, members: Mapping[str, bytes], manifest: Manifest, payloads: Mapping[str, bytes]
) -> Iterator[Fault]:
    """Compares everything that is told of the verdict with what follows from it."""
    verdict = run.judged.verdict
    absent = [Absent(one.what, one.why) for one in manifest.absent]
    listed = {member.name: members[member.name] for member in manifest.members}
    again = make_manifest(
        verdict,
        tool=manifest.tool,
        run=manifest.run,
        ended_at=run.judged.evidence.ended_at,
        signer=manifest.signer,
        absent=absent,
        members=listed,
    )
    for field in Manifest.model_fields:
        if getattr(again, field) != getattr(manifest, field):
            yield Fault(FaultKind.MANIFEST, MANIFEST, f"what it says of {field} does not follow from the evidence")
    for name, payload in statements(run.judged, manifest, members[MANIFEST]).items():
        if payloads.get(name) != payload:
            member = name_of_statement(name, signed=manifest.signer is not None)
            yield Fault(FaultKind.STATEMENT, member, "what it says does not follow from the bundle")
    if manifest.tool != __version__:
        return
    for name, content in derived(run, names_in(members, manifest.run)).items():
        if members.get(f"{manifest.run}/{name}") != content:
            yield Fault(FaultKind.DERIVED, f"{manifest.run}/{name}", "it is not what is derived from the evidence")
    text = bundle_readme(
        run.judged,
        tool=manifest.tool,
        run=manifest.run,
        members={name: content for name, content in listed.items() if name != README},
        absent=absent,
        signer=manifest.signer,
    )
    if members.get(README) != text:
        yield Fault(FaultKind.DERIVED, README, "it is not what is derived from the evidence")


def verification_data(found: Verification) -> dict[str, Any]:
    """Returns what was found as a machine reads it."""
    manifest = found.manifest
    return {
        "holds": found.holds,
        "may_go": found.may_go,
        "sha256": found.sha256,
        "signer": found.signer.name.lower().replace("_", "-"),
        "keyid": found.keyid or None,
        "verdict": manifest.verdict if manifest and found.holds else None,
        "rehearsal": manifest.rehearsal if manifest and found.holds else None,
        "product": manifest.product if manifest else None,
        "release": manifest.release if manifest else None,
        "run_id": manifest.run_id if manifest else None,
        "made_by": manifest.tool if manifest else None,
        "faults": [{"kind": one.kind.value, "member": one.member, "text": one.text} for one in found.faults],
        "notes": list(found.notes),
    }
