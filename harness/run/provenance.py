"""What was asked of which suite on which target, by which harness: the first record of every run."""

from __future__ import annotations

import hashlib
import platform
import secrets
from datetime import UTC, datetime
from pathlib import Path

import pytest

import harness
from harness.errors import SuiteError
from harness.model.records import RunStarted
from harness.run.options import RunOptions
from harness.suite.pin import PinCheck, check_pin, load_pin, suite_digest, suite_files
from harness.target.model import Target

__all__ = ["new_run_id", "run_started"]


def new_run_id(options: RunOptions) -> str:
    """Returns the id of a new run: when, of what, on what, and four hex digits that keep two apart."""
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    target = Path(options.target_name).stem
    return f"{moment}-{options.product}-{options.release}-{target}-{secrets.token_hex(2)}"


def run_started(options: RunOptions, run_id: str, target: Target) -> RunStarted:
    """Returns the record; the suite's files are read and compared with the pin now."""
    suite = options.workspace.suite(options.product).resolve()
    if options.collections:
        files = {path.name: _digest(path) for path in options.collections}
        pin = PinCheck("absent")
        description = {"name": ", ".join(sorted(files)), "source": "collection"}
    else:
        files = suite_files(suite)
        pin = check_pin(load_pin(options.workspace.pin(options.product, options.release)), files=files, cases=None)
        description = {"name": options.product, "source": "native"}
    whole = all(path.resolve() == suite for path in options.paths)
    manifest = options.manifest
    return RunStarted(
        run_id=run_id,
        product=options.product,
        release=str(options.release),
        scheme=options.scheme,
        suite={
            **description,
            "digest": suite_digest(files),
            "pin": pin.status,
            "pinned_digest": pin.digest,
            "pin_differences": list(pin.differences),
        },
        target=target.describe(),
        selection={
            "complete": whole and not options.labels and not options.keyword,
            "labels": list(options.labels),
            "keyword": options.keyword,
            "paths": [options.workspace.relative(path) for path in options.paths],
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
        },
    )


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as problem:
        raise SuiteError(f"cannot be read: {problem.strerror}", file=path) from problem
