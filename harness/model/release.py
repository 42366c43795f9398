"""What a release is: a product at a version, with the versions of its components and what its notes say beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["BreakingChange", "ExpectedFailures", "KnownIssue", "Release", "ReleaseVersion"]

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)$")


@dataclass(frozen=True, slots=True, order=True)
class ReleaseVersion:
    """A release number. ``parse`` takes it with or without ``v``; ``str`` gives it with."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> ReleaseVersion:
        """Raises ``ValueError`` where ``text`` is not ``[v]MAJOR.MINOR.PATCH``."""
        match = _VERSION.match(text.strip())
        if match is None:
            raise ValueError(f"not a release version: {text!r} (expected for instance v17.1.0)")
        return cls(*(int(part) for part in match.groups()))

    def __str__(self) -> str:
        return f"v{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, slots=True)
class KnownIssue:
    """Something that a release is published with. It excuses nothing; it is shown beside what it may explain."""

    title: str
    source: str
    """Where it is described: a URL, or a section of the release notes."""
    components: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    """``POST /quotes``: what it shows in."""
    group: str = ""
    """The heading that the notes list it under, for instance of issues with the tests."""


@dataclass(frozen=True, slots=True)
class BreakingChange:
    """A change that an operator has to act on. ``component`` is empty where the notes name none."""

    component: str
    change: str


@dataclass(frozen=True, slots=True)
class ExpectedFailures:
    """How many checks the notes expect to fail where ``setting`` is not as they ask. It excuses nothing."""

    count: int
    setting: str
    parameter: str = ""
    """The input value of the suite that has to match the setting."""


@dataclass(frozen=True, slots=True)
class Release:
    """A product at a version. ``components`` maps component name to its version, both as published."""

    product: str
    version: ReleaseVersion
    components: Mapping[str, str]
    source: str
    date: str | None = None
    known_issues: tuple[KnownIssue, ...] = ()
    previous_release: str | None = None
    """The release that its notes describe the changes to."""
    previous: Mapping[str, str] = field(default_factory=dict)
    """The version that a component had before, as these notes say; only of components they announce as changed."""
    apis: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dependencies: Mapping[str, str] = field(default_factory=dict)
    """What it was validated against: the Dependency Test Matrix."""
    suite_version: str | None = None
    """The version of the test cases that it was validated with."""
    expected_failures: tuple[ExpectedFailures, ...] = ()
    breaking_changes: tuple[BreakingChange, ...] = ()
