"""How the console looks in every state: pictures for people, and nobody shut out (axe-core)."""

import pytest
from playwright.async_api import Page, expect
from tests.harness import console_scene as scene
from tests.harness.browser import Browsing
from tests.harness.browser_looks import LOOKS, Look, look_over
from tests.harness.console_fake import ConsoleFake
from tests.harness.console_fixtures import *  # noqa: F403

CF = scene.sid("CF", 1)
SMALL = tuple(Look(360, 740, scheme) for scheme in ("light", "dark"))
LOOK_AT = (*LOOKS[:2], *SMALL)


async def shown(browsing: Browsing, fake: ConsoleFake, address: str = "") -> Page:
    tab = await browsing.open("console", 0.0, fake.url + address)
    return tab.page


@pytest.mark.parametrize("size", [3, 40, 2_000])
async def test_live_conference_shuts_nobody_out(browsing: Browsing, fake: ConsoleFake, size: int) -> None:
    people = scene.crowd(size)
    signs = {
        40: {"recording": {"sid": scene.sid("RE", 1), "since_ms": scene.NOW_MS - 192_000}, "locked": True},
        2_000: {"muted_all": True},
    }
    fake.conferences = [scene.conference(people, entries=scene.happenings(people), **signs.get(size, {}))]
    fake.timelines[CF] = scene.timeline(people, 14)
    page = await shown(browsing, fake)
    await expect(page.locator(".row.person").first).to_be_visible()
    await expect(page.locator(".lane-names li").first).to_be_attached()
    talkers = [p["call_sid"] for p in people if p["speaking"]]
    levels = dict(zip(talkers, (-17.0, -26.5, -11.0), strict=False))
    fake.tell("levels", conference_sid=CF, levels=levels)
    await expect(page.locator("#slots .meter").first).not_to_have_css("--level-now", "0.000")
    await look_over(page, f"console-{size}", LOOK_AT)


async def test_waiting_conference_shuts_nobody_out(browsing: Browsing, fake: ConsoleFake) -> None:
    people = [
        scene.person(number, name, role, state="waiting")
        for number, (name, role) in enumerate((("Wen Xu", "speaker"), ("Zoë Uzun", "listener")), 1)
    ]
    waiting = scene.conference(people, state="waiting", waiting_for="moderator", started_at_ms=None)
    fake.conferences = [waiting]
    page = await shown(browsing, fake)
    await expect(page.locator(".row.person").first).to_be_visible()
    await look_over(page, "console-waiting", LOOK_AT)


async def test_ended_conference_shuts_nobody_out(browsing: Browsing, fake: ConsoleFake) -> None:
    people = scene.crowd(40)
    why = "participant-with-end-conference-on-exit-left"
    changed = {
        "state": "ended",
        "ended_at_ms": scene.NOW_MS,
        "ended_by": why,
        "entries": scene.happenings(people),
    }
    fake.ended = [scene.conference([], **changed)]
    fake.attendance = scene.attendance(people)
    fake.recordings = [scene.recording(), scene.recording(2, status="processing")]
    fake.timelines[CF] = scene.timeline(people)
    page = await shown(browsing, fake, f"#{CF}")
    await expect(page.get_by_role("table", name="Attendance")).to_contain_text("Ben Okafor")
    await look_over(page, "console-ended", LOOK_AT)


async def test_empty_console_shuts_nobody_out(browsing: Browsing, fake: ConsoleFake) -> None:
    page = await shown(browsing, fake)
    await expect(page.get_by_role("link", name="Call in as moderator")).to_be_visible()
    await look_over(page, "console-empty", LOOK_AT)


async def test_sign_in_shuts_nobody_out(browsing: Browsing, fake: ConsoleFake) -> None:
    fake.signed_in = False
    page = await shown(browsing, fake)
    await expect(page.get_by_label("Moderator PIN")).to_be_visible()
    await look_over(page, "console-sign-in", LOOK_AT)


async def test_overview_shuts_nobody_out(browsing: Browsing, fake: ConsoleFake) -> None:
    fake.role = "operator"
    fake.lines.append({"number": "3000", "name": "", "pin": False})
    board = [scene.person(9, "Wen", "speaker", state="waiting")]
    waiting = {"state": "waiting", "waiting_for": "moderator", "started_at_ms": None}
    fake.conferences = [
        scene.conference(scene.crowd(40)),
        scene.conference(board, 2, name="Board call", **waiting),
    ]
    over = {"state": "ended", "ended_at_ms": scene.NOW_MS - 9_000_000}
    fake.ended = [scene.conference([], 3, created_at_ms=scene.NOW_MS - 12_000_000, **over)]
    page = await shown(browsing, fake)
    await expect(page.get_by_role("link", name="Board call")).to_be_visible()
    await look_over(page, "console-overview", LOOK_AT)


@pytest.mark.parametrize(
    ("key", "name"), [("?", "Keys"), ("Shift+E", "End"), ("Shift+D", "Dial"), ("Enter", "Anna")]
)
async def test_dialog_shuts_nobody_out(browsing: Browsing, fake: ConsoleFake, key: str, name: str) -> None:
    fake.conferences = [scene.conference(scene.crowd(40))]
    page = await shown(browsing, fake)
    await page.locator(".row.person").first.focus()
    await page.keyboard.press(key)
    await expect(page.get_by_role("dialog").filter(has_text=name)).to_be_visible()
    await look_over(page, f"console-dialog-{name.lower()}", LOOK_AT)
