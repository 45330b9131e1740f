"""The phone page against a scripted server: what it says on the socket, and what it tells people."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from urllib.parse import parse_qs

import jwt
import pytest
from playwright.async_api import Locator, Page, Route, expect
from starlette.responses import JSONResponse
from starlette.websockets import WebSocketDisconnect
from tests.harness.browser import Browsing, Tab
from tests.harness.browser_looks import look_over
from tests.harness.phone_page import CALL_SID, PhonePage, ScriptedSignal, answer_to

from townhall.console.phone import PhoneLine

WITHIN_MS = 20_000
NOWHERE = ("127.0.0.1", 9)
LEAST_TARGET = 44
ANSWERED = re.compile(r"^(Connecting the sound …|No sound)$")
"""How a call stands whose sound leads nowhere: the first for some seconds, then the second."""


@pytest.fixture
async def house() -> AsyncIterator[PhonePage]:
    async with PhonePage() as house:
        yield house


class Screen:
    """A tab with the phone page, by what is written on it."""

    def __init__(self, tab: Tab, house: PhonePage) -> None:
        self.tab = tab
        self.page: Page = tab.page
        self.house = house

    def button(self, words: str) -> Locator:
        return self.page.get_by_role("button", name=words, exact=True)

    async def reads(self, words: str) -> None:
        """Wait until these words are to be seen."""
        await expect(self.page.get_by_text(words).first).to_be_visible(timeout=WITHIN_MS)

    async def warns(self, title: str, advice: str = "") -> None:
        """Wait for an alert with this title and, if given, this in its advice."""
        alert = self.page.get_by_role("alert")
        await expect(alert).to_contain_text(title, timeout=WITHIN_MS)
        await expect(alert).to_contain_text(advice)

    async def state(self, words: str | re.Pattern[str]) -> None:
        await expect(self.page.locator(".phone-state")).to_have_text(words, timeout=WITHIN_MS)

    async def call(self) -> tuple[ScriptedSignal, dict[str, str]]:
        """Click Call; returns the socket, and the invite that came on it."""
        await self.button("Call").click()
        return await self.invited()

    async def invited(self) -> tuple[ScriptedSignal, dict[str, str]]:
        signal = await self.house.signal()
        await signal.connect()
        return signal, await signal.takes("invite")

    async def talk(self) -> ScriptedSignal:
        """Call, and be answered; the sound has nowhere to go."""
        signal, invite = await self.call()
        answer = answer_to(invite["sdp"], NOWHERE)
        await signal.say("answer", callsid=CALL_SID, sdp=answer, reconnect="token one")
        await self.state(ANSWERED)
        return signal

    async def settings(self) -> None:
        await self.page.locator("summary", has_text="Settings").click()


async def open_screen(browsing: Browsing, house: PhonePage, query: str = "", **tab: object) -> Screen:
    screen = Screen(await browsing.open("ann", 440.0, house.url + query, **tab), house)
    await screen.reads("Board meeting")
    return screen


# ---- calling ---------------------------------------------------------------------------------------------


async def test_first_line_is_called_with_opus_first_and_the_name_given(
    browsing: Browsing, house: PhonePage
) -> None:
    screen = await open_screen(browsing, house)
    await screen.page.get_by_label("Your name").fill("Ann Ö. & Co")
    _, invite = await screen.call()
    assert parse_qs(invite["twilio"]["params"]) == {"To": ["1000"], "Name": ["Ann Ö. & Co"]}  # type: ignore[index]
    assert invite["callsid"].startswith("TJS")
    offered = re.search(r"^m=audio .* SAVPF (.*)\r$", invite["sdp"].replace("UDP/TLS/RTP/", ""), re.MULTILINE)
    assert offered is not None
    first = offered[1].split()[0]
    assert f"a=rtpmap:{first} opus/48000/2" in invite["sdp"]
    assert "a=candidate" not in invite["sdp"], "the server learns the browser's address from its checks"
    await screen.state("Calling …")


async def test_address_of_the_page_chooses_the_line(browsing: Browsing, house: PhonePage) -> None:
    for query, number in (("?line=2000", "2000"), ("?line=%2B15550100", "+15550100")):
        screen = await open_screen(browsing, house, query)
        _, invite = await screen.call()
        assert parse_qs(invite["twilio"]["params"])["To"] == [number]  # type: ignore[index]


async def test_ringing_is_shown_until_the_answer(browsing: Browsing, house: PhonePage) -> None:
    screen = await open_screen(browsing, house)
    signal, _ = await screen.call()
    await signal.say("ringing", callsid=CALL_SID)
    await screen.state("Ringing …")
    await screen.button("Hang up").click()
    assert (await signal.takes("hangup"))["callsid"] == CALL_SID
    await signal.ended()


async def test_hanging_up_before_any_answer_names_the_call_as_the_page_does(
    browsing: Browsing, house: PhonePage
) -> None:
    screen = await open_screen(browsing, house)
    signal, invite = await screen.call()
    await screen.button("Hang up").click()
    assert (await signal.takes("hangup"))["callsid"] == invite["callsid"]
    await expect(screen.button("Call")).to_be_focused()


async def test_line_and_name_are_remembered(browsing: Browsing, house: PhonePage) -> None:
    screen = await open_screen(browsing, house)
    await screen.page.get_by_label("Board meeting").check()
    await screen.page.get_by_label("Your name").fill("Ann")
    await screen.call()
    await screen.button("Hang up").click()
    await screen.page.reload()
    await expect(screen.page.get_by_label("Board meeting")).to_be_checked()
    await expect(screen.page.get_by_label("Your name")).to_have_value("Ann")


async def test_leaving_the_page_hangs_up(browsing: Browsing, house: PhonePage) -> None:
    screen = await open_screen(browsing, house)
    signal = await screen.talk()
    await screen.page.goto("about:blank")
    assert (await signal.takes("hangup"))["callsid"] == CALL_SID


async def test_number_is_asked_for_where_there_are_no_lines(browsing: Browsing) -> None:
    async with PhonePage(lines=()) as house:
        screen = Screen(await browsing.open("ann", 440.0, house.url), house)
        await screen.button("Call").click()
        number = screen.page.get_by_role("textbox", name="Another number")
        await expect(number).to_be_focused()
        await number.fill("+15550100")
        await number.press("Enter")
        _, invite = await screen.invited()
        assert parse_qs(invite["twilio"]["params"])["To"] == ["+15550100"]  # type: ignore[index]


async def test_name_of_a_line_is_text_and_no_markup(browsing: Browsing) -> None:
    name = '<img src=x onerror="document.title=1">'
    async with PhonePage(lines=(PhoneLine('10"00', name),)) as house:
        screen = Screen(await browsing.open("ann", 440.0, house.url), house)
        await screen.reads(name)
        assert await screen.page.locator("#phone img").count() == 0


MOUNT = """async () => {
  const { Phone } = await import("/static/phone/phone.js");
  const { mountPhone } = await import("/static/phone/view.js");
  const corner = document.createElement("div");
  corner.id = "corner";
  document.body.replaceChildren(corner);
  globalThis.phone = new Phone();
  globalThis.view = mountPhone(corner, phone, { line: "2000", press: "3", keys: "inside" });
  view.setLines([{ number: "2000", name: "Board" }]);
}"""


async def test_phone_is_mounted_in_another_page_and_used_from_its_script(
    browsing: Browsing, house: PhonePage
) -> None:
    screen = await open_screen(browsing, house)
    await screen.page.evaluate(MOUNT)
    await screen.page.keyboard.type("5")  # not for the phone: the focus is elsewhere
    calling = asyncio.ensure_future(screen.page.evaluate("() => view.call({ listenOnly: true })"))
    _, invite = await screen.invited()
    assert parse_qs(invite["twilio"]["params"])["To"] == ["2000"]  # type: ignore[index]
    assert await calling is True
    assert await screen.page.evaluate("() => phone.state.listenOnly && phone.state.status") == "calling"
    await screen.page.evaluate("() => phone.hangUp()")
    await screen.page.evaluate("() => view.unmount()")
    assert await screen.page.locator("#corner *").count() == 0


# ---- by keyboard -----------------------------------------------------------------------------------------


async def test_number_is_typed_and_called_without_a_mouse(browsing: Browsing, house: PhonePage) -> None:
    screen = await open_screen(browsing, house)
    await screen.page.keyboard.type("4711#")
    await screen.page.keyboard.press("Enter")
    _, invite = await screen.invited()
    assert parse_qs(invite["twilio"]["params"])["To"] == ["4711#"]  # type: ignore[index]


async def test_enter_calls_the_chosen_line(browsing: Browsing, house: PhonePage) -> None:
    screen = await open_screen(browsing, house)
    await screen.page.keyboard.press("Enter")
    _, invite = await screen.invited()
    assert parse_qs(invite["twilio"]["params"])["To"] == ["1000"]  # type: ignore[index]
    await expect(screen.page.get_by_role("heading", name="Town hall")).to_be_focused()


async def test_escape_hangs_up_only_the_second_time(browsing: Browsing, house: PhonePage) -> None:
    screen = await open_screen(browsing, house)
    signal = await screen.talk()
    await screen.page.keyboard.press("Escape")
    await screen.reads("Press Escape again to hang up.")
    await expect(screen.button("Hang up")).to_be_focused()
    # Twice, in case so much time has passed by now that the next one only warns again.
    await screen.page.keyboard.press("Escape")
    await screen.page.keyboard.press("Escape")
    await signal.takes("hangup")


async def test_keys_pressed_are_hidden_but_for_the_last(browsing: Browsing, house: PhonePage) -> None:
    screen = await open_screen(browsing, house)
    await screen.talk()
    await screen.page.keyboard.type("2718")
    await screen.page.get_by_role("group", name="Keypad").get_by_role("button", name="#").click()
    await expect(screen.page.locator(".phone-pressed")).to_have_text("••••#")


async def test_digits_in_a_field_stay_there(browsing: Browsing, house: PhonePage) -> None:
    screen = await open_screen(browsing, house)
    await screen.page.get_by_label("Your name").press_sequentially("Ann 7")
    await expect(screen.page.get_by_label("Your name")).to_have_value("Ann 7")
    await expect(screen.page.get_by_role("textbox", name="Another number")).to_have_value("")


async def test_mute_by_key_silences_what_is_sent_and_says_so_to_who_speaks(
    browsing: Browsing, house: PhonePage
) -> None:
    screen = await open_screen(browsing, house)
    await screen.talk()
    await screen.page.keyboard.press("m")
    await expect(screen.button("Mute")).to_have_attribute("aria-pressed", "true")
    sent = "() => townhallTest.peers.at(-1).getSenders()[0].track.enabled"
    assert await screen.page.evaluate(sent) is False
    await screen.reads("You are muted: nobody hears you.")
    await screen.page.keyboard.press("m")
    await expect(screen.button("Mute")).to_have_attribute("aria-pressed", "false")
    assert await screen.page.evaluate(sent) is True


# ---- the socket ------------------------------------------------------------------------------------------


async def test_heartbeat_is_answered(browsing: Browsing, house: PhonePage) -> None:
    screen = await open_screen(browsing, house)
    signal, _ = await screen.call()
    await signal.beat()
    await signal.takes("beat")


async def test_rubbish_on_the_socket_changes_nothing(browsing: Browsing, house: PhonePage) -> None:
    screen = await open_screen(browsing, house)
    signal = await screen.talk()
    for rubbish in ("{", "[]", "null", '"x"', '{"type": 5}', '{"type": "dance", "payload": null}'):
        await signal.say_text(rubbish)
    await signal.say("hangup", callsid="CA" + "9" * 32)
    await signal.say("invite")
    await signal.say("cancel", callsid="CA" + "9" * 32)
    await signal.beat()
    await signal.takes("beat")
    await screen.state(ANSWERED)


async def test_dropped_socket_comes_back_and_keeps_the_call(browsing: Browsing, house: PhonePage) -> None:
    screen = await open_screen(browsing, house)
    signal = await screen.talk()
    signal.drop()
    await screen.state("Reconnecting …")
    signal, invite = await screen.invited()
    assert (invite["callsid"], invite["reconnect"]) == (CALL_SID, "token one")
    assert invite["sdp"].startswith("v=0")
    await signal.say("answer", callsid=CALL_SID, reconnect="token two")
    await screen.state(ANSWERED)
    # The next time, it is the newer token that counts.
    signal.drop()
    signal, invite = await screen.invited()
    assert invite["reconnect"] == "token two"


async def test_call_that_ended_meanwhile_is_told_as_lost(browsing: Browsing, house: PhonePage) -> None:
    screen = await open_screen(browsing, house)
    signal = await screen.talk()
    signal.drop()
    signal, _ = await screen.invited()
    await signal.say("hangup", callsid=CALL_SID, error={"code": 31209, "message": "Gone"})
    await screen.warns("The call ended while the connection was gone.", "Call again.")


async def test_path_without_sound_is_sought_anew(browsing: Browsing, house: PhonePage) -> None:
    screen = await open_screen(browsing, house)
    signal, invite = await screen.call()
    before = re.search(r"a=ice-ufrag:(\S+)", invite["sdp"])
    await signal.say("answer", callsid=CALL_SID, sdp=answer_to(invite["sdp"], NOWHERE), reconnect="one")
    again = await signal.takes("reinvite")
    after = re.search(r"a=ice-ufrag:(\S+)", again["sdp"])
    assert before is not None
    assert after is not None
    assert (again["callsid"], before[1] != after[1]) == (CALL_SID, True)


async def test_token_is_renewed_in_a_call_and_keeps_its_identity(
    browsing: Browsing, house: PhonePage
) -> None:
    screen = await open_screen(browsing, house)
    await screen.button("Call").click()
    signal = await house.signal()
    first = await signal.connect(ttl_s=0.2)
    second = await signal.takes("listen")
    await signal.say("connected", token={"identity": "web_1", "ttl": 600})
    assert identity_in(second["token"]) == identity_in(first["token"])
    assert house.tokens_given == 2


def identity_in(token: str) -> str:
    claims = jwt.decode(token, options={"verify_signature": False})
    return str(claims["grants"]["identity"])


# ---- being called ----------------------------------------------------------------------------------------


async def receiving(screen: Screen) -> ScriptedSignal:
    await screen.settings()
    await screen.page.get_by_label("This page may be called").check()
    signal = await screen.house.signal()
    await signal.connect()
    assert await signal.takes("register") == {"media": {"audio": True}}
    return signal


async def ring(signal: ScriptedSignal, call_sid: str = CALL_SID) -> None:
    offer = answer_to("a=mid:0", NOWHERE).replace("a=setup:passive", "a=setup:actpass")
    await signal.say(
        "invite", callsid=call_sid, sdp=offer, reconnect="one", parameters={"From": "client:bob", "To": "x"}
    )


async def test_page_that_may_be_called_rings_and_answers(browsing: Browsing, house: PhonePage) -> None:
    screen = await open_screen(browsing, house)
    signal = await receiving(screen)
    await screen.reads("Others call client:web_")
    await ring(signal)
    await expect(screen.page.get_by_role("heading", name="bob")).to_be_visible()
    await screen.button("Answer").click()
    answer = await signal.takes("answer")
    assert answer["callsid"] == CALL_SID
    assert "a=sendrecv" in answer["sdp"]
    await screen.state(ANSWERED)
    await signal.say("hangup", callsid=CALL_SID)
    await screen.reads("The call ended after")


async def test_call_that_is_refused_or_given_up_leaves_the_page_as_it_was(
    browsing: Browsing, house: PhonePage
) -> None:
    screen = await open_screen(browsing, house)
    signal = await receiving(screen)
    await ring(signal)
    await screen.button("Refuse").click()
    assert (await signal.takes("reject"))["callsid"] == CALL_SID
    await screen.reads("Refused.")
    await ring(signal, "CA" + "6" * 32)
    await screen.state("Calls you")
    await signal.say("cancel", callsid="CA" + "6" * 32)
    await screen.reads("The caller gave up.")


async def test_second_caller_is_refused_during_a_call(browsing: Browsing, house: PhonePage) -> None:
    screen = await open_screen(browsing, house)
    signal = await receiving(screen)
    await screen.button("Call").click()
    invite = await signal.takes("invite")
    await signal.say("answer", callsid=CALL_SID, sdp=answer_to(invite["sdp"], NOWHERE), reconnect="one")
    await ring(signal, "CA" + "6" * 32)
    assert (await signal.takes("reject"))["callsid"] == "CA" + "6" * 32
    await screen.state(ANSWERED)


# ---- what goes wrong -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("microphone", "title"),
    [
        ("refused", "The browser may not use your microphone."),
        ("missing", "No microphone was found."),
        ("busy", "Another program is using your microphone."),
    ],
)
async def test_who_has_no_microphone_is_told_why_and_may_listen(
    browsing: Browsing, house: PhonePage, microphone: str, title: str
) -> None:
    screen = await open_screen(browsing, house, microphone=microphone)
    await screen.button("Call").click()
    await screen.warns(title, "call again")
    await screen.button("Listen without a microphone").click()
    signal, invite = await invited_at_last(screen)
    await signal.say("answer", callsid=CALL_SID, sdp=answer_to(invite["sdp"], NOWHERE), reconnect="one")
    await screen.state(ANSWERED)
    await expect(screen.button("Mute")).to_be_hidden()


async def invited_at_last(screen: Screen) -> tuple[ScriptedSignal, dict[str, str]]:
    """The page may have opened a socket, for nothing, before it knew that there is no microphone."""
    while True:
        with contextlib.suppress(AssertionError, RuntimeError, WebSocketDisconnect):
            return await screen.invited()


async def test_plain_http_from_elsewhere_is_told_to_open_https(browsing: Browsing, house: PhonePage) -> None:
    tab = await browsing.tab("ann", 440.0)
    tab.expect_fault("town.example")

    async def served(route: Route) -> None:
        path = route.request.url.removeprefix("http://town.example/")
        headers = {**route.request.headers, "origin": house.url.rstrip("/")}
        await route.fulfill(response=await route.fetch(url=house.url + path, headers=headers))

    await tab.page.route("http://town.example/**", served)
    await tab.page.goto("http://town.example/")
    screen = Screen(tab, house)
    await screen.reads("Board meeting")
    await screen.button("Call").click()
    await screen.warns("This page came over plain HTTP", "https:// in front of town.example")
    await expect(screen.button("Listen without a microphone")).to_be_visible()
    await expect(screen.button("Try again")).to_be_hidden()


async def test_server_that_is_gone_is_told_after_some_attempts(browsing: Browsing, house: PhonePage) -> None:
    screen = await open_screen(browsing, house)
    screen.tab.expect_fault("WebSocket|Failed to load")
    await screen.button("Call").click()
    for _ in range(3):
        (await house.signal()).drop()
    await screen.warns("The server does not answer.", "Check your network connection.")
    await screen.page.route("**/phone/token", lambda route: route.abort())
    await screen.button("Try again").click()
    await screen.warns("The server does not answer.")


async def test_network_that_calls_too_much_is_told_when_to_try_again(
    browsing: Browsing, house: PhonePage
) -> None:
    screen = await open_screen(browsing, house)
    screen.tab.expect_fault("429")
    error = {"code": "too-many", "message": "", "wait_s": 42, "twilio_code": None}
    house.refusals.append(JSONResponse({"error": error}, 429, headers={"Retry-After": "42"}))
    await screen.button("Call").click()
    await screen.warns("too many calls from your network", "Try again in 42 seconds.")


async def test_token_that_was_too_old_is_replaced_unseen(browsing: Browsing, house: PhonePage) -> None:
    screen = await open_screen(browsing, house)
    await screen.button("Call").click()
    signal = await house.signal()
    await signal.takes("listen")
    await signal.refuse(31205, "The token has run out")
    await screen.invited()
    await screen.state("Calling …")
    assert house.tokens_given == 2


async def test_token_that_is_refused_twice_is_told(browsing: Browsing, house: PhonePage) -> None:
    screen = await open_screen(browsing, house)
    await screen.button("Call").click()
    for _ in range(2):
        signal = await house.signal()
        await signal.takes("listen")
        await signal.refuse(31204, "The token is signed with another key")
    await screen.warns("The server does not let this page call.", "The token is signed with another key.")


REFUSALS = [
    (31404, "Not found", "There is no line 1000.", "choose a line from the list"),
    (31486, "Busy", "The line is busy.", "in a few minutes"),
    (31480, "Temporarily unavailable", "Nobody answered.", "later"),
    (31000, "The server is overloaded; try again", "cannot take the call just now.", "overloaded"),
    (31206, "Too many calls", "There are too many calls", "minute"),
    (31002, "The call is not allowed", "The call was refused.", "The call is not allowed. (31002)"),
]


async def test_call_that_is_refused_is_told_in_words(browsing: Browsing, house: PhonePage) -> None:
    screen = await open_screen(browsing, house)
    for code, message, title, advice in REFUSALS:
        signal, invite = await screen.call()
        await signal.say("hangup", callsid=invite["callsid"], error={"code": code, "message": message})
        await screen.warns(title, advice)
        await expect(screen.button("Call")).to_be_visible()


async def test_blocked_port_is_named_and_the_call_stands(browsing: Browsing, house: PhonePage) -> None:
    screen = await open_screen(browsing, house)
    signal = await screen.talk()
    await screen.warns("no sound gets through", "UDP to 127.0.0.1 port 9")
    await screen.state("No sound")
    await screen.button("Hang up").click()
    await signal.takes("hangup")


async def test_answer_that_makes_no_sense_ends_the_call(browsing: Browsing, house: PhonePage) -> None:
    screen = await open_screen(browsing, house)
    signal, _ = await screen.call()
    await signal.say("answer", callsid=CALL_SID, sdp="v=0\r\nrubbish\r\n", reconnect="one")
    await signal.takes("hangup")
    await screen.warns("Something went wrong with the call.")


# ---- for everybody ---------------------------------------------------------------------------------------


async def test_page_looks_right_and_shuts_nobody_out(browsing: Browsing, house: PhonePage) -> None:
    screen = await open_screen(browsing, house)
    await screen.settings()
    await look_over(screen.page, "phone-idle")
    signal, invite = await screen.call()
    await look_over(screen.page, "phone-call")
    await signal.say("hangup", callsid=invite["callsid"], error={"code": 31486, "message": "Busy"})
    await screen.warns("The line is busy.")
    await look_over(screen.page, "phone-refused")


async def test_trouble_in_a_call_looks_right_and_shuts_nobody_out(
    browsing: Browsing, house: PhonePage
) -> None:
    screen = await open_screen(browsing, house)
    await screen.talk()
    await screen.warns("no sound gets through")
    await look_over(screen.page, "phone-blocked")


_TOO_SMALL = """least => [...document.querySelectorAll("button, select, summary, input, label.phone-line, a")]
  .filter((one) => one.checkVisibility() && !one.closest(".skip"))
  .map((one) => [one.matches("input[type=radio], input[type=checkbox]") ? one.parentElement : one, one])
  .map(([area, one]) => [area.getBoundingClientRect(), one])
  .filter(([box]) => box.width < least || box.height < least)
  .map(([box, one]) => `${one.outerHTML.slice(0, 80)} is ${box.width} by ${box.height}`)"""


async def test_everything_can_be_hit_with_a_thumb_on_a_narrow_phone(
    browsing: Browsing, house: PhonePage
) -> None:
    screen = await open_screen(browsing, house, phone_sized=True, viewport={"width": 360, "height": 740})
    await screen.settings()
    assert await screen.page.evaluate(_TOO_SMALL, LEAST_TARGET) == []
    await screen.talk()
    assert await screen.page.evaluate(_TOO_SMALL, LEAST_TARGET) == []
    assert await screen.page.evaluate("() => document.documentElement.scrollWidth") == 360


async def test_chosen_microphone_is_remembered_and_sent(browsing: Browsing, house: PhonePage) -> None:
    screen = await open_screen(browsing, house)
    await screen.settings()
    await screen.button("Try the microphone").click()
    choice = screen.page.get_by_label("Microphone", exact=True)
    await choice.select_option(index=1)
    chosen = await choice.input_value()
    kept = json.loads(str(await screen.page.evaluate("() => localStorage.getItem('townhall.phone')")))
    assert kept["microphone"] == chosen != ""
    await screen.page.reload()
    await screen.settings()
    await expect(choice).to_have_value(chosen)
