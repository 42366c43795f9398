"""``harness handover`` and ``harness verify``: the evidence in one file that proves itself, and the proof."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.common import Json, workspace_here
from harness.errors import HandoverError

if TYPE_CHECKING:
    from securesystemslib.signer import SSlibKey

    from harness.handover.verify import Verification
    from harness.workspace import Workspace

__all__ = ["PublicKey", "handover", "public_key", "verification_lines", "verify"]

PublicKey = Annotated[
    Path | None, typer.Option("--key", help="The public key (PEM) of the one who must have signed the bundle.")
]


def handover(
    run: Annotated[str, typer.Argument(help="A run's id or folder, or latest.")] = "latest",
    sign: Annotated[
        str | None, typer.Option(help="An Ed25519 key in PEM (PKCS #8) to sign with: its file, or env:NAME.")
    ] = None,
    passphrase: Annotated[
        str | None, typer.Option(help="Where the key's passphrase stands: env:NAME or file:PATH.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write; default: a name in reports/handover.")] = None,
    without_allure: Annotated[
        bool, typer.Option("--without-allure", help="Build no Allure report where the run has none yet.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Write one zip with a run and all that its verdict stands on: whoever receives it can judge again."""
    from harness.handover.bundle import bundle_name, make_bundle
    from harness.handover.verify import verification_data, verify_bundle
    from harness.report.files import write_file

    workspace = workspace_here()
    signer = None
    if sign is not None:
        from harness.handover.signing import load_signer

        signer = load_signer(sign, passphrase)
    elif passphrase is not None:
        raise HandoverError("a passphrase is given and no key", remedy="Give the key with --sign")
    folder = workspace.run_folder(run)
    no_allure = "it was not wanted" if without_allure else _allure_page(workspace, folder)
    bundle = make_bundle(workspace, folder, signer, no_allure)
    # Whoever hands over what the receiver will refuse finds out now, and nothing is written.
    found = verify_bundle(bundle.data, signer.public_key if signer else None)
    if not found.holds:
        raise HandoverError(
            f"the bundle would not pass harness verify: {'; '.join(map(str, found.faults[:3]))}",
            remedy="harness judge decides again; everything that it judges by must lie in the workspace",
        )
    path = out if out is not None else workspace.root / "reports" / "handover" / bundle_name(bundle.manifest)
    try:
        write_file(path, bundle.data)
    except OSError as problem:
        raise HandoverError(f"cannot be written: {problem.strerror or problem}", file=path) from problem
    if as_json:
        _print_json({"file": workspace.relative(path), "size": len(bundle.data), **verification_data(found)})
        return 0
    manifest = bundle.manifest
    typer.echo(f"{manifest.product} {manifest.release} · run {manifest.run_id} · {manifest.verdict}")
    size = f"{len(bundle.data) / 1e6:,.1f} MB, {len(manifest.members) + 3} files"
    typer.echo(f"{workspace.relative(path)}: {size}, sha256 {found.sha256}")
    if signer is None:
        typer.echo("NOT SIGNED: whoever has it in hands can make another; sign with --sign KEY")
    else:
        typer.echo(f"signed by key {found.keyid}")
    for one in manifest.absent:
        typer.echo(f"not in it: {one.what}: {one.why}")
    typer.echo("checked: every byte, and the verdict derived again from what is in it")
    return 0


def verify(
    bundle: Annotated[Path, typer.Argument(help="The zip that harness handover wrote.")],
    key: PublicKey = None,
    approved: Annotated[
        bool,
        typer.Option("--approved", help="Also end as the verdict does: 1 rejected, 2 inconclusive or a rehearsal."),
    ] = False,
    as_json: Json = False,
) -> int:
    """Check every byte of a bundle and derive its verdict again: exit 0 if it is what it says, else 1."""
    from harness.handover.verify import verification_data, verify_file

    found = verify_file(bundle, public_key(key))
    if as_json:
        _print_json(verification_data(found))
    else:
        for line in verification_lines(found, bundle.name):
            typer.echo(line)
    if not found.holds or found.manifest is None:
        return 1
    if not approved:
        return 0
    return found.manifest.exit_code or (2 if found.manifest.rehearsal else 0)


def _allure_page(workspace: Workspace, folder: Path) -> str:
    """Builds the Allure report in one file where the run has none; returns why it still has none, else nothing.

    Allure makes other bytes each time. A run keeps the page that it has, so its bundles stay the same.
    """
    from harness.errors import ToolError
    from harness.handover.bundle import ALLURE_PAGE
    from harness.report.allure_page import AllureReport
    from harness.validation import judge_as_before

    if (folder / ALLURE_PAGE).is_file():
        return ""
    judged = judge_as_before(workspace, folder)
    try:
        AllureReport(tell=lambda text: typer.echo(text, err=True)).build(judged, folder)
    except ToolError as problem:
        return problem.message.strip().splitlines()[0]
    except OSError as problem:
        return f"it cannot be written: {problem.strerror or problem}"
    return ""


def public_key(path: Path | None) -> SSlibKey | None:
    """Returns the key at ``path``, if one is named. Raises ``HandoverError`` where it is none."""
    if path is None:
        return None
    from harness.handover.signing import load_public_key

    return load_public_key(path)


def verification_lines(found: Verification, name: str) -> list[str]:
    """Returns what was found of the bundle called ``name``, for a person."""
    from harness.handover.verify import SignerStatus
    from harness.report.text import crop, one_line

    manifest = found.manifest
    lines = [f"{one_line(name)}: sha256 {found.sha256}"]
    lines += [f"  FAULT {crop(one_line(str(fault)), 400)}" for fault in found.faults[:20]]
    if len(found.faults) > 20:
        lines.append(f"  … and {len(found.faults) - 20:,} more")
    lines += [f"  note  {crop(one_line(note), 400)}" for note in found.notes]
    if not found.holds or manifest is None:
        lines.append("NOT WHAT IT SAYS: believe nothing that is in it")
        return lines
    lines.append(f"  bytes     {len(manifest.members) + 3} members, every digest as in the manifest")
    match found.signer:
        case SignerStatus.CHECKED:
            lines.append(f"  signer    the given key {found.keyid[:12]} signed both statements")
        case SignerStatus.UNSIGNED:
            lines.append("  signer    nobody: digests consistent; whoever had it in hands could have made another")
        case _:
            lines.append(
                f"  signer    a key {found.keyid[:12]} that the bundle brings itself; whose it is was not checked"
            )
            lines.append(
                "            (digests and signatures are consistent; give --key with the public key you trust)"
            )
    lines.append("  verdict   derived again from the journal by the rules inside: the same, byte for byte")
    lines.append(f"{manifest.product} {manifest.release}, run {manifest.run_id}: {manifest.verdict}")
    return lines


def _print_json(data: object) -> None:
    import json

    typer.echo(json.dumps(data, indent=2, ensure_ascii=False))
