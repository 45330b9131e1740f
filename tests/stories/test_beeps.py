"""Beeps tell those who are in the conference who comes and goes; he who causes one does not hear it."""

import pytest
from tests.harness.documents import conference
from tests.harness.sounds import is_beep
from tests.harness.story import Caller, Story


def beeped(caller: Caller, mark: int) -> bool:
    heard = caller.call.heard_since(mark)
    return any(is_beep(heard[start : start + 1600]) for start in range(0, len(heard) - 1599, 400))


@pytest.mark.parametrize(
    ("beep", "on_enter", "on_exit"),
    [("true", True, True), ("onEnter", True, False), ("onExit", False, True), ("false", False, False)],
)
async def test_beep_is_heard_by_the_others_as_it_says(
    story: Story, beep: str, on_enter: bool, on_exit: bool
) -> None:
    quiet = conference(story.room, beep="false")
    ann = await story.call("ann", quiet)
    await story.call("ben", quiet)
    await story.hear({"ann": "ben", "ben": "ann"})

    mark = ann.call.mark()
    cat = await story.call("cat", conference(story.room, beep=beep, muted=True))
    await story.hear({"ann": "ben", "ben": "ann", "cat": "ann ben"})
    assert beeped(ann, mark) is on_enter
    assert not beeped(cat, 0)

    mark = ann.call.mark()
    await cat.hang_up()
    if on_exit:
        await ann.call.hears(is_beep, since=mark)
    await story.hear({"ann": "ben", "ben": "ann"})
    assert beeped(ann, mark) is on_exit


async def test_nobody_beeps_into_the_music_of_those_who_wait(story: Story) -> None:
    waiting = conference(story.room, start_conference_on_enter=False, wait_url="")
    ann = await story.call("ann", waiting)
    ben = await story.call("ben", waiting)
    await story.hear({"ann": "silence", "ben": "silence"})
    assert not ann.call.received.any()
    assert not ben.call.received.any()
