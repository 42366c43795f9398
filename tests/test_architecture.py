"""The rooms keep their borders, the package stays light where it must, and the documents name what is there."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from harness import errors
from harness.cli import app
from tests.support import REPOSITORY

PACKAGE = REPOSITORY / "harness"
EVERYWHERE = {"model", "errors"}
ALLOWED = {
    "model": set(),
    "errors": set(),
    "yaml_document": {"errors"},
    "fspiop": EVERYWHERE,
    "release": EVERYWHERE | {"yaml_document"},
    "suite": EVERYWHERE | {"yaml_document"},
    "target": EVERYWHERE | {"fspiop", "yaml_document"},
    "engine": EVERYWHERE | {"fspiop", "suite", "target"},
    "hub": EVERYWHERE | {"fspiop"},
    "run": EVERYWHERE | {"fspiop", "release", "suite", "target", "engine", "hub", "workspace"},
    "judge": EVERYWHERE | {"yaml_document"},
    "report": EVERYWHERE | {"judge"},
    "history": EVERYWHERE | {"judge", "report"},
    "workspace": EVERYWHERE,
}
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def rooms_imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        found |= {name.split(".")[1] for name in names if name.startswith("harness.")}
    return found


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_a_room_imports_only_what_it_may(room: str) -> None:
    files = sorted((PACKAGE / room).rglob("*.py")) or [PACKAGE / f"{room}.py"]
    for path in files:
        assert rooms_imported(path) - ALLOWED[room] - {room} == set(), path


def test_every_room_has_its_rule() -> None:
    rooms = {path.stem for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py"}
    joining = {"cli", "handover", "nightly", "recording", "sequence", "selftest", "validation"}
    assert rooms - joining - {"__init__", "__pycache__", "_shipped"} == set(ALLOWED)


def commands() -> list[str]:
    group = typer.main.get_command(app)
    found = []
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        found += [f"harness {name} {sub}" for sub in inner] if inner else [f"harness {name}"]
    return found


@pytest.mark.parametrize("command", commands())
def test_every_command_is_in_the_readme(command: str) -> None:
    assert command in README


@pytest.mark.parametrize(
    ("code", "word"), [(0, "approved"), (1, "rejected"), (2, "inconclusive"), (3, "usage"), (4, "fault")]
)
def test_every_exit_code_is_in_the_readme(code: int, word: str) -> None:
    assert re.search(rf"^\| `{code}` \|.*{word}", README, re.MULTILINE | re.IGNORECASE)


def test_the_error_tree_at_the_head_of_the_module_is_the_one_there_is() -> None:
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__ or "")
    assert sorted(drawn) == sorted(set(errors.__all__) - {"HarnessError"})


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['harness', '--help']; from harness.cli import app; app(standalone_mode=False); "
        "print([m for m in ('pandas', 'pydantic', 'uvicorn', 'httpx', 'pytest', 'py_mini_racer') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=30)
    assert done.stdout.strip().endswith("[]")
