"""The process that ``HubProcess`` starts: a hub that says where it is, and ends when its parent does."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from harness.errors import HarnessError
from harness.hub.config import HubConfig
from harness.hub.kept import watch
from harness.hub.server import serve_until, stopped_by_signal


def main(arguments: list[str]) -> int:
    """Runs the hub that ``arguments`` describe: its configuration as JSON and, for one that is kept, its file.

    Returns the exit code.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        config = HubConfig.from_json(arguments[0] if arguments else "")
        asyncio.run(_keep(config, Path(arguments[1])) if len(arguments) > 1 else _run(config))
    except HarnessError as error:
        _announce({"error": str(error)})
        return error.exit_code
    return 0


async def _run(config: HubConfig) -> None:
    stop, loop = stopped_by_signal(), asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), _on_input, loop, stop)
    await serve_until(stop, config, lambda services: _announce({"services": dict(services), "pid": os.getpid()}))


async def _keep(config: HubConfig, file: Path) -> None:
    stop, watching = stopped_by_signal(), set[asyncio.Task[None]]()
    await serve_until(
        stop, config, lambda services: watching.add(asyncio.create_task(watch(file, config, services, stop)))
    )


def _on_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """The parent never writes: input that ends means that the parent has ended."""
    if not os.read(sys.stdin.fileno(), 4096):
        loop.remove_reader(sys.stdin.fileno())
        stop.set()


def _announce(line: Mapping[str, object]) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
