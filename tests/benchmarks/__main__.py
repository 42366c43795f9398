"""Runs every benchmark: ``make bench``. Each prints ratios within one run, or CPU time beside its bound.

``python -m tests.benchmarks NAME [SIZE]`` runs one, with another size than its own where it has one:
``history_scale 16_425_000``, ``judge_scale 100_000``.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys

import tests.benchmarks

chosen, sizes = sys.argv[1:2], [int(size.replace("_", "").replace(",", "")) for size in sys.argv[2:3]]
names = [module.name for module in pkgutil.iter_modules(tests.benchmarks.__path__) if not module.name.startswith("_")]
if not set(chosen) <= set(names):
    sys.exit(f"no benchmark is called {chosen[0]}; there are: {', '.join(names)}")
for name in chosen or names:
    print(f"== {name}", flush=True)
    importlib.import_module(f"tests.benchmarks.{name}").main(*sizes)
