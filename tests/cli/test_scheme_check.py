"""Before any run a Scheme learns what its release, product by product, lacks for an approval: as a run is judged."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli import app
from harness.errors import CriteriaError, HarnessError, UsageError
from harness.judge.artefacts import artefacts
from harness.judge.evidence import evidence_from_records
from harness.release.artefacts import load_artefacts
from harness.release.documents import look_at
from harness.release.manifest import load_manifest
from harness.release.scheme import load_scheme_release
from tests.release.test_completeness import PASSED, RUNBOOK

CORE, PRODUCT = ("mojaloop", "v17.1.0"), ("payment-manager", "v5.1.0")
FAILED = PASSED.replace('<testcase name="a"/>', '<testcase name="a"><failure/></testcase>')
CRITERIA = (
    "scheme: mine\ntitle: t\nrules:\n  - {id: none, kind: class-at-most, classes: [regressed], at_most: 0, "
    "severity: blocker, title: t, rationale: r}\n"
)


@dataclass(frozen=True)
class Ended:
    code: int
    out: str


Command = Callable[..., Ended]


def place(product: tuple[str, str]) -> Path:
    return Path("baselines") / product[0] / product[1]


def declare(product: tuple[str, str], **files: str) -> None:
    """Puts documents beside a release's manifest: ``runbook`` or a kind of evidence, and what stands in it."""
    for name, text in files.items():
        (place(product) / name).write_text(text)
    evidence = {name: name for name in files if name != "runbook"}
    listed: dict[str, Any] = {"evidence": evidence} | ({"runbook": "runbook"} if "runbook" in files else {})
    (place(product) / "artefacts.yaml").write_text(yaml.safe_dump(listed))


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """``harness release check`` where the Scheme ``mine`` lists a core and a product, and demands two documents."""
    monkeypatch.chdir(tmp_path)
    Path("suites").mkdir()
    for name, version in (CORE, PRODUCT):
        place((name, version)).mkdir(parents=True)
        manifest = {"product": name, "version": version, "components": {"a-service": "v1.0.0"}, "source": "notes"}
        (place((name, version)) / "release.yaml").write_text(yaml.safe_dump(manifest))
    own = Path("scheme_rules/mine")
    (own / "products" / PRODUCT[0]).mkdir(parents=True)
    for folder in (own, own / "products" / PRODUCT[0]):
        (folder / "criteria.yaml").write_text(CRITERIA)
    products = [{"product": name, "release": version} for name, version in (CORE, PRODUCT)]
    contents = {"scheme": "mine", "products": products, "artefacts": {"required": ["runbook", "unit"]}}
    (own / "scheme.yaml").write_text(yaml.safe_dump(contents))
    declare(CORE, runbook=RUNBOOK, unit=PASSED)
    declare(PRODUCT, runbook=RUNBOOK, unit=PASSED)

    def run(release: str = CORE[1], *more: str) -> Ended:
        code = app(["release", "check", release, "--scheme", "mine", *more], standalone_mode=False)
        return Ended(code or 0, capsys.readouterr().out)

    return run


def test_a_release_whose_products_all_come_with_what_is_demanded_is_complete(command: Command) -> None:
    ended = command()
    assert ended.code == 0, ended.out
    assert ended.out.count("  pass     there: manifest, runbook, unit") == 2
    assert ended.out.endswith("scheme mine: all that it demands of 2 products is there\n")


def test_what_a_product_lacks_keeps_the_release_back_and_is_told_under_its_name(command: Command) -> None:
    declare(PRODUCT, unit=PASSED)
    ended = command()
    assert ended.code == 1
    core, _, product = ended.out.partition("payment-manager v5.1.0\n")
    assert "unknown" not in core
    assert "  unknown  runbook (runbook): no runbook is given" in product
    assert product.endswith("scheme mine: 1 of 2 products lack what it demands\n")
    alone = command(PRODUCT[1], "--product", PRODUCT[0])
    assert (alone.code, "mojaloop" in alone.out) == (1, False)


def test_tests_that_failed_and_a_link_are_told_as_the_judge_weighs_them(command: Command) -> None:
    declare(PRODUCT, runbook=RUNBOOK, unit=FAILED)
    given = ("--evidence", "unit=https://ci.example.org/1", "--evidence", "integration=https://ci.example.org/2")
    told = json.loads(command(CORE[1], *given, "--json").out)
    core, product = told["products"]
    assert (told["complete"], core["status"], product["status"]) == (False, "pass", "fail")
    assert any("https://ci.example.org/1" in note for note in core["notes"])
    # the very reasons that a run would be judged by
    folder = place(PRODUCT)
    manifest = load_manifest(folder / "release.yaml")
    found = look_at(manifest, load_artefacts(folder / "artefacts.yaml"))
    contents = load_scheme_release(Path("scheme_rules/mine"))
    reasons = list(artefacts(evidence_from_records([]), manifest, manifest, contents, found))
    assert [each["text"] for each in product["reasons"]] == [reason.text for reason in reasons]
    assert reasons


def test_what_a_run_would_refuse_is_refused(command: Command) -> None:
    own = Path("scheme_rules/mine")
    with pytest.raises(HarnessError, match=r"manifest"):
        command("v17.2.0")
    folder = Path("baselines/mojaloop/v17.2.0")
    folder.mkdir()
    manifest = yaml.safe_load((place(CORE) / "release.yaml").read_text()) | {"version": "v17.2.0"}
    (folder / "release.yaml").write_text(yaml.safe_dump(manifest))
    with pytest.raises(UsageError, match=r"scheme mine lists mojaloop v17\.1\.0"):
        command("v17.2.0")
    (place(PRODUCT) / "release.yaml").write_text(yaml.safe_dump(manifest))
    with pytest.raises(UsageError, match=r"payment-manager v5\.1\.0 describes mojaloop v17\.2\.0"):
        command()
    (place(PRODUCT) / "release.yaml").unlink()
    with pytest.raises(HarnessError, match="no release manifest"):
        command()
    (own / "products" / PRODUCT[0] / "criteria.yaml").unlink()
    with pytest.raises(CriteriaError):
        command()
