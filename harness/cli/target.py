"""``harness target``: is an environment ready, what is it made of, and what does one lack of another?"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.common import IMITATED, Json, Product, release_of, workspace_here
from harness.errors import UsageError
from harness.model.outcome import ExitCode
from harness.model.scheme import CORE_PRODUCT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.model.records import ServiceProbed
    from harness.model.release import Release
    from harness.target.fingerprint import Fingerprint, Row
    from harness.target.model import Target
    from harness.target.readiness import Finding
    from harness.workspace import Workspace

__all__ = ["target_app"]

target_app = typer.Typer(help="Environments under validation.", no_args_is_help=True, rich_markup_mode=None)

_EMBEDDED = "embedded"

Scheme = Annotated[str | None, typer.Option("--scheme", help="The Scheme whose targets are meant.")]
TargetName = Annotated[str, typer.Argument(help="The name of a Scheme's target, or a target file.")]
ToCheck = Annotated[str, typer.Argument(help="The name of a Scheme's target, a target file, or embedded.")]
Side = Annotated[str, typer.Argument(help="A Scheme's target, a target file, or a kept fingerprint (.json).")]


@target_app.command("check")
def target_check(
    target: ToCheck,
    scheme: Scheme = None,
    release: Annotated[
        str | None, typer.Option(help="Compare component versions with this release's; what embedded imitates.")
    ] = None,
    product: Product = "mojaloop",
    as_json: Json = False,
) -> int:
    """Ask a target whether it is ready for a run: exit 0 if it is, 2 if not. Reads only, but for one look-up."""
    from harness.release.manifest import load_manifest
    from harness.target.preflight import preflight
    from harness.target.readiness import findings_of

    workspace = workspace_here()
    if target == _EMBEDDED:
        release = _imitated(release, product)
    manifest = load_manifest(workspace.manifest(product, release_of(release))) if release else None
    with _there(workspace, target, scheme, manifest) as described:
        started = time.monotonic()
        probes = _with_callbacks(described, preflight(described, manifest))
        findings = findings_of(probes)
        seconds = time.monotonic() - started
    if as_json:
        document = {
            "target": described.name,
            "ready": not findings,
            "services": [{key: value for key, value in probe.to_json().items() if key != "type"} for probe in probes],
            "findings": [
                {"check": one.check, "service": one.service, "message": one.text, "remedy": one.remedy}
                for one in findings
            ],
        }
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _print_check(described, probes, findings, seconds)
    return ExitCode.INCONCLUSIVE if findings else ExitCode.APPROVED


@target_app.command("fingerprint")
def target_fingerprint(target: TargetName, scheme: Scheme = None, as_json: Json = False) -> int:
    """Show what a target is made of: components, dependencies, facts, and what of the declared standard it has."""
    from harness.target.fingerprint import SECTIONS

    found = _fingerprint(workspace_here(), target, scheme)
    if as_json:
        typer.echo(json.dumps(found.to_json(), indent=2, ensure_ascii=False))
    else:
        typer.echo(f"{found.target} ({found.stage or 'stage not stated'}), fingerprint {found.digest}")
        for section in SECTIONS:
            for name, value in sorted(found.sections[section].items()):
                typer.echo(f"  {section:<13} {name:<36} {value or 'not known'}")
    unknown = any(value is None for section in found.sections.values() for value in section.values())
    return ExitCode.INCONCLUSIVE if unknown else ExitCode.APPROVED


@target_app.command("diff")
def target_diff(first: Side, second: Side, scheme: Scheme = None, as_json: Json = False) -> int:
    """Show how two environments differ, side by side: exit 0 if in nothing, 1 if they do, 2 if it is not known."""
    from harness.target.fingerprint import Parity, compare_fingerprints

    workspace = workspace_here()
    one, other = _fingerprint(workspace, first, scheme), _fingerprint(workspace, second, scheme)
    rows = compare_fingerprints(one, other)
    apart = [row for row in rows if row.parity is not Parity.SAME]
    if as_json:
        document = {
            "first": one.target,
            "second": other.target,
            "rows": [
                {"section": row.section, "name": row.name, "first": row.first, "second": row.second,
                 "parity": row.parity.value}
                for row in rows
            ],
        }  # fmt: skip
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _print_diff(one, other, rows, apart)
    if any(row.parity is Parity.UNKNOWN for row in apart):
        return ExitCode.INCONCLUSIVE
    return ExitCode.REJECTED if apart else ExitCode.APPROVED


def _imitated(release: str | None, product: str) -> str:
    """The release that the embedded hub is to be."""
    if product != CORE_PRODUCT:
        raise UsageError(
            f"the embedded hub has nothing of {product}", remedy="Leave --product out, or check the product's target"
        )
    return release or IMITATED


@contextmanager
def _there(workspace: Workspace, name: str, scheme: str | None, manifest: Release | None) -> Iterator[Target]:
    """The target called ``name``. The embedded hub is started for as long as it is asked."""
    from harness.target.load import load_target

    if name != _EMBEDDED:
        yield load_target(workspace.target(name, scheme))
        return
    from harness.hub.process import HubProcess
    from harness.target.model import Target

    assert manifest is not None  # the embedded hub always imitates one
    with HubProcess.start(manifest) as hub:
        yield Target(name=_EMBEDDED, kind=_EMBEDDED, services=hub.services)


def _with_callbacks(target: Target, probes: list[ServiceProbed]) -> list[ServiceProbed]:
    """What was found, with the way back from the hub where the target says in whose name to try it."""
    if not target.callback.probe_as:
        return probes
    from harness.engine.inbound.server import InboundServer
    from harness.run.preflight_callback import prove_callbacks
    from harness.target.readiness import Finding, with_finding
    from harness.target.tls import context_for

    place = target.callback
    try:
        inbound = InboundServer.start(
            host=place.host, port=place.port, public_url=place.public_url or None, verify=context_for(target.tls)
        )
    except UsageError as problem:
        remedy = "Correct callback.host and callback.port, or stop what holds the port"
        return with_finding(probes, Finding("callback", "account-lookup-service", problem.message, remedy))
    with inbound:
        return prove_callbacks(target, probes, inbound)


def _print_check(target: Target, probes: Sequence[ServiceProbed], findings: Sequence[Finding], seconds: float) -> None:
    from harness.model.drift import bare_version

    for probe in probes:
        expected = probe.expected_version
        differs = expected is not None and bare_version(probe.version or "") != bare_version(expected)
        version = f"{probe.version} (released: {expected})" if differs else probe.version or "no version"
        latency = "" if probe.latency_ms is None else f"{probe.latency_ms:.0f} ms"
        typer.echo(f"{probe.service:<32} {probe.status:<9} {version:<10} {latency}".rstrip())
    checks = {finding.check for finding in findings}
    if target.participants:
        state = "see below" if checks & {"participants", "liquidity"} else "provisioned"
        typer.echo(f"{'participants':<32} {state:<9} {', '.join(one.name for one in target.participants)}")
    if target.kind == _EMBEDDED:
        typer.echo("the embedded hub, started for this check and stopped again; harness run starts one of its own")
    elif not target.callback.probe_as:
        typer.echo(f"{'callback':<32} not tried: name a participant in callback.probe_as to have it proven")
    else:
        state = (
            "see below" if "callback" in checks else "ok" if not checks & {"health", "participants"} else "not tried"
        )
        typer.echo(f"{'callback':<32} {state:<9} look-up as {target.callback.probe_as}")
    if not findings:
        typer.echo(f"ready, {seconds:.1f} s")
        return
    typer.echo(f"not ready, {len(findings)} found, {seconds:.1f} s:")
    for finding in findings:
        typer.echo(f"  {finding.text}.\n    → {finding.remedy}.")


def _print_diff(one: Fingerprint, other: Fingerprint, rows: Sequence[Row], apart: Sequence[Row]) -> None:
    typer.echo(f"{'':<50} {one.target:<20} {other.target}")
    for row in apart:
        sides = (
            (row.first or ("-" if row.parity == "only in the second" else "not known")),
            (row.second or ("-" if row.parity == "only in the first" else "not known")),
        )
        typer.echo(f"{row.section:<13} {row.name:<36} {sides[0]:<20} {sides[1]}")
    typer.echo(f"{len(rows) - len(apart)} the same, {len(apart)} not")


def _fingerprint(workspace: Workspace, name: str, scheme: str | None) -> Fingerprint:
    from harness.target.fingerprint import fingerprint_of, read_fingerprint
    from harness.target.load import load_target
    from harness.target.preflight import probe
    from harness.target.standard import load_standard

    if name.endswith(".json"):
        return read_fingerprint(Path(name))
    if name == _EMBEDDED:
        raise UsageError(
            "the embedded hub is a part of the harness, no environment, and has no fingerprint",
            remedy="harness target check embedded shows what it imitates",
        )
    path = workspace.target(name, scheme)
    target = load_target(path)
    # a file beside a Scheme's other targets belongs to that Scheme
    declared = (workspace.scheme(scheme) if scheme else path.parent.parent) / "standard.yaml"
    standard = load_standard(declared) if declared.is_file() else None
    return fingerprint_of(target, probe(target, None), standard)
