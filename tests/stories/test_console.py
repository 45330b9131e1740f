"""What a moderator does at the console is heard on the phones; what happens there is seen at the console."""

from collections.abc import AsyncIterator

import pytest
from tests.harness.documents import conference
from tests.harness.moderator import Moderator
from tests.harness.speech import speech
from tests.harness.story import Story

PIN = "24681357"
TALK = {"listener": "speaker moderator", "speaker": "moderator", "moderator": "speaker"}


class Hall:
    """A line of our own application with three callers, and its moderator at the console."""

    def __init__(self, story: Story, number: str, moderator: Moderator) -> None:
        self.story = story
        self.number = number
        self.name = story.room
        self.at_console = moderator

    async def join(self, name: str, key: str) -> None:
        """`name` calls the line and takes the role of this key."""
        caller = await self.story.dial(name, self.number)
        await caller.call.hears("sound")
        await caller.press(key)
        if key == "3":
            mark = caller.call.mark()
            await caller.call.hears("sound", since=mark)
            await caller.press(f"{PIN}#")
        await self.at_console.sees(lambda: self.at_console.person(self.name, name))

    async def act(self, action: str, *names: str, **body: object) -> None:
        await self.at_console.act(self.name, action, *names, **body)


@pytest.fixture
async def hall(story: Story) -> AsyncIterator[Hall]:
    number = await story.line(moderator_pin=PIN, welcome="Hi.", conference=story.room)
    async with Moderator(story.server) as moderator:
        await moderator.sign_in(line=number, pin=PIN, name="Mia")
        hall = Hall(story, number, moderator)
        for name, key in (("listener", "1"), ("speaker", "2"), ("moderator", "3")):
            await hall.join(name, key)
        await story.hear(TALK, within_s=20)
        yield hall


async def test_roster_lanes_and_levels_follow_the_voices(hall: Hall) -> None:
    console = hall.at_console
    for name, role in (("listener", "listener"), ("speaker", "speaker"), ("moderator", "moderator")):
        row = await console.sees(lambda name=name: console.person(hall.name, name))
        assert (row["role"], row["number"]) == (role, name)
    for name in ("speaker", "moderator"):
        hall.story.callers[name].call.say_samples(speech(120.0))
    for name in ("moderator", "speaker"):
        row = await console.sees(
            lambda name=name: (p := console.person(hall.name, name)) and p["state"] == "talking" and p
        )
    level = await console.sees(lambda: console.levels.get(row["call_sid"]))
    assert -60 < level < 0
    told = await console.sees(lambda: console.conference(hall.name))
    assert (told["state"], told["lines"], told["counts"]["total"]) == ("live", [hall.number], 3)
    lanes = (await console.get(f"/console/conferences/{told['sid']}/timeline")).json()["lanes"]
    assert {lane["number"] for lane in lanes} == {"speaker", "moderator"}


async def test_mute_and_hold_are_heard(hall: Hall) -> None:
    await hall.act("mute", "speaker")
    await hall.story.hear({"listener": "moderator", "speaker": "moderator", "moderator": "silence"})
    await hall.act("unmute", "speaker")
    await hall.act("hold", "speaker")
    await hall.story.hear({"listener": "moderator", "speaker": "music", "moderator": "silence"})
    await hall.act("unhold", "speaker")
    await hall.story.hear(TALK)
    texts = [entry["text"] for entry in hall.at_console.entries if entry["kind"] == "action"]
    assert texts == [
        "Mia muted speaker", "Mia unmuted speaker", "Mia put speaker on hold", "Mia took speaker off hold",
    ]  # fmt: skip


async def test_mute_all_meets_who_comes_later_until_released(hall: Hall) -> None:
    await hall.act("mute-all")
    await hall.story.hear({"listener": "moderator", "speaker": "moderator", "moderator": "silence"})
    await hall.join("late", "2")
    quiet = {"listener": "moderator", "speaker": "moderator", "moderator": "silence", "late": "moderator"}
    await hall.story.hear(quiet, within_s=20)
    await hall.act("release-all")
    await hall.story.hear(
        {
            "listener": "speaker moderator late",
            "speaker": "moderator late",
            "moderator": "speaker late",
            "late": "speaker moderator",
        }
    )


async def test_coach_is_heard_by_one_alone(hall: Hall) -> None:
    console = hall.at_console
    coach = await console.sees(lambda: console.person(hall.name, "moderator"))
    target = await console.sees(lambda: console.person(hall.name, "speaker"))
    await hall.act("coach", call_sid=coach["call_sid"], target=target["call_sid"])
    await hall.story.hear({"listener": "speaker", "speaker": "moderator", "moderator": "speaker"})
    await hall.act("coach", call_sid=coach["call_sid"], target=None)
    await hall.story.hear(TALK)


async def test_announcement_in_words_is_heard_by_all(hall: Hall) -> None:
    await hall.act("mute", "speaker", "moderator")
    marks = {name: caller.call.mark() for name, caller in hall.story.callers.items()}
    await hall.act("announce", text="We will be finished in five minutes. Thank you.")
    for name, caller in hall.story.callers.items():
        await caller.call.hears("sound", since=marks[name], within_s=15)
    console = hall.at_console
    await console.sees(lambda: any(entry["text"] == "The announcement is over" for entry in console.entries))


async def test_kicked_caller_is_out_and_thanked(hall: Hall) -> None:
    await hall.act("kick", "speaker")
    await hall.story.all_ended("speaker", within_s=20)
    await hall.story.hear({"listener": "moderator", "moderator": "silence"})
    console = hall.at_console
    await console.sees(lambda: console.person(hall.name, "speaker") is None)


async def test_recording_is_made_shown_and_played(hall: Hall) -> None:
    console = hall.at_console
    await hall.act("record")
    told = await console.sees(lambda: (c := console.conference(hall.name)) and c["recording"] and c)
    await hall.story.hear(TALK)
    await hall.act("stop-recording")
    heard = "A recording can be heard"
    await console.sees(lambda: any(entry["text"] == heard for entry in console.entries))
    path = f"/console/conferences/{told['sid']}/recordings"
    [recording] = (await console.get(path)).json()["recordings"]
    assert recording["status"] == "completed"
    wav = (await console.get(recording["wav"])).content
    assert (wav[:4], len(wav) > 8_000) == (b"RIFF", True)  # half a second, at least
    assert len((await console.get(recording["mp3"])).content) > 1_000


async def test_locked_room_lets_nobody_in(hall: Hall) -> None:
    await hall.act("lock")
    caller = await hall.story.dial("late", hall.number)
    await caller.call.hears("sound")
    await caller.press("2")
    await hall.story.all_ended("late", within_s=30)
    assert hall.at_console.person(hall.name, "late") is None


async def test_end_thanks_everybody_and_the_conference_stays_readable(hall: Hall) -> None:
    console = hall.at_console
    told = await console.sees(lambda: console.conference(hall.name))
    await hall.act("end")
    await hall.story.all_ended("listener", "speaker", "moderator", within_s=30)
    path = f"/console/conferences/{told['sid']}"
    assert (await console.get(path)).json()["conference"]["ended_by"] == "conference-ended-via-api"
    table = (await console.get(f"{path}/attendance.csv")).text.splitlines()
    assert len(table) == 4
    assert {row.split(",")[1] for row in table[1:]} == {"listener", "speaker", "moderator"}


async def test_operator_sees_the_conference_of_another_application(story: Story) -> None:

    for name in ("ann", "ben"):
        await story.call(name, conference(story.room, beep="false"))
    async with Moderator(story.server) as operator:
        await operator.sign_in_as_operator()
        for name in ("ann", "ben"):
            await operator.sees(lambda name=name: operator.person(story.room, name), within_s=30)
        await operator.act(story.room, "mute", "ann")
        await story.hear({"ann": "ben", "ben": "silence"})
