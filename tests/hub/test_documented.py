"""The tables of states in docs/hub.md are those of the code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.hub.fx_states import FX_TRANSITIONS
from harness.hub.settlement import WINDOW_TRANSITIONS
from harness.hub.settlements import TRANSITIONS as SETTLEMENT_TRANSITIONS
from harness.hub.transfer_states import TRANSITIONS

TEXT = (Path(__file__).parents[2] / "docs" / "hub.md").read_text(encoding="utf-8")


def rows(module: str) -> set[tuple[str, ...]]:
    """The rows of the table in the section that names ``module``."""
    section = next(
        part for part in re.split(r"^### ", TEXT, flags=re.MULTILINE) if f"`{module}`" in part.split("\n")[0]
    )
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return {tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[2:]}


@pytest.mark.parametrize(("module", "table"), [("transfer_states.py", TRANSITIONS), ("fx_states.py", FX_TRANSITIONS)])
def test_steps_by_events(module: str, table: Mapping[Any, Any]) -> None:
    assert rows(module) == {(str(state), str(event), str(after)) for (state, event), after in table.items()}


@pytest.mark.parametrize(
    ("module", "table"), [("settlement.py", WINDOW_TRANSITIONS), ("settlements.py", SETTLEMENT_TRANSITIONS)]
)
def test_steps(module: str, table: Mapping[Any, Any]) -> None:
    assert rows(module) == {(str(state), ", ".join(sorted(after)) or "–") for state, after in table.items()}
