"""Which products at which versions make up a Scheme's release, and which documents must it come with?

``scheme_rules/<scheme>/scheme.yaml``; a Scheme without one has no extension products and demands no documents.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.errors import CriteriaError
from harness.model.release import ReleaseVersion
from harness.model.scheme import CORE_PRODUCT, Artefact, ListedProduct, SchemeRelease
from harness.yaml_document import YamlDocument, parse_yaml, read_text, validated

__all__ = ["SCHEME_FILE", "load_scheme_release", "scheme_schema"]

SCHEME_FILE = "scheme.yaml"
_EMBEDDED = "embedded"

_Product = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
_Target = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Listed(_Part):
    """A product of the release."""

    product: _Product
    """The folder of its suite below ``suites/``: ``payment-manager``."""
    release: Annotated[str, Field(pattern=r"^v?\d+\.\d+\.\d+$")]
    suite: Literal["native", "official"] = "native"
    targets: dict[_Target, _Target] = {}
    """The core's target to the one that this product is reached by, where that is another one."""


class _Artefacts(_Part):
    """What every release, of the core and of each product, must come with."""

    required: tuple[Artefact, ...] = ()


class _SchemeFile(_Part):
    """What a Scheme's release consists of."""

    scheme: Annotated[str, Field(min_length=1)]
    products: tuple[_Listed, ...] = ()
    """The core first, then its extension products in the order they run."""
    artefacts: _Artefacts = _Artefacts()


def load_scheme_release(folder: Path) -> SchemeRelease:
    """Returns what the Scheme in ``folder`` lists. Raises ``CriteriaError`` with file and line."""
    file = folder / SCHEME_FILE
    if not file.exists():
        if (other := folder / "scheme.yml").exists():
            # else the products that it lists would be left out in silence
            raise CriteriaError("a Scheme's list of products has another name", file=other, remedy=f"Call it {file}")
        return SchemeRelease(folder.absolute().name)
    text = read_text(file, CriteriaError, what="list of a Scheme's products")
    document = parse_yaml(text, file, CriteriaError)
    read = validated(document, _SchemeFile, CriteriaError)
    name = folder.absolute().name
    if read.scheme != name:
        told = f"the list is of scheme {read.scheme!r}, the folder is that of {name!r}"
        raise _error(document, told, ("scheme",), "Give both the same name")
    _check(read, document)
    return SchemeRelease(
        scheme=read.scheme,
        products=tuple(
            ListedProduct(one.product, str(ReleaseVersion.parse(one.release)), one.suite, dict(one.targets))
            for one in read.products
        ),
        artefacts=tuple(kind for kind in Artefact if kind in read.artefacts.required),
        digest=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
    )


def scheme_schema() -> dict[str, Any]:
    """Returns the JSON Schema of ``scheme.yaml``, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_SchemeFile.model_json_schema()}


def _check(read: _SchemeFile, document: YamlDocument) -> None:
    seen: dict[str, int] = {}
    for index, listed in enumerate(read.products):
        where = ("products", index)
        if listed.product in seen:
            first = document.place(("products", seen[listed.product]))
            told = f"the product {listed.product!r} is listed twice"
            raise _error(document, told, (*where, "product"), f"Keep one; the first is on {first}")
        seen[listed.product] = index
        if listed.product == CORE_PRODUCT and listed.targets:
            told = "the core runs on the target that the command names"
            raise _error(document, told, (*where, "targets"), "Remove targets here")
        for core_target, target in listed.targets.items():
            if target == _EMBEDDED and core_target != _EMBEDDED:
                told = f"on {core_target}, {listed.product} would only be rehearsed on the embedded hub"
                raise _error(document, told, (*where, "targets", core_target), "Name a target of the Scheme")
    if read.products and read.products[0].product != CORE_PRODUCT:
        told = f"the first product is {read.products[0].product!r}, and what it is an extension of is not listed"
        remedy = f"Begin with {{product: {CORE_PRODUCT}, release: vX.Y.Z}}: the release of the core it is validated on"
        raise _error(document, told, ("products", 0), remedy)


def _error(document: YamlDocument, told: str, where: tuple[int | str, ...], remedy: str) -> CriteriaError:
    return CriteriaError(told, file=document.file, place=document.place(where), remedy=remedy)
