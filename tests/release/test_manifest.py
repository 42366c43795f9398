"""A release's manifest says what it consists of and with what it is known to be published."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ReleaseError
from harness.model.release import KnownIssue
from harness.release.manifest import load_manifest

PLAIN = 'product: mojaloop\nversion: v17.1.0\nsource: notes\ncomponents: {quoting-service: "17.12.1"}\n'
ISSUES = """\
known_issues:
  - title: Quotes are rounded
    source: https://github.com/mojaloop/project/issues/1
    operations: [POST /quotes]
"""


def test_known_issues_are_optional(tmp_path: Path) -> None:
    file = tmp_path / "release.yaml"
    file.write_text(PLAIN)
    assert load_manifest(file).known_issues == ()
    file.write_text(PLAIN + ISSUES)
    issue = KnownIssue("Quotes are rounded", "https://github.com/mojaloop/project/issues/1", (), ("POST /quotes",))
    assert load_manifest(file).known_issues == (issue,)


@pytest.mark.parametrize("spoilt", ["    since: v1\n", "    components: quoting-service\n"])
def test_a_known_issue_says_nothing_that_is_not_in_the_vocabulary(tmp_path: Path, spoilt: str) -> None:
    file = tmp_path / "release.yaml"
    file.write_text(PLAIN + ISSUES + spoilt)
    with pytest.raises(ReleaseError, match=r"release.yaml, line (9|9 \(.*\))"):
        load_manifest(file)
