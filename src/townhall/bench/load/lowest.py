"""The floor process, started and asked."""

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from townhall.bench.phones.crowd import Crowd
from townhall.bench.server.subject import ADDRESS, RTP_PORTS, BenchFailed


@dataclass(frozen=True, slots=True)
class FloorFigures:
    at: float
    cpu_s: float
    received: int
    sent: int


@dataclass(frozen=True, slots=True)
class FloorShare:
    """`cpu`: cores that a bare loop needs; `moved`: the share of packets that it had time for."""

    cpu: float
    moved: float


async def measure_floor(phones: int, seconds: float, tell: Callable[[float], None]) -> FloorShare:
    """What a bare loop needs for so many phones' packets."""
    crowd = Crowd(phones)
    async with Floor(ADDRESS) as floor:
        try:
            for phone in range(phones):
                crowd.connect(phone, (ADDRESS, floor.ports[phone % len(floor.ports)]))
            crowd.start()
            await asyncio.sleep(1.0)
            began = await floor.settle()
            await asyncio.sleep(0.5)
            began = await floor.figures()
            for second in range(round(seconds)):
                tell(second / seconds)
                await asyncio.sleep(1.0)
            ended = await floor.figures()
        finally:
            crowd.stop()
    elapsed = ended.at - began.at
    moved = min(ended.sent - began.sent, ended.received - began.received) / (phones * elapsed * 50)
    return FloorShare((ended.cpu_s - began.cpu_s) / elapsed, moved)


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
            *(sys.executable, "-m", "townhall.bench.load.floor", self._host, *map(str, RTP_PORTS)),
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
