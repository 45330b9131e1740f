"""Moderating from outside while many calls are up: requests a second, mute to silence, callbacks a second."""

import asyncio
import base64
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import numpy as np

from townhall.bench.calling import Answered, Caller, at_pace
from townhall.bench.crowd import Crowd
from townhall.bench.plan import BenchPlan, RemoteFigures
from townhall.bench.receiver import CALLBACKS, Receiver
from townhall.bench.subject import ACCOUNT_SID, ADDRESS, AUTH_TOKEN, BenchFailed, Subject

Progress = Callable[[str, float], None]

_NUMBER = "3000"
_WORKERS = 4
_CALLBACKS_WITHIN_S = 60.0


class API:
    """One kept connection to the measured server's REST API."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        pair = base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
        self._head = f"Host: {host}:{port}\r\nAuthorization: Basic {pair}\r\nAccept: application/json\r\n"

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)

    def close(self) -> None:
        self._writer.close()

    async def ask(self, method: str, path: str, **form: str) -> Any:
        """Request `/2010-04-01/Accounts/AC…{path}.json`; raises `BenchFailed` unless it is answered 2xx."""
        target, _, query = path.partition("?")
        body = urlencode(form).encode()
        where = f"/2010-04-01/Accounts/{ACCOUNT_SID}{target}.json" + (f"?{query}" if query else "")
        self._writer.write(
            f"{method} {where} HTTP/1.1\r\n"
            f"{self._head}Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = next((line[15:] for line in head.split("\r\n") if line.startswith("content-length:")), "0")
        answer = await self._reader.readexactly(int(length))
        if not head.split(" ", 2)[1].startswith("2"):
            raise BenchFailed(f"{method} {path} was answered with {answer.decode(errors='replace')[:500]}")
        return json.loads(answer) if answer else None


async def measure_remote(
    plan: BenchPlan, subject: Subject, crowd: Crowd, caller: Caller, progress: Progress
) -> RemoteFigures:
    """Fill a conference of `plan.moderated` callers, one of whom talks, and moderate it."""
    async with Receiver(ADDRESS) as receiver:
        receiver.answer(
            f'<Response><Dial><Conference beep="false" statusCallback="{receiver.url}{CALLBACKS}" '
            'statusCallbackEvent="join leave mute">bench</Conference></Dial></Response>'
        )
        await asyncio.to_thread(subject.command, "number", "add", _NUMBER, f"{receiver.url}/voice")
        api = API(ADDRESS, subject.http_port)
        await api.open()
        try:
            calls = await _fill(plan, subject, caller, progress)
            conference = (await api.ask("GET", "/Conferences?Status=in-progress"))["conferences"][0]["sid"]
            talker = await _talker(api, conference)
            silence_ms = await _mute_again_and_again(plan.mutes, api, crowd, conference, talker, progress)
            requests_a_second = await _ask_for_a_while(plan, subject, conference, talker, progress)
            callbacks = await _all_leave(plan, caller, calls, receiver, progress)
        finally:
            api.close()
    return RemoteFigures(
        callers=plan.moderated,
        requests_a_second=requests_a_second,
        mutes=plan.mutes,
        silence_median_ms=float(np.median(silence_ms)),
        silence_max_ms=float(np.max(silence_ms)),
        callbacks_a_second=callbacks,
    )


async def _fill(plan: BenchPlan, subject: Subject, caller: Caller, progress: Progress) -> list[Answered]:
    queue = await at_pace(plan.moderated, plan.joining_a_second)
    tasks = []
    while (number := await queue.get()) is not None:
        # The first one is the only one who talks.
        tasks.append(asyncio.create_task(caller.call(number, subject.uri(_NUMBER), talking=number == 0)))
        progress(f"Calling in {plan.moderated} phones to be moderated", number / plan.moderated)
    answered = [call for call in await asyncio.gather(*tasks) if call is not None]
    if len(answered) < plan.moderated:
        raise BenchFailed(
            f"{plan.moderated - len(answered)} of {plan.moderated} phones were not answered: "
            f"{dict(caller.failures)}\n{subject.tail()}"
        )
    return answered


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
    mutes: int, api: API, crowd: Crowd, conference: str, talker: str, progress: Progress
) -> list[float]:
    """Milliseconds from the API's answer to a mute until the last sound at any phone."""
    path = f"/Conferences/{conference}/Participants/{talker}"
    found = []
    for mute in range(mutes):
        progress("Muting and listening", mute / mutes)
        await api.ask("POST", path, Muted="false")
        await asyncio.sleep(0.4)
        await api.ask("POST", path, Muted="true")
        answered = time.monotonic()
        await asyncio.sleep(0.4)
        if crowd.loud_at < answered - 0.4:
            raise BenchFailed("nobody heard the talker before he was muted")
        found.append(max(0.0, crowd.loud_at - answered) * 1000)
    return found


async def _ask_for_a_while(
    plan: BenchPlan, subject: Subject, conference: str, talker: str, progress: Progress
) -> float:
    """Requests a second over a few kept connections, each asking again as soon as it is answered."""
    paths = (f"/Conferences/{conference}/Participants/{talker}", f"/Calls/{talker}", "/Calls?PageSize=20")
    until = time.monotonic() + plan.asking_s
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


async def _all_leave(
    plan: BenchPlan, caller: Caller, calls: list[Answered], receiver: Receiver, progress: Progress
) -> float:
    """All hang up at once: a callback for each of them, delivered in order; how many a second."""
    receiver.arrivals.clear()
    began = time.monotonic()
    await asyncio.gather(*(caller.hang_up(call) for call in calls))
    while len(receiver.arrivals) < plan.moderated:
        progress("Waiting for callbacks", len(receiver.arrivals) / plan.moderated)
        if time.monotonic() - began > _CALLBACKS_WITHIN_S:
            raise BenchFailed(f"{len(receiver.arrivals)} of {plan.moderated} callbacks came")
        await asyncio.sleep(0.05)
    return plan.moderated / (receiver.arrivals[-1] - began)
