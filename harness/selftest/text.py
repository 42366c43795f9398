"""How is a detection matrix told? As lines for a terminal, and as a section of a Markdown document."""

from __future__ import annotations

import re
from pathlib import Path

from harness.errors import InputError
from harness.hub.defects import DEFECTS
from harness.selftest.matrix import Matrix, Row, Status
from harness.selftest.parts import NATIVE

__all__ = ["as_lines", "as_section", "write_section"]

_NAMED = 2
_LONG = 150
_HEAD = """# Mutation score

The embedded hub can be broken on purpose, in {count} ways (`harness hub defects`). `harness selftest` runs a suite on
the sound hub and then once per defect. A defect is caught where a check that passes on the sound hub does not pass with
it, whatever becomes of the check (it fails, asserts nothing, breaks or is missing), or where the provisioning fails. A
catch by fewer than three checks, or by none that blames the broken component where a case first went wrong, counts only
as far as a second run shows it too, and the latter as far as the sound hub passes it once more. The score is the share
of the defects caught among those whose run came to its end.
"""


def as_lines(matrix: Matrix) -> list[str]:
    """Returns the matrix as a person reads it on a terminal."""
    lines = []
    for row in matrix.rows:
        lines.append(f"{row.defect.name:<34} {_said(row)}")
        if row.status is Status.CAUGHT and row.result is not None:
            lines += [f"    {check}" for check in _named(row)]
    lines += ["", score_line(matrix)]
    lines += [f"claimed and not caught: {row.defect.name}" for row in matrix.broken_claims]
    if matrix.problem:
        lines.append(matrix.problem)
    return lines


def score_line(matrix: Matrix) -> str:
    """Returns the score in one line."""
    claimed = [row for row in matrix.rows if row.claimed]
    kept = sum(row.status is Status.CAUGHT for row in claimed)
    score = "unknown" if matrix.score is None else f"{matrix.score:.0%}"
    unknown = len(matrix.rows) - len(matrix.known)
    return (
        f"mutation score of the {matrix.suite} suite of {matrix.release}: {score} ({matrix.caught} of "
        f"{len(matrix.known)} defects caught, {unknown} not known); "
        f"of those it claims to catch, {kept} of {len(claimed)}"
    )


def as_section(matrix: Matrix) -> str:
    """Returns the matrix as a section of Markdown."""
    lines = [f"## The {matrix.suite} suite of {matrix.release}", "", f"{score_line(matrix).capitalize()}.", ""]
    if matrix.whole.startswith("-k"):
        lines += [f"Only the cases of `{matrix.whole}` were run.", ""]
    if matrix.problem:
        lines += [f"**Nothing can be said:** {matrix.problem}", ""]
    partial = [row for row in matrix.rows if row.status is Status.NOT_BY_PART]
    if partial:
        lines += [
            f"{len(partial)} defects met only a part of the suite, which did not catch them; the whole suite was not "
            "run with them. They count as not caught.",
            "",
        ]
    caught = [row for row in matrix.rows if row.status is Status.CAUGHT]
    lines += ["| Defect | Component | Run | Checks lost | First of them | First suspect |", "|---|---|---|---|---|---|"]
    lines += [_caught_row(row) for row in caught]
    lines += ["", "### What slips through", ""]
    missed = [row for row in matrix.rows if row.status not in (Status.CAUGHT, Status.NOT_RUN)]
    if not_run := [f"`{row.defect.name}`" for row in matrix.rows if row.status is Status.NOT_RUN]:
        lines += [f"Not run yet, so nothing is known of these {len(not_run)}: {', '.join(not_run)}.", ""]
    if not missed and not_run:
        return "\n".join(lines)
    if not missed:
        return "\n".join([*lines, "Nothing."]) + "\n"
    lines += ["| Defect | What is broken | Run | Found | Why |", "|---|---|---|---|---|"]
    lines += [_missed_row(matrix.suite, row) for row in missed]
    return "\n".join(lines) + "\n"


def write_section(path: Path, matrix: Matrix) -> None:
    """Puts the section of ``matrix`` into the document at ``path``, in place of the one of the same suite and release.

    Raises ``InputError`` where ``path`` is a document of another kind, or cannot be written.
    """
    mark = f"<!-- selftest {matrix.suite} {matrix.release} -->"
    end = "<!-- end -->"
    section = f"{mark}\n{as_section(matrix)}{end}\n"
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if text and "<!-- selftest " not in text:
            raise InputError("holds something else than detection matrices", file=path, remedy="Name another file")
        kept = re.findall(r"<!-- selftest [^\n]*-->\n.*?<!-- end -->\n", text, re.DOTALL)
        sections = [section if old.startswith(mark) else old for old in kept]
        sections += [] if section in sections else [section]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([_HEAD.format(count=len(DEFECTS)), *sorted(sections)]), encoding="utf-8")
    except OSError as problem:
        raise InputError(f"cannot be written: {problem.strerror}", file=path, remedy="Name another file") from None


def _said(row: Row) -> str:
    result = row.result
    if result is None:
        return row.status.value
    if row.status is Status.BROKEN:
        return f"{row.status.value} ({result.part}): {result.problem}"
    if row.status is not Status.CAUGHT:
        return f"{row.status.value} ({result.part})"
    by = [f"{len(result.checks)} checks"] if result.checks else []
    by += [f"{len(result.provisioning)} checks of the provisioning"] if result.provisioning else []
    return f"caught by {' and '.join(by)} ({result.part}); {_suspect(row)}"


def _suspect(row: Row) -> str:
    if row.suspect_is_right:
        return f"first suspect {row.defect.component}"
    named = row.result.suspects[0] if row.result and row.result.suspects else "nobody"
    return f"first suspect {named}, not {row.defect.component}"


def _named(row: Row) -> list[str]:
    if row.result is None:
        return []
    first = [*row.result.rooted, *(check for check in row.result.checks if check not in row.result.rooted)]
    return (first or list(row.result.provisioning))[:_NAMED]


def _caught_row(row: Row) -> str:
    assert row.result is not None
    count = str(len(row.result.checks))
    count += f" and {len(row.result.provisioning)} of the provisioning" if row.result.provisioning else ""
    suspect = "right" if row.suspect_is_right else (row.result.suspects[0] if row.result.suspects else "nobody")
    checks = "<br>".join(f"`{_short(check)}`" for check in _named(row))
    return (
        f"| `{row.defect.name}` | {row.defect.component} | {_cell(row.result.part)} | {count} | {checks} | {suspect} |"
    )


def _missed_row(suite: str, row: Row) -> str:
    part = row.result.part if row.result else "-"
    found = row.result.problem if row.result and row.status is Status.BROKEN else row.status.value
    why = row.why
    if not why and suite == NATIVE and not row.claimed and row.status is Status.NOT_CAUGHT:
        why = f"declared as beyond what the suite looks at ({row.defect.capability})"
    return (
        f"| `{row.defect.name}` | {_cell(row.defect.description)} | {_cell(part)} | {_cell(found)} "
        f"| {_cell(why or 'not looked into yet')} |"
    )


def _short(text: str) -> str:
    shown = text if len(text) <= _LONG else f"…{text[1 - _LONG :]}"
    return _cell(shown).replace("`", "'")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
