"""What does ``harness --help`` cost? CPU seconds (bound: 0.3), and as a ratio to starting Python with typer alone."""

from __future__ import annotations

import resource
import subprocess
import sys

HELP = "import sys; sys.argv = ['harness', '--help']; from harness.cli import main; main()"
BARE = "import typer"


def cpu_seconds(code: str, rounds: int = 7) -> float:
    """Returns the least CPU time, in seconds, of a Python process that runs ``code``."""
    used = []
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(used)


def main() -> None:
    """Prints the figures."""
    shown, bare = cpu_seconds(HELP), cpu_seconds(BARE)
    print(f"harness --help: {shown:.3f} s of CPU (at most 0.3), {shown / bare:.2f} x Python with typer ({bare:.3f} s)")


if __name__ == "__main__":
    main()
