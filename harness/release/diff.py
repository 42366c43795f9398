"""What changed from one release to another? Components up, down, new and gone; the suite; issues carried along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from harness.model.release import KnownIssue, Release
from harness.release.versions import bare, order

__all__ = ["CarriedIssue", "ComponentChange", "ReleaseDiff", "diff_releases"]


@final
@dataclass(frozen=True, slots=True)
class ComponentChange:
    """A component on both sides at different versions. ``announced`` is the version before by the later notes."""

    name: str
    before: str
    after: str
    announced: str | None


@final
@dataclass(frozen=True, slots=True)
class CarriedIssue:
    """A known issue of the later release, and in how many releases in a row, up to it, it stands unchanged."""

    issue: KnownIssue
    releases: int
    since: str


@final
@dataclass(frozen=True, slots=True)
class ReleaseDiff:
    """How two releases of one product differ."""

    before: Release
    after: Release
    added: tuple[tuple[str, str], ...]
    removed: tuple[tuple[str, str], ...]
    upgraded: tuple[ComponentChange, ...]
    downgraded: tuple[ComponentChange, ...]
    incomparable: tuple[ComponentChange, ...]
    """Other versions of which nobody can tell the older."""
    unchanged: int
    suite_order: int | None
    """-1: the later release has the older suite, 0: the same, 1: a newer one; ``None``: not known."""
    carried: tuple[CarriedIssue, ...]
    new_issues: tuple[KnownIssue, ...]
    gone_issues: tuple[KnownIssue, ...]

    @property
    def changed(self) -> tuple[ComponentChange, ...]:
        """Every component at another version."""
        return (*self.upgraded, *self.downgraded, *self.incomparable)

    @property
    def unannounced(self) -> tuple[ComponentChange, ...]:
        """Changes that the later notes do not announce, or announce from another version than the release had.

        Told only where the later release is said to follow this one.
        """
        if self.after.previous_release is None or bare(self.after.previous_release) != bare(str(self.before.version)):
            return ()
        return tuple(
            change for change in self.changed if change.announced is None or bare(change.announced) != change.before
        )

    @property
    def goes_back(self) -> bool:
        """Whether a component or the suite is older in the later release."""
        return bool(self.downgraded) or self.suite_order == -1


def diff_releases(before: Release, after: Release, history: Sequence[Release] = ()) -> ReleaseDiff:
    """Returns what differs from ``before`` to ``after``.

    ``history`` holds what manifests there are of the product; issues are counted back through it from ``after``.
    """
    old, new = ({name: bare(version) for name, version in side.components.items()} for side in (before, after))
    upgraded: list[ComponentChange] = []
    downgraded: list[ComponentChange] = []
    incomparable: list[ComponentChange] = []
    unchanged = 0
    for name in sorted(old.keys() & new.keys()):
        change = ComponentChange(name, old[name], new[name], after.previous.get(name))
        direction = order(change.before, change.after)
        if direction == 0:
            unchanged += 1
        else:
            (incomparable if direction is None else upgraded if direction < 0 else downgraded).append(change)
    suites = None
    if before.suite_version is not None and after.suite_version is not None:
        compared = order(before.suite_version, after.suite_version)
        suites = None if compared is None else -compared
    known = {_key(issue) for issue in before.known_issues}
    still = {_key(issue) for issue in after.known_issues}
    return ReleaseDiff(
        before=before,
        after=after,
        added=tuple((name, new[name]) for name in sorted(new.keys() - old.keys())),
        removed=tuple((name, old[name]) for name in sorted(old.keys() - new.keys())),
        upgraded=tuple(upgraded),
        downgraded=tuple(downgraded),
        incomparable=tuple(incomparable),
        unchanged=unchanged,
        suite_order=suites,
        carried=tuple(_carried(issue, before, after, history) for issue in after.known_issues if _key(issue) in known),
        new_issues=tuple(issue for issue in after.known_issues if _key(issue) not in known),
        gone_issues=tuple(issue for issue in before.known_issues if _key(issue) not in still),
    )


def _key(issue: KnownIssue) -> tuple[str, str]:
    return issue.source, issue.title


def _carried(issue: KnownIssue, before: Release, after: Release, history: Sequence[Release]) -> CarriedIssue:
    earlier = {release.version: release for release in (*history, before) if release.version < after.version}
    count, since = 1, after
    for version in sorted(earlier, reverse=True):
        if _key(issue) not in {_key(known) for known in earlier[version].known_issues}:
            break
        count, since = count + 1, earlier[version]
    return CarriedIssue(issue, count, str(since.version))
