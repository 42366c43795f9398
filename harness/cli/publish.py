"""``harness publish``: an approved bundle, where the Hub Operator fetches it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.common import Json
from harness.cli.handover import PublicKey, public_key, verification_lines

__all__ = ["publish"]


def publish(
    bundle: Annotated[Path, typer.Argument(help="The zip that harness handover wrote.")],
    to: Annotated[str, typer.Option(help="A folder, s3://BUCKET/PREFIX, or git+URL (git+URL#BRANCH; default main).")],
    evidence: Annotated[
        bool, typer.Option("--evidence", help="File a bundle that lets no release go, too: as evidence, apart.")
    ] = False,
    key: PublicKey = None,
    endpoint: Annotated[
        str | None, typer.Option(help="Where the S3-compatible storage is; default: AWS_ENDPOINT_URL.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Verify a bundle and file it where it can be fetched, with an index: only what is approved, nothing twice."""
    from datetime import UTC, datetime

    from harness.handover.archive import read_bundle
    from harness.handover.publish import entry_of, refusal
    from harness.handover.publish import publish as file_it
    from harness.handover.verify import verify_bundle

    data = read_bundle(bundle)  # read once: what is filed is what was verified
    found = verify_bundle(data, public_key(key))
    if not found.holds:
        for line in verification_lines(found, bundle.name):
            print(line, file=sys.stderr)
        return 1
    why = refusal(found)
    if why is not None and not evidence:
        print(f"refused: {why}. Give --evidence to file it as evidence, where nobody deploys from.", file=sys.stderr)
        return (found.manifest.exit_code if found.manifest else 0) or 2
    done = file_it(entry_of(found, len(data), datetime.now(UTC)), data, to, endpoint=endpoint)
    if as_json:
        import json

        text = {"was_there": done.was_there, "entry": done.entry.model_dump(), "unreadable": list(done.unreadable)}
        typer.echo(json.dumps(text, indent=2, ensure_ascii=False))
        return 0
    entry = done.entry
    typer.echo(f"{entry.product} {entry.release} · run {entry.run_id} · {entry.verdict}")
    typer.echo(f"{entry.path}: {'was there already, the same bytes' if done.was_there else 'published'}")
    if entry.evidence_only:
        typer.echo("filed as EVIDENCE: not for deployment")
    if entry.signer is None:
        typer.echo("NOT SIGNED: who fetches it cannot tell who made it")
    elif not entry.signer_checked:
        typer.echo(f"signed by key {entry.signer[:12]}, whose it is was not checked (give --key)")
    for name in done.unreadable:
        typer.echo(f"not in the index, because it cannot be read: {name}")
    return 0
