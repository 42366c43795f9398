"""The benchmark of the judge runs and tells its ratios."""

from __future__ import annotations

import pytest

from tests.benchmarks.judge_scale import main


def test_the_benchmark_judges_two_tables_and_prints_ratios(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(2_000) > 0
    printed = capsys.readouterr().out
    assert "checks a side               2,000" in printed
    assert "REJECTED" in printed
    assert printed.count("(at most") == 5
    assert "1,980 found again" in printed
