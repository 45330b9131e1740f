"""A WebSocket as ASGI has it: frames in, a bounded queue of frames out, a heartbeat, an end that is sure to
come.

The SDK gives up a socket on which it hears no text for 15 s, and answers each `\\n` with one of its own;
pings of the WebSocket protocol do not count. It sends no heartbeats itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.types import Message, Receive, Send

from townhall.signalling.voice_sdk.frames import HEARTBEAT, write_frame
from townhall.signalling.voice_sdk.settings import VoiceSDKSettings


class BrowserSocket:
    """`source` is the peer's address, `local_address` ours; `edge` and `home` are what the page is to be
    told.
    """

    def __init__(
        self,
        settings: VoiceSDKSettings,
        source: tuple[str, int],
        local_address: str,
        edge: str,
        home: str | None,
        is_known: Callable[[], None],
    ) -> None:
        self.source = source
        self.local_address = local_address
        self.edge = edge
        self.home = home
        self.is_known = is_known
        self._settings = settings
        self._out: asyncio.Queue[str | None] = asyncio.Queue()
        self._is_closing = False
        self._close_code = 1000
        self._cut = asyncio.Event()
        self._unanswered = 0

    def send(self, kind: str, payload: dict[str, object]) -> None:
        """Queue a frame; a page that does not read loses its socket."""
        self._put(write_frame(kind, payload))

    def close(self, code: int = 1000) -> None:
        """Close after what is queued has been sent."""
        if not self._is_closing:
            self._is_closing = True
            self._close_code = code
            self._out.put_nowait(None)
            asyncio.get_running_loop().call_later(self._settings.limits.goodbye_s, self._cut.set)

    def cut(self) -> None:
        """End at once, whatever is queued."""
        self._is_closing = True
        self._cut.set()

    def _put(self, text: str) -> None:
        if self._is_closing:
            return
        if self._out.qsize() >= self._settings.limits.waiting_frames:
            self.cut()
        else:
            self._out.put_nowait(text)

    @property
    def is_closing(self) -> bool:
        return self._is_closing

    def heard(self) -> None:
        """The page is there: it has sent something."""
        self._unanswered = 0

    async def run(self, reading: asyncio.Task[None], send: Send) -> None:
        """Carry frames until either side closes; ends `reading`, which takes the page's."""
        writing = asyncio.create_task(self._write(send), name="voice sdk: write")
        beating = asyncio.create_task(self._beat(), name="voice sdk: heartbeat")
        cutting = asyncio.create_task(self._cut.wait(), name="voice sdk: cut")
        tasks: list[asyncio.Task[object]] = [reading, writing, beating, cutting]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._is_closing = True
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _write(self, send: Send) -> None:
        while (text := await self._out.get()) is not None:
            await send({"type": "websocket.send", "text": text})
        await send({"type": "websocket.close", "code": self._close_code})

    async def _beat(self) -> None:
        """Until the page has left too many unanswered; counted, so that a stall of ours is not held against
        it.
        """
        while self._unanswered * self._settings.heartbeat_s < self._settings.silence_s:
            self._unanswered += 1
            self._put(HEARTBEAT)
            await asyncio.sleep(self._settings.heartbeat_s)


async def next_text(receive: Receive) -> str | bytes | None:
    """What the page sends next; None: it is gone."""
    message: Message = await receive()
    if message["type"] != "websocket.receive":
        return None
    text: str | None = message.get("text")
    data: bytes | None = message.get("bytes")
    return text if text is not None else data or b""
