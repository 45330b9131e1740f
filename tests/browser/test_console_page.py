"""The console's page in Chromium, with a scripted server: what it shows, keys, dialogs, the live stream."""

from typing import Any

from playwright.async_api import Locator, Page, expect
from tests.harness import console_scene as scene
from tests.harness.browser import Browsing
from tests.harness.console_fake import ConsoleFake
from tests.harness.console_fixtures import *  # noqa: F403

CF = scene.sid("CF", 1)
HOSTILE = '<img src=x onerror="document.title=1">&amp;"\'{{7*7}}'


async def shown(browsing: Browsing, fake: ConsoleFake, address: str = "", **options: Any) -> Page:
    tab = await browsing.open("console", 0.0, fake.url + address, **options)
    if fake.signed_in:
        await fake.followed()
    return tab.page


def live(fake: ConsoleFake, people: list[dict[str, Any]], **changed: Any) -> None:
    fake.conferences = [scene.conference(people, **changed)]


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has_text=name)


async def next_frame(page: Page) -> None:
    """Wait until what a script has changed is laid out: between two frames, places are half of the old."""
    await page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def act(page: Page, name: str) -> Locator:
    return page.locator("#acts").get_by_role("button", name=name)


async def test_live_conference_is_shown_in_words_and_numbers(browsing: Browsing, fake: ConsoleFake) -> None:
    live(fake, scene.crowd(40), recording={"sid": scene.sid("RE", 1), "since_ms": scene.NOW_MS - 192_000})
    page = await shown(browsing, fake)
    await expect(page.get_by_role("heading", name="Quarterly town hall")).to_be_visible()
    await expect(page.locator("#state")).to_contain_text("Live")
    await expect(page.get_by_role("timer")).to_contain_text("00:12:3")
    counts = page.get_by_role("list", name="Who is here")
    await expect(counts).to_have_text("2 moderators8 speakers30 listeners1 ringing")
    await expect(page.get_by_role("list", name="Signs")).to_contain_text("Recording00:03:1")
    on_air = page.locator("#slots")
    for name in ("Anna Schmidt", "Wen Okafor", "Amara Kowalska"):
        await expect(on_air.get_by_text(name)).to_be_visible()
    await expect(row(page, "Anna Schmidt")).to_contain_text("Talking")
    await expect(row(page, "Elif Fontaine")).to_contain_text("Muted")
    await expect(row(page, "Nadia Brandt")).to_contain_text("On hold")


async def test_level_moves_with_the_voice(browsing: Browsing, fake: ConsoleFake) -> None:
    people = scene.crowd(3)
    live(fake, people)
    page = await shown(browsing, fake)
    meters = page.locator("#slots .slot[data-is=lit] .meter, .row[data-is=talking] .meter")
    await expect(meters).to_have_count(2)
    for level, shares in ((-30.0, ["0.500", "0.50"]), (-12.0, ["0.875", "0.88"])):
        fake.tell("levels", conference_sid=CF, levels={people[0]["call_sid"]: level})
        for meter, share in zip(await meters.all(), shares, strict=True):
            await expect(meter).to_have_css("--level-now", share)
    fake.tell("levels", conference_sid=CF, levels={})
    for meter in await meters.all():
        await expect(meter).to_have_css("--level-now", "0.000" if meter is None else await silent(meter))


async def silent(meter: Locator) -> str:
    """Nothing, in as many places as the meter writes."""
    return "0.000" if await meter.evaluate("element => element.matches('.ppm')") else "0.00"


async def test_person_is_muted_by_button_and_by_key(browsing: Browsing, fake: ConsoleFake) -> None:
    people = scene.crowd(3)
    live(fake, people)
    page = await shown(browsing, fake)
    ben = row(page, "Ben Okafor")
    await ben.hover()
    await ben.get_by_role("button", name="Mute Ben Okafor").click()
    done = await fake.acted()
    assert (done.sid, done.action, done.body) == (CF, "mute", {"call_sids": [people[1]["call_sid"]]})
    assert done.token == "token-of-the-fake"
    fake.tell("participants", conference_sid=CF, participants=[people[1] | {"muted": True, "state": "muted"}])
    await expect(ben).to_contain_text("Muted")
    await ben.focus()
    await page.keyboard.press("m")
    assert (await fake.acted()).action == "unmute"
    await page.keyboard.press("h")
    assert (await fake.acted()).action == "hold"


async def test_arrows_walk_the_roster_and_its_buttons(browsing: Browsing, fake: ConsoleFake) -> None:
    live(fake, scene.crowd(40))
    page = await shown(browsing, fake)
    await expect(row(page, "Anna Schmidt")).to_be_visible()
    await page.keyboard.press("p")
    await expect(row(page, "Anna Schmidt")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await expect(row(page, "Zoë Quist")).to_be_focused()
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("button", name="Mute Zoë Quist")).to_be_focused()
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("k")
    await expect(row(page, "Ben Okafor")).to_be_focused()
    await page.keyboard.press("End")
    await expect(page.locator(".row.person:focus")).to_have_attribute("aria-rowindex", "44")
    await page.keyboard.press("1")
    await expect(row(page, "Amara Kowalska")).to_be_focused()


async def test_row_with_the_focus_outlives_scrolling(browsing: Browsing, fake: ConsoleFake) -> None:
    live(fake, scene.crowd(500))
    page = await shown(browsing, fake)
    await row(page, "Anna Schmidt").focus()
    await page.locator(".scroll").evaluate("element => element.scrollTo(0, 1e6)")
    await expect(page.locator("[aria-rowindex='504']")).to_be_visible()
    await expect(row(page, "Anna Schmidt")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(row(page, "Ben Okafor")).to_be_focused()
    await expect(row(page, "Ben Okafor")).to_be_in_viewport()


async def test_search_finds_names_numbers_and_states(browsing: Browsing, fake: ConsoleFake) -> None:
    live(fake, scene.crowd(40))
    page = await shown(browsing, fake)
    people = page.locator(".row.person")
    await expect(people.first).to_be_visible()
    await page.keyboard.press("/")
    await page.keyboard.type("zoe quist")
    await expect(people).to_have_count(1)
    await expect(page.locator("#found")).to_have_text("1 of 40")
    await page.get_by_role("searchbox").fill("on hold")
    await expect(people).to_have_text(["Nadia Brandt+15550000006On hold12:26"])
    await page.get_by_role("searchbox").fill("0000012")
    await expect(people).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(page.locator("#found")).to_be_empty()
    await expect(people.nth(3)).to_be_visible()


async def test_keys_do_nothing_while_somebody_types(browsing: Browsing, fake: ConsoleFake) -> None:
    live(fake, scene.crowd(3))
    page = await shown(browsing, fake)
    await row(page, "Ben Okafor").focus()
    await page.keyboard.press("/")
    await page.keyboard.type("mMxE?")
    await expect(page.get_by_role("searchbox")).to_have_value("mMxE?")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert fake.acts.empty()


async def test_keys_can_be_switched_off(browsing: Browsing, fake: ConsoleFake) -> None:
    live(fake, scene.crowd(3))
    page = await shown(browsing, fake)
    await row(page, "Ben Okafor").focus()
    await page.keyboard.press("?")
    overlay = page.get_by_role("dialog", name="Keys")
    await expect(overlay).to_contain_text("Mute or unmute")
    await overlay.get_by_label("Single keys off").check()
    await page.keyboard.press("Escape")
    await expect(row(page, "Ben Okafor")).to_be_focused()
    await page.keyboard.press("m")
    await page.keyboard.press("?")
    await overlay.get_by_label("Single keys off").uncheck()
    await page.keyboard.press("Escape")
    await page.keyboard.press("h")
    assert (await fake.acted()).action == "hold"


async def test_whole_conference_is_acted_on_by_capitals_and_buttons(
    browsing: Browsing, fake: ConsoleFake
) -> None:
    people = scene.crowd(3)
    live(fake, people)
    page = await shown(browsing, fake)
    await expect(act(page, "Mute all")).to_be_visible()
    for key, action in (("M", "mute-all"), ("L", "lock"), ("R", "record")):
        await page.keyboard.press(f"Shift+{key}")
        assert (await fake.acted()).action == action
    changed = {"muted_all": True, "locked": True, "recording": {"sid": "RE1", "since_ms": scene.NOW_MS}}
    fake.tell("conference", conference=scene.conference(people, **changed))
    for name, action in (
        ("Release all", "release-all"),
        ("Unlock", "unlock"),
        ("Stop rec.", "stop-recording"),
    ):
        await act(page, name).click()
        assert (await fake.acted()).action == action
    for sign in ("Recording", "Locked", "All muted"):
        await expect(page.get_by_role("list", name="Signs").get_by_text(sign, exact=True)).to_be_visible()


async def test_end_asks_first_and_the_safe_answer_has_the_focus(
    browsing: Browsing, fake: ConsoleFake
) -> None:
    live(fake, scene.crowd(3))
    page = await shown(browsing, fake)
    await act(page, "End").click()
    question = page.get_by_role("dialog", name="End Quarterly town hall?")
    await expect(question).to_contain_text("3 people")
    await expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(question).to_have_count(0)
    await expect(act(page, "End")).to_be_focused()
    await page.keyboard.press("Shift+E")
    await question.get_by_role("button", name="Cancel").click()
    assert fake.acts.empty()
    await page.keyboard.press("Shift+E")
    await question.get_by_role("button", name="End for everybody").click()
    assert (await fake.acted()).action == "end"


async def test_removing_asks_first(browsing: Browsing, fake: ConsoleFake) -> None:
    people = scene.crowd(3)
    live(fake, people)
    page = await shown(browsing, fake)
    await row(page, "Ben Okafor").focus()
    await page.keyboard.press("x")
    await page.get_by_role("dialog", name="Remove Ben Okafor?").get_by_role("button", name="Remove").click()
    done = await fake.acted()
    assert (done.action, done.body) == ("kick", {"call_sids": [people[1]["call_sid"]]})


async def test_guest_is_dialled(browsing: Browsing, fake: ConsoleFake) -> None:
    live(fake, scene.crowd(3))
    page = await shown(browsing, fake)
    await act(page, "Dial guest").click()
    form = page.get_by_role("dialog", name="Dial a guest")
    await form.get_by_label("Number or SIP address").fill(" sip:guest@example.com ")
    await form.get_by_label("Name in the roster").fill("Dr. Who")
    await form.get_by_label("Comes in as").select_option("Listener")
    await form.get_by_role("button", name="Dial").click()
    done = await fake.acted()
    assert done.body == {"to": "sip:guest@example.com", "label": "Dr. Who", "role": "listener"}
    await expect(form).to_have_count(0)


async def test_announcement_is_said_to_all_or_to_one(browsing: Browsing, fake: ConsoleFake) -> None:
    people = scene.crowd(3)
    live(fake, people)
    page = await shown(browsing, fake)
    await act(page, "Announce").click()
    form = page.get_by_role("dialog", name="Announce to everybody")
    await form.get_by_label("To be said").fill("We begin.")
    await form.get_by_role("button", name="Announce").click()
    assert (await fake.acted()).body == {"text": "We begin."}
    await row(page, "Ben Okafor").focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("dialog").get_by_role("button", name="Announce").click()
    form = page.get_by_role("dialog", name="Announce to Ben Okafor")
    await form.get_by_label("Or the address of a sound file").fill("https://example.com/a.mp3")
    await form.get_by_role("button", name="Announce").click()
    done = await fake.acted()
    assert done.body == {"url": "https://example.com/a.mp3", "call_sid": people[1]["call_sid"]}


async def test_coach_is_chosen_among_moderators_and_stopped_again(
    browsing: Browsing, fake: ConsoleFake
) -> None:
    people = [
        scene.person(1, "Anna", "moderator"),
        scene.person(2, "Ben", "moderator"),
        scene.person(3, "Chidi", "speaker"),
    ]
    live(fake, people)
    page = await shown(browsing, fake)
    await row(page, "Chidi").focus()
    await page.keyboard.press("c")
    form = page.get_by_role("dialog", name="Coach Chidi")
    await form.get_by_label("Who whispers").select_option("Ben")
    await form.get_by_role("button", name="Coach").click()
    ben, chidi = people[1]["call_sid"], people[2]["call_sid"]
    assert (await fake.acted()).body == {"call_sid": ben, "target": chidi}
    coaching = people[1] | {"state": "coaching", "coaching": chidi}
    fake.tell("participants", conference_sid=CF, participants=[coaching])
    await expect(row(page, "Ben")).to_contain_text("Coaching Chidi")
    await row(page, "Chidi").filter(has_not_text="Coaching").focus()
    await page.keyboard.press("c")
    assert (await fake.acted()).body == {"call_sid": ben, "target": None}


async def test_refusal_is_told_in_the_servers_words(browsing: Browsing, fake: ConsoleFake) -> None:
    live(fake, scene.crowd(3))
    fake.refusals["record"] = (409, {"code": "refused", "message": "It is being recorded already."})
    page = await shown(browsing, fake)
    browsing.tabs[0].expect_fault("409")
    await act(page, "Record").click()
    await expect(page.get_by_role("alert").filter(has_text="It is being recorded already.")).to_have_count(1)
    await expect(page.locator("#ticker")).to_contain_text("It is being recorded already.")


async def test_others_actions_appear_at_once_with_who_did_it(browsing: Browsing, fake: ConsoleFake) -> None:
    live(fake, scene.crowd(3))
    page = await shown(browsing, fake)
    await expect(row(page, "Ben Okafor")).to_be_visible()
    text = "Zoë muted Ben Okafor"
    done = scene.entry(1, "action", text, by="Zoë", action="mute")
    fake.tell("entries", conference_sid=CF, entries=[done, scene.entry(2, "joined", "Yusuf came in")])
    for place in ("#entries", "#ticker", "#polite"):
        await expect(page.locator(place)).to_contain_text(text)
    await expect(page.locator("#entries strong").filter(has_text="Zoë")).to_be_visible()
    await expect(page.locator("#polite")).not_to_contain_text("Yusuf")


async def test_two_thousand_people_cost_few_elements(browsing: Browsing, fake: ConsoleFake) -> None:
    live(fake, scene.crowd(2_000))
    page = await shown(browsing, fake)
    await expect(page.get_by_role("grid", name="People")).to_have_attribute("aria-rowcount", "2004")
    assert await page.locator(".row").count() < 60
    assert await page.locator("*").count() < 1_800
    await page.locator(".scroll").evaluate("element => element.scrollTo(0, 1e6)")
    await expect(page.locator("[aria-rowindex='2004']")).to_be_visible()
    assert await page.locator(".row").count() < 60
    more = [scene.person(number, f"Late {number}", "speaker") for number in range(3_000, 3_200)]
    fake.tell("participants", conference_sid=CF, participants=more)
    await expect(page.get_by_role("grid", name="People")).to_have_attribute("aria-rowcount", "2204")
    await expect(page.locator("[aria-rowindex='2204']")).to_be_visible()
    assert await page.locator(".row").count() < 60


async def test_nothing_jumps_under_the_pointer(browsing: Browsing, fake: ConsoleFake) -> None:
    people = scene.crowd(40)
    live(fake, people)
    page = await shown(browsing, fake)
    wen = row(page, "Wen Okafor")
    await wen.hover()
    await next_frame(page)
    before = await wen.bounding_box()
    newcomer = scene.person(100, "New Moderator", "moderator")
    fake.tell("participants", conference_sid=CF, participants=[newcomer])
    fake.tell("left", conference_sid=CF, call_sids=[people[2]["call_sid"]])
    pending = page.get_by_role("button", name="Show 1 who came in")
    await expect(pending).to_be_visible()
    await expect(row(page, "Zoë Quist")).to_contain_text("Left")
    await next_frame(page)
    assert await wen.bounding_box() == before
    await expect(row(page, "New Moderator")).to_have_count(0)
    await page.mouse.move(700, 20)
    await expect(row(page, "New Moderator")).to_be_visible()
    await expect(row(page, "Zoë Quist")).to_have_count(0)
    await expect(pending).to_be_hidden()


async def test_focused_row_stays_where_it_is_when_people_come_above(
    browsing: Browsing, fake: ConsoleFake
) -> None:
    live(fake, scene.crowd(200))
    page = await shown(browsing, fake)
    await expect(row(page, "Anna Schmidt")).to_be_visible()
    await page.keyboard.press("p")
    for _ in range(30):
        await page.keyboard.press("ArrowDown")
    await next_frame(page)
    focused = page.locator(".row.person:focus")
    before = await focused.bounding_box()
    name = await focused.inner_text()
    more = [scene.person(number, f"Late {number}", "speaker") for number in range(300, 305)]
    fake.tell("participants", conference_sid=CF, participants=more)
    await expect(page.get_by_role("grid", name="People")).to_have_attribute("aria-rowcount", "209")
    await next_frame(page)
    assert await focused.bounding_box() == before
    assert (await focused.inner_text()).split("\n")[0] == name.split("\n")[0]


async def test_focus_goes_to_the_next_when_the_person_leaves(browsing: Browsing, fake: ConsoleFake) -> None:
    people = scene.crowd(40)
    live(fake, people)
    page = await shown(browsing, fake)
    await row(page, "Wen Okafor").focus()
    fake.tell("left", conference_sid=CF, call_sids=[people[3]["call_sid"]])
    await expect(row(page, "Elif Fontaine")).to_be_focused()


async def test_speakers_keep_their_places_on_air(browsing: Browsing, fake: ConsoleFake) -> None:
    people = scene.crowd(40)
    live(fake, people)
    page = await shown(browsing, fake)
    names = page.locator("#slots .name")
    await expect(names).to_have_text(["Amara Kowalska", "Anna Schmidt", "Wen Okafor", ""])
    quiet = people[8] | {"state": "quiet", "speaking": False, "speaking_since_ms": None}
    begun = people[2] | {"state": "talking", "speaking": True, "speaking_since_ms": scene.NOW_MS}
    fake.tell("participants", conference_sid=CF, participants=[quiet, begun])
    await expect(names).to_have_text(["Amara Kowalska", "Anna Schmidt", "Wen Okafor", "Zoë Quist"])
    await expect(page.locator("#slots .slot").first).to_contain_text("silent")


async def test_names_are_text_wherever_they_stand(browsing: Browsing, fake: ConsoleFake) -> None:
    people = [
        scene.person(1, HOSTILE, "moderator", state="talking"),
        scene.person(2, "Ben", "speaker", number=HOSTILE),
    ]
    entries = [scene.entry(1, "action", f"{HOSTILE} muted Ben", by=HOSTILE, action="mute")]
    live(fake, people, name=HOSTILE, entries=entries)
    fake.timelines[CF] = scene.timeline(people)
    fake.attendance = scene.attendance(people)
    fake.lines = [{"number": "1000", "name": HOSTILE, "pin": True}]
    page = await shown(browsing, fake)
    for place in ("#title", "#slots", "#roster", "#entries", "#panel-lanes"):
        await expect(page.locator(place)).to_contain_text(HOSTILE)
    await page.get_by_role("tab", name="Attendance").click()
    await expect(page.locator("#panel-attendance")).to_contain_text(HOSTILE)
    await page.locator(".row.person").first.focus()
    await page.keyboard.press("x")
    await expect(page.get_by_role("dialog")).to_contain_text(HOSTILE)
    await page.keyboard.press("Escape")
    fake.tell(
        "entries", conference_sid=CF, entries=[scene.entry(2, "action", HOSTILE, by="x", action="mute")]
    )
    await expect(page.locator("#ticker")).to_contain_text(HOSTILE)
    assert await page.locator("img").count() == 0
    assert await page.title() != "1"


async def test_stream_that_is_refused_is_opened_anew(browsing: Browsing, fake: ConsoleFake) -> None:
    people = scene.crowd(3)
    live(fake, people)
    page = await shown(browsing, fake)
    browsing.tabs[0].expect_fault("502|ERR_INCOMPLETE_CHUNKED_ENCODING")
    await expect(row(page, "Ben Okafor")).to_contain_text("Can speak")
    fake.refuse_streams = True
    fake.drop()
    await fake.followed(times=2)
    await expect(page.get_by_text("Reconnecting")).to_be_visible()
    people[1] |= {"muted": True, "state": "muted"}
    live(fake, people)
    fake.refuse_streams = False
    await expect(row(page, "Ben Okafor")).to_contain_text("Muted")
    await expect(page.get_by_text("Reconnecting")).to_be_hidden()


async def test_stream_is_resumed_where_it_broke(browsing: Browsing, fake: ConsoleFake) -> None:
    people = scene.crowd(3)
    live(fake, people)
    page = await shown(browsing, fake)
    browsing.tabs[0].expect_fault("ERR_INCOMPLETE_CHUNKED_ENCODING")
    await expect(row(page, "Ben Okafor")).to_be_visible()
    fake.drop()
    await fake.followed(times=2)
    fake.tell("participants", conference_sid=CF, participants=[people[1] | {"muted": True, "state": "muted"}])
    await expect(row(page, "Ben Okafor")).to_contain_text("Muted")
    assert fake.resumed == [None, "e-0"]


async def test_session_that_ends_leads_to_the_sign_in(browsing: Browsing, fake: ConsoleFake) -> None:
    live(fake, scene.crowd(3))
    page = await shown(browsing, fake)
    await expect(row(page, "Ben Okafor")).to_be_visible()
    fake.signed_in = False
    fake.tell("signed-out", reason="changed")
    await expect(page.get_by_role("heading", name="Sign in to moderate")).to_be_visible()
    await expect(page.get_by_role("alert").filter(has_text="the PIN or password was changed")).to_be_visible()
    await expect(page.get_by_text("Ben Okafor")).to_have_count(0)


async def test_moderator_signs_in_by_pin(browsing: Browsing, fake: ConsoleFake) -> None:
    fake.signed_in = False
    fake.lines.append({"number": "2000", "name": "Board call", "pin": True})
    fake.lines.append({"number": "3000", "name": "No PIN here", "pin": False})
    live(fake, scene.crowd(3))
    page = await shown(browsing, fake)
    lines = page.get_by_label("Line")
    await expect(lines.locator("option")).to_have_text(["Quarterly town hall (1000)", "Board call (2000)"])
    await expect(page.get_by_label("Moderator PIN")).to_be_focused()
    fake.refusals["sign-in"] = (401, {"code": "wrong-pin", "message": "That is not the PIN."})
    browsing.tabs[0].expect_fault("401")
    await page.get_by_label("Moderator PIN").fill("111111")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert").filter(has_text="That is not the PIN.")).to_be_visible()
    await expect(page.get_by_label("Moderator PIN")).to_be_focused()
    fake.refusals.clear()
    await page.get_by_label("Moderator PIN").fill("246810")
    await page.get_by_label("Your name").fill("Anna")
    await page.get_by_role("button", name="Sign in").click()
    await expect(row(page, "Ben Okafor")).to_be_visible()
    fake.sign_ins.get_nowait()
    assert fake.sign_ins.get_nowait() == {"line": "1000", "pin": "246810", "name": "Anna"}
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("Moderator PIN")).to_have_value("")


async def test_operator_signs_in_by_password(browsing: Browsing, fake: ConsoleFake) -> None:
    fake.signed_in = False
    fake.lines = []
    page = await shown(browsing, fake)
    await expect(page.get_by_label("Password")).to_be_focused()
    fake.refusals["sign-in"] = (429, {"code": "too-many", "message": "Too many guesses.", "wait_s": 40})
    browsing.tabs[0].expect_fault("429")
    await page.get_by_label("Password").fill("a guess")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert").filter(has_text="Try again in 40 seconds.")).to_be_visible()
    assert fake.sign_ins.get_nowait() == {"password": "a guess"}


async def test_empty_console_says_how_to_call_in(browsing: Browsing, fake: ConsoleFake) -> None:
    page = await shown(browsing, fake)
    await expect(page.get_by_role("heading", name="Nobody is here yet")).to_be_visible()
    await expect(page.get_by_text("sip:1000@203.0.113.7")).to_be_visible()
    call = page.get_by_role("link", name="Call in as moderator")
    await expect(call).to_have_attribute("href", "/?line=1000&press=3")
    live(fake, scene.crowd(3))
    fake.tell("conference", conference=fake.conferences[0])
    await expect(page.get_by_role("heading", name="Quarterly town hall", level=1)).to_be_visible()


async def test_conference_that_waits_says_what_for(browsing: Browsing, fake: ConsoleFake) -> None:
    people = [scene.person(1, "Wen", "speaker", state="waiting")]
    live(fake, people, state="waiting", waiting_for="moderator", started_at_ms=None)
    page = await shown(browsing, fake)
    await expect(page.locator("#state")).to_have_text("Waiting for a moderator")
    await expect(row(page, "Wen")).to_contain_text("Waiting")
    await expect(page.get_by_role("link", name="Call in as moderator")).to_be_visible()
    fake.tell("conference", conference=scene.conference(people))
    await expect(page.locator("#state")).to_contain_text("Live")
    await expect(page.get_by_role("link", name="Call in as moderator")).to_be_hidden()


async def test_several_conferences_are_listed_and_switched(browsing: Browsing, fake: ConsoleFake) -> None:
    fake.role = "operator"
    board = scene.conference([scene.person(9, "Wen", "speaker")], 2, name="Board call")
    old = scene.conference([], 3, name="Last week", state="ended", ended_at_ms=scene.NOW_MS, ended_by="lost")
    fake.conferences, fake.ended = [scene.conference(scene.crowd(3)), board], [old]
    page = await shown(browsing, fake)
    overview = page.get_by_role("region", name="Conferences")
    await expect(overview.get_by_role("link")).to_have_count(3)
    await overview.get_by_role("link", name="Board call").click()
    await expect(row(page, "Wen")).to_be_visible()
    await page.keyboard.press("s")
    await page.get_by_role("dialog").get_by_role("link", name="Quarterly town hall").click()
    await expect(row(page, "Ben Okafor")).to_be_visible()
    await expect(row(page, "Wen")).to_have_count(0)
    fake.conferences = [board]
    browsing.tabs[0].expect_fault("404")
    fake.tell("removed", conference_sids=[CF])
    await expect(overview.get_by_role("link", name="Board call")).to_be_visible()
    await expect(row(page, "Ben Okafor")).to_be_hidden()


async def test_ended_conference_has_sums_attendance_lanes_and_recordings(
    browsing: Browsing, fake: ConsoleFake
) -> None:
    people = scene.crowd(40)
    why = "participant-with-end-conference-on-exit-left"
    fake.ended = [scene.conference([], state="ended", ended_at_ms=scene.NOW_MS, ended_by=why, attended=41)]
    fake.attendance = scene.attendance(people)
    fake.timelines[CF] = scene.timeline(people)
    fake.recordings = [scene.recording(), scene.recording(2, status="processing")]
    page = await shown(browsing, fake, f"#{CF}")
    await expect(page.locator("#state")).to_contain_text("Ended")
    summary = page.get_by_role("region", name="Summary")
    await expect(summary).to_contain_text("12 min 31 s")
    await expect(summary).to_contain_text("the moderator left")
    await expect(page.locator("#acts")).to_be_hidden()
    there = page.get_by_role("table", name="Attendance")
    await expect(there.get_by_role("row")).to_have_count(41)
    csv = page.get_by_role("link", name="CSV")
    await expect(csv).to_have_attribute("href", f"/console/conferences/{CF}/attendance.csv")
    await page.get_by_role("searchbox").fill("zoe quist")
    await expect(there.get_by_role("row")).to_have_count(2)
    await page.get_by_role("button", name="As a table").click()
    spoke = page.get_by_role("table", name="Who spoke")
    await expect(spoke.get_by_role("rowheader")).to_have_count(8)
    await page.get_by_role("tab", name="Recordings (2)").click()
    recordings = page.locator("#panel-recordings li")
    await expect(recordings.nth(1)).to_contain_text("Being finished")
    await expect(recordings.first.locator("audio")).to_have_attribute("src", fake.recordings[0]["mp3"])
    download = page.get_by_role("link", name="Recording 1 as MP3")
    await expect(download).to_have_attribute("href", f"{fake.recordings[0]['mp3']}?download=1")


async def test_conference_ends_before_our_eyes(browsing: Browsing, fake: ConsoleFake) -> None:
    people = scene.crowd(3)
    live(fake, people)
    fake.attendance = scene.attendance(people)
    page = await shown(browsing, fake)
    await expect(row(page, "Ben Okafor")).to_be_visible()
    over = scene.conference([], state="ended", ended_at_ms=scene.NOW_MS, ended_by="conference-ended-via-api")
    fake.tell("conference", conference=over)
    await expect(page.locator("#polite")).to_have_text("Quarterly town hall: Ended")
    await expect(page.get_by_role("table", name="Attendance")).to_contain_text("Ben Okafor")
    await expect(page.get_by_role("region", name="Summary")).to_contain_text("a moderator ended it")


async def test_speech_is_drawn_in_lanes_with_a_table_beside(browsing: Browsing, fake: ConsoleFake) -> None:
    people = scene.crowd(3)
    live(fake, people)
    fake.timelines[CF] = scene.timeline(people)
    page = await shown(browsing, fake)
    names = page.get_by_role("list", name="Who spoke, and for how long").get_by_role("listitem")
    await expect(names).to_have_count(2)
    span = {"call_sid": people[2]["call_sid"], "name": "Third", "number": None, "role": "listener"}
    fake.tell(
        "speech", conference_sid=CF, spans=[span | {"from_ms": scene.NOW_MS - 60_000, "to_ms": scene.NOW_MS}]
    )
    await expect(names.nth(2)).to_have_text("Third, listener, 1:00")
    canvas = page.locator("#panel-lanes canvas")
    colours = """canvas => new Set(new Uint32Array(
        canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size"""
    assert await canvas.evaluate(colours) > 3
    box = await canvas.bounding_box()
    assert box is not None
    await canvas.hover(position={"x": box["width"] - 3, "y": 22 + 2 * 24 + 12})
    await expect(page.locator(".tip")).to_contain_text("Third, 00:11:31 to 00:12:31")


async def test_what_the_engine_cannot_do_is_not_offered(browsing: Browsing, fake: ConsoleFake) -> None:
    fake.capabilities = {"levels": False, "lock": False}
    live(fake, scene.crowd(3))
    page = await shown(browsing, fake)
    await expect(act(page, "Mute all")).to_be_visible()
    await expect(act(page, "Lock")).to_be_hidden()
    await expect(page.get_by_role("list", name="Signs")).not_to_contain_text("Locked")
    await expect(page.get_by_text("Open to callers")).to_be_hidden()
    await page.keyboard.press("Shift+L")
    await page.keyboard.press("Shift+R")
    assert (await fake.acted()).action == "record"
    await expect(page.locator("#slots .slot[data-is=lit]")).to_contain_text("Anna Schmidt")
    await expect(page.locator("#slots .slot[data-is=lit] .meter")).to_be_hidden()


async def test_phone_shows_one_part_at_a_time(browsing: Browsing, fake: ConsoleFake) -> None:
    people = scene.crowd(40)
    live(fake, people)
    page = await shown(browsing, fake, phone_sized=True, viewport={"width": 360, "height": 740})
    await expect(row(page, "Ben Okafor")).to_be_visible()
    await expect(page.locator("#entries")).to_be_hidden()
    await row(page, "Ben Okafor").get_by_role("button", name="More about Ben Okafor").click()
    await page.get_by_role("dialog", name="Ben Okafor").get_by_role("button", name="Mute").click()
    assert (await fake.acted()).action == "mute"
    await page.get_by_role("button", name="Events").click()
    await expect(page.locator("#entries")).to_be_visible()
    await expect(row(page, "Ben Okafor")).to_be_hidden()
    await page.get_by_role("button", name="Records").click()
    await expect(page.get_by_role("tab", name="Who spoke when")).to_be_visible()
    for name in ("Mute all", "Lock", "Announce", "Record", "Dial guest", "End"):
        await expect(act(page, name)).to_be_in_viewport()
