"""What does a person read who opens a bundle? Its ``README.md``: the verdict, why, what is where, how to check it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from harness.handover.collect import Absent
from harness.handover.layout import STATEMENTS, name_of_statement
from harness.handover.manifest import Signer
from harness.handover.markdown import code, words
from harness.handover.statements import result_word
from harness.judge.verdict import JudgedRun
from harness.model.outcome import ComparisonClass, GateStatus, VerdictKind
from harness.model.verdict import Verdict

__all__ = ["bundle_readme"]

_REASONS_AT_MOST: Final = 20
_MEANING: Final = {
    VerdictKind.APPROVED: "The release may go to the Hub Operator.",
    VerdictKind.APPROVED_WITH_KNOWN_ISSUES: "The release may go to the Hub Operator, together with its known issues.",
    VerdictKind.REJECTED: "The release must not go to the Hub Operator.",
    VerdictKind.INCONCLUSIVE: "Nothing is proven. The release must not go to the Hub Operator on this evidence.",
}
_FILES: Final = (
    ("verdict.json", "the verdict with every reason, and the digests of what was judged"),
    ("verdict.html", "the same as a page for people: open it in a browser, no network is needed"),
    ("allure-report.html", "the run, case by case, as an Allure report in one file"),
    ("summary.md", "the verdict in short, for a ticket"),
    ("junit.xml", "every check, gate and the verdict, for build servers"),
    ("report.json", "the verdict and every check, for programs"),
    ("comparison.csv", "every check with its class against the baseline"),
    ("journal.jsonl", "the evidence: what happened, line by line, as it happened"),
    ("exchanges.jsonl", "every request, response and callback; secrets were removed before it was written"),
    ("judged-by.json", "what the run was judged against"),
)


def bundle_readme(
    judged: JudgedRun,
    *,
    tool: str,
    run: str,
    members: Mapping[str, bytes],
    absent: Sequence[Absent],
    signer: Signer | None,
) -> bytes:
    """Returns the text for the run in the bundle's folder ``run``."""
    lines = [
        *_head(judged.verdict),
        *_why(judged),
        *_contents(run, members, absent),
        *_proof(judged.verdict, signer),
        f"Made by mojaloop-harness {tool}. This text is derived from the verdict and decides nothing.",
    ]
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")


def _head(verdict: Verdict) -> Iterator[str]:
    target = verdict.inputs.get("target") or {}
    scheme = verdict.inputs.get("scheme")
    yield f"# {words(verdict.product)} {words(verdict.release)}: {verdict.text}"
    yield ""
    if verdict.rehearsal:
        yield "**A rehearsal: the embedded hub imitates the release. It approves no release, whatever else it says.**"
    else:
        yield f"**{_MEANING[verdict.kind]}**"
    yield ""
    yield f"- Run: {code(verdict.run_id)}"
    yield f"- Target: {code(str(target.get('name') or 'unknown'))} ({words(str(target.get('kind') or 'unknown'))})"
    yield f"- Scheme: {code(str(scheme)) if scheme else 'none'}"
    if verdict.next_action:
        yield f"- Next: {words(verdict.next_action, 600)}"
    yield ""


def _why(judged: JudgedRun) -> Iterator[str]:
    verdict = judged.verdict
    yield "## Why"
    yield ""
    for gate in verdict.gates:
        yield f"- **{gate.name.value}: {gate.status.value}** {words(gate.summary)}"
    yield ""
    counted = [(name, verdict.counts.get(name.value, 0)) for name in ComparisonClass]
    always = (ComparisonClass.REGRESSED, ComparisonClass.MISSING)
    yield "Checks: " + ", ".join(f"{count:,} {name.value}" for name, count in counted if count or name in always)
    yield ""
    for title, wanted in (("Reasons", False), ("Known issues", True)):
        found = [reason for reason in verdict.reasons if (reason.status is GateStatus.PASS) is wanted]
        if not found:
            continue
        yield f"### {title}"
        yield ""
        for reason in found[:_REASONS_AT_MOST]:
            yield f"- {reason.gate.value}: {words(reason.text)}" + (f" {words(reason.remedy)}" if reason.remedy else "")
        if len(found) > _REASONS_AT_MOST:
            yield f"- and {len(found) - _REASONS_AT_MOST:,} more: verdict.json"
        yield ""


def _contents(run: str, members: Mapping[str, bytes], absent: Sequence[Absent]) -> Iterator[str]:
    yield "## What is where"
    yield ""
    for name, what in _FILES:
        if f"{run}/{name}" in members:
            yield f"- {code(f'{run}/{name}')}: {what}"
    yield f"- {code('scheme_rules/')}: what the Scheme demands and what it lives with, as it was judged by"
    yield f"- {code('baselines/')}: what was compared with, the manifest of the release and its documents"
    yield f"- {code('manifest.json')}: every file with its digest"
    yield f"- {code('attestations/')}: an in-toto test result and a SLSA verification summary, for programs"
    yield ""
    if absent:
        yield "Not in this bundle:"
        yield ""
        for one in absent:
            yield f"- {words(one.what)}: {words(one.why)}"
        yield ""


def _proof(verdict: Verdict, signer: Signer | None) -> Iterator[str]:
    yield "## How to check it"
    yield ""
    if signer is None:
        yield "**This bundle is not signed.** Whoever had it in hands could have made another. Its digests show damage,"
        yield "and the verdict can be derived again from the evidence; that the evidence is genuine, nothing shows."
        yield ""
        yield "    harness verify BUNDLE.zip"
    else:
        names = " and ".join(code(name_of_statement(name, signed=True)) for name in STATEMENTS)
        yield f"It is signed with Ed25519; the key has the id {code(signer.keyid)}. Get the public key from its owner,"
        yield f"not from here: a forger would bring a key of his own. The signatures are in {names} (DSSE)."
        yield ""
        yield "    harness verify BUNDLE.zip --key key.pub"
    yield ""
    yield "checks every byte, and derives the verdict again from the journal by the rules that lie here. The zip is"
    yield "also a workspace: unpack it, and `harness judge latest` decides again."
    yield ""
    yield f"For programs the result is `{result_word(verdict)}`: PASSED only where a release may go, WARNED with known"
    yield "issues, FAILED for everything else, a rehearsal and an inconclusive run included."
    yield ""
