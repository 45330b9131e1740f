"""baresip within the test's own process, by baresip-python: PCM in and out, one runtime per process."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

import numpy as np
from baresip import Account, AudioNotActive, Call, Config, Runtime, UserAgent

from townhall.phone.hearing import RATE, Samples
from townhall.phone.voice import tone

_SLICE_S = 0.1
_MOST_BYTES = 1 << 16
_STALLED_S = 30.0


class EmbeddedBaresip:
    """`async with EmbeddedBaresip("bob", address, tone_hz) as phone: await phone.dial(uri)`."""

    def __init__(self, user: str, address: str, tone_hz: float) -> None:
        self._user = user
        self._address = address
        self._tone_hz = tone_hz
        self._heard: list[Samples] = []
        self._grown = asyncio.Event()
        self._runtime = Runtime()
        self._talking: asyncio.Task[None] | None = None

    async def dial(self, uri: str) -> None:
        """Call, wait for the answer, then speak and listen until the end."""
        self.call: Call = await self._agent.dial(uri)
        await self.call.wait_established(30)
        self._talking = asyncio.create_task(self._talk())

    async def press(self, keys: str) -> None:
        await self.call.send_dtmf(keys)

    async def hang_up(self) -> None:
        await self.call.hangup()

    @property
    def received(self) -> Samples:
        return np.concatenate([np.zeros(0, np.int16), *self._heard])

    async def listen(self, seconds: float) -> Samples:
        began, wanted = len(self.received), round(seconds * RATE)
        while len(self.received) < began + wanted:
            assert self._talking is not None
            if self._talking.done():
                self._talking.result()
            async with asyncio.timeout(_STALLED_S):
                await self._grown.wait()
        return self.received[began : began + wanted]

    async def _talk(self) -> None:
        """Keep 200 ms of tone ahead of the sender, and take what has come in."""
        position = 0
        while True:
            # The streams are not there at once, and are replaced by a renegotiation.
            with contextlib.suppress(AudioNotActive):
                info = self.call.audio.info()
                if info.tx_ready and info.tx_buffered < 2 * RATE * _SLICE_S * 2:
                    piece = tone(self._tone_hz, round(RATE * _SLICE_S), position)
                    position += len(piece)
                    self.call.audio.write(piece.tobytes())
                if info.rx_ready and (heard := self.call.audio.read(_MOST_BYTES)):
                    self._heard.append(np.frombuffer(heard, np.int16))
                    self._grown.set()
                    self._grown = asyncio.Event()
            await asyncio.sleep(_SLICE_S / 4)

    async def __aenter__(self) -> Self:
        await self._runtime.start(
            Config(
                net_interface=self._address,
                max_concurrent_calls=None,
                extra_config_text=f"sip_listen {self._address}:0\n",
            )
        )
        account = Account(
            user=self._user, domain=self._address, password="", reg_interval=0, audio_codecs=("pcmu", "pcma")
        )
        self._agent = await UserAgent.create(self._runtime, account)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._talking is not None:
            self._talking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._talking
        await self._runtime.close()
