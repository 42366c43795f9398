"""A ratio of latencies says how sure it is, the same each time, and claims nothing it cannot know."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.judge.latency import LATENCY_COLUMNS, Bootstrap, Times, compare_latency, operation_figures, samples_of

OPERATION = "POST /transfers"


def times(response: Sequence[float], callback: Sequence[float] = (), *, operation: str = OPERATION) -> Times:
    size = max(len(response), len(callback))
    columns = {
        name: [*values, *[float("nan")] * (size - len(values))]
        for name, values in (("latency_ms", response), ("callback_ms", callback))
    }
    steps = pd.DataFrame({"operation": [operation] * size, **columns})
    return Times(operation_figures(steps), samples_of(steps))


def spread(middle: float, count: int, seed: int = 1) -> list[float]:
    return [float(each) for each in np.round(np.random.default_rng(seed).normal(middle, middle / 10, count), 1)]


def test_ratios_are_after_to_before_per_operation_and_measure() -> None:
    table = compare_latency(times([10.0] * 20, [40.0] * 20), times([20.0] * 20, [10.0] * 20))
    assert tuple(table.columns) == LATENCY_COLUMNS
    assert table["measure"].tolist() == ["response", "callback"]
    assert table["p50_ratio"].tolist() == table["p95_ratio"].tolist() == [2.0, 0.25]
    assert table["p50_low"].tolist() == table["p50_high"].tolist() == [2.0, 0.25]
    assert table["before_count"].tolist() == [20, 20]


def test_the_interval_holds_the_truth_and_narrows_with_more_times() -> None:
    few = compare_latency(times(spread(100, 12)), times(spread(150, 12, 2))).iloc[0]
    many = compare_latency(times(spread(100, 90)), times(spread(150, 90, 2))).iloc[0]
    for row in (few, many):
        assert row["p50_low"] <= 1.5 <= row["p50_high"]
        assert row["p50_low"] <= row["p50_ratio"] <= row["p50_high"]
    assert many["p50_high"] - many["p50_low"] < few["p50_high"] - few["p50_low"]


def test_the_shortcut_draws_what_resampling_would() -> None:
    """The interval agrees with one from plain resampling, within what 2,000 draws of either leave open."""
    before, after = spread(100, 60), spread(130, 40, 2)
    row = compare_latency(times(before), times(after), Bootstrap(resamples=20_000)).iloc[0]
    chance = np.random.default_rng(3)

    def medians(sample: list[float]) -> np.ndarray:  # type: ignore[type-arg]
        drawn = np.sort(chance.choice(sample, (20_000, len(sample))), axis=1)
        return np.asarray(drawn[:, -(-len(sample) // 2) - 1])

    low, high = np.quantile(medians(after) / medians(before), [0.025, 0.975])
    assert row["p50_low"] == pytest.approx(low, rel=0.01)
    assert row["p50_high"] == pytest.approx(high, rel=0.01)


def test_the_same_times_give_the_same_interval_whatever_else_is_compared() -> None:
    one, other = times(spread(100, 30)), times(spread(120, 30, 2))
    more = times(spread(5, 30), operation="GET /health")
    both = [Times({**a.figures, **more.figures}, {**a.samples, **more.samples}) for a in (one, other)]
    alone, among = compare_latency(one, other), compare_latency(*both)
    pd.testing.assert_frame_equal(alone, among[among["operation"] == OPERATION].reset_index(drop=True))
    assert not compare_latency(one, other, Bootstrap(seed=2)).equals(alone)


def test_without_times_or_with_few_there_is_a_ratio_and_no_interval() -> None:
    figures_only = Times(times(spread(100, 30)).figures, {})
    for before, after in ((figures_only, times(spread(100, 30))), (times([10.0] * 4), times([10.0] * 30))):
        row = compare_latency(before, after).iloc[0]
        assert row["p50_ratio"] == pytest.approx(1.0, abs=0.2)
        assert np.isnan([row["p50_low"], row["p50_high"], row["p95_low"], row["p95_high"]]).all()


def test_what_only_one_side_measured_has_no_row() -> None:
    assert compare_latency(times([1.0]), times([1.0], operation="GET /health")).empty
    assert compare_latency(times([1.0]), times([], [1.0])).empty
    assert tuple(compare_latency(Times(), Times()).columns) == LATENCY_COLUMNS


def test_a_time_of_nothing_gives_no_ratio() -> None:
    row = compare_latency(times([0.0] * 9), times([1.0] * 9)).iloc[0]
    assert np.isnan([row["p50_ratio"], row["p50_low"]]).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.1, 1e5), min_size=1, max_size=150))
def test_a_side_compared_with_itself_is_neither_slower_nor_faster(sample: list[float]) -> None:
    row = compare_latency(times(sample), times(sample)).iloc[0]
    for share in ("p50", "p95"):
        assert row[f"{share}_ratio"] == 1
        low, high = row[f"{share}_low"], row[f"{share}_high"]
        assert np.isnan(low) if len(sample) < 5 else low <= 1 <= high
