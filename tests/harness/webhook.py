"""A webhook that does as it is told: TwiML (or anything else) per path, every request kept and its signature
judged.

It runs in a thread of its own, so that it answers while a test's event loop is busy. The judge of signatures
is the official `twilio` package's `RequestValidator`.
"""

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict


@dataclass(frozen=True)
class WebhookRequest:
    method: str
    path: str
    query: str
    parameters: dict[str, str]
    """Of the form (POST) or the query (GET)."""
    headers: dict[str, str]
    """Names in lower case."""
    signed: bool
    """Whether `RequestValidator` accepts its signature."""
    at: float

    @property
    def caller(self) -> str:
        """The user part of `From`: the name of the phone (or browser) that calls."""
        return self.parameters.get("From", "").removeprefix("sip:").removeprefix("client:").partition("@")[0]

    @property
    def cookies(self) -> str:
        return self.headers.get("cookie", "")


@dataclass(frozen=True)
class Answer:
    body: bytes | str = b""
    content_type: str = "text/xml"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hold: threading.Event | None = None
    """Answer only once this is set: a webhook as slow as the test wants it."""
    hang_up: bool = False
    """Close the connection without a word."""


Script = str | bytes | Answer | Callable[[WebhookRequest], "str | Answer"]


class Webhook:
    """`with Webhook(auth_token) as webhook: webhook.on("/2000/voice", "<Response/>")`."""

    def __init__(self, auth_token: str, host: str = "127.0.0.1") -> None:
        self._validator = RequestValidator(auth_token)
        self._scripts: dict[str, Script] = {}
        self._requests: list[WebhookRequest] = []
        self._arrived = threading.Condition()
        self._server = _Server((host, 0), self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for script in self._scripts.values():
            if isinstance(script, Answer) and script.hold is not None:
                script.hold.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Base of every URL, without a slash at its end."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def on(self, path: str, script: Script) -> str:
        """Answer requests for `path` by `script`; returns the path's URL."""
        self._scripts[path] = script
        return self.url + path

    def requests(self, prefix: str = "/", caller: str | None = None) -> list[WebhookRequest]:
        """Requests so far in the order in which they came, to paths that begin so, by this caller's call."""
        with self._arrived:
            return [r for r in self._requests if r.path.startswith(prefix) and caller in (None, r.caller)]

    async def next_request(
        self,
        prefix: str,
        within_s: float = 30.0,
        *,
        accept: Callable[[WebhookRequest], bool] = lambda request: True,
    ) -> WebhookRequest:
        """The first request to a path that begins so and is accepted, whether it has come or is to come."""
        return (
            await self.wait_for(lambda: [r for r in self.requests(prefix) if accept(r)], within_s, prefix)
        )[0]

    async def wait_for(
        self, look: Callable[[], list[WebhookRequest]], within_s: float = 30.0, wanted: str = "requests"
    ) -> list[WebhookRequest]:
        """Wait until `look` finds something; it is called again whenever a request has come."""
        return await asyncio.to_thread(self._wait_for, look, within_s, wanted)

    def _wait_for(
        self, look: Callable[[], list[WebhookRequest]], within_s: float, wanted: str
    ) -> list[WebhookRequest]:
        deadline = time.monotonic() + within_s
        with self._arrived:
            while not (found := look()):
                if not self._arrived.wait(deadline - time.monotonic()):
                    came = "\n".join(f"  {r.method} {r.path} of {r.caller}" for r in self._requests[-20:])
                    raise AssertionError(
                        f"no {wanted} within {within_s:g} s; the last that came were\n{came}"
                    )
            return found

    def take(self, request: WebhookRequest) -> Answer:
        with self._arrived:
            self._requests.append(request)
            self._arrived.notify_all()
        script = self._scripts.get(request.path, Answer("no script for this path", "text/plain", 404))
        answer = script(request) if callable(script) else script
        return answer if isinstance(answer, Answer) else Answer(answer)

    def judge(self, url: str, method: str, body: str, signature: str) -> bool:
        if method == "GET":
            return bool(self._validator.validate(url, {}, signature))
        return bool(
            self._validator.validate(url, MultiDict(parse_qsl(body, keep_blank_values=True)), signature)
        )


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], webhook: Webhook) -> None:
        self.webhook = webhook
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A server that was stopped leaves connections half done; all else is a fault of the test."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        self._serve()

    def do_GET(self) -> None:
        self._serve()

    def _serve(self) -> None:
        webhook = self.server.webhook
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        parts = urlsplit(self.path)
        form = body if self.command == "POST" else parts.query
        url = f"http://{self.headers['Host']}{self.path}"
        answer = webhook.take(
            WebhookRequest(
                method=self.command,
                path=parts.path,
                query=parts.query,
                parameters=dict(parse_qsl(form, keep_blank_values=True)),
                headers={name.lower(): value for name, value in self.headers.items()},
                signed=webhook.judge(url, self.command, body, self.headers.get("X-Twilio-Signature", "")),
                at=time.monotonic(),
            )
        )
        if answer.hold is not None:
            answer.hold.wait()
        if answer.hang_up:
            self.close_connection = True
            return
        self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        body = answer.body.encode() if isinstance(answer.body, str) else answer.body
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """The requests are kept; nothing needs to be printed."""
