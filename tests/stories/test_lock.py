"""A locked conference: those inside talk on, who calls is refused as from a full room, a guest gets in."""

import base64

import httpx2
from tests.harness.callee import callee
from tests.harness.documents import conference, role
from tests.harness.remote_control import RemoteControl
from tests.harness.server import ACCOUNT_SID, AUTH_TOKEN
from tests.harness.story import Story

EVENTS = "join lock"


async def set_lock(story: Story, sid: str, locked: bool) -> None:
    """The official package has no word for it, so it is asked for as a plain request."""
    credentials = base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
    async with httpx2.AsyncClient(headers={"Authorization": f"Basic {credentials}"}) as client:
        answer = await client.post(
            f"{story.server.url}/2010-04-01/Accounts/{ACCOUNT_SID}/Conferences/{sid}.json",
            data={"Locked": str(locked).lower()},
        )
    assert answer.status_code == 200, answer.text
    assert answer.json()["locked"] is locked


def joining(story: Story, **dial: object) -> str:
    return conference(
        story.room,
        dial=dial or None,
        beep="false",
        status_callback=story.url("/events"),
        status_callback_event=EVENTS,
    )


async def test_locked_room_keeps_callers_out_and_lets_guests_in(story: Story) -> None:
    gus, remote = await callee(story, "gus"), RemoteControl(story)
    for name in ("ann", "ben"):
        await story.call(name, joining(story))
    await story.hear({"ann": "ben", "ben": "ann"})
    sid = (await remote.conference()).sid
    await set_lock(story, sid, True)
    await story.call("eve", joining(story, action=story.url("/left")))
    assert (await story.requested("/left", "eve")).parameters["DialCallStatus"] == "failed"
    await story.all_ended("eve")
    await story.call("mod", role("moderator", story.room, then=story.url("/next")))
    await story.all_ended("mod")
    assert story.paths("mod") == ["/voice", "/next"]
    await story.hear({"ann": "ben", "ben": "ann"})
    await remote.do(
        lambda c: c.conferences(sid).participants.create(from_="+15550100", to="client:gus", beep="false")
    )
    await gus.answers()
    await story.hear({"ann": "ben gus", "ben": "ann gus", "gus": "ann ben"})
    await set_lock(story, sid, False)
    await story.call("joe", joining(story))
    await story.hear({"ann": "ben gus joe", "ben": "ann gus joe", "gus": "ann ben joe", "joe": "ann ben gus"})
    await story.told(
        *["participant-join"] * 2,
        "conference-lock",
        "participant-join",
        "conference-unlock",
        "participant-join",
    )


async def test_room_of_the_same_name_is_open_again(story: Story) -> None:
    remote = RemoteControl(story)
    for name in ("ann", "ben"):
        await story.call(name, joining(story))
    await story.hear({"ann": "ben", "ben": "ann"})
    await set_lock(story, (await remote.conference()).sid, True)
    for name in ("ann", "ben"):
        await story.callers[name].hang_up()
    await story.server_is_empty()
    for name in ("joe", "kim"):
        await story.call(name, joining(story))
    await story.hear({"joe": "kim", "kim": "joe"})
