"""The server that is measured: `townhall serve` as a process, on an address and in a directory of its own."""

import asyncio
import contextlib
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from townhall.api.health import Health
from townhall.errors import TownhallError
from townhall.media.protocol import Stats

ADDRESS = f"127.127.{os.getpid() >> 8 & 0xFF}.{os.getpid() & 0xFF or 1}"
"""A loopback address of this process's own, so that its ports are free whatever else runs here."""
RTP_PORTS = (20000, 20063)
ACCOUNT_SID = "AC" + secrets.token_hex(16)
AUTH_TOKEN = secrets.token_hex(16)
_PROGRAM = (sys.executable, "-c", "from townhall.cli import main; main()")
LINE = "1000"
"""Of our own conference application, with a menu."""
MOST_CALLS = 4000
_TAKEN_OVER = ("TOWNHALL_MEDIA_WORKERS",)
_READY_WITHIN_S = 180.0
_GONE_WITHIN_S = 10.0
_LOOKS_FOR_STATS = 100
"""A media process tells its first figures after a second, a busy machine later."""


class BenchFailed(TownhallError):
    """The measurement could not be made; the message says why."""


class Subject:
    """`async with Subject(directory) as subject: subject.uri, await subject.stats()`."""

    def __init__(self, directory: Path, settings: Mapping[str, str] | None = None) -> None:
        """`settings`: `TOWNHALL_…` variables besides the usual ones; `TOWNHALL_MEDIA_WORKERS` is taken from
        our own environment.
        """
        self._directory = directory
        self._settings = {name: os.environ[name] for name in _TAKEN_OVER if name in os.environ}
        self._settings |= settings or {}
        self._log = directory / "server.log"
        self.http_port = _free_port()
        self._sip_port = _free_port()
        self._ready = False

    @property
    def pid(self) -> int:
        """Of the control process."""
        return self._process.pid

    def uri(self, number: str) -> str:
        return f"sip:{number}@{ADDRESS}:{self._sip_port}"

    def _environment(self) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TOWNHALL_")}
        return (
            environment
            | {
                "TOWNHALL_DATA_DIR": str(self._directory),
                "TOWNHALL_BIND": ADDRESS,
                "TOWNHALL_HTTP_PORT": str(self.http_port),
                "TOWNHALL_SIP_PORT": str(self._sip_port),
                "TOWNHALL_RTP_PORTS": "{}-{}".format(*RTP_PORTS),
                "TOWNHALL_ACCOUNT_SID": ACCOUNT_SID,
                "TOWNHALL_AUTH_TOKEN": AUTH_TOKEN,
                "TOWNHALL_API_REQUESTS_PER_SECOND": "0",
                "TOWNHALL_LOG_LEVEL": "warning",
                "TOWNHALL_HOLD_MUSIC_S": "0",  # our phones send tones all the time
                "TOWNHALL_MAX_CALLS": str(MOST_CALLS),
                "TOWNHALL_CALLS_PER_SOURCE": str(MOST_CALLS),
            }
            | self._settings
        )

    def command(self, *arguments: str) -> None:
        """Run `townhall ARGUMENTS` beside the server; raises `BenchFailed`."""
        done = subprocess.run(
            [*_PROGRAM, *arguments],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode:
            raise BenchFailed(f"townhall {' '.join(arguments)} failed: {done.stdout}{done.stderr}")

    async def health(self) -> Health:
        """`GET /health`; raises `BenchFailed` when the server does not answer."""
        try:
            return await asyncio.to_thread(self._ask)
        except (OSError, http.client.HTTPException, msgspec.MsgspecError) as error:
            raise BenchFailed(f"the server does not answer /health: {error}\n{self.tail()}") from error

    async def stats(self) -> Stats:
        """The media process's last second, the first one awaited; raises `BenchFailed`."""
        for _ in range(_LOOKS_FOR_STATS):
            stats = (await self.health()).media
            if stats is not None:
                return stats
            await asyncio.sleep(0.2)
        raise BenchFailed(f"the server says nothing of its media process\n{self.tail()}")

    def _ask(self) -> Health:
        connection = http.client.HTTPConnection(ADDRESS, self.http_port, timeout=5)
        with contextlib.closing(connection):
            connection.request("GET", "/health")
            return msgspec.json.decode(connection.getresponse().read(), type=Health)

    async def __aenter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *_PROGRAM,
                "serve",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(),
            )
        try:
            async with asyncio.timeout(_READY_WITHIN_S):
                while not await self._is_ready():  # noqa: ASYNC110  (it tells nobody)
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise BenchFailed(f"not ready after {_READY_WITHIN_S:g} s\n{self.tail()}") from None
        finally:
            if not self._ready:
                await self._end()
        return self

    async def _is_ready(self) -> bool:
        if self._process.returncode is not None:
            raise BenchFailed(f"the server ended before it was ready\n{self.tail()}")
        with contextlib.suppress(BenchFailed):
            self._ready = (await self.health()).status == "ok"
        return self._ready

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def _end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_GONE_WITHIN_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def tail(self) -> str:
        """The end of the server's log, for the message of a failure."""
        return self._log.read_text(errors="replace")[-6000:] if self._log.exists() else ""


@contextlib.asynccontextmanager
async def started_subject(settings: Mapping[str, str] | None = None) -> AsyncIterator[Subject]:
    """A server in a directory that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="townhall-bench-") as directory:
        async with Subject(Path(directory), settings) as subject:
            yield subject


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])
