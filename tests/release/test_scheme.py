"""A Scheme's list of products is read as it stands, or refused with file and line; none is lost in reading."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import CriteriaError, UsageError
from harness.model.scheme import Artefact
from harness.release.scheme import load_scheme_release, scheme_schema
from harness.run.options import resolve_values
from tests.support import RELEASE, REPOSITORY, make_workspace

BOTH = """\
scheme: example
products:
  - {product: mojaloop, release: 17.1.0}
  - {product: payment-manager, release: v5.1.0, suite: official, targets: {staging: payment-manager-staging}}
artefacts: {required: [runbook, notes]}
"""


def read(folder: Path, text: str) -> object:
    scheme = folder / "example"
    scheme.mkdir(exist_ok=True)
    (scheme / "scheme.yaml").write_text(text)
    return load_scheme_release(scheme)


def test_a_list_is_read(tmp_path: Path) -> None:
    (tmp_path / "example").mkdir()
    (tmp_path / "example" / "scheme.yaml").write_text(BOTH)
    found = load_scheme_release(tmp_path / "example")
    assert found.core is not None
    assert (found.core.name, found.core.suite) == ("mojaloop v17.1.0", "native")
    (payments,) = found.extensions
    assert (payments.name, payments.suite) == ("payment-manager v5.1.0", "official")
    assert payments.target_beside("staging") == "payment-manager-staging"
    assert payments.target_beside("embedded") == "embedded"
    assert found.artefacts == (Artefact.NOTES, Artefact.RUNBOOK)
    assert len(found.digest) == 64


def test_a_scheme_without_a_list_has_no_products(tmp_path: Path) -> None:
    (tmp_path / "example").mkdir()
    found = load_scheme_release(tmp_path / "example")
    assert (found.products, found.artefacts, found.digest) == ((), (), "")


@pytest.mark.parametrize(
    ("changed", "line", "told"),
    [
        (("v5.1.0", "5.1"), 4, "'release'"),
        (("suite: official", "suite: fast"), 4, "'suite'"),
        (("suite: official", "version: v1"), 4, "unknown key 'version'"),
        (("payment-manager,", "../payment-manager,"), 4, "'product'"),
        (("payment-manager,", "mojaloop,"), 4, "'mojaloop' is listed twice"),
        (("  - {product: mojaloop, release: 17.1.0}\n", ""), 3, "what it is an extension of is not listed"),
        (("release: 17.1.0}", "release: 17.1.0, targets: {a: b}}"), 3, "the core runs on the target"),
        (("payment-manager-staging", "embedded"), 4, "would only be rehearsed"),
        (("[runbook", "[manual"), 5, "0"),
        (("scheme: example", "scheme: other"), 1, "of scheme 'other'"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_line(
    tmp_path: Path, changed: tuple[str, str], line: int, told: str
) -> None:
    with pytest.raises(CriteriaError, match=rf"scheme\.yaml, line {line}\b.*") as caught:
        read(tmp_path, BOTH.replace(*changed))
    assert told in str(caught.value)


def test_a_list_under_another_name_is_not_overlooked(tmp_path: Path) -> None:
    scheme = tmp_path / "example"
    scheme.mkdir()
    (scheme / "scheme.yml").write_text(BOTH)
    with pytest.raises(CriteriaError, match=r"scheme\.yml"):
        load_scheme_release(scheme)


def test_a_run_of_another_release_than_the_listed_one_does_not_begin(tmp_path: Path) -> None:
    root = make_workspace(tmp_path)
    (root / "scheme_rules/example/scheme.yaml").write_text(BOTH.replace("17.1.0", "17.0.0"))
    with pytest.raises(UsageError, match=r"lists mojaloop v17\.0\.0, the run is to be of v17\.1\.0"):
        resolve_values(
            start=root, release=RELEASE, product="mojaloop", scheme="example", target="embedded", run_id=None,
            labels=(), defects=(),
        )  # fmt: skip


def test_the_schema_that_editors_use_is_the_one_there_is() -> None:
    stored = json.loads((REPOSITORY / "docs" / "scheme.schema.json").read_text())
    assert stored == scheme_schema()


def test_the_example_lists_nothing_that_it_does_not_have() -> None:
    found = load_scheme_release(REPOSITORY / "scheme_rules" / "example")
    assert (found.products, found.artefacts) == ((), ())
    assert found.digest
