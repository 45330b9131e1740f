"""`<Dial><Conference>room</Conference></Dial>` and nothing else: its callers are bridged."""

from tests.harness.documents import conference
from tests.harness.sounds import is_beep
from tests.harness.story import Story


async def test_plain_conference_bridges_its_callers(story: Story) -> None:
    await story.call("ann", conference(story.room))
    await story.hear({"ann": "music"})
    ben = await story.call("ben", conference(story.room))
    await story.hear({"ann": "ben", "ben": "ann"})
    cat = await story.call("cat", conference(story.room))
    await story.hear({"ann": "ben cat", "ben": "ann cat", "cat": "ann ben"})
    await cat.hang_up()
    await story.hear({"ann": "ben", "ben": "ann"})
    await ben.hang_up()
    await story.hear({"ann": "silence"})


async def test_simple_bridge_of_the_how_to_is_quiet_and_ends_with_either(story: Story) -> None:
    bridge = conference(
        story.room, beep="false", wait_url="", start_conference_on_enter=True, end_conference_on_exit=True
    )
    ann = await story.call("ann", bridge)
    await story.hear({"ann": "silence"})
    ben = await story.call("ben", bridge)
    await story.hear({"ann": "ben", "ben": "ann"})
    for start in range(0, len(ann.call.received) - 1600, 800):
        assert not is_beep(ann.call.received[start : start + 1600])
    await ben.hang_up()
    await story.all_ended("ann")
