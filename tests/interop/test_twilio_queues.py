"""Twilio's own packages run a queue: how long it may be, who waits, who is taken out and to where.

Each story runs twice, with the package for Python and with the one for Node.
"""

import pytest
from tests.harness.documents import conference
from tests.harness.queueing import dial_queue, enqueue
from tests.harness.remotes import Remote, RemoteError
from tests.harness.story import Story


async def call_sid(story: Story, name: str) -> str:
    return (await story.requested("/voice", name)).parameters["CallSid"]


async def queue_sid(remote: Remote, story: Story) -> str:
    (sid,) = [one["sid"] for one in await remote.list("queues") if one["friendly_name"] == story.room]
    return str(sid)


async def test_full_queue_turns_the_next_caller_away(story: Story, remote: Remote) -> None:
    made = await remote.create("queues", friendly_name=story.room, max_size=1)
    assert (made["friendly_name"], made["max_size"], made["current_size"]) == (story.room, 1, 0)
    left = {"action": story.url("/left")}
    first = await story.call("first", enqueue(story.room, **left))
    await story.hear({"first": "music"})
    await story.call("second", enqueue(story.room, **left))
    told = await story.requested("/left", "second")
    assert told.parameters["QueueResult"] == "queue-full"
    assert "QueueTime" not in told.parameters
    await story.all_ended("second")
    changed = await remote.update("queues", made["sid"], max_size=2)
    assert (changed["max_size"], changed["current_size"]) == (2, 1)
    await story.call("third", enqueue(story.room))
    await story.hear({"first": "music", "third": "music"})
    assert (await remote.fetch("queues", made["sid"]))["current_size"] == 2
    await first.hang_up()


async def test_members_are_listed_in_order(story: Story, remote: Remote) -> None:
    for name in ("first", "second", "third"):
        await story.call(name, enqueue(story.room))
    await story.hear({"first": "music", "second": "music", "third": "music"})
    queue = await queue_sid(remote, story)
    sids = [await call_sid(story, name) for name in ("first", "second", "third")]
    found = await remote.list("queues", queue, "members")
    assert [(one["call_sid"], one["position"]) for one in found] == list(zip(sids, (1, 2, 3), strict=True))
    front = await remote.fetch("queues", queue, "members", "Front")
    assert (front["call_sid"], front["queue_sid"], front["position"]) == (sids[0], queue, 1)
    assert front["wait_time"] >= 0
    await story.callers["first"].hang_up()
    await story.call("agent", dial_queue(story.room))
    await story.hear({"second": "agent", "agent": "second", "third": "music"})
    (last,) = await remote.list("queues", queue, "members")
    assert (last["call_sid"], last["position"]) == (sids[2], 1)


async def test_front_and_a_certain_caller_are_taken_out(story: Story, remote: Remote) -> None:
    left = {"action": story.url("/left")}
    for name in ("first", "second", "third"):
        await story.call(name, enqueue(story.room, **left))
    await story.hear({"first": "music", "second": "music", "third": "music"})
    queue = await queue_sid(remote, story)
    url = story.on("/desk", conference(f"{story.room} desk", beep="false"))
    taken = await remote.update("queues", queue, "members", "Front", url=url)
    assert (taken["call_sid"], taken["position"]) == (await call_sid(story, "first"), 1)
    await remote.update("queues", queue, "members", await call_sid(story, "third"), url=url, method="GET")
    await story.hear({"first": "third", "third": "first", "second": "music"})
    assert (await story.requested("/desk", "first")).method == "POST"
    assert (await story.requested("/desk", "third")).method == "GET"
    told = await story.requested("/left", "first")
    assert (told.parameters["QueueResult"], told.parameters["QueueSid"]) == ("redirected", queue)
    (member,) = await remote.list("queues", queue, "members")
    assert (member["call_sid"], member["position"]) == (await call_sid(story, "second"), 1)


async def test_caller_is_redirected_out_of_the_talk_with_his_agent(story: Story, remote: Remote) -> None:
    left = {"action": story.url("/left")}
    await story.call("caller", enqueue(story.room, **left))
    await story.call("agent", dial_queue(story.room, dial=left))
    await story.hear({"caller": "agent", "agent": "caller"})
    twiml = conference(f"{story.room} desk", wait_url="")
    await remote.update("calls", await call_sid(story, "caller"), twiml=twiml)
    told = await story.requested("/left", "caller")
    assert told.parameters["QueueResult"] == "redirected-from-bridged"
    assert (await story.requested("/left", "agent")).parameters["DialCallStatus"] == "completed"
    await story.all_ended("agent")
    await story.hear({"caller": "silence"})


async def test_queue_is_renamed_and_deleted(story: Story, remote: Remote) -> None:
    made = await remote.create("queues", friendly_name=story.room)
    assert made["max_size"] == 1000
    renamed = await remote.update("queues", made["sid"], friendly_name=f"{story.room} new")
    assert renamed["friendly_name"] == f"{story.room} new"
    caller = await story.call("caller", enqueue(f"{story.room} new"))
    await story.hear({"caller": "music"})
    with pytest.raises(RemoteError) as busy:
        await remote.remove("queues", made["sid"])
    assert (busy.value.status, busy.value.code) == (409, 20409)
    await caller.hang_up()
    await story.server_is_empty()
    await remote.remove("queues", made["sid"])
    with pytest.raises(RemoteError) as gone:
        await remote.fetch("queues", made["sid"])
    assert (gone.value.status, gone.value.code) == (404, 20404)


async def test_what_cannot_be_done_with_a_queue_is_refused(story: Story, remote: Remote) -> None:
    made = await remote.create("queues", friendly_name=story.room)
    queue, nobody = ("queues", made["sid"]), "CA" + "0" * 32
    attempts = [
        (remote.create("queues", friendly_name=story.room), 409, 20409),
        (remote.create("queues", friendly_name="x" * 65), 400, 20002),
        (remote.create("queues", friendly_name=""), 400, 20002),
        (remote.create("queues", friendly_name=f"{story.room} 2", max_size=5001), 400, 20001),
        (remote.update(*queue, max_size=0), 400, 20001),
        (remote.fetch(*queue, "members", "Front"), 404, 20404),
        (remote.fetch(*queue, "members", nobody), 404, 20404),
        (remote.update(*queue, "members", "Front", url="https://x.example/"), 404, 20404),
        (remote.update(*queue, "members", nobody, url="nonsense"), 400, 21205),
        (remote.list("queues", "QU" + "0" * 32, "members"), 404, 20404),
    ]
    for attempt, status, code in attempts:
        with pytest.raises(RemoteError) as refused:
            await attempt
        assert (refused.value.status, refused.value.code) == (status, code), refused.value
