"""A bundle holds all that its verdict stands on, proves itself, and nobody changes a byte of it unseen."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner
from syrupy.assertion import SnapshotAssertion

from harness import __version__
from harness.errors import HandoverError, InputError
from harness.handover import verify as verifying
from harness.handover.archive import pack, unpack, write_members
from harness.handover.bundle import make_bundle
from harness.handover.layout import MANIFEST, STATEMENTS, name_of_statement
from harness.handover.manifest import Manifest, Member, digest, parse_manifest
from harness.handover.signing import open_envelope, seal
from harness.handover.verify import FaultKind, SignerStatus, verify_bundle
from harness.validation import Against, judge_as_before, judge_folder, write_reports
from harness.workspace import Workspace, find_workspace
from tests.handover import world

RUNS = {
    "good": (world.approved, "APPROVED", "PASSED", "PASSED"),
    "rehearsed": (world.rehearsal, "APPROVED (rehearsal on the embedded hub)", "FAILED", "FAILED"),
    "broken": (world.rejected, "REJECTED", "FAILED", "FAILED"),
    "cut-off": (world.inconclusive, "INCONCLUSIVE", "FAILED", "FAILED"),
}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with a run of each kind."""
    made = world.workspace(tmp_path_factory.mktemp("handover") / "workspace")
    for make, *_ in RUNS.values():
        make(made)
    return made


@pytest.fixture(scope="module")
def signer() -> CryptoSigner:
    return CryptoSigner.generate_ed25519()


@pytest.fixture(scope="module")
def signed(here: Workspace, signer: CryptoSigner) -> bytes:
    return make_bundle(here, here.runs / "good", signer).data


@pytest.fixture(scope="module")
def unsigned(here: Workspace) -> bytes:
    return make_bundle(here, here.runs / "good").data


def predicates(data: bytes) -> list[dict]:
    members = unpack(data).members
    found = []
    for name in STATEMENTS:
        bare = members.get(name_of_statement(name, signed=False))
        found.append(json.loads(bare or open_envelope(members[name_of_statement(name, signed=True)]).payload))
    return found


def faults(data: bytes, signer: CryptoSigner | None = None) -> list[tuple[FaultKind, str]]:
    found = verify_bundle(data, signer.public_key if signer else None)
    assert found.holds is not bool(found.faults)
    return [(fault.kind, fault.member) for fault in found.faults]


def forged(data: bytes, change: Mapping[str, bytes | None], signer: CryptoSigner | None = None) -> bytes:
    """What an attacker makes of a bundle who changes members and then makes all digests, and statements, fit again."""
    members = dict(unpack(data).members)
    manifest = parse_manifest(members[MANIFEST])
    for name, content in change.items():
        if content is None:
            del members[name]
        else:
            members[name] = content
    around = {MANIFEST, *(name_of_statement(name, signed=by) for name in STATEMENTS for by in (True, False))}
    listed = {name: content for name, content in members.items() if name not in around}
    if signer is not None and manifest.signer is not None:
        own = signer.public_key.keyid.encode()
        listed["README.md"] = listed["README.md"].replace(manifest.signer.keyid.encode(), own)
    fields = manifest.model_dump() | {
        "members": tuple(
            Member(name=name, sha256=digest(content), size=len(content)) for name, content in sorted(listed.items())
        )
    }
    if signer is not None:
        fields["signer"] = {"keyid": signer.public_key.keyid, "public_key": signer.public_key.keyval["public"]}
    else:
        fields["signer"] = None
    made = Manifest(**fields)
    listed[MANIFEST] = made.to_bytes()
    subject = {member.name: member.sha256 for member in made.members} | {MANIFEST: digest(listed[MANIFEST])}
    result = b""
    for name, statement in zip(STATEMENTS, predicates(data), strict=True):
        if result:
            statement["predicate"]["inputAttestations"][0]["digest"]["sha256"] = digest(result)
        statement["subject"] = [{"name": n, "digest": {"sha256": d}} for n, d in sorted(subject.items())]
        payload = result = json.dumps(statement, sort_keys=True, separators=(",", ":")).encode() + b"\n"
        if signer is None:
            listed[name_of_statement(name, signed=False)] = payload
        else:
            listed[name_of_statement(name, signed=True)] = seal(payload, signer)
    return pack(listed)


@pytest.mark.parametrize("run", RUNS)
def test_it_verifies_and_says_to_programs_no_more_than_the_verdict_allows(here: Workspace, run: str) -> None:
    _, verdict, result, summary = RUNS[run]
    bundle = make_bundle(here, here.runs / run)
    found = verify_bundle(bundle.data)
    assert (found.holds, found.may_go) == (True, run == "good")
    assert bundle.manifest.verdict == verdict
    assert found.signer is SignerStatus.UNSIGNED
    test, vsa = predicates(bundle.data)
    assert test["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert vsa["predicateType"] == "https://slsa.dev/verification_summary/v1"
    assert (test["predicate"]["result"], vsa["predicate"]["verificationResult"]) == (result, summary)
    assert (vsa["predicate"]["verifiedLevels"] == ["FAILED"]) is (summary == "FAILED")
    assert test["subject"] == vsa["subject"]
    members = unpack(bundle.data).members
    said = {one["name"]: one["digest"]["sha256"] for one in test["subject"]}
    around = {name_of_statement(name, signed=False) for name in STATEMENTS}
    assert said == {name: digest(content) for name, content in members.items() if name not in around}


def test_the_tests_of_the_statement_are_the_checks_of_the_run(here: Workspace) -> None:
    predicate = predicates(make_bundle(here, here.runs / "broken").data)[0]["predicate"]
    told = [*predicate["passedTests"], *predicate["warnedTests"], *predicate["failedTests"]]
    judged = judge_as_before(here, here.runs / "broken").judged
    assert sorted(told) == sorted(judged.comparison.table["check"])
    assert len(predicate["failedTests"]) == 2
    assert {one["name"] for one in predicate["configuration"]} == {"suite", "target", "criteria", "waivers", "baseline"}
    assert all("uri" in one for one in predicate["configuration"])
    missing = predicates(make_bundle(here, here.runs / "cut-off").data)[0]["predicate"]
    assert len(missing["failedTests"]) >= 21
    assert predicates(make_bundle(here, here.runs / "good").data)[0]["predicate"]["failedTests"] == []


def test_known_issues_are_a_warning(here: Workspace) -> None:
    from dataclasses import replace

    from harness.handover.statements import result_word, test_result, verification_summary
    from harness.model.outcome import VerdictKind

    judged = judge_as_before(here, here.runs / "good").judged
    verdict = replace(judged.verdict, kind=VerdictKind.APPROVED_WITH_KNOWN_ISSUES)
    judged = replace(judged, verdict=verdict)
    assert test_result(judged, {})["predicate"]["result"] == "WARNED"
    assert verification_summary(judged, {}, "00", "1")["predicate"]["verifiedLevels"] == [
        "MOJALOOP_APPROVED_WITH_KNOWN_ISSUES"
    ]
    assert result_word(replace(verdict, rehearsal=True)) == "FAILED"


def test_the_same_run_gives_the_same_bytes_in_any_place(here: Workspace, signer: CryptoSigner, tmp_path: Path) -> None:
    other = tmp_path / "moved"
    shutil.copytree(here.root, other)
    for path in other.rglob("*"):
        path.touch()
    for key in (None, signer):
        once = make_bundle(here, here.runs / "broken", key).data
        assert make_bundle(Workspace(other), other / "reports/runs/broken", key).data == once
        assert str(here.root).encode() not in once
        assert str(tmp_path).encode() not in once


def test_it_is_a_workspace_in_itself(signed: bytes, tmp_path: Path) -> None:
    write_members(unpack(signed).members, tmp_path)
    inside = find_workspace(tmp_path / "reports/runs/good")
    assert inside.root == tmp_path.resolve()
    again = judge_folder(inside, inside.run_folder("latest"))
    assert again.judged.verdict.text == "APPROVED"


def test_it_holds_what_the_verdict_stands_on_and_no_secret(
    here: Workspace, signed: bytes, snapshot: SnapshotAssertion
) -> None:
    members = unpack(signed).members
    assert sorted(members) == snapshot
    assert not any(world.SECRET.encode() in content for content in members.values())
    assert b"[redacted]" in members["reports/runs/good/exchanges.jsonl"]


@pytest.mark.parametrize("run", RUNS)
def test_the_text_for_a_person(here: Workspace, run: str, snapshot: SnapshotAssertion) -> None:
    text = unpack(make_bundle(here, here.runs / run).data).members["README.md"].decode()
    assert text.replace(__version__, "VERSION") == snapshot
    assert "This bundle is not signed" in text


def test_the_signature_is_checked_against_the_key_that_is_given(
    here: Workspace, signed: bytes, unsigned: bytes, signer: CryptoSigner
) -> None:
    assert verify_bundle(signed, signer.public_key).signer is SignerStatus.CHECKED
    assert verify_bundle(signed).signer is SignerStatus.NOT_CHECKED
    other = CryptoSigner.generate_ed25519()
    by_other = verify_bundle(signed, other.public_key)
    assert (by_other.signer, by_other.holds) == (SignerStatus.WRONG, False)
    assert {fault.kind for fault in by_other.faults} == {FaultKind.SIGNATURE}
    assert "another key" in by_other.faults[0].text
    assert faults(unsigned, signer) == [(FaultKind.SIGNATURE, "")]


def test_any_byte_that_is_flipped_anywhere_is_found(signed: bytes) -> None:
    chance = random.Random(7)
    for at in [*range(0, len(signed), 1009), *range(len(signed) - 2600, len(signed), 17)]:
        changed = bytearray(signed)
        changed[at] ^= 1 << chance.randrange(8)
        assert verify_bundle(bytes(changed)).faults, f"byte {at}"
    assert faults(signed + b"\0")[0][0] is FaultKind.ARCHIVE
    assert faults(signed[:-1])[0][0] is FaultKind.ARCHIVE


JOURNAL = "reports/runs/good/journal.jsonl"
CLASSES = {
    "a line of the journal": (JOURNAL, lambda b: b.replace(b'"outcome":"passed"', b'"outcome":"failed"', 1)),
    "the criteria": ("scheme_rules/example/criteria.yaml", lambda b: b.replace(b"at_most: 0", b"at_most: 9")),
    "the waivers": ("scheme_rules/example/waivers.yaml", lambda b: b + b"# more\n"),
    "the baseline": ("baselines/mojaloop/v17.1.0/results.csv", lambda b: b.replace(b",1,", b",2,", 1)),
    "the manifest of the release": ("baselines/mojaloop/v17.1.0/release.yaml", lambda b: b + b"\n"),
    "the notes": ("baselines/mojaloop/v17.1.0/notes.md", lambda b: b.upper()),
    "an exchange": ("reports/runs/good/exchanges.jsonl", lambda b: b.replace(b"202", b"200", 1)),
    "the verdict": ("reports/runs/good/verdict.json", lambda b: b.replace(b"APPROVED", b"APPROVEd")),
    "the comparison": ("reports/runs/good/comparison.csv", lambda b: b.replace(b"unchanged-pass", b"fixed", 1)),
    "the text": ("README.md", lambda b: b.replace(b"APPROVED", b"Approved", 1)),
}


@pytest.mark.parametrize("what", CLASSES)
def test_a_changed_member_is_named(signed: bytes, what: str) -> None:
    name, change = CLASSES[what]
    members = dict(unpack(signed).members)
    content = change(members[name])
    assert content != members[name]
    assert faults(pack({**members, name: content})) == [(FaultKind.CHANGED, name)]
    gone = {other: content for other, content in members.items() if other != name}
    assert faults(pack(gone)) == [(FaultKind.MISSING, name)]


def test_what_surrounds_the_members_is_checked_too(signed: bytes, signer: CryptoSigner) -> None:
    members = dict(unpack(signed).members)
    assert faults(pack({**members, "more.txt": b""})) == [(FaultKind.EXTRA, "more.txt")]
    for name in (MANIFEST, *(name_of_statement(one, signed=True) for one in STATEMENTS)):
        assert (FaultKind.MISSING, name) in faults(pack({n: c for n, c in members.items() if n != name}))
    spaced = members[MANIFEST].replace(b'": ', b'":  ', 1)
    assert (FaultKind.MANIFEST, MANIFEST) in faults(pack({**members, MANIFEST: spaced}))
    newer = members[MANIFEST].replace(b'"format": 1', b'"format": 2')
    assert (FaultKind.MANIFEST, MANIFEST) in faults(pack({**members, MANIFEST: newer}))
    envelope = name_of_statement(STATEMENTS[0], signed=True)
    signature = json.loads(members[envelope])
    sig = signature["signatures"][0]["sig"]
    signature["signatures"][0]["sig"] = ("B" if sig[0] == "A" else "A") + sig[1:]
    text = json.dumps(signature, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    assert (FaultKind.SIGNATURE, envelope) in faults(pack({**members, envelope: text}))
    other = seal(open_envelope(members[envelope]).payload.replace(b"PASSED", b"WARNED"), signer)
    assert faults(pack({**members, envelope: other}), signer) == [(FaultKind.STATEMENT, envelope)]


@pytest.mark.parametrize(
    "what", [name for name in CLASSES if name not in ("an exchange", "the manifest of the release")]
)
def test_whoever_makes_the_digests_fit_is_caught_by_the_verdict(unsigned: bytes, what: str) -> None:
    name, change = CLASSES[what]
    found = faults(forged(unsigned, {name: change(unpack(unsigned).members[name])}))
    assert found, what
    assert found[0][0] in (FaultKind.VERDICT, FaultKind.DERIVED)


def test_whoever_makes_everything_fit_is_caught_by_the_key(
    unsigned: bytes, signed: bytes, signer: CryptoSigner
) -> None:
    lax = {"suites/README.md": b"made up"}
    assert faults(forged(unsigned, lax)) == []  # what illustrates can be changed where nobody signed
    assert {kind for kind, _ in faults(forged(unsigned, lax), signer)} == {FaultKind.SIGNATURE}
    thief = CryptoSigner.generate_ed25519()
    again = forged(signed, lax, thief)
    assert verify_bundle(again).signer is SignerStatus.NOT_CHECKED
    assert {kind for kind, _ in faults(again, signer)} == {FaultKind.SIGNATURE}
    # The id of the right key with the signature of another.
    members = dict(unpack(again).members)
    for name in STATEMENTS:
        member = name_of_statement(name, signed=True)
        envelope = json.loads(members[member])
        envelope["signatures"][0]["keyid"] = signer.public_key.keyid
        members[member] = json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    assert any("does not hold" in fault.text for fault in verify_bundle(pack(members), signer.public_key).faults)


def test_a_bundle_is_judged_by_nothing_outside_of_it(unsigned: bytes, here: Workspace) -> None:
    name = "reports/runs/good/judged-by.json"
    said = json.loads(unpack(unsigned).members[name])
    for criteria in (str(here.root / "scheme_rules/example/criteria.yaml"), "../../lax.yaml"):
        found = verify_bundle(forged(unsigned, {name: json.dumps({**said, "criteria": criteria}).encode()}))
        assert ("it leads out of the bundle", name) in [(fault.text, fault.member) for fault in found.faults]


@pytest.mark.parametrize("path", ["/etc/hostname", "../../../../etc/hostname"])
def test_a_bundle_takes_no_document_from_outside_of_it(unsigned: bytes, path: str) -> None:
    name = "baselines/mojaloop/v17.1.0/artefacts.yaml"
    found = verify_bundle(forged(unsigned, {name: f"notes: {path}\n".encode()}))
    assert ("it leads out of the bundle", name) in [(fault.text, fault.member) for fault in found.faults]


def test_another_version_of_the_tool_is_told(unsigned: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "__version__", "99.0.0")
    found = verify_bundle(unsigned)
    assert found.holds
    assert "99.0.0" in found.notes[0]


def test_what_was_given_by_hand_comes_with_it(here: Workspace, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere"
    shutil.copytree(here.root / "baselines/mojaloop/v17.1.0", outside / "old")
    shutil.copytree(here.root / "scheme_rules/example", outside / "example")
    folder = tmp_path / "workspace"
    shutil.copytree(here.root, folder)
    inside = Workspace(folder.resolve())
    run = inside.runs / "good"
    against = Against(
        criteria=outside / "example/criteria.yaml", baseline=str(outside / "old"), fallback="v17.1.0", minimum_runs=1
    )
    write_reports(judge_folder(inside, run, against))
    bundle = make_bundle(inside, run)
    members = unpack(bundle.data).members
    assert {
        "given/criteria/criteria.yaml",
        "given/criteria/waivers.yaml",
        "given/baseline/results.csv",
    } <= members.keys()
    assert str(outside).encode() not in bundle.data
    shutil.rmtree(outside)
    assert verify_bundle(bundle.data).holds


def test_runs_of_products_come_with_the_run_of_the_core(tmp_path: Path) -> None:
    here = world.workspace(tmp_path / "workspace")
    folder = world.with_product(here)
    bundle = make_bundle(here, folder)
    assert bundle.manifest.verdict == "APPROVED"
    members = unpack(bundle.data).members
    nested = f"reports/runs/whole/products/{world.PRODUCT}"
    assert {f"{nested}/journal.jsonl", f"{nested}/verdict.json", f"{nested}/verdict.html"} <= members.keys()
    assert f"baselines/{world.PRODUCT}/v5.1.0/results.csv" in members
    assert f"scheme_rules/example/products/{world.PRODUCT}/criteria.yaml" in members
    assert not any("allure-results" in name for name in members)
    assert verify_bundle(bundle.data).may_go
    changed = members[f"{nested}/verdict.json"].replace(b"APPROVED", b"REJECTED")
    assert faults(forged(bundle.data, {f"{nested}/verdict.json": changed})) == [
        (FaultKind.DERIVED, f"{nested}/verdict.json")
    ]
    gone = {name: None for name in members if name.startswith(nested)}
    assert faults(forged(bundle.data, gone))[0][0] is FaultKind.VERDICT
    with pytest.raises(HandoverError, match="harness handover whole"):
        make_bundle(here, folder / "products" / world.PRODUCT)


def test_a_verdict_that_no_longer_follows_is_not_handed_over(here: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    shutil.copytree(here.root, folder)
    criteria = folder / "scheme_rules/example/criteria.yaml"
    criteria.write_text(criteria.read_text() + "# since\n")
    with pytest.raises(InputError, match="criteria"):
        make_bundle(Workspace(folder.resolve()), folder / "reports/runs/good")


def test_a_link_in_a_run_is_refused(here: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    shutil.copytree(here.root, folder)
    (folder / "reports/runs/good/more.txt").symlink_to("/etc/hostname")
    with pytest.raises(HandoverError, match="no plain file"):
        make_bundle(Workspace(folder.resolve()), folder / "reports/runs/good")
