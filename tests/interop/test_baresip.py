"""The main story with phones that nobody here wrote: two makes of baresip, beside our own."""

from pathlib import Path

from tests.harness.baresip import Baresip
from tests.harness.baresip_python import EmbeddedBaresip
from tests.harness.matrix import Seat, assert_hearing
from tests.harness.story import Story
from tests.harness.tones import tone_for

ADDRESS = "127.0.0.1"
"""baresip speaks only from an address that an interface has."""


async def test_baresips_go_through_the_menu_and_moderate_a_conference(story: Story, tmp_path: Path) -> None:
    line = await story.line()
    uri = story.server.sip_uri(line)
    listener = await story.dial("listener", line)
    speaker = EmbeddedBaresip("speaker", ADDRESS, tone_for(20))
    moderator = Baresip("moderator", ADDRESS, tmp_path / "baresip", tone_for(21))
    async with speaker, moderator:
        await listener.call.hears("sound")
        await listener.press("1")
        await listener.call.hears("music")

        await speaker.dial(uri)
        await heard_something(speaker)
        await speaker.press("2")
        seats = [listener.seat, Seat("speaker", tone_for(20), speaker)]
        await assert_hearing(seats, {"listener": "music", "speaker": "music"}, within_s=30)

        await moderator.dial(uri)
        await heard_something(moderator)
        await moderator.press("3")
        seats.append(Seat("moderator", tone_for(21), moderator))
        talk = {"listener": "speaker moderator", "speaker": "moderator", "moderator": "speaker"}
        await assert_hearing(seats, talk, within_s=30)

        await moderator.hang_up()
        await story.all_ended("listener", within_s=20)
        await story.server_is_empty(within_s=20)


async def heard_something(phone: Baresip | EmbeddedBaresip) -> None:
    """The menu has begun to speak."""
    while not (await phone.listen(0.2)).any():
        pass
