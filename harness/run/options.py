"""What a run is asked to do: the ``--harness-…`` options of pytest, resolved into files and names that exist.

``harness run`` sets them; plain pytest takes them too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from harness.errors import UsageError
from harness.model.release import Release, ReleaseVersion
from harness.model.scheme import CORE_PRODUCT, CoreRun, ListedProduct, SchemeRelease
from harness.run.what import NATIVE, SuiteToRun, find_suite
from harness.workspace import Workspace, find_workspace

if TYPE_CHECKING:
    import pytest

    from harness.target.model import Target

__all__ = ["EMBEDDED", "RunOptions", "add_options", "is_active", "resolve"]

EMBEDDED = "embedded"


def add_options(parser: pytest.Parser) -> None:
    """Declares the options of a run on pytest's command line."""
    group = parser.getgroup("mojaloop-harness", "validation of a Mojaloop release")
    group.addoption(
        "--harness-target", metavar="NAME", help="run the suite against this target: embedded, a name, a file"
    )
    group.addoption("--harness-release", metavar="VERSION", help="the release under validation, for instance v17.1.0")
    group.addoption("--harness-product", metavar="NAME", default="mojaloop", help="the product whose suite runs")
    group.addoption("--harness-scheme", metavar="NAME", help="the Scheme whose criteria and targets apply")
    group.addoption("--harness-run-id", metavar="ID", help="name of the run's folder under reports/runs")
    group.addoption("--harness-label", metavar="LABEL", action="append", default=[], help="only cases with this label")
    group.addoption(
        "--harness-ignore-preflight", action="store_true", help="run although preflight finds something; never approved"
    )
    group.addoption("--harness-i-know", action="store_true", help="run on production, where the target allows writes")
    group.addoption("--harness-defect", metavar="NAME", action="append", default=[], help="break the embedded hub so")


def is_active(config: pytest.Config) -> bool:
    """Whether this pytest process is a run of ours, as controller or worker."""
    return bool(config.getoption("harness_target", None))


@final
@dataclass(frozen=True, slots=True)
class RunOptions:
    """A run as asked for, every name resolved. ``target`` is ``None`` for the embedded hub, not yet started."""

    workspace: Workspace
    product: str
    release: ReleaseVersion
    manifest: Release
    scheme: str | None
    target_name: str
    target: Target | None
    run_id: str | None
    labels: tuple[str, ...]
    defects: tuple[str, ...]
    suite: SuiteToRun
    environment: Path | None = None
    """The environment file whose input values collections get."""
    environment_is_published: bool = False
    """Whether it is the one published beside the collections, not one given for this run."""
    keyword: str | None = None
    """What else narrows the selection: the ``-k``, ``-m``, ``--lf`` of pytest."""

    provision: bool = True
    """Whether the embedded hub is provisioned before collections run: by those of the release, else with the cast."""

    time_scale: float = 1.0
    """What delays and expiries are multiplied by, on the embedded hub."""

    check_invariants: bool = False
    """Whether the embedded hub watches its own laws; one that it breaks is our own fault."""

    keep: bool = False
    """Whether the embedded hub stays after the run, for the next one."""

    strict_steps: bool = False
    """Whether a 5xx fails a case of a collection where the request has no assertions."""

    ignore_preflight: bool = False
    """Whether cases run although preflight found something; the verdict then says so and approves nothing."""

    blocked: str = ""
    """Why no case may run, where that is known before the run: its provisioning failed. The journal then says so."""

    threads: int = 8
    """How many collections provision side by side."""

    folder: Path | None = None
    """Where the run has its folder, where that is not under ``reports/runs``: a product's is in the core run's."""

    listed: tuple[ListedProduct, ...] = ()
    """The extension products that the Scheme lists, to be run after this run of the core."""

    core: CoreRun | None = None
    """The run of the core that this run of an extension product follows."""

    core_manifest: Release | None = None
    """The release of the core that an extension product is validated on, as far as it is known."""

    @property
    def hub_release(self) -> Release:
        """What the hub is expected to be: the core's release, with the components of the product on top of it."""
        if self.core_manifest is None:
            return self.manifest
        return replace(self.core_manifest, components={**self.core_manifest.components, **self.manifest.components})

    @property
    def collections(self) -> tuple[Path, ...]:
        """The TTK collections to run, in order; none where the suite is native."""
        return self.suite.collections


def resolve(config: pytest.Config) -> RunOptions:
    """Returns the options of this run. Raises ``UsageError`` or an ``InputError`` for what is absent or wrong."""
    return resolve_values(
        start=Path(str(config.invocation_params.dir)),
        release=config.getoption("harness_release"),
        product=config.getoption("harness_product"),
        scheme=config.getoption("harness_scheme"),
        target=config.getoption("harness_target"),
        run_id=config.getoption("harness_run_id"),
        labels=config.getoption("harness_label"),
        defects=config.getoption("harness_defect"),
        suite=NATIVE,
        paths=_paths(config),
        keyword=_narrowed(config),
        ignore_preflight=config.getoption("harness_ignore_preflight"),
        i_know=config.getoption("harness_i_know"),
    )


def resolve_values(
    *,
    start: Path,
    release: str | None,
    product: str,
    scheme: str | None,
    target: str,
    run_id: str | None,
    labels: Sequence[str],
    defects: Sequence[str],
    suite: str = NATIVE,
    paths: Sequence[Path] = (),
    keyword: str | None = None,
    environment: Path | None = None,
    keep_going: bool = False,
    provision: bool = True,
    time_scale: float = 1.0,
    strict_steps: bool = False,
    check_invariants: bool = False,
    keep: bool = False,
    ignore_preflight: bool = False,
    i_know: bool = False,
    folder: Path | None = None,
    core: CoreRun | None = None,
) -> RunOptions:
    """Returns a run's options from plain values; see ``resolve``. ``i_know``: the caller means production.

    ``core`` is the run that this one of an extension product follows, and ``folder`` where it has its own.
    """
    from harness.release.artefacts import load_artefacts  # late: pydantic is not needed to print a help text
    from harness.release.manifest import load_manifest

    workspace = find_workspace(start)
    if not release:
        raise UsageError("no release is given", remedy="Give --harness-release, for instance v17.1.0")
    try:
        version = ReleaseVersion.parse(release)
    except ValueError as problem:
        raise UsageError(str(problem), remedy="Give the release as published, for instance v17.1.0") from None
    if time_scale != 1 and target != EMBEDDED:
        raise UsageError(
            "time can be scaled on the embedded hub only", remedy="Leave --time-scale out, or use --target embedded"
        )
    if (check_invariants or keep) and target != EMBEDDED:
        raise UsageError(
            "only the embedded hub can be kept, or watch its laws",
            remedy="Leave --keep and --check-invariants out, or use --target embedded",
        )
    if check_invariants and defects:
        raise UsageError("a defect may break the laws on purpose", remedy="Leave out --check-invariants, or --defect")
    absolute = tuple(path if path.is_absolute() else start / path for path in paths)
    manifest = load_manifest(workspace.manifest(product, version))
    # read for the verdict only, but one that cannot be read should not be found out after an hour's run
    load_artefacts(workspace.manifest(product, version).with_name("artefacts.yaml"))
    if (manifest.product, manifest.version) != (product, version):
        raise UsageError(
            f"the manifest of {product} {version} describes {manifest.product} {manifest.version}",
            remedy=f"Correct {workspace.relative(workspace.manifest(product, version))}",
        )
    if scheme is not None and not workspace.scheme(scheme).is_dir():
        raise UsageError(f"no Scheme is called {scheme!r}", remedy="Schemes are the folders under scheme_rules/")
    contents = _scheme_release(workspace, scheme)
    if product == CORE_PRODUCT and contents.core is not None and contents.core.release != str(version):
        raise UsageError(
            f"scheme {scheme} lists {contents.core.name}, the run is to be of {version}",
            remedy=f"Run {contents.core.release}, or bring scheme_rules/{scheme}/scheme.yaml up to this release",
        )
    found = find_suite(workspace, product, version, suite=suite, paths=absolute, keep_going=keep_going, scheme=scheme)
    return RunOptions(
        workspace=workspace,
        product=product,
        release=version,
        manifest=manifest,
        scheme=scheme,
        target_name=target,
        target=_target(workspace, target, scheme, defects, i_know=i_know),
        run_id=run_id,
        labels=tuple(labels),
        defects=tuple(defects),
        suite=found,
        keyword=keyword,
        environment=environment or _environment_beside(found.collections),
        environment_is_published=environment is None,
        provision=provision,
        time_scale=time_scale,
        strict_steps=strict_steps,
        check_invariants=check_invariants,
        keep=keep,
        ignore_preflight=ignore_preflight,
        folder=folder,
        listed=contents.extensions if product == CORE_PRODUCT else (),
        core=core,
        core_manifest=_core_manifest(workspace, product, core, contents),
    )


def _scheme_release(workspace: Workspace, scheme: str | None) -> SchemeRelease:
    from harness.release.scheme import load_scheme_release

    return SchemeRelease("") if scheme is None else load_scheme_release(workspace.scheme(scheme))


def _core_manifest(workspace: Workspace, product: str, core: CoreRun | None, contents: SchemeRelease) -> Release | None:
    """The core's manifest for a run of an extension product: of the run it follows, else of the one that is listed."""
    from harness.release.manifest import load_manifest

    release = core.release if core else contents.core.release if contents.core else None
    if product == CORE_PRODUCT or release is None:
        return None
    return load_manifest(workspace.manifest(CORE_PRODUCT, ReleaseVersion.parse(release)))


def _environment_beside(paths: Sequence[Path]) -> Path | None:
    """Returns the environment that is published beside a collection: ``environments/hub.json`` above it."""
    for path in paths:
        for parent in path.parents:
            if (found := parent / "environments" / "hub.json").is_file():
                return found
    return None


def _paths(config: pytest.Config) -> list[Path]:
    return list(dict.fromkeys(Path(str(arg).partition("::")[0]) for arg in config.args))


def _narrowed(config: pytest.Config) -> str | None:
    option = config.option
    named = [str(arg) for arg in config.args if "::" in str(arg)]
    words = [getattr(option, "keyword", ""), getattr(option, "markexpr", ""), *named]
    words += ["--lf"] if getattr(option, "lf", False) else []
    return " ".join(word for word in words if word) or None


def _target(workspace: Workspace, name: str, scheme: str | None, defects: Sequence[str], *, i_know: bool) -> Any:
    if name == EMBEDDED:
        from harness.hub.defects import DEFECTS

        for defect in defects:
            if defect not in DEFECTS:
                raise UsageError(f"no defect is called {defect!r}", remedy="harness hub defects lists them")
        return None
    if defects:
        raise UsageError(
            "defects belong to the embedded hub only", remedy="Leave --defect out, or use --target embedded"
        )
    from harness.target.load import load_target

    target = load_target(workspace.target(name, scheme))
    _refuse_production(target, i_know=i_know)
    return target


def _refuse_production(target: Target, *, i_know: bool) -> None:
    """Raises ``UsageError`` where the run would move money in production without two people having said so.

    Every suite moves money: native and official cases make transfers, and a collection may.
    """
    if target.stage != "production":
        return
    if not target.allow_writes:
        raise UsageError(
            f"target {target.name} is production, and suites move money",
            remedy="Run on a validation environment; or state allow_writes: true in the target and give --i-know",
        )
    if not i_know:
        raise UsageError(
            f"target {target.name} is production, and suites move money",
            remedy="Run on a validation environment; or give --i-know if you mean it",
        )
