"""What the journal holds: one frozen record per thing that happened, in the order it happened.

Everything else (table, verdict, report) is derived from a sequence of these. ``to_json`` and ``from_json`` are exact
inverses; a key a newer harness added is refused by name, so an old reader never quietly ignores evidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from enum import Enum
from typing import Any, ClassVar, Self

from harness.model.outcome import Outcome

__all__ = [
    "RECORD_TYPES",
    "CaseFinished",
    "CasePlanned",
    "CaseStarted",
    "CheckRecorded",
    "InboundNoted",
    "Interrupted",
    "PlanComplete",
    "Provisioned",
    "Record",
    "RunFinished",
    "RunStarted",
    "ServiceProbed",
    "StepFinished",
    "WorkerLost",
    "record_from_json",
]

Json = dict[str, Any]


def _plain(items: list[tuple[str, Any]]) -> Json:
    return {key: value.value if isinstance(value, Enum) else value for key, value in items}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Base: every record serialises to one JSON object with ``type`` first."""

    type: ClassVar[str] = ""

    def to_json(self) -> Json:
        """Returns a JSON-ready object; enum values become their text."""
        return {"type": self.type, **asdict(self, dict_factory=_plain)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Reads what ``to_json`` gave. Raises ``ValueError`` naming an unknown or absent key."""
        known = {f.name: f for f in fields(cls)}
        given = {key: value for key, value in data.items() if key not in ("type", "seq", "at")}
        if unknown := sorted(given.keys() - known.keys()):
            raise ValueError(f"record {cls.type!r} has unknown keys: {', '.join(unknown)}")
        required = {n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING}
        if absent := sorted(required - given.keys()):
            raise ValueError(f"record {cls.type!r} lacks keys: {', '.join(absent)}")
        if "outcome" in given:
            given["outcome"] = Outcome(given["outcome"])
        return cls(**given)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Record):
    """What was asked of which suite on which target, by which harness. The context of everything after it."""

    type: ClassVar[str] = "run-started"
    run_id: str
    product: str
    release: str
    """With its ``v``: ``v17.1.0``."""
    scheme: str | None
    suite: Json
    """``{name, digest, pin: match|differs|absent, pinned_digest, pin_differences: [], source: native|collection}``."""
    target: Json
    """``{name, kind: embedded|environment, services: {component: base URL}, facts: {..}, defects: [..]}``."""
    selection: Json
    """``{complete: bool, labels: [..], keyword: text|None, paths: [..]}``: complete means nothing was left out."""
    tool: Json
    """``{name, version, python, platform, pytest}``."""
    release_manifest: Json | None = None
    """The manifest as loaded: ``{product, version, components: {name: version}, source, known_issues: [..]}``."""
    products: list[Json] = field(default_factory=list)
    """The extension products that the Scheme listed then, to be run after the core: ``[{product, release, suite}]``."""
    core: Json | None = None
    """Of an extension product's run that follows one of the core: ``{run_id, release, journal}``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceProbed(Record):
    """Preflight: how one service of the target answered before the first case."""

    type: ClassVar[str] = "service-probed"
    service: str
    url: str
    status: str
    """``ok``, ``degraded`` (answered, not OK) or ``down`` (no usable answer)."""
    version: str | None
    expected_version: str | None
    message: str = ""
    latency_ms: float | None = None
    embedded: bool = False
    """Whether it says that it is a service of the embedded hub."""
    remedy: str = ""
    """What to do where ``status`` is not ``ok``; empty: nothing more than to bring it up."""
    clock_ahead_s: float | None = None
    """How far its clock is ahead of ours (behind: negative), at the least; ``None`` where it does not tell its time."""
    dependencies: dict[str, str] = field(default_factory=dict)
    """What it says of what it depends on: name to status."""
    findings: list[Json] = field(default_factory=list)
    """What else keeps the target from being ready: ``{check: clock|participants|liquidity|oracles|callback, message,
    remedy}``. Health and version are not among them: they follow from the fields above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioned(Record):
    """Preflight: what the release's own provisioning collections showed, before the first case.

    Their checks are none of the suite's; each that failed or broke is a problem of the run as well.
    """

    type: ClassVar[str] = "provisioned"
    collections: list[str]
    """Paths under the suite, in order."""
    cases: int
    checks: int
    passed: int
    failures: list[Json]
    """``{check, message}`` of each that failed or broke."""
    duration_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePlanned(Record):
    """One case of the suite, whether or not it was selected to run."""

    type: ClassVar[str] = "case-planned"
    case: str
    title: str
    feature: str
    labels: list[str]
    severity: str
    file: str
    """Relative to the workspace."""
    selected: bool = True
    checks: list[str] | None = None
    """Every check id the case will yield, where that is known beforehand (collections); else ``None``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanComplete(Record):
    """Closes the plan. A journal without it cannot say what is missing."""

    type: ClassVar[str] = "plan-complete"
    cases: int
    selected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStarted(Record):
    """A worker began a case."""

    type: ClassVar[str] = "case-started"
    case: str
    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished(Record):
    """One exchange of a case: request, response and, where the API is asynchronous, its callback."""

    type: ClassVar[str] = "step"
    case: str
    step: str
    """The full step id ``path::case::step``."""
    label: str
    operation: str
    """``POST /transfers``: method and path template. The key latency is compared by."""
    url: str
    component: str
    """The component behind the URL, ``central-ledger`` for instance."""
    status: int | None
    """HTTP status; ``None`` when no response came."""
    latency_ms: float | None
    """Request sent to response read."""
    callback_ms: float | None = None
    """Request sent to callback received; ``None`` when none was awaited or none came."""
    callback_awaited: bool = False
    callback_received: bool = False
    exchange: str | None = None
    """Id of the line in ``exchanges.jsonl``."""
    error: str = ""
    """Why there is no response, or what broke; empty otherwise."""
    error_kind: str = ""
    """``connection``, ``timeout``, ``callback-timeout``, ``script``, ``harness``; empty when nothing went wrong."""
    error_code: str = ""
    """The code of the error that the callback or else the response carries: ``3204``; empty where it carries none."""
    error_text: str = ""
    """That error's own words, at most 200 characters."""
    currencies: list[str] = field(default_factory=list)
    """What money the request and its callback are about, sorted (ISO 4217)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecorded(Record):
    """One assertion's outcome."""

    type: ClassVar[str] = "check"
    check: str
    """The full ``CheckId`` as text."""
    case: str
    step: str
    label: str
    outcome: Outcome
    message: str = ""
    """Why it is not passed; empty when it is."""
    expected: Any = None
    actual: Any = None
    fingerprint: str = ""
    component: str = ""
    """The component that answers for this check, where that differs from the step's; else empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFinished(Record):
    """A case came to its end. A planned case without this record is missing."""

    type: ClassVar[str] = "case-finished"
    case: str
    outcome: Outcome
    duration_ms: float
    worker: str
    started_at: str
    message: str = ""
    cause: str = ""
    """A ``Cause`` where the harness knows it at once (an error in our code, provisioning refused); else empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundNoted(Record):
    """A call from the hub that is out of the ordinary.

    ``early`` (delivered, before anyone waited), ``late``, ``duplicate``, ``unexpected``, ``misdirected`` (its address
    and FSPIOP-Destination disagree), ``too-large`` (refused), ``cut-short`` (the sender left in the body).
    """

    type: ClassVar[str] = "inbound"
    kind: str
    method: str
    path: str
    source: str
    destination: str
    case: str | None = None
    step: str | None = None
    received_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLost(Record):
    """A pytest-xdist worker died. ``case`` is what it was in the middle of."""

    type: ClassVar[str] = "worker-lost"
    worker: str
    case: str | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted(Record):
    """The run was told to stop before its end."""

    type: ClassVar[str] = "interrupted"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Record):
    """The run came to its own end. A journal without it is of a run that was cut off."""

    type: ClassVar[str] = "run-finished"
    cases: int
    checks: int
    duration_ms: float
    problems: list[str] = field(default_factory=list)
    """What went wrong outside any case: collection errors, a server of ours that died."""


RECORD_TYPES: dict[str, type[Record]] = {
    cls.type: cls
    for cls in (
        RunStarted, ServiceProbed, Provisioned, CasePlanned, PlanComplete, CaseStarted, StepFinished, CheckRecorded,
        CaseFinished, InboundNoted, WorkerLost, Interrupted, RunFinished,
    )
}  # fmt: skip


def record_from_json(data: Mapping[str, Any]) -> Record:
    """Returns the record a journal line holds. Raises ``ValueError`` on an unknown type, key or outcome."""
    kind = data.get("type")
    cls = RECORD_TYPES.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise ValueError(f"unknown record type: {kind!r}")
    return cls.from_json(data)
