"""Why does a suite not see a defect? Written by hand, by suite and defect, for those that it was run against."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["SLIPS"]

SLIPS: Mapping[str, Mapping[str, str]] = MappingProxyType({"official": MappingProxyType({})})
