"""How is a baseline kept? ``baseline.yaml`` (where it comes from) beside ``results.csv`` (one line per check, sorted).

Reading checks everything that writing promises; a baseline that does not add up is refused, never repaired.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field

from harness.errors import BaselineError
from harness.judge.baseline import COUNTS, LATENCIES, RESULT_COLUMNS, Baseline, BaselineSource
from harness.yaml_document import parse_yaml, validated

__all__ = ["load_baseline", "write_baseline"]

_TEXT_COLUMNS: Final = ("check", "fingerprint", "operation", "component")
_RECORD: Final = "Record it with: harness baseline record"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


# Nothing is slower than what is infinite or no number: such a figure would let every latency pass.
_Figure = Annotated[int, Field(ge=0)] | Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Suite(_Part):
    name: str
    digest: Annotated[str, Field(min_length=1)]


class _Results(_Part):
    sha256: str
    checks: int
    cases: int


class _Document(_Part):
    format: Literal[1]
    kind: Literal["detailed"]
    product: Annotated[str, Field(min_length=1)]
    release: Annotated[str, Field(min_length=1)]
    source: BaselineSource
    suite: _Suite
    recorded_at: str
    recorded_by: str
    runs: Annotated[int, Field(ge=1)]
    run_ids: Annotated[tuple[str, ...], Field(min_length=1)]
    components: dict[str, str]
    target: dict[str, Any]
    results: _Results
    operations: dict[str, dict[str, _Figure]]
    samples: dict[str, dict[Literal["response", "callback"], tuple[_Figure, ...]]] = Field(default_factory=dict)
    provenance: dict[str, Any] = Field(default_factory=dict)


class _Line(list[float]):
    """Figures that stand in lines, not one below the other."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(
    _Line, lambda dumper, line: dumper.represent_sequence("tag:yaml.org,2002:seq", line, flow_style=True)
)


def write_baseline(baseline: Baseline, folder: Path) -> Baseline:
    """Writes both files into ``folder`` and returns the baseline with its digest, as ``load_baseline`` will give it.

    Raises ``BaselineError`` where a name cannot be written as UTF-8. Each file is replaced as a whole; a crash between
    the two leaves a digest that does not match, which loading refuses.
    """
    rows = _csv(baseline.results)
    digest = hashlib.sha256(rows).hexdigest()
    document = {
        "format": 1,
        "kind": "detailed",
        "product": baseline.product,
        "release": baseline.release,
        "source": baseline.source.value,
        "suite": {"name": baseline.suite_name, "digest": baseline.suite_digest},
        "recorded_at": baseline.recorded_at,
        "recorded_by": baseline.recorded_by,
        "runs": baseline.runs,
        "run_ids": list(baseline.run_ids),
        "components": dict(sorted(baseline.components.items())),
        "target": dict(baseline.target),
        "results": {"sha256": digest, "checks": len(baseline.results), "cases": len(baseline.cases)},
        "operations": {name: dict(figures) for name, figures in sorted(baseline.operations.items())},
    }
    if baseline.samples:
        document["samples"] = {
            name: {measure: _Line(times) for measure, times in sorted(kept.items())}
            for name, kept in sorted(baseline.samples.items())
        }
    if baseline.provenance:
        document["provenance"] = _plain(baseline.provenance)
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / "results.csv", rows)
    _replace(folder / "baseline.yaml", text.encode())
    return load_baseline(folder)


def load_baseline(folder: Path) -> Baseline:
    """Returns the baseline in ``folder``. Raises ``BaselineError`` naming file, place and remedy."""
    described, listed = folder / "baseline.yaml", folder / "results.csv"
    if not folder.is_dir():
        raise BaselineError("there is no baseline here", file=folder, remedy=_RECORD)
    try:
        text, rows = described.read_text(encoding="utf-8"), listed.read_bytes()
    except FileNotFoundError as absent:
        raise BaselineError("the file is absent", file=absent.filename, remedy=_RECORD) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise BaselineError(f"not readable: {problem}", file=folder, remedy="Restore it from version control") from None
    document = validated(parse_yaml(text, described, BaselineError), _Document, BaselineError)
    digest = hashlib.sha256(rows).hexdigest()
    if digest != document.results.sha256:
        raise BaselineError(
            f"results.csv has the digest {digest[:12]}…, not the recorded {document.results.sha256[:12]}…",
            file=described,
            place="results.sha256",
            remedy="Restore both files from version control, or record the baseline again",
        )
    results = _read_csv(rows, listed)
    _refuse_inconsistent(results, listed, document.runs)
    for name, kept in document.samples.items():
        for measure, times in kept.items():
            if not times or list(times) != sorted(times):
                raise BaselineError(
                    f"the times of {name!r} are not in order, or there is none",
                    file=described,
                    place=f"samples.{name}.{measure}",
                    remedy="Record the baseline again",
                )
    baseline = Baseline(
        product=document.product,
        release=document.release,
        source=document.source,
        suite_name=document.suite.name,
        suite_digest=document.suite.digest,
        recorded_at=document.recorded_at,
        recorded_by=document.recorded_by,
        run_ids=document.run_ids,
        components=document.components,
        target=document.target,
        results=results,
        operations=document.operations,
        digest=digest,
        document_digest=hashlib.sha256(text.encode()).hexdigest(),
        provenance=document.provenance,
        samples={
            name: {str(measure): times for measure, times in kept.items()} for name, kept in document.samples.items()
        },
    )
    if len(document.run_ids) != document.runs or len(set(document.run_ids)) != document.runs:
        raise BaselineError(
            f"says {document.runs} runs but names {len(set(document.run_ids))}",
            file=described,
            place="run_ids",
            remedy="Record the baseline again",
        )
    if len(results) != document.results.checks or len(baseline.cases) != document.results.cases:
        raise BaselineError(
            f"says {document.results.checks} checks of {document.results.cases} cases, "
            f"but results.csv holds {len(results)} of {len(baseline.cases)}",
            file=described,
            place="results",
            remedy="Record the baseline again",
        )
    return baseline


def _plain(provenance: Mapping[str, Any]) -> Any:
    """``provenance`` as lists and mappings of plain values, which is what is read back."""
    try:
        return json.loads(json.dumps(dict(provenance), ensure_ascii=False, allow_nan=False))
    except (TypeError, ValueError) as problem:
        raise BaselineError(
            f"its provenance holds a value that is not text, number, truth value, list or mapping: {problem}",
            remedy="Write dates and the like as text",
        ) from None


def _csv(results: pd.DataFrame) -> bytes:
    """Texts in quotes, numbers plain, a figure that is not known empty; lines end alike on every machine."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(RESULT_COLUMNS)
    columns = [results[name].tolist() for name in RESULT_COLUMNS]
    for row in zip(*columns, strict=True):
        writer.writerow(None if cell != cell else cell for cell in row)
    try:
        return out.getvalue().encode()
    except UnicodeEncodeError as problem:
        raise BaselineError(
            f"a check's name holds what is no Unicode text: {problem.object[problem.start - 40 : problem.end]!r}",
            remedy="Rename the check",
        ) from None


def _read_csv(rows: bytes, file: Path) -> pd.DataFrame:
    try:
        text = rows.decode()
        header = tuple(next(csv.reader(io.StringIO(text, newline="")), ()))
        if header != RESULT_COLUMNS:
            raise BaselineError(
                f"has the columns {', '.join(header) or '(none)'}",
                file=file,
                place="line 1",
                remedy=f"Expected: {', '.join(RESULT_COLUMNS)}",
            )
        kinds: dict[str, str] = dict.fromkeys(_TEXT_COLUMNS, "object") | dict.fromkeys(("runs", *COUNTS), "int64")
        return pd.read_csv(
            io.StringIO(text, newline=""),
            dtype=kinds | dict.fromkeys(LATENCIES, "float64"),
            keep_default_na=False,
            na_values={name: [""] for name in LATENCIES},
        )
    except (ValueError, csv.Error) as problem:
        raise BaselineError(f"not readable: {problem}", file=file, remedy="Restore it from version control") from None


def _refuse_inconsistent(results: pd.DataFrame, file: Path, runs: int) -> None:
    faults = (
        ("the same check stands there twice", results["check"].duplicated()),
        ("not a check id", results["check"].str.count("::") != 3),
        ("the outcomes do not add up to the runs", results[list(COUNTS)].sum(axis=1) != results["runs"]),
        ("a count below zero", (results[list(COUNTS)] < 0).any(axis=1)),
        (f"a check without a run, or with more than {runs}", (results["runs"] < 1) | (results["runs"] > runs)),
    )
    for fault, rows in faults:
        if rows.any():
            at = int(rows.to_numpy().argmax())
            raise BaselineError(
                f"{fault}: {results['check'].iloc[at]!r}",
                file=file,
                place=f"row {at + 2}",
                remedy="Restore it from version control, or record the baseline again",
            )


def _replace(file: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(name, 0o644)
        os.replace(name, file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
