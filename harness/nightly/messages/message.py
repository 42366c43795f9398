"""What is there to tell of a job's night? One message, whatever channel carries it; ``None`` where nothing changed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Self, final
from urllib.parse import quote

from harness.model.event_kind import EventKind
from harness.model.outcome import ComparisonClass, ExitCode
from harness.model.rehearsal import REHEARSAL
from harness.nightly.record import JobRecord
from harness.report.text import crop, one_line

if TYPE_CHECKING:
    from harness.report.interface import ReportInput

__all__ = ["FAILURES", "Happening", "Message", "job_happenings", "message_of", "run_happenings"]

FAILURES: Final = 50
"""How many failing checks a message holds at most; a channel may show fewer."""
_ORDER: Final = tuple(EventKind)
_FAILING: Final = (ComparisonClass.REGRESSED, ComparisonClass.NEW_FAIL, ComparisonClass.MISSING)
_LINE = 400


@final
@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that changed, in the history of the target's nights or in the job itself."""

    kind: EventKind
    text: str
    checks: tuple[str, ...] = ()
    component: str = ""
    since: str = ""


@final
@dataclass(frozen=True, slots=True)
class Message:
    """What is told. All texts are one line each, and show nothing that could steer what shows them."""

    id: str
    """The same for the same job of the same night, so that a receiver can see a repetition."""
    title: str
    job: str
    night: str
    target: str
    product: str
    release: str
    verdict: str
    exit_code: int
    at: str
    happenings: tuple[Happening, ...]
    problems: tuple[str, ...] = ()
    """What went wrong beside the runs: a clean-up that failed, positions that did not come back."""
    failures: tuple[tuple[str, str], ...] = ()
    """Checks that fail now and did not in the baseline, and those without a result, each with what it said."""
    failing: int = 0
    """How many there are, shown or not."""
    suspects: tuple[str, ...] = ()
    next_action: str = ""
    runs: tuple[str, ...] = ()
    link: str = ""
    dashboard: str = ""
    unknown: bool = False
    """Whether what changed is not known, at least in part: the history does not say, or a run is gone."""

    def only(self, kinds: Iterable[EventKind]) -> Message | None:
        """Returns the message with what is of ``kinds``; ``None`` where nothing is."""
        wanted = set(kinds)
        kept = tuple(one for one in self.happenings if one.kind in wanted)
        if not kept:
            return None
        return Message(**{**_fields(self), "happenings": kept, "title": _title(self.target, kept)})

    def to_json(self) -> dict[str, Any]:
        """Returns a JSON-ready object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Reads what ``to_json`` gave. Raises ``KeyError`` or ``TypeError`` on anything else."""
        happenings = tuple(
            Happening(**{**one, "kind": EventKind(one["kind"]), "checks": tuple(one["checks"])})
            for one in data["happenings"]
        )
        failures = tuple((str(check), str(message)) for check, message in data["failures"])
        lists = {name: tuple(data[name]) for name in ("problems", "suspects", "runs")}
        return cls(**{**data, **lists, "happenings": happenings, "failures": failures})


@dataclass(frozen=True, slots=True)
class Said:
    """What a message is made of, beside what changed."""

    night: str
    at: str
    record: JobRecord
    judged: Sequence[ReportInput] = ()
    link: str = ""
    dashboard: str = ""
    target: str = ""
    """What the history calls the target."""
    unknown: bool = False


def message_of(said: Said, happenings: Iterable[Happening]) -> Message | None:
    """Returns the message about ``happenings``; ``None`` where there are none."""
    found = sorted((_clean(one) for one in happenings), key=lambda one: _ORDER.index(one.kind))
    if not found:
        return None
    record, target = said.record, said.target or said.record.target
    verdicts = [run.judged.verdict for run in said.judged]
    heaviest = next((one for one in verdicts if one.kind.exit_code), verdicts[0] if verdicts else None)
    failures = [failure for run in said.judged for failure in _failures(run)]
    runs = tuple(str(run["run_id"]) for run in record.runs)
    suspects = dict.fromkeys(_suspect(one) for verdict in verdicts for one in verdict.suspects)
    return Message(
        id=hashlib.sha256(f"{said.night}/{record.name}".encode()).hexdigest()[:16],
        title=_title(target, found),
        job=record.name,
        night=said.night,
        target=_line(target),
        product=record.product,
        release=record.release,
        verdict=_line(" / ".join(str(run["verdict"]) or "not judged" for run in record.runs) or "nothing was run"),
        exit_code=int(record.exit_code if record.exit_code is not None else ExitCode.INCONCLUSIVE),
        at=said.at,
        happenings=tuple(found),
        problems=tuple(_line(text) for text in record.problems),
        failures=tuple(failures[:FAILURES]),
        failing=len(failures),
        suspects=tuple(suspects),
        next_action=_line(heaviest.next_action) if heaviest else "",
        runs=tuple(_line(run) for run in runs),
        link=_filled(said.link, run_id=runs[-1], target=target) if runs else "",
        dashboard=_filled(said.dashboard, run_id="", target=target),
        unknown=said.unknown,
    )


def run_happenings(record: JobRecord, suite: str, told: Iterable[Happening]) -> list[Happening]:
    """Returns what the history tells of a run of ``suite`` as what it means for its job.

    Where a job has two suites each is named, and a suite that is approved makes no job approved that is not.
    """
    return [_of_the_job(record, f"suite {suite}: " if len(record.runs) > 1 else "", one) for one in told]


def _of_the_job(record: JobRecord, suite: str, one: Happening) -> Happening:
    but = ""
    if one.kind is EventKind.BACK_TO_GREEN and record.exit_code != ExitCode.APPROVED:
        but = f", but job {record.name} is {_as_verdict(record.exit_code)}"
    return replace(one, text=f"{suite}{one.text}{but}")


def job_happenings(now: JobRecord, before: JobRecord | None, told: Iterable[Happening]) -> list[Happening]:
    """Returns what changed of the job itself since its night before, where ``told`` does not say so already.

    ``told`` is what the history says of its runs. It knows a run by its target and suite, whoever made it, so that a
    verdict that changed between two nights of the job need not be news to it.
    """
    kinds = {one.kind for one in told}
    found: list[Happening] = []
    unknown = now.exit_code not in (ExitCode.APPROVED, ExitCode.REJECTED)
    if now.problems and EventKind.INCONCLUSIVE not in kinds:
        same = before is not None and [_shape(one) for one in before.problems] == [_shape(one) for one in now.problems]
        if not same:
            more = f" (and {len(now.problems) - 1} more)" if len(now.problems) > 1 else ""
            kind = EventKind.INCONCLUSIVE if unknown else EventKind.PROBLEM
            found.append(Happening(kind, f"job {now.name}: {now.problems[0]}{more}"))
            kinds.add(kind)
    if before is None and now.exit_code == ExitCode.APPROVED:
        return found
    if (before is None or before.exit_code != now.exit_code) and not kinds & _SAYS.get(now.exit_code, _NOT_KNOWN):
        was = "" if before is None else f" after {_as_verdict(before.exit_code)}"
        kind = _KIND.get(now.exit_code, EventKind.INCONCLUSIVE)
        found.append(Happening(kind, f"job {now.name}: {_as_verdict(now.exit_code)}{_rehearsed(now)}{was}"))
    return found


_NOT_KNOWN: Final = frozenset({EventKind.INCONCLUSIVE, EventKind.MASS_FAILURE})
_SAYS: Final[Mapping[int | None, frozenset[EventKind]]] = {
    ExitCode.APPROVED: frozenset({EventKind.BACK_TO_GREEN}),
    ExitCode.REJECTED: frozenset({EventKind.REJECTED}),
}
"""What tells that a job ended with this exit code; every other one with ``_NOT_KNOWN``."""
_KIND: Final[Mapping[int | None, EventKind]] = {
    ExitCode.APPROVED: EventKind.BACK_TO_GREEN,
    ExitCode.REJECTED: EventKind.REJECTED,
}


def _as_verdict(code: int | None) -> str:
    words: dict[int | None, str] = {
        ExitCode.APPROVED: "approved",
        ExitCode.REJECTED: "rejected",
        ExitCode.INCONCLUSIVE: "inconclusive",
    }
    return words.get(code, f"not carried out (exit code {code})")


def _rehearsed(record: JobRecord) -> str:
    return f" ({REHEARSAL})" if any(REHEARSAL in str(run["verdict"]) for run in record.runs) else ""


def _shape(text: str) -> str:
    return re.sub(r"[0-9a-f]*[0-9][0-9a-f]*", "#", text)


def _title(target: str, happenings: Sequence[Happening]) -> str:
    first = happenings[0]
    more = f" (and {len(happenings) - 1} more)" if len(happenings) > 1 else ""
    return crop(_line(f"{target}: {first.text}"), 140 - len(more)) + more


def _failures(run: ReportInput) -> list[tuple[str, str]]:
    table = run.judged.comparison.table
    rows = table.loc[run.judged.comparison.mask(*_FAILING), ["check", "class", "message"]]
    # those that failed first: of many, it is they that a channel shows
    rows = rows.sort_values("class", key=lambda names: names == ComparisonClass.MISSING.value, kind="stable")
    return [
        (_line(check), _line(message) or ("no result" if kind == ComparisonClass.MISSING.value else ""))
        for check, kind, message in rows.itertuples(index=False)
    ]


def _suspect(one: Any) -> str:
    changed = one.baseline_version and one.version and one.baseline_version != one.version
    version = f" {one.version}" if one.version else ""
    was = f", {one.baseline_version} in the baseline" if changed else ""
    return _line(f"{one.component}{version}{was} ({one.checks} {'check' if one.checks == 1 else 'checks'})")


def _clean(one: Happening) -> Happening:
    return Happening(
        one.kind, _line(one.text), tuple(_line(check) for check in one.checks[:FAILURES]), _line(one.component),
        _line(one.since),
    )  # fmt: skip


def _filled(template: str, **values: str) -> str:
    for name, value in values.items():
        template = template.replace("{" + name + "}", quote(value, safe=""))
    return template


def _line(text: object) -> str:
    return crop(one_line("" if text is None else str(text)), _LINE)


def _fields(message: Message) -> dict[str, Any]:
    return {name: getattr(message, name) for name in Message.__dataclass_fields__}
