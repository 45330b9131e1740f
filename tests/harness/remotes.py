"""Twilio's own packages as remote controls of a server: the one for Python and the one for Node, used alike.

`await remote.create("conferences", "room", "participants", to=…)`: resources and what they are of in turn,
parameters in snake_case. Answers are dictionaries of the package's properties, in snake_case.
"""

import asyncio
import json
import re
import subprocess
from abc import ABC, abstractmethod
from datetime import date
from pathlib import Path
from typing import Any

from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.base.instance_resource import InstanceResource
from twilio.rest import Client

NODE = Path(__file__).parents[1] / "interop" / "node"

Answered = dict[str, Any]


class RemoteError(Exception):
    """The API refused: HTTP status, Twilio's number, words."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


class Remote(ABC):
    """One of the packages. Every method raises `RemoteError`."""

    async def create(self, *path: str, **parameters: object) -> Answered:
        return await self._one(path, "create", parameters)

    async def fetch(self, *path: str) -> Answered:
        return await self._one(path, "fetch", {})

    async def update(self, *path: str, **parameters: object) -> Answered:
        return await self._one(path, "update", parameters)

    async def list(self, *path: str, **parameters: object) -> list[Answered]:
        found = await asyncio.to_thread(self.do, path, "list", parameters)
        assert isinstance(found, list)
        return found

    @abstractmethod
    async def remove(self, *path: str) -> None: ...

    @abstractmethod
    def do(self, path: tuple[str, ...], verb: str, parameters: dict[str, object]) -> Any:
        """Call the package and wait for its answer."""

    @abstractmethod
    def close(self) -> None: ...

    async def _one(self, path: tuple[str, ...], verb: str, parameters: dict[str, object]) -> Answered:
        found = await asyncio.to_thread(self.do, path, verb, parameters)
        assert isinstance(found, dict)
        return found


class PythonRemote(Remote):
    """The `twilio` package of this interpreter, pointed at the server by `base_url`."""

    def __init__(self, url: str, account_sid: str, username: str, password: str) -> None:
        self._client = Client(username, password, account_sid)
        self._client.api.base_url = url

    async def remove(self, *path: str) -> None:
        assert await asyncio.to_thread(self.do, path, "delete", {}) is True

    def do(self, path: tuple[str, ...], verb: str, parameters: dict[str, object]) -> Any:
        place: Any = self._client
        for resource, sid in _pairs(path):
            place = getattr(place, resource) if sid is None else getattr(place, resource)(sid)
        try:
            value = getattr(place, verb)(**parameters)
        except TwilioRestException as error:
            raise RemoteError(int(error.status), int(error.code or 0), str(error.msg)) from error
        except TwilioException as error:
            # A page that can't be had is told as it came.
            said = json.loads(error.args[1].text)
            raise RemoteError(said["status"], said["code"], said["message"]) from error
        return _plain(value)

    def close(self) -> None:
        self._client.http_client.session.close()


class NodeRemote(Remote):
    """The `twilio` package for Node, in a process of its own (`tests/interop/node`)."""

    def __init__(self, url: str, account_sid: str, username: str, password: str) -> None:
        self._process = subprocess.Popen(
            ["node", str(NODE / "driver.js"), url, account_sid, username, password],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    async def remove(self, *path: str) -> None:
        assert await asyncio.to_thread(self.do, path, "remove", {}) is True

    def do(self, path: tuple[str, ...], verb: str, parameters: dict[str, object]) -> Any:
        request = {
            "path": _pairs(path),
            "verb": verb,
            "parameters": {_camel(name): value for name, value in parameters.items()},
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the package's process ended; its words are above"
        said = json.loads(line)
        if "error" in said:
            error = said["error"]
            raise RemoteError(error["status"], error["code"], error["message"])
        return _snaked(said["value"])

    def close(self) -> None:
        self._process.terminate()
        self._process.communicate(timeout=10)


REMOTES: dict[str, type[PythonRemote] | type[NodeRemote]] = {"python": PythonRemote, "node": NodeRemote}


def _pairs(path: tuple[str, ...]) -> list[tuple[str, str | None]]:
    """Each resource with what it is of; the last one may stand alone."""
    return [(path[i], path[i + 1] if i + 1 < len(path) else None) for i in range(0, len(path), 2)]


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, InstanceResource):
        return {name: _plain(one) for name, one in vars(value).items() if not name.startswith("_")}
    return value.isoformat() if isinstance(value, date) else value


def _camel(name: str) -> str:
    first, *rest = name.removesuffix("_").split("_")
    return first + "".join(word.capitalize() for word in rest)


def _snaked(value: Any) -> Any:
    if isinstance(value, list):
        return [_snaked(one) for one in value]
    if isinstance(value, dict):
        return {_snake(name): one for name, one in value.items()}
    return value


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda letter: "_" + letter[1].lower(), name)
