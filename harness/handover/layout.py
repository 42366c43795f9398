"""What is called what in a bundle. Everything else in it lies where it lies in a workspace."""

from __future__ import annotations

from typing import Final

__all__ = ["GIVEN", "MANIFEST", "README", "STATEMENTS", "SUITES_README", "SUMMARY", "TEST_RESULT", "name_of_statement"]

README: Final = "README.md"
MANIFEST: Final = "manifest.json"
SUITES_README: Final = "suites/README.md"
"""A workspace has a folder of suites; judging needs none of what is in it."""
GIVEN: Final = "given"
"""The folder for what a run was judged by and what lies outside the workspace."""

TEST_RESULT: Final = "attestations/test-result"
SUMMARY: Final = "attestations/verification-summary"
STATEMENTS: Final = (TEST_RESULT, SUMMARY)


def name_of_statement(statement: str, *, signed: bool) -> str:
    """Returns the member that holds ``statement``: in its envelope where it is signed, bare where it is not."""
    return f"{statement}.dsse.json" if signed else f"{statement}.json"
