"""What is said of a bundle, in the words of others' tools: an in-toto test result and a SLSA verification summary.

Statement v1 and test-result v0.1: https://github.com/in-toto/attestation/tree/main/spec (v1/statement.md,
predicates/test-result.md). Verification summary v1: https://slsa.dev/spec/v1.0/verification_summary.

Both are read by programs that look at one word. So that word says yes only where a release may go: a rehearsal, an
inconclusive run and a rejected release are all FAILED; what the verdict itself is stands beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from harness.judge.verdict import JudgedRun
from harness.model.outcome import ComparisonClass, Outcome, VerdictKind
from harness.model.verdict import Verdict

__all__ = ["result_word", "statement_bytes", "test_result", "verification_summary"]

_STATEMENT: Final = "https://in-toto.io/Statement/v1"
TEST_RESULT_TYPE: Final = "https://in-toto.io/attestation/test-result/v0.1"
SUMMARY_TYPE: Final = "https://slsa.dev/verification_summary/v1"
_URN: Final = "urn:mojaloop-harness"
_CLEAN: Final = frozenset(
    {ComparisonClass.UNCHANGED_PASS.value, ComparisonClass.NEW_PASS.value, ComparisonClass.FIXED.value}
)


def result_word(verdict: Verdict) -> str:
    """Returns PASSED, WARNED (approved with known issues) or FAILED (everything that lets no release go)."""
    if verdict.rehearsal:
        return "FAILED"
    match verdict.kind:
        case VerdictKind.APPROVED:
            return "PASSED"
        case VerdictKind.APPROVED_WITH_KNOWN_ISSUES:
            return "WARNED"
        case VerdictKind.REJECTED | VerdictKind.INCONCLUSIVE:
            return "FAILED"


def test_result(judged: JudgedRun, subject: Mapping[str, str]) -> dict[str, Any]:
    """Returns the test-result statement about the members in ``subject`` (name to SHA-256 in hexadecimal).

    A test is a check. Passed: it passed, and that is nothing new to worry about. Warned: the verdict lives with it (it
    flickers, is no longer asked, or is a known issue of an approved release). Failed: everything else.
    """
    verdict, table = judged.verdict, judged.comparison.table
    approves = verdict.kind in (VerdictKind.APPROVED, VerdictKind.APPROVED_WITH_KNOWN_ISSUES)
    tests: dict[str, list[str]] = {"passedTests": [], "warnedTests": [], "failedTests": []}
    for check, name, outcome in zip(table["check"], table["class"], table["outcome"], strict=True):
        passed = outcome == Outcome.PASSED.value
        lives_with = approves or passed or name == ComparisonClass.REMOVED.value
        kind = "passedTests" if passed and name in _CLEAN else "warnedTests" if lives_with else "failedTests"
        tests[kind].append(str(check))
    predicate = {
        "result": result_word(verdict),
        "configuration": list(_configuration(verdict)),
        "url": f"{_URN}:run:{verdict.run_id}",
        **{name: sorted(checks) for name, checks in tests.items()},
        "mojaloopHarness": _said(verdict),
    }
    return _statement(subject, TEST_RESULT_TYPE, predicate)


def verification_summary(
    judged: JudgedRun, subject: Mapping[str, str], test_result_digest: str, tool: str
) -> dict[str, Any]:
    """Returns the verification summary: that the release in ``subject`` was held against the Scheme's criteria.

    ``test_result_digest`` is the SHA-256 of the test-result statement, ``tool`` the version of the harness. The time is
    that of the evidence's end, as of which the verdict is; so the same run gives the same bytes.
    """
    verdict = judged.verdict
    result = "FAILED" if result_word(verdict) == "FAILED" else "PASSED"
    criteria = verdict.inputs.get("criteria") or {}
    policy: dict[str, Any] = {"uri": f"{_URN}:scheme:{criteria.get('scheme', 'none')}:criteria"}
    if digest := _digest(criteria.get("sha256")):
        policy["digest"] = digest
    predicate = {
        "verifier": {"id": f"{_URN}:judge", "version": {"mojaloop-harness": tool}},
        "timeVerified": _timestamp(judged.evidence.ended_at),
        "resourceUri": f"pkg:generic/{verdict.product}@{verdict.release}",
        "policy": policy,
        "inputAttestations": [{"name": "test-result", "digest": {"sha256": test_result_digest}}],
        "verificationResult": result,
        "verifiedLevels": [f"MOJALOOP_{verdict.kind.name}" if result == "PASSED" else "FAILED"],
        "slsaVersion": "1.0",
        "mojaloopHarness": _said(verdict),
    }
    return _statement(subject, SUMMARY_TYPE, predicate)


def statement_bytes(statement: Mapping[str, Any]) -> bytes:
    """Returns the one text that a statement has: keys sorted, nothing but ASCII."""
    return json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii") + b"\n"


def _statement(subject: Mapping[str, str], kind: str, predicate: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "_type": _STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(subject.items())],
        "predicateType": kind,
        "predicate": dict(predicate),
    }


def _said(verdict: Verdict) -> dict[str, Any]:
    """What the one word of a predicate cannot say."""
    return {
        "verdict": verdict.text,
        "rehearsal": verdict.rehearsal,
        "exitCode": int(verdict.kind.exit_code),
        "product": verdict.product,
        "release": verdict.release,
        "runId": verdict.run_id,
    }


def _configuration(verdict: Verdict) -> Iterator[dict[str, Any]]:
    """What the run was made and judged by, as resource descriptors."""
    inputs = verdict.inputs
    suite = inputs.get("suite") or {}
    yield _descriptor("suite", str(suite.get("name") or "none"), suite.get("digest"))
    target = inputs.get("target") or {}
    yield _descriptor("target", str(target.get("name") or "none"), None, {"kind": str(target.get("kind") or "")})
    for kind, digest in (("criteria", "sha256"), ("waivers", "sha256"), ("baseline", "results_sha256")):
        found = inputs.get(kind)
        if found:
            yield _descriptor(kind, str(found.get("scheme") or found.get("release") or ""), found.get(digest))


def _descriptor(kind: str, name: str, digest: object, annotations: Mapping[str, str] | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"name": kind, "uri": f"{_URN}:{kind}:{name}"}
    if sha256 := _digest(digest):
        found["digest"] = sha256
    if annotations:
        found["annotations"] = dict(annotations)
    return found


def _digest(text: object) -> dict[str, str] | None:
    return {"sha256": text.removeprefix("sha256:")} if isinstance(text, str) and text else None


def _timestamp(text: str) -> str:
    """``text`` as RFC 3339 in UTC; where the evidence tells no time, the first moment that can be told."""
    try:
        moment = datetime.fromisoformat(text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return "1970-01-01T00:00:00Z"
