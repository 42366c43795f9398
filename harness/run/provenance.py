"""What was asked of which suite on which target, by which harness: the first record of every run."""

from __future__ import annotations

import platform
import secrets
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.model.records import RunStarted
from harness.run.options import RunOptions
from harness.run.scheme_suite import SchemeSuite
from harness.target.model import Target

__all__ = ["new_run_id", "run_started"]


def new_run_id(options: RunOptions) -> str:
    """Returns the id of a new run: when, of what, on what, and four hex digits that keep two apart."""
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    target = Path(options.target_name).stem
    return f"{moment}-{options.product}-{options.release}-{target}-{secrets.token_hex(2)}"


def run_started(options: RunOptions, run_id: str, target: Target) -> RunStarted:
    """Returns the record."""
    suite, manifest = options.suite, options.manifest
    return RunStarted(
        run_id=run_id,
        product=options.product,
        release=str(options.release),
        scheme=options.scheme,
        suite={
            "name": suite.name,
            "source": suite.source,
            "digest": suite.digest,
            "pin": suite.pin.status,
            "pinned_digest": suite.pin.digest,
            "pin_differences": list(suite.pin.differences),
            **_own(suite.scheme),
        },
        target=target.describe(),
        selection={
            "complete": suite.whole and not suite.problems and not options.labels and not options.keyword,
            "labels": list(options.labels),
            "keyword": options.keyword,
            "paths": [options.workspace.relative(path) for path in suite.paths],
        },
        tool={
            "name": "mojaloop-harness",
            "version": harness.__version__,
            "python": platform.python_version(),
            "platform": f"{platform.system()} {platform.machine()}",
            "pytest": pytest.__version__,
        },
        release_manifest={
            "product": options.product,
            "version": str(manifest.version),
            "components": dict(manifest.components),
            "source": manifest.source,
            "known_issues": [asdict(issue) for issue in manifest.known_issues],
        },
        products=[{"product": one.product, "release": one.release, "suite": one.suite} for one in options.listed],
        core=None if options.core is None else asdict(options.core),
    )


def _own(scheme: SchemeSuite | None) -> dict[str, Any]:
    if scheme is None:
        return {}
    return {"scheme": {"folder": scheme.name, "digest": scheme.digest, "files": list(scheme.files)}}
