"""The browsers of stories: what one says the other hears, and no complaint of a page goes unnoticed."""

import asyncio

import pytest
from tests.harness.browser import Browsing, Chromium, Tab, serve_files
from tests.harness.browser_fixtures import *  # noqa: F403
from tests.harness.matrix import Seat, assert_hearing
from tests.harness.tones import tone_for

TONES = [float(tone_for(index)) for index in range(2)]
BASE = "http://127.0.0.1:9/test/"
PAGE = "<!doctype html><title>A test</title><script src='page.js'></script>"
PEER = """
const peer = new RTCPeerConnection();
const gathered = new Promise((resolve) => {
  peer.addEventListener("icegatheringstatechange", () => peer.iceGatheringState === "complete" && resolve());
});
const loudspeaker = new Audio();
peer.addEventListener("track", (event) => {
  loudspeaker.srcObject = event.streams[0];
  loudspeaker.play();
});
const mine = async () => (await gathered, peer.localDescription.toJSON());
const speak = async () => {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  for (const track of stream.getTracks()) peer.addTrack(track, stream);
};
const offer = async () => (await speak(), await peer.setLocalDescription(), await mine());
const answer = async (theirs) => {
  await speak();
  await peer.setRemoteDescription(theirs);
  await peer.setLocalDescription();
  return mine();
};
"""


async def test_two_tabs_hear_each_other_and_nothing_of_themselves(browsing: Browsing) -> None:
    ann, ben = await tab(browsing, "ann", TONES[0]), await tab(browsing, "ben", TONES[1])
    await connect(ann, ben)
    await asyncio.gather(ann.ear.begins(), ben.ear.begins())
    seats = [Seat(one.name, one.tone_hz, one.ear) for one in (ann, ben)]
    await assert_hearing(seats, {"ann": "ben", "ben": "ann"}, within_s=20)
    await ben.say(None)
    await assert_hearing(seats, {"ann": "silence", "ben": "ann"}, within_s=20)
    assert (await ann.codec(), (await ben.stats("inbound-rtp"))["kind"]) == ("audio/opus", "audio")


async def test_tab_whose_last_connection_is_closed_is_on_no_line(browsing: Browsing) -> None:
    ann, ben = await tab(browsing, "ann", TONES[0]), await tab(browsing, "ben", TONES[1])
    assert ann.ear.is_over, "it has no call yet"
    await connect(ann, ben)
    await ann.ear.begins()
    assert not ann.ear.is_over
    await ann.page.evaluate("() => peer.close()")
    await ann.ear.ended()


async def test_tab_that_vanishes_says_no_goodbye(browsing: Browsing) -> None:
    ann = await tab(
        browsing, "ann", TONES[0], extra="addEventListener('pagehide', () => console.error('bye'));"
    )
    await ann.vanish()
    assert ann.ear.is_over
    assert ann.said == []


@pytest.mark.parametrize(
    ("microphone", "error"), [("refused", "NotAllowedError"), ("missing", "NotFoundError")]
)
async def test_microphone_can_be_refused_or_missing(browsing: Browsing, microphone: str, error: str) -> None:
    ann = await tab(browsing, "ann", TONES[0], microphone=microphone)
    asked = "() => navigator.mediaDevices.getUserMedia({audio: true}).catch((error) => error.name)"
    assert await ann.page.evaluate(asked) == error


@pytest.mark.parametrize(
    "script",
    ["console.error('broken')", "throw new Error('broken')", "Promise.reject(new Error('broken'))"],
    ids=["console", "exception", "promise"],
)
async def test_complaint_of_a_page_fails_the_test_unless_it_is_expected(
    chromium: Chromium, script: str
) -> None:
    with pytest.raises(AssertionError, match=r"ann: .*broken"):
        async with Browsing(chromium.endpoint) as browsing:
            await tab(browsing, "ann", extra=script)
    async with Browsing(chromium.endpoint) as browsing:
        await tab(browsing, "ann", extra=script, expect="brok")


async def tab(
    browsing: Browsing,
    name: str,
    tone_hz: float = 0.0,
    *,
    extra: str = "",
    expect: str | None = None,
    **more: str,
) -> Tab:
    made = await browsing.tab(name, tone_hz, **more)
    if expect is not None:
        made.expect_fault(expect)
    await serve_files(made, BASE, {"page.html": PAGE, "page.js": PEER + extra})
    await made.page.goto(f"{BASE}page.html")
    await made.page.evaluate("() => document.title")  # a rejected promise is told after its script
    return made


async def connect(one: Tab, other: Tab) -> None:
    offer = await one.page.evaluate("offer()")
    answer = await other.page.evaluate("(theirs) => answer(theirs)", offer)
    await one.page.evaluate("(theirs) => peer.setRemoteDescription(theirs)", answer)
