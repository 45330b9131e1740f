"""Twilio's own packages dial people into a live conference, and hand a caller on from one agent to the next.

Each story runs twice, with the package for Python and with the one for Node.
"""

import asyncio

import pytest
from tests.harness.callee import callee
from tests.harness.documents import conference
from tests.harness.remotes import Remote, RemoteError
from tests.harness.story import Story


async def has_status(remote: Remote, call_sid: str, status: str) -> None:
    """Wait until the API says so of a call, which has a second to be over."""
    async with asyncio.timeout(30):
        while (await remote.fetch("calls", call_sid))["status"] != status:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_guest_is_dialled_into_a_running_conference(story: Story, remote: Remote) -> None:
    await story.call("ann", conference(story.room, beep="false", **story.events))
    guest = await callee(story, "guest", registered=False)
    created = await remote.create(
        "conferences", story.room, "participants", from_="+15550100", to=guest.uri, label="guest"
    )
    assert created["status"] == "queued"
    assert (created["label"], created["muted"]) == ("guest", False)
    await guest.answers()
    await story.hear({"ann": "guest", "guest": "ann"})
    found = await remote.fetch("conferences", created["conference_sid"], "participants", "guest")
    assert (found["status"], found["call_sid"]) == ("connected", created["call_sid"])
    call = await remote.fetch("calls", created["call_sid"])
    assert (call["direction"], call["status"]) == ("outbound-api", "in-progress")
    await remote.remove("conferences", created["conference_sid"], "participants", "guest")
    await story.all_ended("guest")
    await story.hear({"ann": "silence"})


async def test_guest_dialled_as_a_muted_participant_only_listens(story: Story, remote: Remote) -> None:
    await story.call("ann", conference(story.room, beep="false"))
    guest = await callee(story, "guest", registered=False)
    await remote.create(
        "conferences", story.room, "participants", from_="+15550100", to=guest.uri, muted=True
    )
    await guest.answers()
    await story.hear({"ann": "silence", "guest": "ann"})


async def test_guest_who_is_busy_leaves_the_conference_as_it_was(story: Story, remote: Remote) -> None:
    await story.call("ann", conference(story.room, beep="false"))
    guest = await callee(story, "guest", registered=False)
    created = await remote.create("conferences", story.room, "participants", from_="+15550100", to=guest.uri)
    (await guest.rings()).reject(486)
    await has_status(remote, created["call_sid"], "busy")
    await story.hear({"ann": "music"})
    assert len(await remote.list("conferences", created["conference_sid"], "participants")) == 1


async def test_guest_is_not_called_any_more_once_he_is_removed(story: Story, remote: Remote) -> None:
    await story.call("ann", conference(story.room, beep="false"))
    guest = await callee(story, "guest", registered=False)
    created = await remote.create("conferences", story.room, "participants", from_="+15550100", to=guest.uri)
    ringing = await guest.rings()
    await remote.remove("conferences", created["conference_sid"], "participants", created["call_sid"])
    assert (await ringing.ended()).cause == "cancel"
    await has_status(remote, created["call_sid"], "canceled")


async def test_call_is_placed_and_runs_its_document(story: Story, remote: Remote) -> None:
    await story.call("ann", conference(story.room, beep="false"))
    guest = await callee(story, "guest", registered=False)
    twiml = conference(story.room, beep="false")
    call = await remote.create("calls", from_="+15550100", to=guest.uri, twiml=twiml)
    assert call["status"] == "queued"
    await guest.answers()
    await story.hear({"ann": "guest", "guest": "ann"})
    await remote.update("calls", call["sid"], status="completed")
    await story.all_ended("guest")
    assert (await remote.fetch("calls", call["sid"]))["status"] == "completed"


async def test_warm_transfer(story: Story, remote: Remote) -> None:
    """A caller in conference, an agent dialled in, a second agent dialled in, the first one leaves."""
    await story.call("caller", conference(story.room, beep="false", end_conference_on_exit=True))
    await story.hear({"caller": "music"})
    first = await callee(story, "first", registered=False)
    second = await callee(story, "second", registered=False)
    sids = {}
    for agent in (first, second):
        created = await remote.create(
            "conferences",
            story.room,
            "participants",
            from_="+15550100",
            to=agent.uri,
            label=agent.name,
            end_conference_on_exit=False,
        )
        sids[agent.name], room = created["call_sid"], created["conference_sid"]
        await agent.answers()
        if agent is first:
            await story.hear({"caller": "first", "first": "caller"})
    await story.hear({"caller": "first second", "first": "caller second", "second": "caller first"})

    # The first agent briefs the second one while the caller hears music; then he leaves.
    caller = (await story.requested("/voice", "caller")).parameters["CallSid"]
    await remote.update("conferences", room, "participants", caller, hold=True)
    await story.hear({"caller": "music", "first": "second", "second": "first"})
    await remote.update("conferences", room, "participants", caller, hold=False)
    await story.callers["first"].hang_up()
    await story.hear({"caller": "second", "second": "caller"})
    (agent, *others) = await remote.list("conferences", room, "participants")
    assert {agent["call_sid"], *(one["call_sid"] for one in others)} == {caller, sids["second"]}
    await story.callers["caller"].hang_up()
    await story.all_ended("second")


@pytest.mark.parametrize(
    ("to", "code"),
    [("+4366412345678", 21215), ("nobody knows this", 21211), ("", 21201), ("sip:a@10.255.255.1", 21215)],
    ids=["number-without-trunk", "no-destination", "none", "inner-address"],
)
async def test_destination_that_may_not_be_called_is_refused(
    story: Story, remote: Remote, to: str, code: int
) -> None:
    with pytest.raises(RemoteError) as refused:
        await remote.create("conferences", story.room, "participants", from_="+15550100", to=to)
    assert (refused.value.status, refused.value.code) == (400, code)
    assert await remote.list("conferences", friendly_name=story.room) == []
