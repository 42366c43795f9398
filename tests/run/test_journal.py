"""What is written can be read back; what is damaged is named, and never stops the reading."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import JournalError
from harness.model.outcome import Outcome
from harness.model.records import RECORD_TYPES, CaseStarted, CheckRecorded, RunFinished, record_from_json
from harness.run.journal import JournalWriter
from harness.run.reader import read_exchanges, read_journal
from harness.run.redact import Redactor

CHECKS = [
    CheckRecorded(check=f"a::b::c::{n}", case="a::b", step="a::b::c", label=str(n), outcome=Outcome.PASSED)
    for n in range(5)
]


def written(folder: Path) -> Path:
    writer = JournalWriter(folder, Redactor())
    for record in CHECKS:
        writer.write(record)
    writer.close()
    return folder / "journal.jsonl"


def test_records_come_back_in_order(tmp_path: Path) -> None:
    written(tmp_path)
    content = read_journal(tmp_path)
    assert list(content.records) == CHECKS
    assert content.damage == ()


def test_a_run_ended_when_its_last_readable_record_was_written(tmp_path: Path) -> None:
    path = written(tmp_path)
    lines = path.read_text().splitlines()
    moments = [json.loads(line)["at"] for line in lines]
    assert read_journal(tmp_path).ended_at == moments[-1]
    path.write_text("\n".join([*lines[:-1], lines[-1][:20]]))
    assert read_journal(tmp_path).ended_at == moments[-2]
    path.write_text("")
    assert read_journal(tmp_path).ended_at == ""


def test_every_record_is_on_disk_as_soon_as_it_is_written(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, Redactor())
    for count, record in enumerate(CHECKS, start=1):
        writer.write(record)
        assert len((tmp_path / "journal.jsonl").read_bytes().splitlines()) == count
    writer.close()
    writer.write(CHECKS[0])
    assert len(read_journal(tmp_path).records) == len(CHECKS)


@given(cut=st.integers(min_value=1))
def test_a_cut_is_always_noticed_unless_it_falls_between_records(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    journal = written(tmp_path_factory.mktemp("run"))
    raw = journal.read_bytes()
    left = raw[: cut % len(raw)]
    journal.write_bytes(left)
    content = read_journal(journal.parent)
    assert list(content.records) == CHECKS[: len(content.records)]
    assert bool(content.damage) is (not left or not left.endswith(b"\n"))


@given(st.integers(min_value=0, max_value=4), st.sampled_from([b"", b"{}\n", b"not json\n", b"[1]\n", b"\xff\xfe\n"]))
def test_a_line_lost_or_changed_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, number: int, replacement: bytes
) -> None:
    journal = written(tmp_path_factory.mktemp("run"))
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[number] = replacement
    journal.write_bytes(b"".join(lines))
    content = read_journal(journal.parent)
    lost_at_the_end = number == 4 and replacement == b""
    assert bool(content.damage) is not lost_at_the_end
    assert len(content.records) == 4


def test_an_empty_journal_is_damaged_and_an_absent_one_an_error(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"journal\.jsonl"):
        read_journal(tmp_path)
    (tmp_path / "journal.jsonl").touch()
    assert read_journal(tmp_path).damage == ("the journal holds no record",)


def test_exchanges_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    assert read_exchanges(tmp_path) == {}
    (tmp_path / "exchanges.jsonl").write_text('{"id": "a"}\nbroken\n[1]\n{"id": 7}\n{"id": "b", "cut')
    assert read_exchanges(tmp_path) == {"a": {"id": "a"}}


def test_nothing_is_written_after_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = JournalWriter(tmp_path, Redactor())
    writer.write(CHECKS[0])
    stream = writer._journal

    class Full:
        closed, name = False, "journal.jsonl"

        def write(self, _: str) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer, "_journal", Full())
    writer.write(CHECKS[1])
    monkeypatch.setattr(writer, "_journal", stream)
    writer.write(CHECKS[2])
    writer.close()
    assert writer.broken == "journal.jsonl: No space left on device"
    assert list(read_journal(tmp_path).records) == CHECKS[:1]


@pytest.mark.parametrize("kind", sorted(RECORD_TYPES))
def test_an_unknown_or_absent_key_is_refused_by_name(kind: str) -> None:
    with pytest.raises(ValueError, match="surprise"):
        record_from_json({"type": kind, "surprise": 1})
    with pytest.raises(ValueError, match="lacks keys"):
        record_from_json({"type": kind})


def test_records_survive_json() -> None:
    for record in (*CHECKS, CaseStarted(case="a::b", worker="gw0"), RunFinished(cases=1, checks=2, duration_ms=3.5)):
        assert record_from_json(json.loads(json.dumps(record.to_json()))) == record
    with pytest.raises(ValueError, match="unknown record type"):
        record_from_json({"type": "nonsense"})
