"""How is a bundle made? One zip that holds a run, all that it was judged by, and what is said of it.

The same run, judged by the same and signed with the same key, gives the same bytes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from harness import __version__
from harness.handover.archive import pack
from harness.handover.collect import Absent, collect
from harness.handover.layout import MANIFEST, README, STATEMENTS, SUITES_README, name_of_statement
from harness.handover.manifest import Manifest, Signer, digest, make_manifest
from harness.handover.readme import bundle_readme
from harness.handover.statements import statement_bytes, test_result, verification_summary
from harness.judge.judged_by import JUDGED_BY
from harness.model.scheme import PRODUCTS_FOLDER

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner

    from harness.judge.verdict import JudgedRun
    from harness.report.interface import Report, ReportInput
    from harness.workspace import Workspace

__all__ = ["ALLURE_PAGE", "Bundle", "bundle_name", "derived", "make_bundle", "names_in", "statements"]

_SUITES: Final = b"The suite itself is not here: to judge, what it showed is enough. Its digest is in the journal.\n"


ALLURE_PAGE: Final = "allure-report.html"
_REPORTS: Final = {"html": "verdict.html", "junit": "junit.xml", "markdown": "summary.md", "json": "report.json"}
"""The reports that are the same whenever they are written, by the name of their format."""
_ALWAYS: Final = frozenset({"html"})


@final
@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle as it will lie on the disk."""

    data: bytes
    manifest: Manifest


def bundle_name(manifest: Manifest) -> str:
    """Returns what a bundle's file is called wherever it goes: after its run, which is the only one of that name."""
    parts = (manifest.product, manifest.release)
    return "-".join([*(part for part in parts if part and part not in manifest.run_id), manifest.run_id]) + ".zip"


def make_bundle(
    workspace: Workspace, folder: Path, signer: CryptoSigner | None = None, no_allure: str = "it was not built"
) -> Bundle:
    """Returns the bundle of the run in ``folder``, signed where a ``signer`` is given.

    ``no_allure`` is why the run has no Allure report in one file, for the reader who looks for it.

    The verdict in it is the one that stands in the run's folder. Raises ``HarnessError`` where that is not the one that
    the judge gives, where something cannot be read, and where it would not pass ``harness verify``.
    """
    from harness.validation import judge_as_before

    run = judge_as_before(workspace, folder)
    found = collect(workspace, folder)
    place = f"reports/runs/{folder.resolve().name}"
    members = found.members
    members |= {f"{place}/{name}": content for name, content in derived(run, names_in(members, place)).items()}
    members.setdefault(SUITES_README, _SUITES)
    absent = [*found.absent, *_without_allure(members, place, no_allure)]
    signed_by = _signer(signer)
    members[README] = bundle_readme(
        run.judged, tool=__version__, run=place, members=members, absent=absent, signer=signed_by
    )
    manifest = make_manifest(
        run.judged.verdict,
        tool=__version__,
        run=place,
        ended_at=run.judged.evidence.ended_at,
        signer=signed_by,
        absent=absent,
        members=members,
    )
    members[MANIFEST] = manifest.to_bytes()
    for name, payload in statements(run.judged, manifest, members[MANIFEST]).items():
        if signer is None:
            members[name_of_statement(name, signed=False)] = payload
        else:
            from harness.handover.signing import seal

            members[name_of_statement(name, signed=True)] = seal(payload, signer)
    return Bundle(pack(members), manifest)


def derived(run: ReportInput, there: Collection[str]) -> dict[str, bytes]:
    """Returns what a bundle holds and any harness can derive again, by its name in the run's folder.

    ``there`` are the names in that folder: of the reports that are made when asked for, only those that were. The runs
    of extension products that it holds are among it.
    """
    from harness.report.formats import FORMATS
    from harness.report.verdict_file import VerdictFiles

    wanted = [name for name, file in _REPORTS.items() if name in FORMATS and (file in there or name in _ALWAYS)]
    reports: list[Report] = [VerdictFiles(), *(FORMATS[name].make() for name in wanted)]
    with tempfile.TemporaryDirectory(prefix="harness-") as name:
        folder = Path(name)
        for report in reports:
            report.write(run, folder)
        # What the run was judged against names files of this workspace; in a bundle it is what ``collect`` makes of it.
        found = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != JUDGED_BY}
    for product, inner in run.products.items():
        place = f"{PRODUCTS_FOLDER}/{product}/"
        own = [name.removeprefix(place) for name in there if name.startswith(place)]
        found |= {f"{place}{name}": content for name, content in derived(inner, own).items()}
    return found


def names_in(members: Mapping[str, bytes], place: str) -> frozenset[str]:
    """Returns the names of the files in the folder ``place``, from there."""
    return frozenset(name.removeprefix(f"{place}/") for name in members if name.startswith(f"{place}/"))


def statements(judged: JudgedRun, manifest: Manifest, manifest_bytes: bytes) -> dict[str, bytes]:
    """Returns what is said of a bundle with this ``manifest``: the payloads of both statements, by their names."""
    subject = {member.name: member.sha256 for member in manifest.members} | {MANIFEST: digest(manifest_bytes)}
    result = statement_bytes(test_result(judged, subject))
    summary = statement_bytes(verification_summary(judged, subject, digest(result), manifest.tool))
    return dict(zip(STATEMENTS, (result, summary), strict=True))


def _signer(signer: CryptoSigner | None) -> Signer | None:
    if signer is None:
        return None
    key = signer.public_key
    return Signer(keyid=key.keyid, public_key=key.keyval["public"])


def _without_allure(members: Mapping[str, bytes], place: str, why: str) -> Sequence[Absent]:
    return () if f"{place}/{ALLURE_PAGE}" in members else (Absent("Allure report in one file", why),)
