"""What does the history say? Reads rows, passes over what is torn or foreign, and names it.

A run counts when its row of ``runs`` is there; each run's rows are taken once, whatever files hold them. Readers take
no lock: where a writer replaced a file meanwhile, they read again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeVar, final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.errors import InternalError
from harness.history.places import Folder, folders, run_named
from harness.history.schema import RUNS, SCHEMAS, foreign, runs_marked

__all__ = ["History", "Selection", "file_with", "table_of"]

Part = TypeVar("Part")

_ATTEMPTS = 20
_THREADS = 2


@final
@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows are wanted; everything where nothing is said."""

    product: str | None = None
    target: str | None = None
    check: str | None = None
    since: date | None = None
    """From the first of this day's month on: whole months are read."""
    until_month: str = "9999-99"

    def months(self, found: Iterable[Folder]) -> list[Folder]:
        """Returns the folders of ``found`` that may hold what is wanted."""
        first = "" if self.since is None else f"{self.since:%Y-%m}"
        return [one for one in found if first <= one.month <= self.until_month]


@final
@dataclass(slots=True)
class History:
    """The datasets under ``root``. ``problems`` gathers, one text per file, what was passed over and why."""

    root: Path
    problems: list[str] = field(default_factory=list)

    @property
    def beside(self) -> str:
        """What was passed over, to stand behind a sentence; empty where nothing was."""
        if not self.problems:
            return ""
        more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
        return f"; {self.problems[0]}{more}"

    def runs(self, wanted: Selection = Selection(), columns: Sequence[str] | None = None) -> pa.Table:
        """Returns the rows of ``runs`` with ``product`` and ``target``, in the order of their start.

        ``columns`` limits what is read of them; ``started`` and ``run_id`` must be among it.
        """
        found = self.read(RUNS, SCHEMAS[RUNS].names if columns is None else columns, wanted, None)
        keys = pa.table({"started": found["started"], "run_id": found["run_id"].cast(pa.string())})
        return found.take(pc.sort_indices(keys, [("started", "ascending"), ("run_id", "ascending")]))

    def read(self, dataset: str, columns: Sequence[str], wanted: Selection, known: Collection[str] | None) -> pa.Table:
        """Returns ``columns`` (with ``product`` and ``target`` after them) of the rows that are wanted, in no order.

        Texts are dictionaries. Rows of runs that are not in ``known`` are left out, and told: their recording was cut
        off. ``None`` takes all.
        """
        schema = _schema(dataset, columns)
        parts = self.parts(dataset, columns, wanted, known, lambda table: _as(table, schema))
        return pa.concat_tables(parts) if parts else schema.empty_table()

    def parts(
        self,
        dataset: str,
        columns: Sequence[str],
        wanted: Selection,
        known: Collection[str] | None,
        made: Callable[[pa.Table], Part],
    ) -> list[Part]:
        """Returns what ``made`` makes of each file's rows; they are as ``read`` has them. It is called in threads.

        No more than a few files are open, or their rows in memory, at a time, however many there are.
        """
        months = wanted.months(folders(self.root, dataset, wanted.product, wanted.target))
        these = None if known is None else frozenset(known)
        with ThreadPoolExecutor(_THREADS) as threads:
            found = list(
                threads.map(lambda month: self._month(dataset, month, columns, wanted.check, these, made), months)
            )
        self.problems += dict.fromkeys(text for _, problems in found for text in problems if text not in self.problems)
        return [part for parts, _ in found for part in parts]

    def _month(
        self,
        dataset: str,
        month: Folder,
        columns: Sequence[str],
        check: str | None,
        known: frozenset[str] | None,
        made: Callable[[pa.Table], Part],
    ) -> tuple[list[Part], list[str]]:
        for _ in range(_ATTEMPTS):
            paths = month.files()
            problems: list[str] = []
            parts = []
            try:
                with ExitStack() as closing:
                    for one, skipped in self._once_each(self._ours(dataset, paths, problems, closing), known, problems):
                        table = _rows(month, one, skipped, columns, check)
                        if isinstance(table, str):
                            problems.append(f"{one.path.relative_to(self.root)} is passed over: {table}")
                        elif len(table):
                            parts.append(made(table))
            except FileNotFoundError:
                continue
            if not _replaced(paths, month.files()):
                return parts, problems
        raise InternalError(
            f"the history under {self.root} was rewritten again and again while it was read", remedy="Try again"
        )

    def _ours(self, dataset: str, paths: Sequence[Path], problems: list[str], closing: ExitStack) -> Iterator[_Open]:
        """Those of a month's files that are sound, open until ``closing`` ends."""
        for path in paths:
            one = _opened(dataset, path)
            if isinstance(one, str):
                problems.append(f"{path.relative_to(self.root)} is passed over: {one}")
            else:
                closing.callback(one.file.close)
                yield one

    def _once_each(
        self, held: Iterable[_Open], known: frozenset[str] | None, problems: list[str]
    ) -> Iterator[tuple[_Open, frozenset[str]]]:
        """The files that are needed to have each run once, with the runs whose rows are to be left out of each."""
        taken: set[str] = set()
        for one in sorted(held, key=lambda each: (-len(each.runs), each.path.name)):
            unknown = one.runs - known if known is not None else frozenset()
            if unknown:
                what = f"{len(unknown)} runs" if len(unknown) > 1 else f"run {next(iter(unknown))}"
                problems.append(
                    f"{one.path.relative_to(self.root)}: {what} not recorded to the end, left out. "
                    "Record again: harness history record RUN"
                )
            skipped = frozenset(one.runs & (taken | unknown))
            if one.runs - skipped:
                yield one, skipped
            taken |= one.runs


def file_with(dataset: str, month: Folder, run_id: str) -> Path | None:
    """Returns the file of ``month`` that holds the rows of this run; ``None`` where none does. Only under the lock."""
    for path in month.files():
        one = _opened(dataset, path)
        if isinstance(one, _Open) and run_id in one.runs:
            return path
    return None


def table_of(dataset: str, path: Path) -> tuple[pa.Table, frozenset[str]] | str:
    """Returns all rows of one file, with the runs it holds; why it cannot be read where it is torn or foreign."""
    one = _opened(dataset, path)
    if isinstance(one, str):
        return one
    try:
        return one.file.read(use_threads=False).select(SCHEMAS[dataset].names).cast(SCHEMAS[dataset]), one.runs
    except (OSError, pa.ArrowException) as problem:
        return _told(problem)


def _told(problem: Exception) -> str:
    return f"it cannot be read ({(str(problem).splitlines() or [type(problem).__name__])[0][:120]})"


@dataclass(frozen=True, slots=True)
class _Open:
    """A file of ours, with the runs that it holds."""

    path: Path
    file: pq.ParquetFile
    runs: frozenset[str]


def _opened(dataset: str, path: Path) -> _Open | str:
    try:
        file = pq.ParquetFile(
            path, memory_map=False, page_checksum_verification=True, read_dictionary=_texts(dataset), pre_buffer=False
        )
        metadata = file.metadata.metadata
        problem = foreign(dataset, metadata, file.schema.names)
        if problem:
            return problem
        runs = runs_marked(metadata)
        named = run_named(path)
        if named is not None and runs != {named}:
            return "its name says another run than its content"
        return _Open(path, file, runs)
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException, ValueError, KeyError) as problem:
        return _told(problem)


def _rows(
    month: Folder, one: _Open, skipped: frozenset[str], columns: Sequence[str], check: str | None
) -> pa.Table | str:
    """The rows of one file; why there are none where it is damaged."""
    wanted = list(dict.fromkeys([*columns, "run_id", *(["check"] if check is not None else [])]))
    try:
        groups = _groups(one.file, check)
        table = one.file.read_row_groups(groups, columns=wanted, use_threads=False)
        if check is not None:
            table = _texts_in_use(table.filter(pc.equal(table["check"], check)))
        if skipped:
            table = table.filter(pc.invert(pc.is_in(table["run_id"], pa.array(sorted(skipped), pa.string()))))
    except (OSError, pa.ArrowException) as problem:
        return _told(problem)
    table = table.select(list(columns))
    for name, value in (("product", month.product), ("target", month.target)):
        codes = pa.repeat(pa.scalar(0, pa.int32()), len(table))
        table = table.append_column(name, pa.DictionaryArray.from_arrays(codes, pa.array([value])))
    return table


def _texts_in_use(table: pa.Table) -> pa.Table:
    """The same rows without the texts that none of them has: of a few rows that is nearly all of them."""
    for at, (name, column) in enumerate(zip(table.column_names, table.columns, strict=True)):
        if pa.types.is_dictionary(column.type) and any(len(chunk.dictionary) > len(chunk) for chunk in column.chunks):
            table = table.set_column(at, name, column.cast(column.type.value_type).dictionary_encode())
    return table


def _groups(file: pq.ParquetFile, check: str | None) -> list[int]:
    """The row groups that may hold ``check``, by the least and greatest id that their statistics tell."""
    metadata = file.metadata
    if check is None:
        return list(range(metadata.num_row_groups))
    at = file.schema.names.index("check")
    found = []
    for number in range(metadata.num_row_groups):
        told = metadata.row_group(number).column(at).statistics
        if told is None or not told.has_min_max or told.min <= check <= told.max:
            found.append(number)
    return found


def _replaced(before: list[Path], after: list[Path]) -> bool:
    """Whether a file that was listed has gone, or one that holds many runs has come."""
    come = set(after) - set(before)
    return bool(set(before) - set(after)) or any(run_named(path) is None for path in come)


def _texts(dataset: str) -> list[str]:
    return [each.name for each in SCHEMAS[dataset] if pa.types.is_string(each.type)]


def _as(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """``table`` with ``schema``; column by column it would cost more than reading a few rows does."""
    return table.replace_schema_metadata() if table.schema.equals(schema) else table.cast(schema)


def _schema(dataset: str, columns: Sequence[str]) -> pa.Schema:
    text = pa.dictionary(pa.int32(), pa.string())
    known = SCHEMAS[dataset]
    fields: list[tuple[str, Any]] = [
        (name, text if pa.types.is_string(known.field(name).type) else known.field(name).type) for name in columns
    ]
    return pa.schema([*fields, ("product", text), ("target", text)])
