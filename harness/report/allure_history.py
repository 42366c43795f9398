"""How did each case do in the runs before? The history that Allure 3 draws from, one line per run (JSON Lines).

Allure can append to such a file itself, but under a new identity and with the clock of the moment: building a report
twice would count a run twice. Here a run has one line however often it is reported, lines stand in the order in which
the runs were made, and a report sees only the runs before its own.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.model.records import RunStarted
from harness.report.allure_results import case_result, stable_uuid
from harness.report.files import json_bytes, write_file
from harness.report.interface import ReportInput
from harness.report.stories import RunStory

__all__ = ["RUNS_KEPT", "History", "before", "history_path", "point_of", "read_history", "with_point", "write_history"]

RUNS_KEPT: Final = 50
"""A history holds so many runs; the oldest leave it."""

Point = dict[str, Any]


@dataclass(frozen=True, slots=True)
class History:
    """What a history file holds, oldest run first, and what of it could not be read."""

    points: tuple[Point, ...]
    damage: tuple[str, ...] = ()


def history_path(run: ReportInput, started: RunStarted | None) -> Path:
    """Returns the history that ``run`` belongs to: of its product and suite on its target, beside the runs' folder."""
    if started is None:
        parts = ["unknown"]
    else:
        source, target = started.suite.get("source"), started.target.get("name")
        parts = [started.product, str(source or "native"), str(target or "unnamed")]
    runs = run.folder.resolve().parent
    place = runs.parent if runs.name == "runs" else runs
    return place / "allure-history" / f"{'-'.join(re.sub(r'[^A-Za-z0-9._]', '_', part) for part in parts)}.jsonl"


def point_of(run: ReportInput, story: RunStory) -> Point:
    """Returns the run's line: how each case that was to run stood, under the ids that Allure 3 gives it."""
    verdict = run.judged.verdict
    results = {}
    for case in story.cases:
        if not case.selected:
            continue
        result = case_result(case, story, {}).result
        test = _md5(result.testCaseId)
        # Allure's own key: the test case and its parameters, of which a case here has none.
        identity = f"{test}.{_md5('')}"
        message = (result.statusDetails.message if result.statusDetails else "").partition("\n")[0]
        times = {} if result.start is None else {"start": result.start, "stop": result.stop}
        if result.start is not None and result.stop is not None:
            times["duration"] = result.stop - result.start
        results[identity] = {
            "id": _md5(result.uuid),
            "name": result.name,
            "fullName": result.fullName,
            "status": result.status,
            **({"message": message} if message and result.status != "passed" else {}),
            **times,
            "url": "",
            "historyId": identity,
            "reportLinks": [],
        }
    began = [result["start"] for result in results.values() if "start" in result]
    return {
        "uuid": stable_uuid(verdict.run_id, "history"),
        "name": f"{verdict.run_id}: {verdict.text}",
        "timestamp": min(began, default=0),
        "knownTestCaseIds": sorted(identity.partition(".")[0] for identity in results),
        "testResults": results,
        "metrics": {},
        "url": "",
    }


def read_history(path: Path) -> History:
    """Returns what is in the file: nothing where there is none. A line that is torn is left out and told of."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return History(())
    points, damage = [], []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        point = _point(line)
        if point is None:
            damage.append(f"{path.name}, line {number}: not a run's history; left out")
        else:
            points.append(point)
    return History(tuple(_ordered(points)), tuple(damage))


def _point(line: bytes) -> Point | None:
    try:
        point = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(point, dict) or not isinstance(point.get("testResults"), dict):
        return None
    whole = isinstance(point.get("uuid"), str) and isinstance(point.get("name"), str)
    good = all(isinstance(result, dict) and "status" in result for result in point["testResults"].values())
    time = point.get("timestamp")
    return point if whole and good and isinstance(time, int) and not isinstance(time, bool) else None


def with_point(points: Sequence[Point], point: Point) -> list[Point]:
    """Returns the history with this run in it, once, in its place; at most ``RUNS_KEPT`` runs."""
    return _ordered([*(other for other in points if other["uuid"] != point["uuid"]), point])[-RUNS_KEPT:]


def before(points: Iterable[Point], point: Point) -> list[Point]:
    """Returns the runs that were made before this one."""
    return [other for other in points if other["uuid"] != point["uuid"] and _key(other) < _key(point)]


def write_history(path: Path, points: Iterable[Point]) -> Path:
    """Replaces the file. Raises ``OSError``; then it is as it was."""
    return write_file(path, b"".join(map(json_bytes, points)))


def _ordered(points: Iterable[Point]) -> list[Point]:
    return sorted(points, key=_key)


def _key(point: Point) -> tuple[int, str]:
    return point["timestamp"], point["name"]


def _md5(text: str) -> str:
    """What Allure 3 makes its ids of; nothing is protected by it."""
    return hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
