"""Are the extension products that a Scheme lists approved on top of this core? Each by a run of its own, judged before.

A product that is listed can be left out in no way: what was not run, or not as listed, leaves the gate unanswered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from harness.judge.evidence import Evidence
from harness.judge.parts import Parts, ProductShown
from harness.judge.reasons import FAIL, KNOWN, UNKNOWN, Code, reason_of, same_version
from harness.judge.words import counted, some_of
from harness.model.outcome import GateName, GateStatus, VerdictKind
from harness.model.records import RunStarted
from harness.model.scheme import CORE_PRODUCT, PRODUCTS_FOLDER, ListedProduct, SchemeRelease
from harness.model.verdict import Reason

if TYPE_CHECKING:
    from harness.judge.verdict import JudgedRun

__all__ = ["in_order", "inputs", "next_team", "notes", "obstacle", "on_product", "products", "took_part"]

_TOLD: Final = (VerdictKind.APPROVED, VerdictKind.APPROVED_WITH_KNOWN_ISSUES, VerdictKind.REJECTED)
_AGAIN: Final = "Run the release again: harness run, with this Scheme"


def products(evidence: Evidence, parts: Parts, of_this_run: Iterable[Reason]) -> Iterator[Reason]:
    """Yields what keeps the extension products from being approved as the Scheme lists them.

    ``of_this_run`` is what weighs on the core's run itself, by weight: a core that is not approved has no products run.
    """
    gate, started = GateName.PRODUCTS, evidence.started
    if started is not None and started.product != CORE_PRODUCT:
        if not parts.within:
            text = f"{started.product} is an extension product: it is judged on top of a {CORE_PRODUCT} release"
            yield reason_of(Code.PRODUCT_UNSUPPORTED, gate, UNKNOWN, text, f"Run the {CORE_PRODUCT} release")
        return
    core = tuple(_core(started, parts.contents))
    yield from core
    stopped = obstacle((*of_this_run, *core))
    for shown in parts.products:
        yield from on_product(shown, evidence, stopped)
    listed = {shown.listed.product for shown in parts.products}
    contents = parts.contents
    if contents is not None and (unseen := [one.name for one in contents.extensions if one.product not in listed]):
        text = f"of {some_of(unseen)}, which the Scheme lists, nothing was looked at"
        yield reason_of(Code.PRODUCT_ABSENT, gate, UNKNOWN, text, "Judge the run's folder again")
    before = {str(one.get("product")) for one in started.products} if started else set()
    if dropped := sorted((before | set(parts.unlisted)) - listed):
        text = f"the run is of a release with {some_of(dropped)}, which the Scheme does not list"
        remedy = "List it in scheme.yaml again; or run the release again without it"
        yield reason_of(Code.PRODUCT_UNLISTED, gate, UNKNOWN, text, remedy)


def obstacle(reasons: Iterable[Reason]) -> Reason | None:
    """Returns the first of ``reasons``, by weight, for which the products on top of the core are not run.

    Documents that are still to come keep nothing from running: the run can be judged again with them.
    """
    for reason in reasons:
        waits = reason.gate is GateName.ARTEFACTS and reason.status is UNKNOWN
        of_products = reason.gate is GateName.PRODUCTS and reason.code != Code.CORE_DIFFERS
        beside = of_products or reason.code == Code.REQUIRED_PRODUCT
        if reason.status is not GateStatus.PASS and not waits and not beside:
            return reason
    return None


def took_part(evidence: Evidence, parts: Parts) -> frozenset[str]:
    """Returns the products whose run, as listed and on this core, came to a verdict for or against."""
    core = {evidence.started.product} if evidence.started else set()
    return frozenset(core) | {
        shown.listed.product
        for shown in parts.products
        if shown.judged is not None
        and not any(_differences(shown.listed, shown.judged.evidence.started, evidence))
        and shown.judged.verdict.kind in _TOLD
    }


def in_order(evidence: Evidence, parts: Parts) -> str:
    """Returns what the gate says where nothing keeps it from a pass."""
    if evidence.started is not None and evidence.started.product != CORE_PRODUCT:
        return f"part of run {parts.within}, whose verdict is that on the release as a whole"
    if parts.contents is None:
        return "no Scheme is applied, so no extension products are listed"
    if not parts.products:
        return f"scheme {parts.contents.scheme} lists no extension products"
    named = [
        f"{shown.listed.name} approved ({counted(len(shown.judged.evidence.checks), 'check')})"
        for shown in parts.products
        if shown.judged is not None
    ]
    return ", ".join(named)


def notes(parts: Parts) -> Iterator[str]:
    """Yields where to read on about each product that was run."""
    for shown in parts.products:
        if shown.judged is not None:
            verdict = shown.judged.verdict
            yield f"{shown.listed.name}: {verdict.text}; its own run is in {PRODUCTS_FOLDER}/{shown.listed.product}/"


def next_team(parts: Parts) -> str:
    """Returns what the team of the first product that is rejected has to do; empty where none is."""
    for shown in parts.products:
        if shown.judged is not None and shown.judged.verdict.kind is VerdictKind.REJECTED:
            core = next(gate for gate in shown.judged.verdict.gates if gate.name is GateName.CORE)
            if core.status is GateStatus.FAIL:
                return shown.judged.verdict.next_action
            heaviest = _heaviest(shown.judged)
            told = f": {heaviest.text}" if heaviest else ""
            return f"{shown.listed.product} team: {shown.listed.name} is rejected{told}. Do not hand over."
    return ""


def inputs(parts: Parts) -> dict[str, Any]:
    """Returns what of the products was judged, with digests, for ``verdict.json``."""
    contents = parts.contents
    listed = None
    if contents is not None:
        listed = {
            "scheme": contents.scheme,
            "sha256": contents.digest,
            "products": [one.name for one in contents.products],
            "artefacts": [kind.value for kind in contents.artefacts],
        }
    return {
        "scheme_release": listed,
        "products": {shown.listed.product: _input(shown) for shown in parts.products},
        "within": parts.within,
        "artefacts": dict(sorted(parts.artefacts.digests.items())) if parts.artefacts else {},
    }


def _input(shown: ProductShown) -> dict[str, Any]:
    judged, listed = shown.judged, shown.listed
    told: dict[str, Any] = {"release": listed.release, "suite": listed.suite}
    if judged is None:
        return {**told, "run_id": None, "journal_sha256": None, "verdict": None, "problem": shown.problem}
    of_run = {"run_id": judged.verdict.run_id, "journal_sha256": judged.evidence.journal_digest}
    return {**told, **of_run, "verdict": judged.verdict.text, "inputs": judged.verdict.inputs, "problem": ""}


def _core(started: RunStarted | None, contents: SchemeRelease | None) -> Iterator[Reason]:
    """The core as the Scheme lists it, if it does."""
    listed = contents.core if contents else None
    if listed is None or started is None:
        return
    suite = started.suite.get("source")
    if not same_version(listed.release, started.release) or listed.suite != suite:
        text = (
            f"the Scheme lists {listed.name} with its {listed.suite} suite, "
            f"the run is of {started.release} with its {suite} suite"
        )
        remedy = f"Run {listed.release} with --suite {listed.suite}; or bring scheme.yaml up to this release"
        yield reason_of(Code.CORE_DIFFERS, GateName.PRODUCTS, UNKNOWN, text, remedy)


def on_product(shown: ProductShown, evidence: Evidence, stopped: Reason | None) -> Iterator[Reason]:
    """Yields what keeps one product from being approved as it is listed; ``evidence`` is the core's."""
    gate, listed, judged = GateName.PRODUCTS, shown.listed, shown.judged
    if judged is None:
        if shown.problem:
            text = f"the run of {listed.name} cannot be read: {shown.problem}"
            yield reason_of(Code.PRODUCT_ABSENT, gate, UNKNOWN, text, _AGAIN)
        elif stopped is not None:
            text = f"{listed.name} was not run: the core is not approved"
            yield reason_of(Code.PRODUCT_ABSENT, gate, UNKNOWN, text, "See to the core first, then run again")
        else:
            text = f"{listed.name} was not run, though the Scheme lists it"
            yield reason_of(Code.PRODUCT_ABSENT, gate, UNKNOWN, text, _AGAIN)
        return
    for difference in _differences(listed, judged.evidence.started, evidence):
        text = f"the run of {listed.product} is not the one that is listed: {difference}"
        yield reason_of(Code.PRODUCT_DIFFERS, gate, UNKNOWN, text, _AGAIN)
    verdict, heaviest = judged.verdict, _heaviest(judged)
    told = f": {heaviest.text}" if heaviest else ""
    remedy = heaviest.remedy if heaviest else ""
    match verdict.kind:
        case VerdictKind.REJECTED:
            text = f"{listed.name} is rejected{told}"
            yield reason_of(Code.PRODUCT_REJECTED, gate, FAIL, text, remedy or "Correct the product")
        case VerdictKind.INCONCLUSIVE:
            text = f"{listed.name} is inconclusive{told}"
            yield reason_of(Code.PRODUCT_INCONCLUSIVE, gate, UNKNOWN, text, remedy or _AGAIN)
        case VerdictKind.APPROVED_WITH_KNOWN_ISSUES:
            more = len(verdict.reasons) - 1
            text = f"{listed.name} has known issues{told}" + (f" (and {more} more)" if more > 0 else "")
            yield reason_of(Code.PRODUCT_KNOWN_ISSUES, gate, KNOWN, text, remedy)
        case VerdictKind.APPROVED:
            pass


def _heaviest(judged: JudgedRun) -> Reason | None:
    return judged.verdict.reasons[0] if judged.verdict.reasons else None


def _differences(listed: ListedProduct, started: RunStarted | None, evidence: Evidence) -> Iterator[str]:
    """In what a product's run is not what was listed, or does not follow this run of the core."""
    core = evidence.started
    if started is None or core is None:
        yield "what was run is not known"
        return
    if started.product != listed.product or not same_version(started.release, listed.release):
        yield f"it is of {started.product} {started.release}, listed is {listed.name}"
    if started.suite.get("source") != listed.suite:
        yield f"it is of the {started.suite.get('source')} suite, listed is the {listed.suite} one"
    if started.scheme != core.scheme:
        yield f"it is for scheme {started.scheme}, the core for {core.scheme}"
    wanted = listed.target_beside(str(core.target.get("name")))
    if started.target.get("name") != wanted:
        yield f"it was run on {started.target.get('name')}, and belongs on {wanted}"
    if started.target.get("kind") == "embedded" != core.target.get("kind"):
        yield "it was only rehearsed on the embedded hub"
    followed = started.core or {}
    if followed.get("run_id") != core.run_id or followed.get("journal") != evidence.journal_digest:
        yield f"it does not follow this run of the core but {followed.get('run_id') or 'none'}"
