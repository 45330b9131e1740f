"""Bad commands to a live conference: each is refused with the right status and number, and nobody notices."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
from tests.harness.documents import conference
from tests.harness.queueing import dial_queue, enqueue
from tests.harness.server import ACCOUNT_SID, AUTH_TOKEN
from tests.harness.story import Story

LONG = "x" * 10_000
NOBODY = "CA" + "0" * 32
NOWHERE = "CF" + "0" * 32


class API:
    """The REST API without a package that might correct what is sent."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client

    async def post(self, path: str, **form: str) -> httpx2.Response:
        return await self._client.post(path, data=form)

    async def get(self, path: str, **query: str) -> httpx2.Response:
        return await self._client.get(path, params=query)

    async def delete(self, path: str) -> httpx2.Response:
        return await self._client.delete(path)

    async def conference_of(self, story: Story) -> str:
        found = (await self.get("Conferences.json", FriendlyName=story.room, Status="in-progress")).json()
        (one,) = found["conferences"]
        return str(one["sid"])


@pytest.fixture
async def api(story: Story) -> AsyncIterator[API]:
    base = f"{story.server.url}/2010-04-01/Accounts/{ACCOUNT_SID}/"
    async with httpx2.AsyncClient(base_url=base, auth=(ACCOUNT_SID, AUTH_TOKEN), timeout=20) as client:
        yield API(client)


async def call_sid(story: Story, name: str) -> str:
    return (await story.requested("/voice", name)).parameters["CallSid"]


async def two(story: Story, api: API) -> tuple[str, str]:
    """Ann and Bob talk; the Conference SID and Ann's Call SID."""
    await story.call("ann", conference(story.room, beep="false", participant_label="ann"))
    await story.call("bob", conference(story.room, beep="false"))
    await story.hear({"ann": "bob", "bob": "ann"})
    return await api.conference_of(story), await call_sid(story, "ann")


def refusal(response: httpx2.Response) -> tuple[int, int]:
    """The status and Twilio's number of an error that says what to do."""
    said = response.json()
    assert set(said) == {"code", "message", "more_info", "status"}, said
    assert said["status"] == response.status_code
    assert 10 < len(said["message"]) < 500
    assert "Traceback" not in said["message"]
    return response.status_code, said["code"]


async def test_wrong_values_for_a_participant_change_nothing(story: Story, api: API) -> None:
    room, ann = await two(story, api)
    me = f"Conferences/{room}/Participants/{ann}.json"
    for form, code in [
        ({"Hold": "maybe"}, 20001),
        ({"HoldUrl": "nonsense", "Hold": "true"}, 21205),
        ({"HoldMethod": "PATCH", "Hold": "true"}, 21209),
        ({"AnnounceUrl": "ftp://x.example/"}, 21205),
        ({"AnnounceUrl": "https://x.example/" + LONG}, 21205),
        ({"Coaching": "true"}, 20001),
        ({"CallSidToCoach": "ann"}, 20001),
        ({"CallSidToCoach": LONG}, 20001),
        ({"EndConferenceOnExit": "2"}, 20001),
        ({"WaitUrl": "//x"}, 21205),
    ]:
        assert refusal(await api.post(me, **form)) == (400, code), form
    assert refusal(await api.post(me, CallSidToCoach=NOBODY)) == (404, 16028)
    assert refusal(await api.post(me, CallSidToCoach=ann)) == (404, 16028)
    await story.hear({"ann": "bob", "bob": "ann"})


async def test_wrong_values_for_a_call_do_not_take_it_out_of_the_conference(story: Story, api: API) -> None:
    _, ann = await two(story, api)
    call = f"Calls/{ann}.json"
    for form, code in [
        ({"Url": "nonsense"}, 21205),
        ({"Url": "https://x.example/", "Method": "HEAD"}, 21209),
        ({"Status": "paused"}, 20001),
        ({"Twiml": "<Response>" + LONG + "</Response>"}, 32018),
    ]:
        assert refusal(await api.post(call, **form)) == (400, code), form
    await story.hear({"ann": "bob", "bob": "ann"})


async def test_what_is_not_there_is_not_found(story: Story, api: API) -> None:
    room, ann = await two(story, api)
    for path in (
        f"Calls/{NOBODY}.json",
        f"Conferences/{NOWHERE}.json",
        f"Conferences/{room}/Participants/{NOBODY}.json",
        f"Conferences/{room}/Participants/nobody.json",
        f"Conferences/{NOWHERE}/Participants/{ann}.json",
        "Nonsense.json",
        f"Calls/{LONG}.json",
        f"Conferences/{room}/Participants/%00.json",
        f"Conferences/{room}/Participants/..%2f..%2f.json",
    ):
        assert refusal(await api.get(path)) == (404, 20404), path
    assert refusal(await api.post(f"Conferences/{room}/Participants/nobody.json", Muted="true"))[0] == 404
    assert refusal(await api.delete(f"Conferences/{room}/Participants/nobody.json"))[0] == 404
    await story.hear({"ann": "bob", "bob": "ann"})


async def test_participant_who_has_just_left_is_gone(story: Story, api: API) -> None:
    room, ann = await two(story, api)
    await story.callers["ann"].hang_up()
    await story.hear({"bob": "silence"})
    for who in (ann, "ann"):
        me = f"Conferences/{room}/Participants/{who}.json"
        assert refusal(await api.post(me, Muted="true")) == (404, 16028)
        assert refusal(await api.delete(me)) == (404, 16028)
        assert refusal(await api.get(me)) == (404, 20404)
    assert refusal(await api.post(f"Calls/{ann}.json", Twiml="<Response/>")) == (400, 21220)


async def test_commands_at_once_leave_what_the_api_says_and_the_phones_hear(story: Story, api: API) -> None:
    room, ann = await two(story, api)
    me = f"Conferences/{room}/Participants/{ann}.json"
    answers = await asyncio.gather(
        *(api.post(me, Muted=word) for word in ("true", "false") * 10),
        *(api.post(me, Hold=word) for word in ("true", "false") * 5),
        *(api.get(me) for _ in range(10)),
    )
    assert {answer.status_code for answer in answers} == {200}
    state = (await api.get(me)).json()
    ann_hears = "music" if state["hold"] else "bob"
    await story.hear({"ann": ann_hears, "bob": "silence" if state["muted"] or state["hold"] else "ann"})


async def test_kick_and_completion_at_once_end_the_call_once(story: Story, api: API) -> None:
    room, ann = await two(story, api)
    me = f"Conferences/{room}/Participants/{ann}.json"
    answers = await asyncio.gather(
        api.delete(me),
        api.delete(me),
        api.post(f"Calls/{ann}.json", Status="completed"),
        api.post(me, Hold="true"),
    )
    assert all(answer.status_code < 500 for answer in answers)
    assert sorted(answer.status_code for answer in answers[:2]) == [204, 404]
    await story.all_ended("ann")
    await story.hear({"bob": "silence"})


async def test_front_is_taken_out_once_by_each_of_two_commands_at_once(story: Story, api: API) -> None:
    for name in ("first", "second", "third"):
        await story.call(name, enqueue(story.room))
    await story.hear({"first": "music", "second": "music", "third": "music"})
    found = (await api.get("Queues.json", PageSize="1000")).json()["queues"]
    (queue,) = [one["sid"] for one in found if one["friendly_name"] == story.room]
    story.on("/desk", conference(f"{story.room} desk", beep="false"))
    front = f"Queues/{queue}/Members/Front.json"
    answers = await asyncio.gather(*(api.post(front, Url=story.url("/desk")) for _ in range(2)))
    taken = {answer.json()["call_sid"] for answer in answers}
    assert taken == {await call_sid(story, "first"), await call_sid(story, "second")}
    await story.call("agent", dial_queue(story.room))
    await story.hear({"first": "second", "second": "first", "third": "agent", "agent": "third"})
    assert refusal(await api.post(front, Url=story.url("/desk"))) == (404, 20404)


@pytest.mark.parametrize(
    ("label", "code"),
    [("a/b", 16024), ("x" * 129, 16024), (LONG, 16024), (NOBODY, 16024), ("a\x00b", 16024), ("ann", 16026)],
    ids=["slash", "too-long", "far-too-long", "like-a-call", "control-character", "taken"],
)
async def test_label_that_cannot_be_is_refused(story: Story, api: API, label: str, code: int) -> None:
    room, _ = await two(story, api)
    form = {"From": "+15550100", "To": "client:nobody", "Label": label}
    assert refusal(await api.post(f"Conferences/{room}/Participants.json", **form)) == (400, code)
    await story.hear({"ann": "bob", "bob": "ann"})


@pytest.mark.parametrize(
    "name", ["From", "To", "CallerId", "StatusCallback", "SendDigits", "WaitUrl", "Timeout"]
)
async def test_parameter_of_ten_thousand_characters_places_no_call(story: Story, api: API, name: str) -> None:
    room, _ = await two(story, api)
    form = {"From": "+15550100", "To": "client:nobody", name: LONG}
    assert refusal(await api.post(f"Conferences/{room}/Participants.json", **form))[0] == 400
    listed = (await api.get(f"Conferences/{room}/Participants.json")).json()
    assert len(listed["participants"]) == 2
    await story.hear({"ann": "bob", "bob": "ann"})
