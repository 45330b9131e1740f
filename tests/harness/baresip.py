"""Debian's baresip as a phone in a process of its own, driven through its ctrl_tcp module."""

import asyncio
import json
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
from tests.harness.sounds import tone_file

from townhall.phone.hearing import RATE, Samples

_WAV_HEADER_BYTES = 44
_CONFIG = """
module_path /usr/lib/baresip/modules
module g711.so
module g722.so
module aufile.so
module sndfile.so
module uuid.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
net_interface {address}
sip_listen {address}:0
ctrl_tcp_listen {address}:{control_port}
audio_source aufile,{directory}/tone.wav
snd_path {directory}
audio_buffer 20-160
call_max_calls 4
"""


class Baresip:
    """`async with Baresip("alice", address, directory, tone_hz) as phone: await phone.dial(uri)`.

    In G.722 it speaks and hears at 16 kHz (`rate`), and says a second tone, `high_hz`, beside its own.
    """

    def __init__(
        self,
        user: str,
        address: str,
        directory: Path,
        tone_hz: float,
        codec: Literal["PCMU", "G722"] = "PCMU",
        high_hz: float = 0.0,
    ) -> None:
        self.user = user
        self._address = address
        self._directory = directory
        self._tones_hz = (tone_hz, high_hz) if high_hz else (tone_hz,)
        self._codec = codec
        self.rate = 16000 if codec == "G722" else RATE
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def dial(self, uri: str) -> None:
        """Call and wait for the answer."""
        await self._command("dial", uri)
        await self.event("CALL_ESTABLISHED")

    async def press(self, keys: str) -> None:
        for key in keys:
            await self._command("sndcode", key)

    async def hang_up(self) -> None:
        await self._command("hangup")

    async def event(self, kind: str, within_s: float = 30.0) -> dict[str, Any]:
        """The next event of this kind; those before it are dropped."""
        async with asyncio.timeout(within_s):
            while (event := await self._events.get()).get("type") != kind:
                pass
            return event

    @property
    def received(self) -> Samples:
        """All that was heard so far: baresip's sndfile module writes it down as it comes."""
        files = sorted(self._directory.glob("*dec*.wav"))
        data = files[-1].read_bytes()[_WAV_HEADER_BYTES:] if files else b""
        return np.frombuffer(data[: len(data) // 2 * 2], np.int16)

    async def listen(self, seconds: float) -> Samples:
        """The next so many seconds."""
        began, wanted = len(self.received), round(seconds * self.rate)
        async with asyncio.timeout(seconds + 30.0):
            while len(self.received) < began + wanted:  # noqa: ASYNC110  (a file tells nobody that it grows)
                await asyncio.sleep(0.05)
        return self.received[began : began + wanted].copy()

    async def _command(self, command: str, parameters: str = "") -> None:
        body = json.dumps({"command": command, "params": parameters, "token": command}).encode()
        self._writer.write(b"%d:%s," % (len(body), body))
        await self._writer.drain()

    async def _listen(self) -> None:
        while True:
            length = await self._reader.readuntil(b":")
            body = await self._reader.readexactly(int(length[:-1]) + 1)
            message = json.loads(body[:-1])
            if message.get("event"):
                self._events.put_nowait(message)

    async def __aenter__(self) -> Self:
        self._directory.mkdir(parents=True)
        (self._directory / "tone.wav").write_bytes(tone_file(self._tones_hz, 120.0, self.rate))
        server = await asyncio.start_server(lambda reader, writer: None, self._address, 0)
        control_port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        config = _CONFIG.format(address=self._address, directory=self._directory, control_port=control_port)
        (self._directory / "config").write_text(config)
        (self._directory / "contacts").write_text("")
        (self._directory / "accounts").write_text(
            f"<sip:{self.user}@{self._address}>;regint=0;audio_codecs={self._codec}/{self.rate};dtmfmode=rtpevent\n"
        )
        self._log = (self._directory / "baresip.log").open("wb")
        self._process = await asyncio.create_subprocess_exec(
            *("baresip", "-f", str(self._directory), "-t", "90"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        await self._connect(control_port)
        self._listening = asyncio.create_task(self._listen())
        return self

    async def _connect(self, port: int) -> None:
        async with asyncio.timeout(30):
            while True:
                try:
                    self._reader, self._writer = await asyncio.open_connection(self._address, port)
                    return
                except ConnectionRefusedError:
                    await asyncio.sleep(0.05)  # nothing tells when its control port opens

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.cancel()
        self._writer.close()
        self._process.terminate()
        await self._process.wait()
        self._log.close()
        print((self._directory / "baresip.log").read_text(errors="replace"))
