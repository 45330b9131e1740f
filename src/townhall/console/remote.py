"""What the console asks of the engine and has it do: Twilio's REST API, and ours where that has more.

Every method raises `Refusal`: `refused` with Twilio's number, `over`, `not-found`, or `engine` when nobody
answered. Townhall's own additions (levels, lock, a conference's recording) go over the same client as plain
requests, because the package does not know them.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from typing import Any, TypeVar

import httpx2
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.response import Response
from twilio.rest import Client

from townhall.console.facts import Flags, Recorded
from townhall.console.listed import (
    ListedCall,
    ListedConference,
    ListedParticipant,
    conference_of,
    flags_of,
    participant_of,
    recording_of,
)
from townhall.console.refusals import Refusal
from townhall.console.rest import TWILIO_API, AdaptedClient, EngineError

T = TypeVar("T")

PAGE_SIZE = 1000
ROWS_AT_ONCE = 100
"""Between so many rows of a long list the event loop gets its turn."""
GONE = frozenset({16022, 16028, 20404})


class Remote:
    """`client`: the official one, on an `AdaptedClient`."""

    def __init__(self, client: Client, account_sid: str) -> None:
        self._client = client
        self._http: AdaptedClient = client.http_client
        self._account = client.api.v2010.accounts(account_sid)
        self._root = f"{TWILIO_API}/2010-04-01/Accounts/{account_sid}"

    # ---- asking ----

    async def conferences(self) -> list[ListedConference]:
        """The live ones."""
        found: list[ListedConference] = []
        for status in ("in-progress", "init"):
            rows = self._account.conferences.stream_async(status=status, page_size=PAGE_SIZE)
            found += [conference_of(row) async for row in self._rows(rows)]
        return found

    async def conference(self, sid: str) -> ListedConference:
        return conference_of(await _asked(self._account.conferences(sid).fetch_async()))

    async def participants(self, sid: str) -> list[ListedParticipant]:
        rows = self._account.conferences(sid).participants.stream_async(page_size=PAGE_SIZE)
        return [participant_of(row) async for row in self._rows(rows)]

    async def calls(self, status: str = "in-progress") -> AsyncIterator[ListedCall]:
        """Who calls, page by page."""
        rows = self._account.calls.stream_async(status=status, page_size=PAGE_SIZE)
        async for row in self._rows(rows):
            outbound = str(row.direction or "").startswith("outbound")
            yield ListedCall(row.sid, row._from or "", row.to or "", outbound, row.caller_name or "")

    async def recordings(self, sid: str) -> list[Recorded]:
        """Those of the conference itself."""
        rows = self._account.conferences(sid).recordings.stream_async(page_size=PAGE_SIZE)
        return [recording_of(row) async for row in self._rows(rows)]

    async def recording(self, sid: str) -> Recorded:
        return recording_of(await _asked(self._account.recordings(sid).fetch_async()))

    async def levels(self, sid: str) -> dict[str, float]:
        """Ours: how loud whom is, in dBov."""
        told = await self._plain("GET", f"/Conferences/{sid}/Levels.json")
        return {row["call_sid"]: -float(row["dbov"]) for row in told["levels"]}

    async def is_locked(self, sid: str) -> bool | None:
        """Ours; None when it is not told."""
        return (await self._plain("GET", f"/Conferences/{sid}.json")).get("locked")

    async def sound(self, sid: str, suffix: str, range_: str | None) -> httpx2.Response:
        """A recording's file, or a part of it."""
        headers = {"Range": range_} if range_ else {}
        url = f"{self._root}/Recordings/{sid}.{suffix}"
        try:
            return await self._http.send("GET", url, headers=headers, auth=self._client.auth)
        except EngineError as error:
            raise _no_answer(error) from error

    # ---- acting ----

    async def change(self, sid: str, call_sid: str, **changes: Any) -> Flags:
        """Change a participant; returns how he stands now."""
        participant = self._account.conferences(sid).participants(call_sid)
        return flags_of(await _asked(participant.update_async(**changes)))

    async def kick(self, sid: str, call_sid: str) -> None:
        await _asked(self._account.conferences(sid).participants(call_sid).delete_async())

    async def announce(self, sid: str, url: str, call_sid: str | None) -> None:
        if call_sid is None:
            await _asked(self._account.conferences(sid).update_async(announce_url=url))
        else:
            await self.change(sid, call_sid, announce_url=url)

    async def dial(self, sid: str, **how: Any) -> str:
        """Call somebody for the conference; returns his Call SID."""
        created = await _asked(self._account.conferences(sid).participants.create_async(**how))
        return str(created.call_sid)

    async def end(self, sid: str) -> None:
        await _asked(self._account.conferences(sid).update_async(status="completed"))

    async def lock(self, sid: str, on: bool) -> bool:
        told = await self._plain("POST", f"/Conferences/{sid}.json", {"Locked": "true" if on else "false"})
        return bool(told.get("locked", on))

    async def record(self, sid: str, callback: str) -> str:
        """Ours: record a conference that goes on; returns the recording's SID."""
        form = {
            "RecordingStatusCallback": callback,
            "RecordingStatusCallbackEvent": "in-progress completed absent",
        }
        return str((await self._plain("POST", f"/Conferences/{sid}/Recordings.json", form))["sid"])

    async def stop_recording(self, sid: str, recording: str) -> None:
        await self._plain("POST", f"/Conferences/{sid}/Recordings/{recording}.json", {"Status": "stopped"})

    async def record_call(self, call_sid: str, track: str, callback: str) -> str:
        """Record one leg, as Twilio can; returns the recording's SID."""
        created = await _asked(
            self._account.calls(call_sid).recordings.create_async(
                recording_track=track,
                recording_status_callback=callback,
                recording_status_callback_event=["in-progress", "completed", "absent"],
            )
        )
        return str(created.sid)

    async def stop_call_recording(self, call_sid: str, recording: str) -> None:
        await _asked(self._account.calls(call_sid).recordings(recording).update_async(status="stopped"))

    # ---- both ----

    async def _plain(self, method: str, path: str, form: dict[str, str] | None = None) -> dict[str, Any]:
        response = await _asked(self._client.request_async(method, f"{self._root}{path}", data=form))
        try:
            told = json.loads(response.text)
        except ValueError:
            told = {}
        if response.status_code >= 400 or not isinstance(told, dict):
            raise _refused(response.status_code, told.get("code"), str(told.get("message", "")))
        return told

    async def _rows(self, rows: Awaitable[AsyncIterator[T]]) -> AsyncIterator[T]:
        count = 0
        listed = aiter(await _asked(rows))
        while True:
            try:
                row = await _asked(anext(listed))
            except StopAsyncIteration:
                return
            yield row
            count += 1
            if count % ROWS_AT_ONCE == 0:
                await asyncio.sleep(0)


async def _asked(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except TwilioRestException as error:
        raise _refused(error.status, error.code, error.msg) from error
    except (TwilioException, EngineError) as error:
        raise _of_list(error) or _no_answer(error) from error


def _of_list(error: Exception) -> Refusal | None:
    """The package has the answer to a list that it did not get among the arguments of its exception."""
    response = next((part for part in error.args if isinstance(part, Response)), None)
    if response is None:
        return None
    try:
        told = json.loads(response.text)
    except ValueError:
        told = {}
    told = told if isinstance(told, dict) else {}
    return _refused(response.status_code, told.get("code"), str(told.get("message", "")))


def _no_answer(error: Exception) -> Refusal:
    return Refusal("engine", f"The engine did not do it: {error}.")


def _refused(status: int, code: Any, message: str) -> Refusal:
    number = code if isinstance(code, int) else None
    said = message.removeprefix("Unable to update record: ").strip() or f"HTTP {status}"
    if status == 429:
        return Refusal("too-many", "The engine has too much to do; try again.", wait_s=2.0)
    if status >= 500:
        return Refusal("engine", f"The engine did not do it: {said}", twilio_code=number)
    if number in GONE or status == 404:
        return Refusal("not-found", said, twilio_code=number)
    return Refusal("refused", said, twilio_code=number)
