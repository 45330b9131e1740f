"""Recordings for the browser: passed on from the REST API a piece at a time, so a long one costs no memory.

`Range` (RFC 9110, 14) is understood for one range, which is what `<audio>` asks for.
"""

import re
from collections.abc import AsyncIterator

import httpx2
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from townhall.console.refusals import Refusal
from townhall.console.remote import Remote

PIECE_BYTES = 1_000_000
TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav"}
_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")
_TOTAL = re.compile(r"bytes \d+-\d+/(\d{1,15})")


async def sound(request: Request, remote: Remote, sid: str, suffix: str) -> Response:
    """The sound of a recording; raises `Refusal`. `?download=1` makes it an attachment."""
    wanted = _RANGE.fullmatch(request.headers.get("range", ""))
    first = int(wanted[1]) if wanted else 0
    last = int(wanted[2]) if wanted and wanted[2] else None
    piece = await remote.sound(sid, suffix, _range(first, last))
    total = _total_of(piece)
    if piece.status_code == 416 or (total is not None and first >= total > 0):
        return Response(status_code=416, headers={"Content-Range": f"bytes */{total or 0}"})
    if piece.status_code not in (200, 206):
        raise Refusal("not-found", "This recording has no sound yet, or no longer.")
    headers = {"Cache-Control": "no-store", "Accept-Ranges": "bytes"}
    if request.query_params.get("download"):
        headers["Content-Disposition"] = f'attachment; filename="{sid}.{suffix}"'
    if total is None:  # the engine knows no ranges and has sent it whole
        return Response(piece.content, media_type=TYPES[suffix], headers=headers)
    end = total - 1 if last is None else min(last, total - 1)
    headers["Content-Length"] = str(end - first + 1)
    if wanted:
        headers["Content-Range"] = f"bytes {first}-{end}/{total}"
    return StreamingResponse(
        _pieces(remote, sid, suffix, piece.content, first, end),
        status_code=206 if wanted else 200,
        media_type=TYPES[suffix],
        headers=headers,
    )


async def _pieces(
    remote: Remote, sid: str, suffix: str, piece: bytes, first: int, end: int
) -> AsyncIterator[bytes]:
    while True:
        yield piece[: end - first + 1]
        first += len(piece)
        if first > end or not piece:
            return
        piece = (await remote.sound(sid, suffix, _range(first, end))).content


def _range(first: int, last: int | None) -> str:
    end = first + PIECE_BYTES - 1
    return f"bytes={first}-{end if last is None else min(last, end)}"


def _total_of(piece: httpx2.Response) -> int | None:
    found = _TOTAL.fullmatch(piece.headers.get("content-range", ""))
    return int(found[1]) if found else None
