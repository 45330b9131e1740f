"""A moderator at the console of a real server, without a browser: he signs in over HTTP, follows the live
stream as a page does, and acts.
"""

import asyncio
import json
import tomllib
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import httpx2
from tests.harness.server import TownhallServer

Json = dict[str, Any]


class Moderator:
    """`async with Moderator(server) as moderator: await moderator.sign_in(line="1000", pin="1234")`.

    `conferences` is the page's picture: snapshot and deltas applied, rosters by Call SID under `people`.
    """

    def __init__(self, server: TownhallServer) -> None:
        self._server = server
        self._http = httpx2.AsyncClient(base_url=server.url, timeout=20, headers={"origin": server.url})
        self._token = ""
        self._changed = asyncio.Event()
        self._following: asyncio.Task[None] | None = None
        self.conferences: dict[str, Json] = {}
        self.levels: dict[str, float] = {}
        self.entries: list[Json] = []

    async def sign_in(self, **body: str) -> Self:
        answer = await self._http.post("/console/sign-in", json=body)
        assert answer.status_code == 200, answer.text
        self._token = answer.json()["token"]
        self._following = asyncio.create_task(self._follow())
        return self

    async def sign_in_as_operator(self, name: str = "Olga") -> Self:
        kept = await asyncio.to_thread((self._server.data_dir / "credentials.toml").read_text)
        return await self.sign_in(password=tomllib.loads(kept)["operator_password"], name=name)

    async def sees(self, what: Callable[[], Any], within_s: float = 30.0) -> Any:
        """Wait until the picture is such that this is true; returns what it is."""
        async with asyncio.timeout(within_s):
            while not (found := what()):
                self._changed.clear()
                await self._changed.wait()
            return found

    def conference(self, name: str) -> Json | None:
        """The live conference of this name."""
        return next(
            (c for c in self.conferences.values() if c["name"] == name and c["state"] != "ended"), None
        )

    def person(self, conference: str, number: str) -> Json | None:
        found = self.conference(conference)
        people = found["people"].values() if found else ()
        return next((p for p in people if number in (p["number"], p["name"])), None)

    async def act(self, conference: str, action: str, *numbers: str, status: int = 200, **body: Any) -> Json:
        """Act on a conference; `numbers` are the people that it is done to."""
        if numbers:
            rows = [await self.sees(lambda n=n: self.person(conference, n)) for n in numbers]
            body["call_sids"] = [row["call_sid"] for row in rows]
        found = await self.sees(lambda: self.conference(conference))
        answer = await self._http.post(
            f"/console/conferences/{found['sid']}/{action}",
            json=body,
            headers={"X-Townhall-Token": self._token},
        )
        assert answer.status_code == status, answer.text
        told: Json = answer.json()
        return told

    async def get(self, path: str) -> httpx2.Response:
        answer = await self._http.get(path)
        assert answer.status_code == 200, answer.text
        return answer

    async def _follow(self) -> None:
        name = ""
        async with self._http.stream("GET", "/console/events", timeout=None) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    self._apply(name, json.loads(line.removeprefix("data: ")))
                    self._changed.set()

    def _apply(self, name: str, data: Json) -> None:
        match name:
            case "snapshot":
                self.conferences = {}
                for one in data["conferences"]:
                    people = {row["call_sid"]: row for row in one["participants"]}
                    self.conferences[one["sid"]] = {**one, "people": people}
                    self.entries += one["entries"]
            case "conference":
                told = data["conference"]
                people = self.conferences.get(told["sid"], {}).get("people", {})
                self.conferences[told["sid"]] = {**told, "people": people}
            case "participants":
                people = self.conferences[data["conference_sid"]]["people"]
                people.update({row["call_sid"]: row for row in data["participants"]})
            case "left":
                for call_sid in data["call_sids"]:
                    self.conferences[data["conference_sid"]]["people"].pop(call_sid, None)
            case "entries":
                self.entries += data["entries"]
            case "levels":
                self.levels = data["levels"]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        await self._http.aclose()
