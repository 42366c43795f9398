"""Does the gate see every regression that the embedded hub can show? Walks the defects and writes docs/defects.md.

``python -m tests.walk_defects [NAME…]``: the whole native suite, through the real command, once per defect, two
at a time; about ten minutes. The table is written only when every defect was walked and every one was caught.
"""

from __future__ import annotations

import json
import re
import runpy
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from harness.hub.defects import DEFECTS
from harness.model.ids import CheckId, escape_label
from harness.run.reader import read_journal
from harness.selftest.shown import rooted
from harness.suite.native import definition_of
from harness.workspace import init_workspace
from tests.support import RELEASE, REPOSITORY, harness

__all__ = ["NATIVE", "TABLE", "Walked", "function_of", "functions", "judged_workspace", "read_table", "render", "walk"]

TABLE = REPOSITORY / "docs" / "defects.md"
NATIVE = tuple(name for name, defect in DEFECTS.items() if defect.caught_by_native)
"""The defects in the capabilities that our native suite covers."""
_SIDE_BY_SIDE = 2
_RUN = ("run", RELEASE, "--scheme", "example")
_ROW = re.compile(r"\| `(?P<defect>[\w-]+)` \| (?P<component>[\w-]+) \|.*\| `(?P<check>[^`]+)` \| \d+ \|")

HEAD = """# Which check catches which defect

The embedded hub can be broken on purpose (`harness hub defects`, `harness run … --defect NAME`). This is the proof
that the gate sees regressions: with each defect switched on alone, the whole suite of {release} was run through
`harness run` against a baseline of the sound hub. Every run was REJECTED with exit code 1, and the first suspect was
the component in the second column.

The check named is one of those that failed first in their case and blame that component: the one that the fewest other
defects break too. The last column counts all regressed checks: what depends on the broken behaviour fails with it.

Defects of capabilities that the native suite does not look at (foreign exchange) are not in the table: what they break
at the API is held by `tests/hub/test_defects.py`. Of the twelve of foreign exchange, the official collections of
v17.1.0 see five (a modified duplicate taken, positions kept on an abort on either side, an FXP that is not credited, a
conversion kept when its transfer expires); none of their checks fails on the other seven.

Made by `python -m tests.walk_defects`; `tests/test_defects.py` holds it to the truth.

| Defect | Component | What is broken | Caught by | Regressed |
|---|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Walked:
    """One run with one defect."""

    defect: str
    exit_code: int
    verdict: str
    suspects: tuple[str, ...]
    regressed: tuple[str, ...]
    """Check ids."""
    rooted: tuple[str, ...]
    """Those of them that failed first in their case and blame the defect's component."""
    seconds: float

    @property
    def problem(self) -> str:
        """What is wrong with this walk; empty where the gate did what it should."""
        wanted = DEFECTS[self.defect].component
        if self.exit_code != 1 or not self.verdict.startswith("REJECTED"):
            return f"{self.verdict}, exit {self.exit_code}"
        if not self.rooted:
            return f"no check of {wanted} is the first to fail in its case"
        if self.suspects[:1] != (wanted,):
            return f"the first suspect is {', '.join(self.suspects) or 'nobody'}, not {wanted}"
        return ""


def judged_workspace(root: Path) -> Path:
    """Makes a workspace at ``root`` with the shipped suite, pinned, and a baseline of the sound hub."""
    init_workspace(root)
    for arguments in (
        ("suite", "pin", RELEASE),
        (*_RUN, "-n", "4", "--run-id", "sound"),
        ("baseline", "record", "sound"),
        ("judge", "sound"),
    ):
        ended = harness(*arguments, cwd=root)
        # The first run has no baseline of this suite yet: whether it was sound is for the last command to say.
        if ended.code != 0 and arguments[0] != "run":
            raise AssertionError(f"harness {' '.join(arguments)}: exit {ended.code}\n{ended.out}\n{ended.err}")
    return root


def walk(workspace: Path, defect: str, *more: str) -> Walked:
    """Runs the suite with ``defect`` switched on, judges it and returns what came of it."""
    began = time.monotonic()
    run = f"walk-{defect}"
    ended = harness(*_RUN, "--defect", defect, "--run-id", run, "--json", *more, cwd=workspace, timeout_s=300)
    if ended.code not in (0, 1, 2):
        said = (ended.err.strip() or ended.out.strip() or "nothing said").splitlines()[-1]
        return Walked(defect, ended.code, f"no verdict ({said})", (), (), (), round(time.monotonic() - began, 1))
    verdict = json.loads(ended.out)
    regressed = next((tuple(why["checks"]) for why in verdict["reasons"] if why["code"] == "regressed"), ())
    return Walked(
        defect=defect,
        exit_code=ended.code,
        verdict=verdict["verdict"],
        suspects=tuple(suspect["component"] for suspect in verdict["suspects"]),
        regressed=regressed,
        rooted=rooted(
            read_journal(workspace / "reports" / "runs" / run).records, set(regressed), DEFECTS[defect].component
        ),
        seconds=round(time.monotonic() - began, 1),
    )


def read_table(text: str) -> dict[str, tuple[str, str]]:
    """Returns component and check by defect, as ``render`` wrote them."""
    rows = (match for line in text.splitlines() if (match := _ROW.fullmatch(line)))
    return {match["defect"]: (match["component"], match["check"].replace("\\|", "|")) for match in rows}


def render(walks: Iterable[Walked]) -> str:
    """Returns docs/defects.md."""
    walks = list(walks)
    shared = Counter(check for walked in walks for check in walked.rooted)
    rows = []
    for walked in walks:
        defect = DEFECTS[walked.defect]
        check = min(walked.rooted, key=lambda check: (shared[check], check))
        rows.append(
            f"| `{defect.name}` | {defect.component} | {_cell(defect.description)} | `{_cell(check)}` "
            f"| {len(walked.regressed)} |"
        )
    return HEAD.format(release=RELEASE) + "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def functions(suite: Path) -> dict[tuple[str, str], str]:
    """Returns the test function behind each file and title (as it stands in ids) of the suite in ``suite``."""
    found = {}
    for path in sorted(suite.glob("test_*.py")):
        for name, member in runpy.run_path(str(path)).items():
            definition = definition_of(member)
            if name.startswith("test_") and definition is not None:
                found[path.name, escape_label(definition.title)] = name
    return found


def function_of(check: str, known: Mapping[tuple[str, str], str]) -> str:
    """Returns the test function that makes ``check``."""
    address = CheckId.parse(check)
    title = address.case if (address.path, address.case) in known else re.sub(r" \[[^\]]*\]$", "", address.case)
    return known[address.path, title]


def main(names: list[str]) -> int:
    """Walks ``names``, or all that the native suite catches. Returns the exit code: 1 where a defect was not caught."""
    walks = []
    with tempfile.TemporaryDirectory(prefix="harness-defects-") as folder:
        workspace = judged_workspace(Path(folder) / "workspace")
        with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
            for walked in pool.map(partial(walk, workspace), names or NATIVE):
                walks.append(walked)
                said = walked.problem or "caught"
                count = f"{len(walked.regressed):4} regressed"
                print(f"{walked.defect:<32} {walked.seconds:5.1f} s  {count}  {said}", flush=True)
    missed = [walked.defect for walked in walks if walked.problem]
    if missed:
        print(f"not caught as it should be: {', '.join(missed)}")
        return 1
    if not names:
        TABLE.write_text(render(walks), encoding="utf-8")
        print(f"{TABLE.relative_to(REPOSITORY)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
