"""Moderating from outside while many calls are up: requests a second, mute to silence, callbacks a second."""

import asyncio
import time

import msgspec
import numpy as np

from townhall.audio import encode_ulaw, sine
from townhall.bench.courses import Outcome, Progress, Row, Table
from townhall.bench.phones.apart import CrowdApart
from townhall.bench.phones.calling import Answered, Caller, call_all, gather_crowd
from townhall.bench.phones.voices import FRAMES
from townhall.bench.server.api import API
from townhall.bench.server.receiver import CALLBACKS, Receiver
from townhall.bench.server.subject import (
    ADDRESS,
    BenchFailed,
    Subject,
    started_subject,
)
from townhall.media.shapes import Bytes

SILENCE_AIM_MS = 40.0
"""Two ticks."""
_NUMBER = "3000"
_JOINING_A_SECOND = 40.0
_WORKERS = 4
_IN_WITHIN_S = 120.0
_QUIET_S = 0.4
"""So long after a mute, nothing more is on its way."""
_CALLBACKS_WITHIN_S = 60.0


class RemoteFigures(msgspec.Struct, frozen=True):
    """What the API does with `callers` calls up. Silence: from the answer to a mute to the last sound."""

    callers: int
    requests_a_second: float
    mutes: int
    silence_median_ms: float
    silence_max_ms: float
    callbacks_a_second: float


class RemoteCourse:
    """A conference of `callers`, of whom the first talks, is muted `mutes` times, while the API is asked for
    `asking_s`.
    """

    name = "api"

    def __init__(self, callers: int, *, mutes: int = 20, asking_s: float = 5.0) -> None:
        self._callers, self._mutes, self._asking_s = callers, mutes, asking_s
        self.seconds = 12 + callers / _JOINING_A_SECOND + mutes * 0.85 + asking_s

    async def run(self, progress: Progress) -> Outcome:
        progress("Starting a server", 0.0)
        async with (
            started_subject() as subject,
            Receiver(ADDRESS) as receiver,
            gather_crowd(self._callers, {0: _steady()}) as (crowd, caller),
        ):
            figures = await self._measure(subject, receiver, crowd, caller, progress)
        return Outcome(figures, [_table(figures)])

    async def _measure(
        self, subject: Subject, receiver: Receiver, crowd: CrowdApart, caller: Caller, progress: Progress
    ) -> RemoteFigures:
        document = (
            f'<Response><Dial><Conference beep="false" statusCallback="{receiver.url}{CALLBACKS}" '
            'statusCallbackEvent="join leave mute">bench</Conference></Dial></Response>'
        )
        receiver.answer(lambda form: document)
        await asyncio.to_thread(subject.command, "number", "add", _NUMBER, f"{receiver.url}/voice")
        api = API(ADDRESS, subject.http_port)
        await api.open()
        try:
            calls = await call_all(
                self._callers,
                _JOINING_A_SECOND,
                lambda phone: caller.call(phone, subject.uri(_NUMBER)),
                lambda done: progress(f"Calling in {self._callers} phones to be moderated", done),
            )
            if len(calls) < self._callers:
                raise BenchFailed(
                    f"{self._callers - len(calls)} of {self._callers} phones were not answered: "
                    f"{dict(caller.failures)}\n{subject.tail()}"
                )
            conference = await _conference(api, self._callers)
            talker = await _talker(api, conference)
            silence_ms = await _mute_again_and_again(self._mutes, api, crowd, conference, talker, progress)
            requests = await _ask_for_a_while(self._asking_s, subject, conference, talker, progress)
            callbacks = await _all_leave(caller, calls, receiver, progress)
        finally:
            api.close()
        return RemoteFigures(
            callers=self._callers,
            requests_a_second=requests,
            mutes=self._mutes,
            silence_median_ms=float(np.median(silence_ms)),
            silence_max_ms=float(np.max(silence_ms)),
            callbacks_a_second=callbacks,
        )


def _steady() -> Bytes:
    """A second of a tone without any pause, see `Crowd`."""
    return encode_ulaw(sine(440.0, 1.0, 8000)).reshape(FRAMES, -1)


def _table(figures: RemoteFigures) -> Table:
    return Table(
        f"the REST API, with {figures.callers} calls up",
        [
            Row("requests a second", f"{figures.requests_a_second:.0f}"),
            Row("from a mute's answer to silence, median", f"{figures.silence_median_ms:.0f} ms"),
            Row(
                f"longest of {figures.mutes}",
                f"{figures.silence_max_ms:.0f} ms",
                f"≤ {SILENCE_AIM_MS:g} ms",
                figures.silence_max_ms <= SILENCE_AIM_MS,
            ),
            Row("callbacks delivered a second", f"{figures.callbacks_a_second:.0f}"),
        ],
    )


async def _conference(api: API, callers: int) -> str:
    """Its SID, once all are in it."""
    until = time.monotonic() + _IN_WITHIN_S
    while time.monotonic() < until:
        found = (await api.ask("GET", "/Conferences?Status=in-progress"))["conferences"]
        if found:
            sid = str(found[0]["sid"])
            page = await api.ask("GET", f"/Conferences/{sid}/Participants?PageSize=1000")
            if len(page["participants"]) == callers:
                return sid
        await asyncio.sleep(0.1)
    raise BenchFailed(f"the {callers} phones were not in a conference within {_IN_WITHIN_S:g} s")


async def _talker(api: API, conference: str) -> str:
    """The Call SID of phone 0."""
    path = f"/Conferences/{conference}/Participants?PageSize=1000"
    participants = (await api.ask("GET", path))["participants"]
    for participant in participants:
        call = await api.ask("GET", f"/Calls/{participant['call_sid']}")
        if call["from"].startswith("sip:phone0@"):
            return str(participant["call_sid"])
    raise BenchFailed("phone 0 is not in the conference")


async def _mute_again_and_again(
    mutes: int, api: API, crowd: CrowdApart, conference: str, talker: str, progress: Progress
) -> list[float]:
    """Milliseconds from the API's answer to a mute until the last sound at any phone."""
    path = f"/Conferences/{conference}/Participants/{talker}"
    found = []
    for mute in range(mutes):
        progress("Muting and listening", mute / mutes)
        await api.ask("POST", path, Muted="false")
        await _until_loud(crowd, time.monotonic())
        await api.ask("POST", path, Muted="true")
        answered = time.monotonic()
        await asyncio.sleep(_QUIET_S)
        found.append(max(0.0, crowd.loud_at - answered) * 1000)
    return found


async def _until_loud(crowd: CrowdApart, since: float) -> None:
    until = since + _IN_WITHIN_S
    while crowd.loud_at <= since:
        if time.monotonic() > until:
            raise BenchFailed(f"nobody heard the talker for {_IN_WITHIN_S:g} s when he was not muted")
        await asyncio.sleep(0.02)  # told in another process


async def _ask_for_a_while(
    asking_s: float, subject: Subject, conference: str, talker: str, progress: Progress
) -> float:
    """Requests a second over a few kept connections, each asking again as soon as it is answered."""
    paths = (f"/Conferences/{conference}/Participants/{talker}", f"/Calls/{talker}", "/Calls?PageSize=20")
    until = time.monotonic() + asking_s
    progress("Asking the API", 0.0)

    async def worker() -> int:
        api = API(ADDRESS, subject.http_port)
        await api.open()
        count = 0
        while time.monotonic() < until:
            await api.ask("GET", paths[count % len(paths)])
            count += 1
        api.close()
        return count

    began = time.monotonic()
    counts = await asyncio.gather(*(worker() for _ in range(_WORKERS)))
    return sum(counts) / (time.monotonic() - began)


async def _all_leave(caller: Caller, calls: list[Answered], receiver: Receiver, progress: Progress) -> float:
    """All hang up at once: a callback for each of them, delivered in order; how many a second."""
    receiver.arrivals.clear()
    began = time.monotonic()
    await asyncio.gather(*(caller.hang_up(call) for call in calls))
    while len(receiver.arrivals) < len(calls):
        progress("Waiting for callbacks", len(receiver.arrivals) / len(calls))
        if time.monotonic() - began > _CALLBACKS_WITHIN_S:
            raise BenchFailed(f"{len(receiver.arrivals)} of {len(calls)} callbacks came")
        await asyncio.sleep(0.05)
    return len(calls) / (receiver.arrivals[-1] - began)
