"""The floor process, started and asked."""

import asyncio
import sys
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from townhall.bench.subject import RTP_PORTS, BenchFailed


@dataclass(frozen=True, slots=True)
class FloorFigures:
    at: float
    cpu_s: float
    received: int
    sent: int


class Floor:
    """`async with Floor(host) as floor`: `settle` once all phones are heard, then `figures`."""

    def __init__(self, host: str) -> None:
        self._host = host
        self.ports: list[int] = []

    async def settle(self) -> FloorFigures:
        """Answer from now on all who have been heard until now."""
        return await self._ask("settle")

    async def figures(self) -> FloorFigures:
        return await self._ask("figures")

    async def _ask(self, command: str) -> FloorFigures:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n".encode())
        cpu_s, received, sent = await self._line()
        return FloorFigures(time.monotonic(), float(cpu_s), int(received), int(sent))

    async def _line(self) -> list[str]:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise BenchFailed("the floor's process has ended")
        return line.decode().split()

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "townhall.bench.floor", self._host, *map(str, RTP_PORTS)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self.ports = [int(port) for port in (await self._line())[1:]]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
