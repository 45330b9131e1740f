"""The judge of looks can fail: unreadable text, a field without a name, a page that is too wide."""

import pytest
from playwright.async_api import Page
from tests.harness.browser import Browsing, serve_files
from tests.harness.browser_fixtures import *  # noqa: F403
from tests.harness.browser_looks import LOOKS, faults, look_over, wear

BASE = "http://127.0.0.1:9/test/"
FRAME = """<!doctype html><html lang="en"><title>A page</title>
<meta name="viewport" content="width=device-width">
<main><h1>A page</h1>{}</main></html>"""


async def test_page_without_faults_passes(browsing: Browsing) -> None:
    await look_over(await shown(browsing, "<p>Hello.</p>"), "harness-plain")


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ('<p style="color:#ccc;background:#fff">Hello.</p>', "color-contrast"),
        ('<input type="text">', "label"),
        ("<button></button>", "button-name"),
        ('<div style="width:2000px">Hello.</div>', "sideways"),
    ],
    ids=["pale", "nameless-field", "nameless-button", "too-wide"],
)
async def test_page_that_shuts_people_out_fails(browsing: Browsing, body: str, complaint: str) -> None:
    page = await shown(browsing, body)
    with pytest.raises(AssertionError, match=complaint):
        await look_over(page, "harness-faulty", LOOKS[2:3])


async def test_look_is_put_on(browsing: Browsing) -> None:
    page = await shown(browsing, "<p>Hello.</p>")
    await wear(page, LOOKS[3])
    dark = "() => [innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]"
    assert await page.evaluate(dark) == [390, True]
    assert await faults(page) == []


async def shown(browsing: Browsing, body: str) -> Page:
    tab = await browsing.tab("ann")
    await serve_files(tab, BASE, {"page.html": FRAME.format(body)})
    await tab.page.goto(f"{BASE}page.html")
    return tab.page
