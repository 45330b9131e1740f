"""Levels of a live conference: who talks is loud, who is muted is not there, who falls silent is quiet."""

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import httpx2
from tests.harness.documents import conference
from tests.harness.remote_control import RemoteControl
from tests.harness.server import ACCOUNT_SID, AUTH_TOKEN
from tests.harness.speech import speech
from tests.harness.story import Story

LOUD = 40
"""dB below overload; the callers' tones are louder."""

Levels = dict[str, dict[str, Any]]


async def levels(story: Story, sid: str, until: Callable[[Levels], bool]) -> Levels:
    """Ask as a meter does, ten times a second, until the levels are so; by Call SID."""
    credentials = base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
    url = f"{story.server.url}/2010-04-01/Accounts/{ACCOUNT_SID}/Conferences/{sid}/Levels.json"
    found: Levels = {}
    async with httpx2.AsyncClient(headers={"Authorization": f"Basic {credentials}"}) as client:
        try:
            async with asyncio.timeout(40):
                while True:
                    answer = (await client.get(url)).json()
                    assert answer["conference_sid"] == sid
                    found = {row["call_sid"]: row for row in answer["levels"]}
                    if until(found):
                        return found
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"the levels stayed {found}") from None


async def test_levels_follow_who_talks(story: Story) -> None:
    for name in ("ann", "ben"):
        await story.call(name, conference(story.room, beep="false"))
    await story.call("eve", conference(story.room, beep="false", muted=True))
    await story.hear({"ann": "ben", "ben": "ann", "eve": "ann ben"})
    remote = RemoteControl(story)
    sid = (await remote.conference()).sid
    ann, ben, eve = [await remote.call_sid(name) for name in ("ann", "ben", "eve")]

    def both_speak(all_: Levels) -> bool:
        talking = [all_.get(call, {"dbov": 127}) for call in (ann, ben)]
        return all(one["dbov"] < LOUD and one["speaking"] for one in talking)

    for name in ("ann", "ben"):
        story.callers[name].call.say_samples(speech(60.0))
    assert set(await levels(story, sid, both_speak)) == {ann, ben}
    await remote.update("ann", muted=True)
    await levels(story, sid, lambda all_: set(all_) == {ben})
    await remote.update("eve", muted=False)
    await levels(story, sid, lambda all_: set(all_) == {ben, eve} and all_[eve]["dbov"] < LOUD)
    await story.callers["ben"].hang_up()
    await levels(story, sid, lambda all_: set(all_) == {eve})
