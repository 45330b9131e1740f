"""Our own application on a fresh line: the menu, its keys, its mistakes, its farewell."""

import asyncio

from tests.harness.story import Story

from townhall.phone.hearing import Samples
from townhall.phone.listening import is_silence


async def test_menu_leads_listener_speaker_and_moderator_into_the_conference(story: Story) -> None:
    line = await story.line()
    for name in ("listener", "speaker", "moderator"):
        await story.dial(name, line)
    callers = story.callers
    await asyncio.gather(*(caller.call.hears("sound") for caller in callers.values()))

    await callers["listener"].press("1")
    await callers["speaker"].press("2")
    await asyncio.gather(*(callers[name].call.hears("music") for name in ("listener", "speaker")))
    await callers["moderator"].press("3")
    talk = {"listener": "speaker moderator", "speaker": "moderator", "moderator": "speaker"}
    await story.hear(talk, within_s=15)

    mark = callers["listener"].call.mark()
    await callers["moderator"].hang_up()
    await callers["listener"].call.hears("sound", since=mark)
    await story.all_ended("listener", "speaker", within_s=20)


async def test_key_interrupts_the_prompt_at_once(story: Story) -> None:
    line = await story.line(welcome="This is a long welcome. " * 20, music="silence")
    caller = await story.dial("caller", line)
    await caller.call.hears("sound")
    mark = caller.call.mark()
    await caller.press("1")
    # A sentence ends in silence, too: over is what has nothing to say for a second.
    for _ in range(20):
        if not (await caller.call.listen(1.0)).any():
            break
    heard = caller.call.heard_since(mark)
    assert not heard[-8000:].any()
    assert len(heard) < 15 * 8000, "the welcome takes twice as long"


async def test_wrong_key_is_told_and_the_menu_goes_on(story: Story) -> None:
    line = await story.line(music="silence")
    caller = await story.dial("caller", line)
    await caller.call.hears("sound")
    for key in "7#*":
        await caller.press(key)
        mark = await caller.call.hears("silence")
        await caller.call.hears("sound", since=mark)
    await caller.press("2")
    await story.hear({"caller": "silence"})
    await story.dial("moderator", line)
    await story.callers["moderator"].call.hears("sound")
    await story.callers["moderator"].press("3")
    await story.hear({"caller": "moderator", "moderator": "caller"}, within_s=15)


async def test_no_key_repeats_twice_then_says_goodbye_and_hangs_up(story: Story) -> None:
    line = await story.line(welcome="Hello.")
    caller = await story.dial("caller", line)
    await caller.call.ended(within_s=60)
    assert len(spoken(caller.call.received)) == 4, "three times the menu, and goodbye"


def spoken(samples: Samples) -> list[tuple[int, int]]:
    """Beginnings and ends of what was said, in samples at 8 kHz; pauses below a second and a half are
    breaths.
    """
    loud = [start for start in range(0, len(samples), 800) if not is_silence(samples[start : start + 800])]
    said: list[tuple[int, int]] = []
    for start in loud:
        if said and start - said[-1][1] < 12000:
            said[-1] = (said[-1][0], start + 800)
        else:
            said.append((start, start + 800))
    return said
