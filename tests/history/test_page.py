"""The page of a target tells its story, needs no network, runs nothing that a hub said, and everybody can use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.history.page.view import page_view
from harness.history.page.writer import write_page
from harness.history.reader import History
from harness.history.store import append
from tests.benchmarks.history_scale import make_history
from tests.history.nights import judged_night
from tests.judge.build import F, P, case, judged, run
from tests.outside import chromium

HOSTILE = "<script>document.title='owned'</script><img src=x onerror=alert(1)>\u202e"
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync"]  # fmt: skip


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """``story``: six nights with a regression on hostile names; ``large``: 90 nights of 3,000 checks."""
    root = tmp_path_factory.mktemp("history")
    for number in range(6):
        append(root, judged_night(number, F if number >= 3 else P))
    append(root, judged(run([case("pays", P, P), case(HOSTILE, F)], run_id=HOSTILE.replace("/", "-"))))
    make_history(root, "large", 90)
    torn = next(root.glob("checks/*/target=t/*/run-r001.parquet"))
    torn.write_bytes(b"PAR1")
    return {
        "story": write_page(root, "t", root / "story.html")[0],
        "large": write_page(root, "large", root / "large.html")[0],
        "root": root,
    }


def test_it_tells_what_is_open_what_changed_and_what_was_passed_over(pages: dict[str, Path]) -> None:
    view = page_view(History(pages["root"]), "t")
    (suite,) = view.suites
    assert [(one["check"], one["age"]) for one in suite.open] == [
        ("transfers/test_transfers.py::pays::send::c2", "2 days")
    ]
    assert "run-r001.parquet is passed over" in view.problems[0]
    text = pages["story"].read_text(encoding="utf-8")
    assert "run-r001.parquet is passed over" in text
    assert "1 of 1 passed in the baseline" in text
    with pytest.raises(UsageError, match="Targets with nights: large, t"):
        page_view(History(pages["root"]), "nowhere")


def test_it_stays_small_and_is_the_same_whenever_it_is_made(pages: dict[str, Path]) -> None:
    made = pages["large"].read_bytes()
    assert len(made) < 2 * 2**20
    again, problems = write_page(pages["root"], "large", pages["root"] / "again.html")
    assert (again.read_bytes() == made, problems) == (True, ())


def test_nothing_a_hub_said_is_markup(pages: dict[str, Path]) -> None:
    text = pages["story"].read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<img" not in text
    assert "\u202e" not in text
    assert "&lt;script&gt;" in text


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    program = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(program), headless=True, args=ARGS)
        yield found
        found.close()


@pytest.mark.parametrize(
    ("name", "scheme", "width"), [("story", "light", 1280), ("story", "dark", 360), ("large", "dark", 1280)]
)
def test_everybody_can_read_it(pages: dict[str, Path], browser: object, name: str, scheme: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True)  # type: ignore[attr-defined]
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(pages[name].as_uri())
    assert page.title() == f"History of mojaloop on {'t' if name == 'story' else 'large'}"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator(".grid > details > summary").first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('.grid > details').open")
    # axe with a handful of groups says what it says with thirty, in a tenth of the time.
    page.evaluate(
        "document.querySelectorAll('.grid > details:nth-of-type(n+4), tbody tr:nth-child(n+6)')"
        ".forEach(node => node.remove())"
    )
    found = Axe().run(page)
    bad = [each["id"] for each in found.response["violations"] if each["impact"] in ("serious", "critical")]
    assert bad == []
    assert said == []
    assert all(url.startswith(("file:", "data:")) for url in asked)
    page.close()


def test_the_policy_of_the_page_lets_its_own_style_in_and_nothing_else(pages: dict[str, Path], browser: object) -> None:
    page = browser.new_page()  # type: ignore[attr-defined]
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(pages["story"].as_uri())
    assert said == []
    assert page.evaluate("getComputedStyle(document.querySelector('.grid .row')).display") == "grid"
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    page.close()
