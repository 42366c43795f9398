"""A selection takes exactly the cases asked for, leaves their order alone, and says where it cannot be read."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.suite.ttk.folder import Suite, load_folder
from harness.suite.ttk.selection import any_label, keep, named
from tests.suite.ttk.support import collection, master, write


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    files = {
        "p2p/happy.json": collection(name="Happy path"),
        "p2p/sad.json": collection(name="No funds"),
        "quotes/quote.json": collection(name="Happy quote"),
        "master.json": master(
            {"name": "p2p", "type": "folder", "labels": ["P2P", "smoke"]},
            {"name": "quotes", "type": "folder", "labels": ["quotes"]},
        ),
    }
    return load_folder(write(tmp_path_factory.mktemp("suite"), files))


def names(suite: Suite) -> list[str]:
    return [case.name for case in suite.cases]


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ([], ["Happy path", "No funds", "Happy quote"]),
        (["smoke"], ["Happy path", "No funds"]),
        (["quotes", "smoke"], ["Happy path", "No funds", "Happy quote"]),
        (["p2p"], []),
    ],
)
def test_any_of_the_labels_will_do(suite: Suite, labels: list[str], found: list[str]) -> None:
    assert names(keep(suite, any_label(labels))) == found


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("happy", ["Happy path", "Happy quote"]),
        ("happy and not quotes/", ["Happy path"]),
        ("'no funds' or quote", ["No funds", "Happy quote"]),
        ("happy and (P2P or smoke)", ["Happy path"]),
        ("not not sad.json", ["No funds"]),
        ("not (happy or funds)", []),
        ('"and"', []),
    ],
)
def test_an_expression_is_over_paths_names_and_labels(suite: Suite, expression: str, found: list[str]) -> None:
    kept = keep(suite, named(expression))
    assert names(kept) == found
    assert all(file.collection.cases for file in kept.files)


@pytest.mark.parametrize(
    ("expression", "place"),
    [
        ("", "column 1: there is nothing"),
        ("a and", "column 6: a word is missing"),
        ("a b", "column 3: and, or, or the end is expected, not 'b'"),
        ("(a or b", "column 1: this bracket is not closed"),
        ("a or 'b", "column 5: a quote is not closed"),
        ("or a", "column 1: a word is expected, not 'or'"),
        ("''", "a word is expected"),
        ("a)", "column 2: and, or"),
        ("not " * 200 + "a", "nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_column(expression: str, place: str) -> None:
    with pytest.raises(UsageError) as caught:
        named(expression)
    assert place in str(caught.value)


@given(st.lists(st.sampled_from(["a", "and", "or", "not", "(", ")", "'x y'", '"', " "]), max_size=12))
def test_any_text_is_an_expression_or_wrong_usage(words: list[str]) -> None:
    """Nothing else comes out than a predicate or an error for the user."""
    with contextlib.suppress(UsageError):
        assert callable(named(" ".join(words)))
