"""Does a Scheme's release come with all that the Scheme demands: each product that it lists, manifest and documents?

What is told is what the gate of the artefacts would say of a run, by the same rules, before there is one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import typer

from harness.errors import UsageError
from harness.judge.artefacts import documents, notes
from harness.model.outcome import GateStatus
from harness.model.release import Release, ReleaseVersion
from harness.model.scheme import CORE_PRODUCT, SchemeRelease
from harness.model.verdict import Reason
from harness.release.artefacts import Artefacts, load_artefacts
from harness.release.documents import look_at
from harness.release.manifest import load_manifest
from harness.release.scheme import load_scheme_release
from harness.validation import check_scheme
from harness.workspace import Workspace

__all__ = ["check_for_scheme"]

_WORDS = {GateStatus.FAIL: "FAIL", GateStatus.UNKNOWN: "unknown", GateStatus.PASS: "known"}


@dataclass(frozen=True, slots=True)
class _Checked:
    """One product of the release."""

    name: str
    reasons: tuple[Reason, ...]
    notes: tuple[str, ...]

    @property
    def status(self) -> GateStatus:
        statuses = {reason.status for reason in self.reasons}
        return next((one for one in (GateStatus.FAIL, GateStatus.UNKNOWN) if one in statuses), GateStatus.PASS)


def check_for_scheme(
    workspace: Workspace, scheme: str, manifest: Release, given: Artefacts, *, as_json: bool = False
) -> int:
    """Prints what the release lacks of what ``scheme`` demands, and returns 0 if that lets it through, else 1.

    A release of the core is checked with the extension products that the Scheme lists. Raises ``HarnessError`` where a
    manifest, a list of artefacts, criteria or waivers cannot be read, or the Scheme lists another release.
    """
    if not workspace.scheme(scheme).is_dir():
        raise UsageError(f"no Scheme is called {scheme!r}", remedy="Schemes are the folders under scheme_rules/")
    check_scheme(workspace, scheme)
    contents = load_scheme_release(workspace.scheme(scheme))
    _refuse_another(contents, manifest)
    checked = [_checked(contents, manifest, given)]
    if manifest.product == CORE_PRODUCT:
        checked += _extensions(workspace, contents)
    good = all(one.status is GateStatus.PASS for one in checked)
    if as_json:
        _print_json(scheme, good, checked)
    else:
        _print(contents, good, checked)
    return 0 if good else 1


def _refuse_another(contents: SchemeRelease, manifest: Release) -> None:
    listed = next((one for one in contents.products if one.product == manifest.product), None)
    if listed is not None and listed.release != str(manifest.version):
        raise UsageError(
            f"scheme {contents.scheme} lists {listed.name}, asked is for {manifest.version}",
            remedy=f"Check {listed.release}, or bring scheme.yaml up to this release",
        )
    if listed is None and manifest.product != CORE_PRODUCT:
        raise UsageError(
            f"scheme {contents.scheme} does not list {manifest.product}", remedy="List it in scheme.yaml first"
        )


def _extensions(workspace: Workspace, contents: SchemeRelease) -> Iterator[_Checked]:
    for listed in contents.extensions:
        path = workspace.manifest(listed.product, ReleaseVersion.parse(listed.release))
        manifest = load_manifest(path)
        if (manifest.product, str(manifest.version)) != (listed.product, listed.release):
            raise UsageError(
                f"the manifest of {listed.name} describes {manifest.product} {manifest.version}",
                remedy=f"Correct {workspace.relative(path)}",
            )
        yield _checked(contents, manifest, load_artefacts(path.with_name("artefacts.yaml")))


def _checked(contents: SchemeRelease, manifest: Release, given: Artefacts) -> _Checked:
    found = look_at(manifest, given)
    name = f"{manifest.product} {manifest.version}"
    return _Checked(name, tuple(documents(contents, found)), tuple(notes(found)))


def _print(contents: SchemeRelease, good: bool, checked: list[_Checked]) -> None:
    for one in checked:
        typer.echo(f"{one.name}")
        for reason in one.reasons:
            remedy = f". {reason.remedy}" if reason.remedy else ""
            typer.echo(f"  {_WORDS[reason.status]:<8} {reason.text}{remedy}")
        for note in one.notes:
            typer.echo(f"  note     {note}")
        if one.status is GateStatus.PASS:
            there = ", ".join(("manifest", *(kind.value for kind in contents.artefacts)))
            typer.echo(f"  pass     there: {there}")
    open_ = sum(one.status is not GateStatus.PASS for one in checked)
    count = f"{len(checked)} product" + ("" if len(checked) == 1 else "s")
    ended = f"all that it demands of {count} is there" if good else f"{open_} of {count} lack what it demands"
    typer.echo(f"scheme {contents.scheme}: {ended}")


def _print_json(scheme: str, good: bool, checked: list[_Checked]) -> None:
    products: list[dict[str, Any]] = [
        {
            "name": one.name,
            "status": one.status.value,
            "reasons": [
                {"code": each.code, "status": each.status.value, "text": each.text, "remedy": each.remedy}
                for each in one.reasons
            ],
            "notes": list(one.notes),
        }
        for one in checked
    ]
    typer.echo(json.dumps({"scheme": scheme, "complete": good, "products": products}, indent=2, ensure_ascii=False))
