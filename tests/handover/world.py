"""A small workspace with judged runs on a real environment, made without running anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from harness.judge.baseline import BaselineSource, baseline_from_evidence
from harness.judge.baseline_store import write_baseline
from harness.judge.evidence import evidence_from_records
from harness.model.records import Record, RunStarted
from harness.run.journal import JournalWriter
from harness.run.reader import read_journal
from harness.run.redact import Redactor
from harness.validation import Against, judge_folder, write_reports
from harness.workspace import Workspace
from tests.report.scenarios import COMPONENTS, cases, crashed_run, exchanges_of, failing, whole_run

RELEASE = "v17.1.0"
SECRET = "s3cr3t-t0ken-of-a-dfsp"

CRITERIA = """\
scheme: example
title: The example
rules:
- id: no-regressions
  kind: class-at-most
  title: Nothing regressed
  severity: blocker
  rationale: What worked must work
  classes: [regressed]
  at_most: 0
"""
NOTES = """\
# Release notes v17.1.0

## Summary

Transfers are faster.

## New features

- mojaloop/#4000: Payers see fees before they confirm
- mojaloop/#4001: Liquidity can be read by currency

## Bug fixes

- mojaloop/#4002: Positions are released on time-out

## Application versions

- central-ledger: v19.9.0 -> v19.10.6
- account-lookup-service: v17.15.2
- ml-api-adapter: v16.7.1

## Breaking changes

- central-ledger: config/default.json
"""
RUNBOOK = """\
# Runbook

## Prerequisites

Kubernetes v1.29.

## Deployment

helm upgrade.

## Environment variables

FEES

## Database scripts

None

## Rollback

Go back to v17.0.0.
"""
PRODUCT, PRODUCT_RELEASE = "payment-manager", "v5.1.0"


def workspace(root: Path) -> Workspace:
    """Makes a workspace with a Scheme, a release with its documents, and the baseline that OSS showed."""
    root = root.resolve()
    (root / "suites/mojaloop").mkdir(parents=True)
    scheme = root / "scheme_rules/example"
    scheme.mkdir(parents=True)
    (scheme / "criteria.yaml").write_text(CRITERIA)
    (scheme / "waivers.yaml").write_text("scheme: example\nwaivers: []\n")
    release = root / "baselines/mojaloop" / RELEASE
    good = evidence_from_records([on_environment(record) for record in whole_run(cases(), "before")])
    baseline = baseline_from_evidence(
        [good], source=BaselineSource.OSS, recorded_at="2025-12-01T00:00:00Z", recorded_by="mojaloop-harness 0.1.0"
    )
    write_baseline(replace(baseline, components={**baseline.components, "central-ledger": "19.9.0"}), release)
    manifest = {
        "product": "mojaloop",
        "version": RELEASE,
        "date": "2025-08-05",
        "source": "https://example.org/notes/v17.1.0",
        "previous_release": "v17.0.0",
        "components": {"account-lookup-service": "17.15.2", "central-ledger": "19.10.6", "ml-api-adapter": "16.7.1"},
        "previous": {"central-ledger": "19.9.0"},
        "breaking_changes": [{"component": "central-ledger", "change": "config/default.json: new key *FEES*"}],
        "known_issues": [
            {
                "title": "A <b>quote</b> may time out @everyone",
                "source": "https://example.org/issues/7",
                "components": ["central-ledger"],
            }
        ],
    }
    (release / "release.yaml").write_text(yaml.safe_dump(manifest, sort_keys=False))
    (release / "notes.md").write_text(NOTES)
    (release / "runbook.md").write_text(RUNBOOK)
    (release / "artefacts.yaml").write_text(
        "notes: notes.md\nrunbook: runbook.md\nevidence:\n  review: https://example.org/review/1\n"
    )
    return Workspace(root)


def on_environment(record: Record) -> Record:
    """The record as a run on a real environment leaves it."""
    if not isinstance(record, RunStarted):
        return record
    services = {"central-ledger": "https://ledger.staging.example.org"}
    target = {"name": "staging", "kind": "environment", "services": services, "facts": {}, "defects": []}
    return replace(record, target=target)


def add_run(
    here: Workspace, run_id: str, records: Sequence[Record], *, embedded: bool = False, folder: Path | None = None
) -> Path:
    """Writes a run's folder as the harness does, judges it, and returns its path."""
    folder = folder or here.runs / run_id
    folder.mkdir(parents=True)
    writer = JournalWriter(folder, Redactor([SECRET]))
    for record in records:
        own = replace(record, run_id=run_id) if isinstance(record, RunStarted) else record
        writer.write(own if embedded else on_environment(own))
    for exchange in exchanges_of(records).values():
        call = {**exchange, "request": {**exchange["request"], "url": "https://ledger.staging.example.org/transfers"}}
        call["request"]["headers"] = {"Authorization": f"Bearer {SECRET}", "X-Note": "it's $(touch /tmp/pwned) `id`"}
        writer.exchange(call)
    writer.close()
    (folder / "run.json").write_text('{"type": "run-started"}\n')
    write_reports(judge_folder(here, folder, Against()))
    return folder


def approved(here: Workspace, run_id: str = "good") -> Path:
    return add_run(here, run_id, whole_run(cases()))


def rehearsal(here: Workspace, run_id: str = "rehearsed") -> Path:
    return add_run(here, run_id, whole_run(cases()), embedded=True)


def rejected(here: Workspace, run_id: str = "broken") -> Path:
    now = [failing(case) if number in (1, 3) else case for number, case in enumerate(cases())]
    return add_run(here, run_id, whole_run(now))


def inconclusive(here: Workspace, run_id: str = "cut-off") -> Path:
    return add_run(here, run_id, crashed_run(cases(), 5))


def with_product(here: Workspace, run_id: str = "whole") -> Path:
    """An approved run of the core and of the extension product that the Scheme then lists."""
    scheme = here.root / "scheme_rules/example"
    products = [{"product": "mojaloop", "release": RELEASE}, {"product": PRODUCT, "release": PRODUCT_RELEASE}]
    (scheme / "scheme.yaml").write_text(yaml.safe_dump({"scheme": "example", "products": products}))
    own = here.criteria_folder("example", PRODUCT)
    own.mkdir(parents=True)
    (own / "criteria.yaml").write_text(CRITERIA)
    folder = here.root / "baselines" / PRODUCT / PRODUCT_RELEASE
    good = evidence_from_records([_of_product(record) for record in whole_run(cases(3), "before")])
    baseline = baseline_from_evidence(
        [good], source=BaselineSource.OSS, recorded_at="2025-12-01T00:00:00Z", recorded_by="mojaloop-harness 0.1.0"
    )
    write_baseline(baseline, folder)
    manifest = {"product": PRODUCT, "version": PRODUCT_RELEASE, "source": "notes", "components": dict(COMPONENTS)}
    (folder / "release.yaml").write_text(yaml.safe_dump(manifest))
    core = add_run(here, run_id, whole_run(cases()))
    said = {"run_id": run_id, "release": RELEASE, "journal": read_journal(core).digest}
    records = [_of_product(record, core=said) for record in whole_run(cases(3))]
    add_run(here, f"{run_id}-{PRODUCT}", records, folder=core / "products" / PRODUCT)
    write_reports(judge_folder(here, core, Against()))
    return core


def _of_product(record: Record, **more: Any) -> Record:
    """The record as the run of the extension product leaves it."""
    if isinstance(record, RunStarted):
        manifest = {**(record.release_manifest or {}), "product": PRODUCT, "version": PRODUCT_RELEASE}
        record = replace(record, product=PRODUCT, release=PRODUCT_RELEASE, release_manifest=manifest, **more)
    return on_environment(record)
