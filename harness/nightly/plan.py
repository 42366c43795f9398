"""What is to happen every night, and who is told? ``scheme_rules/<scheme>/nightly.yaml``, a closed vocabulary."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self, final

from pydantic import Field, field_validator, model_validator

from harness.errors import NightlyError
from harness.judge.vocabulary import Name, Part
from harness.model.event_kind import EventKind
from harness.run.options import EMBEDDED
from harness.target.references import References, looks_like_a_reference
from harness.yaml_document import YamlDocument, parse_yaml, read_text, validated

__all__ = ["KINDS", "Channel", "Job", "MailChannel", "NightlyPlan", "Plan", "WebChannel", "load_plan", "seconds"]

KINDS = tuple(EventKind)
"""What a message can be about: the kinds of event of the history."""

_Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Duration = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,5}[smh]$")]
"""``90s``, ``45m``, ``2h``."""
_Address = Annotated[str, Field(pattern=r"^[^\s@<>,;:\"]+@[^\s@<>,;:\"]+$")]
_UNITS = {"s": 1, "m": 60, "h": 3600}


def seconds(duration: str) -> int:
    """Returns how many seconds ``90s``, ``45m`` or ``2h`` are."""
    return int(duration[:-1]) * _UNITS[duration[-1]]


class Job(Part):
    """One target, what runs on it, what is done before and after."""

    name: _Id
    target: Name
    """``embedded``, a target of the Scheme by name, or a target file relative to the plan."""
    release: Name
    product: Name = "mojaloop"
    suites: Annotated[tuple[Literal["native", "official"], ...], Field(min_length=1)] = ("native",)
    scheme: Name | None = None
    """Whose criteria judge; the Scheme in whose folder the plan stands, unless said otherwise."""
    criteria: Name | None = None
    """Other criteria than the Scheme's: a file relative to the plan."""
    baseline: Name | None = None
    """Another baseline than the release's: a version, or a folder relative to the plan."""
    waivers: Name | None = None
    workers: Annotated[int, Field(ge=0, le=64)] = 4
    labels: tuple[Name, ...] = ()
    keyword: Name | None = None
    defects: tuple[Name, ...] = ()
    """For a drill on the embedded hub: what it is broken by."""
    environment: Name | None = None
    """Input values for collections: a file relative to the plan."""
    provisioning: tuple[Name, ...] = ()
    """Collections, or folders of them, that run before the suites: relative to the plan."""
    clean_up: tuple[Name, ...] = ()
    """Collections, or folders of them, that run after the suites, whatever became of them."""
    liquidity_must_return: bool = True
    """Whether a night after which positions or funds differ from before it is inconclusive."""
    time_budget: Duration = "2h"
    """What provisioning and suites may take together."""
    clean_up_budget: Duration = "10m"
    i_know: bool = False
    """Production is meant, where the target allows writes."""
    notify: tuple[_Id, ...] = ()
    """The channels that are told."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(set(self.suites)) != len(self.suites):
            raise ValueError(f"job {self.name!r} names a suite twice")
        if self.defects and self.target != EMBEDDED:
            raise ValueError("defects belong to target embedded only")
        if self.target == EMBEDDED and (self.provisioning or self.clean_up) and self.suites != ("native",):
            raise ValueError("on target embedded the official suite brings its own provisioning: leave the key out")
        return self


class _Channel(Part):
    name: _Id
    events: Annotated[tuple[EventKind, ...], Field(min_length=1)] = KINDS
    """What is told there; all, unless said otherwise."""
    timeout: Duration = "15s"
    """What one attempt may take."""


class WebChannel(_Channel):
    """An incoming webhook. Its address lets anybody post, so it is a secret."""

    kind: Literal["slack", "teams", "json"]
    url: str

    @field_validator("url")
    @classmethod
    def _by_reference(cls, value: str) -> str:
        return _referred(value, "the address of a webhook is a secret: whoever has it can post")


class MailChannel(_Channel):
    """Mail by SMTP, always encrypted; without TLS only to this very machine."""

    kind: Literal["mail"]
    host: Name
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """587 for ``starttls``, 465 for ``tls``, 25 for ``none``, unless said otherwise."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    ca: str | None = None
    """The authority that vouches for the server, where this machine does not trust it: ``file:PATH``."""
    username: str | None = None
    password: str | None = None
    sender: _Address
    to: Annotated[tuple[_Address, ...], Field(min_length=1, max_length=50)]

    @field_validator("username", "password", "ca")
    @classmethod
    def _by_reference(cls, value: str | None) -> str | None:
        return None if value is None else _referred(value, "it is given in place")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.security == "none" and not _is_here(self.host):
            raise ValueError("mail without TLS leaves this machine: write security: starttls or tls")
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together: give both or neither")
        return self

    @property
    def at_port(self) -> int:
        """The port to connect to."""
        return self.port or {"starttls": 587, "tls": 465, "none": 25}[self.security]


Channel = Annotated[WebChannel | MailChannel, Field(discriminator="kind")]


class Plan(Part):
    """The whole file."""

    scheme: Name
    link: Annotated[str, Field(pattern=r"^https?://[^\s<>\"|]+$")] | None = None
    """Where a run's report is found by those who are told; ``{run_id}`` and ``{target}`` are filled in."""
    dashboard: Annotated[str, Field(pattern=r"^https?://[^\s<>\"|]+$")] | None = None
    resume_within: Duration = "12h"
    """How long after its start a night that was cut off is gone on with; later it is cleaned up after and closed."""
    jobs: Annotated[tuple[Job, ...], Field(min_length=1)]
    channels: tuple[Channel, ...] = ()

    @model_validator(mode="after")
    def _names_hold(self) -> Self:
        for what, names in (("job", [job.name for job in self.jobs]), ("channel", [one.name for one in self.channels])):
            if twice := [name for name, count in Counter(names).items() if count > 1]:
                raise ValueError(f"two {what}s are called {twice[0]!r}")
        known = {channel.name for channel in self.channels}
        for job in self.jobs:
            if lost := [name for name in job.notify if name not in known]:
                raise ValueError(f"job {job.name!r} notifies {lost[0]!r}, and no channel is called that")
        return self


@final
@dataclass(frozen=True, slots=True)
class NightlyPlan:
    """A plan, where it stands, and what it refers to."""

    plan: Plan
    path: Path
    document: YamlDocument
    digest: str

    @property
    def name(self) -> str:
        """``example-nightly`` for ``scheme_rules/example/nightly.yaml``: what its nights are kept under."""
        return f"{self.plan.scheme}-{self.path.stem}"

    def beside(self, name: str) -> Path:
        """Returns the path that ``name`` in the plan means."""
        return (self.path.parent / name).resolve()

    def references(self, environ: Mapping[str, str] | None = None) -> References:
        """Returns what resolves the references of the plan."""
        return References(self.document, self.path, os.environ if environ is None else environ, NightlyError)

    def channels(self, job: Job) -> list[WebChannel | MailChannel]:
        """Returns the channels that ``job`` tells."""
        return [channel for channel in self.plan.channels if channel.name in job.notify]

    def chosen(self, name: str | None) -> tuple[Job, ...]:
        """Returns the job called ``name``, or all. Raises ``NightlyError`` where there is none."""
        found = tuple(job for job in self.plan.jobs if name is None or job.name == name)
        if not found:
            known = ", ".join(job.name for job in self.plan.jobs)
            raise NightlyError(f"no job is called {name!r}", file=self.path, remedy=f"Its jobs are: {known}")
        return found


def load_plan(path: Path) -> NightlyPlan:
    """Returns the plan in the file ``path``. Raises ``NightlyError`` naming file, line and remedy."""
    text = read_text(path, NightlyError, what="plan of nights")
    document = parse_yaml(text, path, NightlyError)
    plan = validated(document, Plan, NightlyError)
    folder = path.absolute().parent
    if folder.parent.name == "scheme_rules" and plan.scheme != folder.name:
        raise NightlyError(
            f"it is of scheme {plan.scheme!r} and stands in the folder of {folder.name!r}",
            file=path,
            place=document.place(("scheme",)),
            remedy="Correct the scheme: its criteria judge",
        )
    found = NightlyPlan(plan, path.absolute(), document, f"sha256:{hashlib.sha256(text.encode()).hexdigest()}")
    for number, job in enumerate(plan.jobs):
        for key in ("provisioning", "clean_up"):
            for index, name in enumerate(getattr(job, key)):
                if not found.beside(name).exists():
                    raise NightlyError(
                        f"there is no collection {found.beside(name)}",
                        file=path,
                        place=document.place(("jobs", number, key, index)),
                        remedy="Write its path relative to the plan",
                    )
    return found


def _referred(value: str, why: str) -> str:
    # the value itself stands in no message: it may be the secret
    if not looks_like_a_reference(value):
        raise ValueError(f"not env:NAME or file:PATH; {why}")
    return value


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return re.fullmatch(r"localhost\.?", host, re.IGNORECASE) is not None
