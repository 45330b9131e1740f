"""The server that is measured: `townhall serve` as a process, on an address and in a directory of its own."""

import asyncio
import contextlib
import http.client
import os
import signal
import socket
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from townhall.api.health import Health
from townhall.errors import TownhallError
from townhall.media.protocol import Stats

ADDRESS = "127.127.0.1"
"""Nobody else's loopback address, so that its ports are free whatever else runs here."""
RTP_PORTS = (20000, 20063)
_READY_WITHIN_S = 60.0
_GONE_WITHIN_S = 10.0


class BenchFailed(TownhallError):
    """The measurement could not be made; the message says why."""


class Subject:
    """`async with Subject(directory) as subject: subject.uri, await subject.stats()`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._log = directory / "server.log"
        self._http_port = _free_port()
        self._sip_port = _free_port()

    def uri(self, number: str) -> str:
        return f"sip:{number}@{ADDRESS}:{self._sip_port}"

    async def health(self) -> Health:
        """`GET /health`; raises `BenchFailed` when the server does not answer."""
        try:
            return await asyncio.to_thread(self._ask)
        except (OSError, http.client.HTTPException, msgspec.MsgspecError) as error:
            raise BenchFailed(f"the server does not answer /health: {error}\n{self._tail()}") from error

    async def stats(self) -> Stats:
        """The media process's last second; raises `BenchFailed`."""
        stats = (await self.health()).media
        if stats is None:
            raise BenchFailed(f"the server says nothing of its media process\n{self._tail()}")
        return stats

    def _ask(self) -> Health:
        connection = http.client.HTTPConnection(ADDRESS, self._http_port, timeout=5)
        with contextlib.closing(connection):
            connection.request("GET", "/health")
            return msgspec.json.decode(connection.getresponse().read(), type=Health)

    async def __aenter__(self) -> Self:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TOWNHALL_")}
        environment |= {
            "TOWNHALL_DATA_DIR": str(self._directory),
            "TOWNHALL_BIND": ADDRESS,
            "TOWNHALL_HTTP_PORT": str(self._http_port),
            "TOWNHALL_SIP_PORT": str(self._sip_port),
            "TOWNHALL_RTP_PORTS": "{}-{}".format(*RTP_PORTS),
            "TOWNHALL_LOG_LEVEL": "warning",
        }
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", "from townhall.cli import main; main()", "serve"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
            )
        try:
            async with asyncio.timeout(_READY_WITHIN_S):
                while not await self._is_ready():  # noqa: ASYNC110  (it tells nobody)
                    await asyncio.sleep(0.1)
        except TimeoutError:
            await self._end()
            raise BenchFailed(
                f"the server was not ready after {_READY_WITHIN_S:g} s\n{self._tail()}"
            ) from None
        return self

    async def _is_ready(self) -> bool:
        if self._process.returncode is not None:
            raise BenchFailed(f"the server ended before it was ready\n{self._tail()}")
        with contextlib.suppress(BenchFailed):
            return (await self.health()).status == "ok"
        return False

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

    def _tail(self) -> str:
        return self._log.read_text(errors="replace")[-2000:] if self._log.exists() else ""


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])
