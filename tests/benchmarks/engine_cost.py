"""What does the engine itself cost per step? CPU milliseconds per step, everything but the hub (bound: 5 ms).

Measured in one process that holds engine, inbound server and journal, on the embedded hub in a process of its own; and
as a ratio to httpx sending the same requests and nothing else.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import httpx

from harness.engine.exchange import Exchanger
from harness.engine.inbound.behaviour import Behaviour
from harness.engine.inbound.client import InboundClient
from harness.engine.inbound.server import InboundServer
from harness.engine.native.dfsp import Dfsp
from harness.engine.native.hub import Hub
from harness.engine.recorder import CaseRecorder
from harness.hub.process import HubProcess
from harness.release.manifest import load_manifest
from harness.run.journal import JournalWriter
from harness.run.redact import Redactor
from harness.target.model import Target
from tests.support import RELEASE, REPOSITORY

STEPS = 400
BOUND_MS = 5.0
PLENTY = Decimal(1_000_000)


def cpu_ms(work: Callable[[], None], times: int) -> float:
    """Returns the CPU milliseconds of this process (all threads) per call of ``work``."""
    work()
    before = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - before) * 1000 / times


def main() -> None:
    """Prints the figures."""
    release = load_manifest(REPOSITORY / "baselines" / "mojaloop" / RELEASE / "release.yaml")
    with (
        HubProcess.start(release) as process,
        InboundServer.start() as inbound,
        tempfile.TemporaryDirectory() as folder,
    ):
        target = Target(name="embedded", kind="embedded", services=process.services)
        client = InboundClient(inbound.address)
        exchanger = Exchanger(client)
        recorder = CaseRecorder("benchmark")
        hub = Hub(target, release, exchanger, client, recorder)
        payer, payee = (Dfsp(name, hub).behaves(Behaviour()) for name in ("payerbench", "payeebench"))
        for dfsp in (payer, payee):
            hub.onboard(dfsp.name, net_debit_cap=PLENTY, funds=PLENTY)
        party = payee.has_party("MSISDN")
        journal = JournalWriter(Path(folder), Redactor())

        def step() -> None:
            look_up = payer.look_up(party)
            look_up.accepted()
            look_up.answered()
            look_up.calls_back("party.partyIdInfo.fspId", payee.name)
            for exchange in recorder.exchanges():
                journal.exchange(exchange)
            for record in recorder.records():
                journal.write(record)
            recorder.steps.clear()

        url = f"{target.url('account-lookup-service')}/parties/{party.id_type}/{party.identifier}"
        bare = httpx.Client(trust_env=False)
        whole = cpu_ms(step, STEPS)
        sent = cpu_ms(lambda: bare.get(url, headers=payer.headers("parties")).raise_for_status() and None, STEPS)
        journal.close()
        exchanger.close()
        client.close()
        bare.close()
    print(
        f"one step (request, callback, 6 checks, journal): {whole:.2f} ms of CPU (at most {BOUND_MS:g}), "
        f"{whole / sent:.1f} x httpx sending the request alone ({sent:.2f} ms)"
    )


if __name__ == "__main__":
    main()
