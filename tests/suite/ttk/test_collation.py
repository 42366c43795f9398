"""File names sort as JavaScript's localeCompare sorts them: held against the real one where Node is present."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.suite.ttk.collation import collation_key
from tests.suite.ttk.support import OSS

NODE = shutil.which("node")
ALPHABET = "aAbBzZ019 _-,;.'()[]&#%+=~$/@!éÉàçñüÜßæø–—’“”"
COMPARE = (
    "const pairs = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
    "console.log(JSON.stringify(pairs.map(([a, b]) => Math.sign(a.localeCompare(b)))))"
)
SORT = (
    "console.log(JSON.stringify(JSON.parse(require('fs').readFileSync(0, 'utf8')).sort((a,b) => a.localeCompare(b))))"
)


def node(script: str, value: object) -> list[object]:
    if NODE is None:
        pytest.skip("Node is not on this machine: its localeCompare is what the order is held against")
    done = subprocess.run(
        [NODE, "-e", script], input=json.dumps(value), capture_output=True, text=True, check=True, timeout=30
    )
    found: list[object] = json.loads(done.stdout)
    return found


def compare(a: str, b: str) -> int:
    # Without the code points, which only make the order total.
    first, second = collation_key(a)[:3], collation_key(b)[:3]
    return (first > second) - (first < second)


def test_generated_names_compare_as_in_javascript() -> None:
    chance = random.Random(20)
    pairs = [("".join(chance.choices(ALPHABET, k=5)), "".join(chance.choices(ALPHABET, k=4))) for _ in range(5000)]
    for _ in range(5000):
        word = chance.choices(ALPHABET, k=chance.randint(1, 6))
        other = [one.swapcase() if len(one.swapcase()) == 1 and chance.random() < 0.5 else one for one in word]
        pairs.append(("".join(word), "".join(other)))
        word[chance.randrange(len(word))] = chance.choice(ALPHABET)
        pairs.append(("".join(word), "".join(other)))
    theirs = node(COMPARE, pairs)
    assert [pair for pair, sign in zip(pairs, theirs, strict=True) if compare(*pair) != sign] == []


@pytest.mark.parametrize("release", ["v15.1.0", "v17.1.0"])
def test_the_official_paths_sort_as_in_javascript(release: str) -> None:
    root = OSS / release
    if not root.is_dir():
        pytest.skip(f"{root} is not here: the official collections are read from beside the project")
    paths = [path.relative_to(root).as_posix() for path in root.rglob("*.json")]
    assert sorted(paths, key=collation_key) == node(SORT, paths)


def test_what_decides_is_first_the_letters_over_the_whole_name_then_their_case() -> None:
    order: Sequence[str] = ["_", "-", "#1", "1", "10", "2", "a", "A", "á", "A b", "a-b", "a/b", "ab", "AC", "b", "B"]
    assert all(collation_key(a) < collation_key(b) for a, b in pairwise(order))


@given(st.lists(st.text(max_size=6), unique=True))
def test_the_order_is_total_so_that_it_never_depends_on_the_disk(names: list[str]) -> None:
    assert len({collation_key(name) for name in names}) == len(names)
