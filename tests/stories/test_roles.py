"""Listener, speaker and moderator: each alone, and in every order of arrival."""

from itertools import permutations

import pytest
from tests.harness.documents import role
from tests.harness.story import Story

ROLES = ("listener", "speaker", "moderator")


def hearing(present: tuple[str, ...]) -> dict[str, str]:
    """Who hears whom by the start rule: two present, one of them a starter."""
    if len(present) < 2 or "moderator" not in present:
        return dict.fromkeys(present, "music")
    talkers = [name for name in present if name != "listener"]
    return {name: " ".join(talker for talker in talkers if talker != name) for name in present}


@pytest.mark.parametrize("name", ROLES)
async def test_role_alone_hears_music(story: Story, name: str) -> None:
    await story.call(name, role(name, story.room, **story.events))
    await story.hear({name: "music"})
    await story.told("participant-join")


@pytest.mark.parametrize("order", list(permutations(ROLES)), ids="-".join)
async def test_roles_in_any_order_hear_as_the_rules_say(story: Story, order: tuple[str, ...]) -> None:
    for count, name in enumerate(order, 1):
        await story.call(name, role(name, story.room, dial={"action": story.url("/left")}, **story.events))
        await story.hear(hearing(order[:count]))
    joins = ["participant-join"] * 3
    joins.insert(max(2, order.index("moderator") + 1), "conference-start")
    await story.told(*joins)

    await story.callers["moderator"].hang_up()
    await story.all_ended("listener", "speaker")
    await story.told(*joins, "participant-leave", "participant-leave", "participant-leave", "conference-end")
    assert story.paths("listener") == ["/voice", "/left"]
    assert story.paths("speaker") == ["/voice", "/left"]


async def test_many_listeners_and_speakers_start_together(story: Story) -> None:
    for name in ("ann", "ben"):
        await story.call(name, role("listener", story.room))
    for name in ("sue", "tom"):
        await story.call(name, role("speaker", story.room))
    await story.hear(dict.fromkeys(("ann", "ben", "sue", "tom"), "music"))
    await story.call("moderator", role("moderator", story.room))
    await story.hear(
        {
            "ann": "sue tom moderator",
            "ben": "sue tom moderator",
            "sue": "tom moderator",
            "tom": "sue moderator",
            "moderator": "sue tom",
        }
    )
