"""What is done to a target before and after its suites: collections, by the same engine as any other.

Their checks are means and validate nothing: what fails of them is told, and no verdict is made of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.engine.deployment import deployment_inputs
from harness.engine.inbound.server import InboundServer
from harness.engine.simulators import backend_inputs, play_cast
from harness.engine.ttk.inputs import load_inputs
from harness.fspiop.jws import new_key
from harness.hub.profile import profile_for
from harness.nightly.orders import target_of
from harness.run.options import RunOptions
from harness.run.provisioning import provision
from harness.suite.ttk.folder import SuiteFile, load_folder, root_of
from harness.target.credentials import credentials_of
from harness.target.model import Target
from harness.target.tls import context_for
from harness.target.ttk_environment import hosts_of

__all__ = ["run_collections"]

_SHOWN = 20


def run_collections(options: RunOptions, paths: Sequence[Path], services: Mapping[str, str]) -> dict[str, Any]:
    """Runs the collections in ``paths`` on the target of ``options``; ``services`` are the embedded hub's.

    Returns ``{cases, checks, passed, failures: [{check, message}], duration_ms}``, JSON-ready and without secrets.
    Raises ``CollectionError`` where one is malformed.
    """
    from harness.run.redact import Redactor, is_secret_name

    files: list[SuiteFile] = []
    for path in paths:
        files += load_folder(root_of(path.resolve()), below=path.resolve()).files
    target = target_of(options, services)
    inbound = InboundServer.start(
        host=target.callback.host,
        port=target.callback.port,
        public_url=target.callback.public_url or None,
        on_note=lambda _: None,
        verify=context_for(target.tls),
        auth=credentials_of(target),
    )
    try:
        inputs = _inputs(options, target, inbound)
        # one after the other: what cleans up may build on what stands before it
        shown = provision(files, target, inbound.address, inputs, threads=1, on_case=lambda _: None)
    finally:
        inbound.stop()
    hidden = [str(value) for name, value in inputs.items() if is_secret_name(name)]
    redactor = Redactor([*target.secrets, *hidden, inbound.address.token])
    return {
        "cases": shown.cases,
        "checks": shown.checks,
        "passed": shown.passed,
        "failures": [redactor.redact(one) for one in shown.failures[:_SHOWN]],
        "failed": len(shown.failures),
        "duration_ms": shown.duration_ms,
    }


def _inputs(options: RunOptions, target: Target, inbound: InboundServer) -> dict[str, Any]:
    """Input values: where the services are, over it what an environment file says, over it what the target says."""
    if options.target is not None:
        return {**hosts_of(target.services), **load_inputs(options.environment, target.inputs)}
    key, version = new_key(), profile_for(options.release).default_version
    play_cast(target.services, inbound, api_version=version, jws_key=key.private)
    ours = backend_inputs(target.services, inbound, jws_key=key.public)
    given = load_inputs(options.environment)
    return {"currency": target.currency, **deployment_inputs(version, given), **given, **ours}
