"""The pages and their files, and the headers that every answer carries.

Files are read once and kept, each with an `ETag` (RFC 9110, 8.8.3); browsers ask every time and get 304. Only
what is in the folder can be had: a path is looked up, never joined. With `TOWNHALL`'s files edited in place
(development), a changed file is read anew.
"""

import hashlib
import mimetypes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from townhall.console.refusals import Refusal

STATIC = Path(__file__).parent / "static"
CONTENT_SECURITY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True, slots=True)
class _File:
    stamp: tuple[int, int]
    etag: str
    content: bytes
    media_type: str


class Pages:
    def __init__(self, directory: Path = STATIC) -> None:
        self._directory = directory
        self._files: dict[str, _File] = {}

    def routes(self) -> list[Route]:
        return [
            Route("/", self._page("phone/index.html"), methods=["GET"]),
            Route("/console", self._page("console/index.html"), methods=["GET"]),
            Route("/console/", self._page("console/index.html"), methods=["GET"]),
            Route("/static/{path:path}", self._static, methods=["GET"]),
        ]

    def _page(self, name: str) -> Callable[[Request], Response]:
        async def page(request: Request) -> Response:
            return self._serve(request, name)

        return page  # type: ignore[return-value]

    async def _static(self, request: Request) -> Response:
        return self._serve(request, request.path_params["path"])

    def _serve(self, request: Request, name: str) -> Response:
        file = self._file(name)
        if file is None:
            raise Refusal("not-found", "There is no such page.")
        headers = {"ETag": file.etag, "Cache-Control": "no-cache"}
        known = {
            tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")
        }
        if file.etag in known:
            return Response(status_code=304, headers=headers)
        return Response(file.content, media_type=file.media_type, headers=headers)

    def _file(self, name: str) -> _File | None:
        parts = name.split("/")
        if "\0" in name or "\\" in name or any(part in ("", ".", "..") or part[0] == "." for part in parts):
            return None
        path = self._directory.joinpath(*parts)
        try:
            if not path.is_file():
                return None
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            known = self._files.get(name)
            if known is None or known.stamp != stamp:
                content = path.read_bytes()
                etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
                known = self._files[name] = _File(stamp, etag, content, media_type_of(path))
        except (OSError, ValueError):
            return None
        return known


def media_type_of(path: Path) -> str:
    return _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


class SafeHeaders:
    """Puts `HEADERS` on every answer, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                headers += [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)
