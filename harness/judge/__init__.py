"""Decides: baselines, comparison, criteria, causes, verdict. Pure functions over tables; knows nothing of runs."""
