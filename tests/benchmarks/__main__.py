"""Runs every benchmark: ``make bench``. Each prints ratios within one run, or CPU time beside its bound."""

from __future__ import annotations

import importlib
import pkgutil

import tests.benchmarks

for module in pkgutil.iter_modules(tests.benchmarks.__path__):
    if not module.name.startswith("_"):
        print(f"== {module.name}", flush=True)
        importlib.import_module(f"tests.benchmarks.{module.name}").main()
