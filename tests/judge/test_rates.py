"""The statistics are those of the textbooks, and of scipy where it is there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.judge.rates import Repeats, fisher_greater, newcombe, wilson

runs = st.integers(0, 60)
some = settings(max_examples=300, deadline=None)


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, int, int, int]:
    """Failures and runs after, failures and runs before."""
    n, m = draw(runs), draw(runs)
    return draw(st.integers(0, n)), n, draw(st.integers(0, m)), m


@some
@given(tables())
def test_fisher_agrees_with_scipy(table: tuple[int, int, int, int]) -> None:
    stats = pytest.importorskip("scipy.stats")
    failed, n, before, m = table
    expected = stats.fisher_exact([[failed, n - failed], [before, m - before]], alternative="greater").pvalue
    assert fisher_greater(*table) == pytest.approx(expected, abs=1e-9, rel=1e-9)


def test_fisher_agrees_with_scipy_for_thousands_of_runs() -> None:
    stats = pytest.importorskip("scipy.stats")
    for failed, n, before, m in ((130, 5000, 90, 5000), (40, 3000, 3, 200), (0, 4000, 9, 4000)):
        expected = stats.fisher_exact([[failed, n - failed], [before, m - before]], alternative="greater").pvalue
        assert fisher_greater(failed, n, before, m) == pytest.approx(expected, abs=1e-9)


def test_fisher_by_hand() -> None:
    # Of 12 runs 3 failed, and all of them after: C(6,3) of the C(12,3) ways to place them.
    assert fisher_greater(3, 6, 0, 6) == pytest.approx(20 / 220, abs=1e-12)
    assert fisher_greater(4, 6, 0, 6) == pytest.approx(15 / 495, abs=1e-12)
    assert fisher_greater(0, 6, 6, 6) == pytest.approx(1, abs=1e-12)
    assert fisher_greater(0, 0, 3, 6) == 1


def test_many_tables_at_once_are_each_what_they_are_alone() -> None:
    chance = np.random.default_rng(7)
    n, m = chance.integers(0, 30, (2, 500))
    failed, before = chance.integers(0, n + 1), chance.integers(0, m + 1)
    together = fisher_greater(failed, n, before, m)
    alone = [float(fisher_greater(*row)) for row in zip(failed, n, before, m, strict=True)]
    np.testing.assert_allclose(together, alone, atol=1e-12)
    assert fisher_greater(np.array([], int), np.array([], int), np.array([], int), np.array([], int)).shape == (0,)


@some
@given(tables(), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_the_intervals_agree_with_scipy(table: tuple[int, int, int, int], confidence: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    failed, n, before, m = table
    limits = []
    for hits, count in ((failed, n), (before, m)):
        low, high = wilson(hits, count, confidence)
        if count:
            expected = stats.binomtest(hits, count).proportion_ci(confidence, method="wilson")
            assert low == pytest.approx(expected.low, abs=1e-9)
            assert high == pytest.approx(expected.high, abs=1e-9)
            limits.append((hits / count, expected.low, expected.high))
        else:
            assert (low, high) == (0, 1)
    low, high = newcombe(failed, n, before, m, confidence)
    if n and m:
        (p, lower, upper), (q, lower_before, upper_before) = limits
        assert low == pytest.approx(p - q - np.hypot(p - lower, upper_before - q), abs=1e-9)
        assert high == pytest.approx(p - q + np.hypot(upper - p, q - lower_before), abs=1e-9)
        assert -1 - 1e-12 <= low <= p - q <= high <= 1 + 1e-12
    else:
        assert np.isnan(low)
        assert np.isnan(high)


@pytest.mark.parametrize(
    ("table", "limits"),
    [((56, 70, 48, 80), (0.0524, 0.3339)), ((9, 10, 3, 10), (0.1705, 0.8090)), ((10, 10, 0, 20), (0.6791, 1.0000))],
)
def test_newcombe_gives_the_limits_that_newcombe_published(
    table: tuple[int, int, int, int], limits: tuple[float, float]
) -> None:
    """Newcombe, Statistics in Medicine 17 (1998), 873-890, table II, method 10."""
    assert newcombe(*table) == pytest.approx(limits, abs=5e-5)


@pytest.mark.parametrize(
    "senseless", [{"runs_for_a_rate": 1}, {"confidence": 1.0}, {"confidence": 0.2}, {"minimum_failures": 0}]
)
def test_senseless_demands_are_refused(senseless: dict[str, float]) -> None:
    with pytest.raises(UsageError) as refusal:
        Repeats(**senseless)  # type: ignore[arg-type]
    assert refusal.value.remedy
