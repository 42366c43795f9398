"""Every format can be asked for by its name, and what is no format is refused with the names there are."""

from __future__ import annotations

import pytest

from harness.errors import UsageError
from harness.report.formats import FORMATS, Format, format_named


@pytest.mark.parametrize("one", FORMATS.values(), ids=FORMATS)
def test_a_format_makes_the_report_of_its_name(one: Format) -> None:
    assert format_named(one.name) is one
    assert one.make().name == one.name
    assert "\n" not in one.text
    assert one.text


def test_an_unknown_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UsageError, match="'pdf'") as refused:
        format_named("pdf")
    assert all(name in str(refused.value) for name in FORMATS)
