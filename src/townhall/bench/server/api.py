"""The measured server's REST API over one kept connection, with next to no cost of its own."""

import asyncio
import base64
import json
from typing import Any
from urllib.parse import urlencode

from townhall.bench.server.subject import ACCOUNT_SID, AUTH_TOKEN, BenchFailed


class API:
    """One kept connection to the measured server's REST API."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        pair = base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
        self._head = f"Host: {host}:{port}\r\nAuthorization: Basic {pair}\r\nAccept: application/json\r\n"

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)

    def close(self) -> None:
        self._writer.close()

    async def ask(self, method: str, path: str, **form: str) -> Any:
        """Request `/2010-04-01/Accounts/AC…{path}.json`; raises `BenchFailed` unless it is answered 2xx."""
        target, _, query = path.partition("?")
        body = urlencode(form).encode()
        where = f"/2010-04-01/Accounts/{ACCOUNT_SID}{target}.json" + (f"?{query}" if query else "")
        self._writer.write(
            f"{method} {where} HTTP/1.1\r\n"
            f"{self._head}Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = next((line[15:] for line in head.split("\r\n") if line.startswith("content-length:")), "0")
        answer = await self._reader.readexactly(int(length))
        if not head.split(" ", 2)[1].startswith("2"):
            raise BenchFailed(f"{method} {path} was answered with {answer.decode(errors='replace')[:500]}")
        return json.loads(answer) if answer else None
