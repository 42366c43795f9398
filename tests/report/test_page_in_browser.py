"""In Chromium, with the network off: the page says what it must at once, is searched in no time, executes nothing.

Accessibility is checked by axe-core (WCAG 2 A and AA among its rules), in light and in dark.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from harness.judge.parts import ProductShown
from harness.model.outcome import Outcome
from harness.report.interface import ReportInput
from harness.report.page.writer import VerdictPage
from tests import outside
from tests.judge.build import SOUND, F, P, case, judged, run, waiver, waivers
from tests.report import scenarios
from tests.report.hostile import hostile, huge
from tests.report.test_page import breadth
from tests.report.test_products import BOTH, FRAUD, REJECTED, report, shown

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(outside.chromium()), args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each run's page, by name."""
    runs: dict[str, ReportInput] = {
        "approved": scenarios.approved(),
        "rejected": scenarios.rejected(),
        "inconclusive": scenarios.inconclusive(),
        "hostile": hostile(),
        "huge": huge(),
        "broad": scenarios.report_input(breadth(150, 20, Outcome.PASSED, failing="case number 77"), scenarios.cases()),
    }
    runs["products"] = report(ProductShown(FRAUD), shown(REJECTED), contents=BOTH)
    waived = judged(run((case("pays", P, F), *SOUND[1:])), waivers=waivers(waiver()))
    runs["waived"] = replace(runs["products"], judged=waived)
    folder = tmp_path_factory.mktemp("pages")
    return {name: VerdictPage().write(run, folder / name)[0] for name, run in runs.items()}


@dataclass
class Opened:
    """A page with everything that it did beside being shown."""

    page: Page
    noise: list[str] = field(default_factory=list)


def opened(browser: Browser, file: Path, **context: Any) -> Opened:
    page = browser.new_context(offline=True, **context).new_page()
    page.set_default_timeout(60_000)
    seen = Opened(page)
    page.on("console", lambda message: seen.noise.append(f"console: {message.text}"))
    page.on("pageerror", lambda problem: seen.noise.append(f"error: {problem}"))
    page.on("dialog", lambda dialog: seen.noise.append(f"dialog: {dialog.message}"))
    page.on("request", lambda request: seen.noise.append(f"request: {request.url}"))
    page.add_init_script("window.hits = 0; window.canary = () => { window.hits += 1; };")
    page.goto(file.as_uri())
    seen.noise.remove(f"request: {file.as_uri()}")
    # The page's own icon is empty and in the page itself.
    seen.noise = [one for one in seen.noise if one != "request: data:,"]
    return seen


def in_view(page: Page, selector: str) -> bool:
    """Whether the first of these lies on the first screen in full width, and begins there in height."""
    return bool(
        page.evaluate(
            """(selector) => {
                const box = document.querySelector(selector).getBoundingClientRect();
                return box.top >= 0 && box.bottom <= innerHeight && box.left >= 0 && box.right <= innerWidth;
            }""",
            selector,
        )
    )


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["desk", "phone"])
@pytest.mark.parametrize("name", ["rejected", "inconclusive", "products"])
def test_the_first_screen_holds_the_verdict_why_and_what_to_do(
    browser: Browser, written: dict[str, Path], name: str, size: tuple[int, int]
) -> None:
    seen = opened(browser, written[name], viewport={"width": size[0], "height": size[1]})
    for needed in ("h1", ".verdict svg", ".next", ".reasons li:first-child"):
        assert in_view(seen.page, needed), needed
    assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert seen.noise == []
    seen.page.context.close()


def test_a_search_finds_the_failing_check_among_3000_in_less_than_a_tenth_of_a_second(
    browser: Browser, written: dict[str, Path]
) -> None:
    seen = opened(browser, written["broad"])
    took = seen.page.evaluate(
        """() => {
            const field = document.getElementById("text");
            return ["n", "nu", "77 status number 3", "", "77 status number 3"].map((text) => {
                field.value = text;
                const began = performance.now();
                field.dispatchEvent(new Event("input", { bubbles: true }));
                void document.body.offsetHeight;  // with its layout
                return performance.now() - began;
            });
        }"""
    )
    shown = seen.page.evaluate(
        """() => [...document.querySelectorAll("#all .checks li")]
            .filter((one) => one.checkVisibility())
            .map((one) => one.className + ": " + one.textContent)"""
    )
    assert sorted(took)[len(took) // 2] < 100, took
    assert len(shown) == 5
    assert all(one.startswith("failed") for one in shown), shown
    assert seen.page.inner_text("#found") == "5 of 3,000 checks in 1 case"
    seen.page.fill("#text", "")
    seen.page.check("input[value=new-fail]")
    assert seen.page.inner_text("#found").startswith("20 of 3,000 checks")
    seen.page.select_option("#label", "p2p")
    assert seen.page.inner_text("#found").startswith("20 of 3,000 checks")
    seen.page.click("button[type=reset]")
    seen.page.wait_for_function("document.getElementById('found').textContent.startsWith('3,000 checks')")
    assert seen.noise == []
    seen.page.context.close()


def test_without_script_everything_but_the_filter_is_there(browser: Browser, written: dict[str, Path]) -> None:
    seen = opened(browser, written["rejected"], java_script_enabled=False)
    assert not seen.page.is_visible("#filter")
    assert seen.page.is_visible(".card .sides")
    seen.page.click("#all details:nth-of-type(20) > summary")
    assert seen.page.is_visible("#all details:nth-of-type(20) .checks li")
    seen.page.context.close()


@pytest.mark.parametrize("guarded", [True, False], ids=["as it is", "without its policy"])
@pytest.mark.parametrize("name", ["hostile", "huge"])
def test_nothing_that_a_hub_says_is_carried_out_or_fetched(
    browser: Browser, written: dict[str, Path], name: str, guarded: bool
) -> None:
    seen = opened(browser, written[name], bypass_csp=not guarded)
    page = seen.page
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.evaluate(
        """() => {
            for (const one of document.querySelectorAll("body *")) {
                for (const name of ["mouseover", "focus", "load", "error", "click"]) {
                    if (one.tagName !== "A" && one.tagName !== "SUMMARY") one.dispatchEvent(new Event(name));
                }
            }
        }"""
    )
    page.fill("#text", "<script>canary()</script>")
    page.wait_for_timeout(200)
    assert page.evaluate("window.hits") == 0
    assert seen.noise == []
    assert (
        page.evaluate("document.querySelectorAll('iframe, object, img, base, embed, script:not(body > script)').length")
        == 0
    )
    assert page.evaluate("[...document.links].every((one) => /^(https?|file):$/.test(one.protocol))")
    assert "<script>canary()</script>" in page.inner_text("#failed")
    page.context.close()


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("rejected", "light"),
        ("rejected", "dark"),
        ("approved", "light"),
        ("inconclusive", "dark"),
        ("products", "light"),
        ("products", "dark"),
    ],
)
def test_axe_finds_nothing_serious(browser: Browser, written: dict[str, Path], name: str, scheme: Any) -> None:
    seen = opened(browser, written[name], color_scheme=scheme)
    seen.page.evaluate("[...document.querySelectorAll('details')].slice(0, 12).forEach((one) => { one.open = true; })")
    found = Axe().run(seen.page, options={"resultTypes": ["violations"]}).response["violations"]
    heavy = [
        (one["id"], one["impact"], [node["html"][:200] for node in one["nodes"][:3]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert heavy == []
    seen.page.context.close()


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["desk", "phone"])
def test_a_rejected_product_cannot_be_missed(browser: Browser, written: dict[str, Path], size: tuple[int, int]) -> None:
    page = opened(browser, written["products"], viewport={"width": size[0], "height": size[1]}).page
    first = page.locator(".products li").first
    assert "payment-manager v5.1.0 REJECTED" in " ".join(first.inner_text().split())
    assert in_view(page, ".products li:first-child")
    red = page.evaluate("getComputedStyle(document.querySelector('.products .bad b')).backgroundColor")
    assert red == "rgb(179, 38, 30)"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.context.close()


def test_what_a_signature_accepts_stands_on_paper_though_it_is_folded_on_the_screen(
    browser: Browser, written: dict[str, Path]
) -> None:
    page = opened(browser, written["waived"]).page
    check = page.locator(".paper li.id").first
    assert not check.is_visible()
    page.emulate_media(media="print")
    assert check.is_visible()
    assert check.bounding_box()["height"] > 0  # type: ignore[index]
    page.context.close()


def test_the_keyboard_alone_reaches_every_control(browser: Browser, written: dict[str, Path]) -> None:
    seen = opened(browser, written["inconclusive"])
    page = seen.page
    wanted = page.evaluate(
        """() => {
            const all = [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex]")];
            const there = all.filter((one) => one.checkVisibility());
            there.forEach((one, index) => { one.dataset.reach = index; });
            document.addEventListener("focusin", (event) => { delete event.target.dataset.reach; });
            return there.length;
        }"""
    )
    assert wanted > 30
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
    assert (
        page.evaluate("[...document.querySelectorAll('[data-reach]')].map((one) => one.outerHTML.slice(0, 120))") == []
    )
    page.focus("#all summary")
    page.keyboard.press("Enter")
    assert page.is_visible("#all details .steps")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "text"
    page.context.close()
