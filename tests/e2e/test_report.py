"""The report in a real browser and as a real PDF: Debian's Chromium by Playwright, pages by pdftoppm."""

import re
import shutil
import subprocess
from contextlib import contextmanager

import pytest
from tests.books import UNTIL
from tests.reports import EVIL, SCRIPT

from walkaway.report.html import write_report

pytest_plugins = ("tests.reports",)

DESKTOP, PHONE = {"width": 1200, "height": 900}, {"width": 390, "height": 800}


@pytest.fixture(scope="module")
def folder(hostile, model, settings, tmp_path_factory):
    out = tmp_path_factory.mktemp("report") / "out"
    write_report(hostile, model, UNTIL, settings, out)
    return out


@pytest.fixture(scope="module")
def browser(needs):
    needs("playwright", "chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield found
        found.close()


@contextmanager
def opened(browser, folder, viewport=DESKTOP, **options):
    """The page, offline, with all it asked for and complained of."""
    context = browser.new_context(viewport=viewport, offline=True, **options)
    page = context.new_page()
    page.asked, page.complaints = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("dialog", lambda dialog: page.complaints.append(f"dialog {dialog.message}"))
    page.goto(f"file://{folder / 'report.html'}")
    yield page
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_it_opens_offline_without_a_request_or_an_error_and_fits_the_screen(browser, folder, viewport, scheme):
    with opened(browser, folder, viewport, color_scheme=scheme) as page:
        assert page.complaints == []
        assert page.asked == [f"file://{folder / 'report.html'}"]
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        light = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (light == "rgb(20, 24, 29)") == (scheme == "dark")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(browser, folder, scheme):
    from axe_playwright_python.sync_playwright import Axe

    with opened(browser, folder, color_scheme=scheme, bypass_csp=True) as page:
        page.evaluate("document.querySelectorAll('details').forEach((one, at) => { one.open = at < 3 })")
        found = Axe().run(page)

    told = [(one["id"], one["nodes"][0]["html"][:200]) for one in found.response["violations"]]
    assert told == []


def column(page, place: int) -> list[float]:
    return page.eval_on_selector_all(
        f"#walk-away tbody tr:not([hidden]) td:nth-child({place})", "cells => cells.map(cell => Number(cell.dataset.v))"
    )


def test_a_table_sorts_by_a_click_and_by_the_keyboard(browser, folder):
    with opened(browser, folder) as page:
        head = page.locator("#walk-away th", has_text="value per hour")
        head.locator("button").click()
        first = column(page, 2)
        assert first == sorted(first, reverse=True)
        assert head.get_attribute("aria-sort") == "descending"
        head.locator("button").focus()
        page.keyboard.press("Enter")
        assert column(page, 2) == sorted(first)
        assert head.get_attribute("aria-sort") == "ascending"


def test_a_table_is_filtered_as_one_types(browser, folder):
    with opened(browser, folder) as page:
        rows = page.locator("#walk-away tbody tr")
        first = rows.first.locator("td").first.inner_text()
        page.get_by_label("Find a deal or a reason").fill(first)
        assert page.locator("#walk-away tbody tr:not([hidden])").count() >= 1
        assert first in page.locator("#walk-away tbody tr:not([hidden])").first.inner_text()
        assert re.fullmatch(r"\d+ of \d+ shown", page.locator(".filter output").first.inner_text())


def test_a_link_to_a_card_opens_it(browser, folder):
    with opened(browser, folder) as page:
        page.locator("#walk-away tbody a").first.click()
        name = page.url.partition("#")[2]
        assert page.locator(f"#{name}").get_attribute("open") is not None
        assert page.locator(f"#{name} p").first.is_visible()


def test_it_reads_without_javascript(browser, folder):
    with opened(browser, folder, java_script_enabled=False) as page:
        assert page.locator(".filter").first.is_hidden()
        assert page.locator(":is(#walk-away, #nurtured, #checked) tbody tr").count() > 3
        assert page.locator("#cards + p").is_visible()


def test_words_of_a_crm_are_shown_and_never_run(browser, folder):
    with opened(browser, folder) as page:
        text = page.locator("body").inner_text()
        assert page.complaints == []
    assert SCRIPT in text
    assert all(word[:40] in text for word in EVIL)


def test_in_print_nothing_is_left_to_click(browser, folder):
    with opened(browser, folder) as page:
        page.emulate_media(media="print")
        assert page.locator("nav").is_hidden()
        assert page.locator(".filter").first.is_hidden()
        assert page.locator("#answer").is_visible()


def test_the_pdf_has_pages_of_ink_and_the_answer_on_the_first(needs, folder, tmp_path):
    needs("weasyprint", "a font", "pdftoppm", "pdftotext")
    subprocess.run(["pdftoppm", "-r", "40", "-gray", folder / "report.pdf", tmp_path / "p"], check=True)
    pages = sorted(tmp_path.glob("p*.pgm"))
    first = subprocess.run(
        ["pdftotext", "-l", "1", folder / "report.pdf", "-"], capture_output=True, text=True, check=True
    )

    assert 3 <= len(pages) <= 40
    assert "Stopping work on" in first.stdout
    for page in pages:
        data = page.read_bytes()[20:]
        assert min(data) < 160  # something is printed on each


def test_the_folder_is_small_and_holds_all_that_was_promised(needs, folder):
    needs("weasyprint")
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}

    assert set(sizes) == {".lock", "report.html", "report.pdf", "digest.md", "deals.csv", "deals.xlsx", "calls.parquet"}
    assert sizes["report.html"] < 2_000_000
