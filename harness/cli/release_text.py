"""How a release and the differences of two are told: lines for a person, plain data for a machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, final

from harness.model.release import Release
from harness.release.diff import ComponentChange, ReleaseDiff

__all__ = ["SuiteCases", "diff_data", "diff_lines", "manifest_lines"]


@final
@dataclass(frozen=True, slots=True)
class SuiteCases:
    """The cases by which two imported suites differ."""

    removed: tuple[str, ...]
    added: tuple[str, ...]

    @property
    def is_older(self) -> bool:
        """Whether the later suite has nothing new and lacks cases: then it is the older one, whatever its number."""
        return bool(self.removed) and not self.added


def manifest_lines(release: Release) -> Iterator[str]:
    """Yields what ``release`` consists of."""
    yield f"{release.product} {release.version}, {release.date or 'no date told'}"
    yield f"  source            {release.source}"
    yield f"  changes to        {release.previous_release or 'not told'}"
    yield f"  suite             {release.suite_version or 'not told'}"
    width = max(len(name) for name in release.components)
    yield f"components ({len(release.components)})"
    for name, version in release.components.items():
        before = release.previous.get(name)
        yield f"  {name:<{width}}  {version}" + (f"  (before: {before})" if before else "")
    if release.apis:
        yield "APIs"
        yield from (f"  {name:<16}  {', '.join(versions)}" for name, versions in release.apis.items())
    if release.dependencies:
        yield "validated against"
        yield from (f"  {name:<28}  {version}" for name, version in release.dependencies.items())
    for expected in release.expected_failures:
        parameter = f", to be matched by {expected.parameter}" if expected.parameter else ""
        yield f"expects {expected.count} failures without {expected.setting}{parameter}"
    yield f"breaking changes ({len(release.breaking_changes)})"
    for change in release.breaking_changes:
        yield f"  {change.component + ': ' if change.component else ''}{change.change}"
    yield f"known issues ({len(release.known_issues)})"
    for issue in release.known_issues:
        yield f"  {issue.title}  {issue.source}"


def diff_lines(diff: ReleaseDiff, cases: SuiteCases | None) -> Iterator[str]:
    """Yields what differs, what went back first."""
    yield f"{diff.before.product} {diff.before.version} to {diff.after.version}"
    for word, changes in (
        ("downgraded", diff.downgraded),
        ("order unknown", diff.incomparable),
        ("upgraded", diff.upgraded),
    ):
        yield from _listed(word, [f"{one.name} {one.before} -> {one.after}" for one in changes])
    yield from _listed("added", [f"{name} {version}" for name, version in diff.added])
    yield from _listed("removed", [f"{name} {version}" for name, version in diff.removed])
    yield f"unchanged: {diff.unchanged} components"
    yield from _listed("not announced as it is", [_unannounced(one) for one in diff.unannounced])
    suites = f"{diff.before.suite_version or 'not told'} -> {diff.after.suite_version or 'not told'}"
    orders = {-1: "OLDER than before", 0: "the same", 1: "newer by its number", None: "order unknown"}
    yield f"suite: {suites}, {orders[diff.suite_order]}"
    if cases is not None:
        older = ": it is the OLDER suite" if cases.is_older else ""
        yield f"  the imported suites differ: {len(cases.removed)} cases gone, {len(cases.added)} new{older}"
        yield from (f"    gone {case}" for case in cases.removed)
    yield from _listed(
        "known issues carried unchanged",
        [
            f"{one.issue.title}  {one.issue.source}, in {one.releases} releases, {one.since} first"
            for one in diff.carried
        ],
    )
    yield from _listed("known issues, new", [f"{one.title}  {one.source}" for one in diff.new_issues])
    yield from _listed("known issues, gone", [f"{one.title}  {one.source}" for one in diff.gone_issues])


def _listed(word: str, entries: list[str]) -> Iterator[str]:
    if entries:
        yield f"{word} ({len(entries)})"
        yield from (f"  {entry}" for entry in entries)


def _unannounced(change: ComponentChange) -> str:
    if change.announced is None:
        return f"{change.name} {change.before} -> {change.after}: the notes name no version before"
    return f"{change.name} {change.before} -> {change.after}: the notes say {change.announced} before"


def diff_data(diff: ReleaseDiff, cases: SuiteCases | None) -> dict[str, Any]:
    """Returns ``diff`` as plain data."""
    changes = {
        word: [asdict(one) for one in found]
        for word, found in (
            ("upgraded", diff.upgraded),
            ("downgraded", diff.downgraded),
            ("incomparable", diff.incomparable),
            ("unannounced", diff.unannounced),
        )
    }
    return {
        "product": diff.before.product,
        "before": str(diff.before.version),
        "after": str(diff.after.version),
        "added": dict(diff.added),
        "removed": dict(diff.removed),
        **changes,
        "unchanged": diff.unchanged,
        "suite": {
            "before": diff.before.suite_version,
            "after": diff.after.suite_version,
            "order": {-1: "older", 0: "same", 1: "newer", None: "unknown"}[diff.suite_order],
            "cases": None if cases is None else {**asdict(cases), "is_older": cases.is_older},
        },
        "known_issues": {
            "carried": [
                {"title": one.issue.title, "source": one.issue.source, "releases": one.releases, "since": one.since}
                for one in diff.carried
            ],
            "new": [{"title": one.title, "source": one.source} for one in diff.new_issues],
            "gone": [{"title": one.title, "source": one.source} for one in diff.gone_issues],
        },
        "goes_back": diff.goes_back or (cases is not None and cases.is_older),
    }
