"""Puts the server together: settings in, a running Townhall out, and everything stopped in order at the end.

store ─┐
media ─┼─ switchboard ── user agent (SIP)
speech ┘        └─ webhooks ── HTTP server: /health, the application under /app
"""

import asyncio
import contextlib
import gc
import logging
import resource
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from townhall import __version__
from townhall.api import APIError, APIMount, Engine, create_api, error_response
from townhall.api.connections import BoundedHTTP
from townhall.api.health import Health, Uptime, health_route
from townhall.app import Line, PinGuard, create_app, spoken_texts
from townhall.calls import (
    ClipLibrary,
    RecordingDesk,
    RecordingSettings,
    Route,
    StoreJournal,
    Switchboard,
    SwitchboardSettings,
)
from townhall.calls.destinations import Destinations
from townhall.calls.outbound import OutboundDesk
from townhall.calls.trunks import TrunkKeeper
from townhall.errors import TownhallError
from townhall.media import MediaProcess, MediaSettings
from townhall.routing import CallPermissions, PermissionSettings
from townhall.settings import Settings
from townhall.signalling import UserAgent, UserAgentSettings
from townhall.speech import Speech
from townhall.store import Application, Number, Store
from townhall.twiml.control import Method, Utterance
from townhall.webhooks import AudioCache, CallbackSender, CallbackSettings, OriginConsent, WebhookClient

log = logging.getLogger(__name__)

APPLICATION_PATH = "/app"
API_PATH = "/2010-04-01"
LEAVE_WITHIN_S = 3.0
GOODBYE_WITHIN_S = 2.0
"""Ctrl-C is obeyed in under five seconds; this is what calls, and the answers to our BYEs, get of them."""

OPEN_FILES = 8192
"""2,000 SIP connections, 1,000 HTTP ones, webhooks, and room to spare."""


class ServerError(TownhallError):
    """The server cannot start; the message says which setting and what to do."""


class Server:
    """One Townhall in this process and its media child."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._uptime = Uptime()
        self._status = "starting"
        self._exits = contextlib.AsyncExitStack()
        self._api: ASGIApp | None = None

    async def start(self) -> None:
        """Start everything; raises `OSError` when an address is taken and `TownhallError` for the rest."""
        settings = self.settings
        try:
            self.store = await Store.open(settings.database_url, takes_calls=True)
            self._exits.push_async_callback(self.store.close)
            await self.store.lines.ensure_default()
            self._sockets = _listen(settings.bind, settings.http_port)
            self.base_url = settings.public_url or _url(self._sockets[0])
            self.media = MediaProcess(MediaSettings(bind_hosts=settings.bind, rtp_ports=settings.rtp_ports))
            self._exits.push_async_callback(self.media.stop)
            self.speech = Speech(settings.data_dir / "speech", settings.voice_python)
            self._exits.push_async_callback(self.speech.stop)
            await asyncio.gather(self.media.start(), self.speech.start())
            await self._start_http()
            await self._start_calls()
            self._start_api()
            await self._prefetch_words()
        except BaseException:
            await self._exits.aclose()
            raise
        self._status = "ok"
        _spare_the_collector()

    async def stop(self) -> None:
        """Hang up every call with BYE, write everything down, leave."""
        self._status = "stopping"
        await self._exits.aclose()

    # ---- parts ----

    async def _start_http(self) -> None:
        settings = self.settings
        token = settings.auth_token.get_secret_value()
        application = create_app(
            _LineBook(self.store),
            auth_token=token,
            base_url=self.base_url,
            guard=PinGuard(token, settings.data_dir / "pin-guesses.json"),
        )
        self._web = Starlette(
            routes=[
                health_route(self.health),
                Mount(APPLICATION_PATH, application),
                APIMount(API_PATH, self._answer_api),
            ]
        )
        config = uvicorn.Config(
            self._web, http=BoundedHTTP, log_config=None, access_log=False, lifespan="off", ws="none"
        )
        http = _QuietServer(config)
        serving = asyncio.create_task(http.serve(sockets=self._sockets), name="http")

        async def stop() -> None:
            http.should_exit = True
            http.force_exit = True
            await serving

        self._exits.push_async_callback(stop)

    async def _start_calls(self) -> None:
        settings = self.settings
        token = settings.auth_token.get_secret_value()
        self._consent = OriginConsent(
            settings.webhook_inner_origins, setting="TOWNHALL_WEBHOOK_INNER_ORIGINS"
        )
        webhooks = WebhookClient(
            token, self._consent, {self.base_url: self._web}, AudioCache(settings.data_dir / "web-cache")
        )
        self._exits.push_async_callback(webhooks.close)
        journal = StoreJournal(self.store)
        webhooks.watch = journal.requests.watch
        callbacks = CallbackSender(
            webhooks,
            journal.notice,
            CallbackSettings(most_waiting=settings.callbacks_waiting, keep_s=settings.callback_hours * 3600),
            self.store.outbox,
        )
        await callbacks.start()
        self._exits.push_async_callback(callbacks.close)
        clips = ClipLibrary(settings.data_dir / "clips", self.speech, webhooks)
        await asyncio.to_thread(clips.prepare)
        self.switchboard = Switchboard(
            SwitchboardSettings(
                account_sid=settings.account_sid,
                max_calls=settings.max_calls,
                media_silence_s=settings.media_silence_s,
                public_address=await _address_of(settings.public_host),
            ),
            route_of=self._route_of,
            media=self.media,
            clips=clips,
            webhooks=webhooks,
            callbacks=callbacks,
            journal=journal,
            queues=self.store.queues,
            recordings=await self._start_recordings(callbacks, journal),
        )
        await self.switchboard.queue_hall.restore()
        self.user_agent = UserAgent(
            UserAgentSettings(
                bind_hosts=settings.bind,
                port=settings.sip_port,
                domain=settings.sip_domain or "townhall",
                public_host=settings.public_host,
                user_agent=f"Townhall/{__version__}",
                credentials=settings.sip_password if settings.sip_users else None,
                stop_timeout_s=GOODBYE_WITHIN_S,
            ),
            on_invite=self.switchboard.take,
        )
        await self.user_agent.start()
        self._exits.push_async_callback(self._stop_calls)
        self._start_outbound(journal)

    def _start_outbound(self, journal: StoreJournal) -> None:
        settings = self.settings
        self.trunks = TrunkKeeper(self.store.trunks.list, self.user_agent, settings.data_dir)
        self.trunks.start()
        self._exits.push_async_callback(self.trunks.stop)
        permissions = PermissionSettings(
            premium=settings.call_premium,
            emergency=settings.call_emergency,
            calls_per_minute=settings.calls_per_minute,
        )
        own = {settings.sip_domain, settings.public_host, *settings.bind}
        destinations = Destinations(
            self.user_agent,
            CallPermissions(permissions),
            self.store.trunks.list,
            down=self.trunks.down,
            own_hosts=frozenset(host.lower() for host in own if host),
            inner=settings.sip_inner_hosts,
        )
        self.switchboard.outbound = OutboundDesk(
            settings.account_sid,
            self.switchboard,
            self.user_agent,
            destinations,
            journal,
            own_host=settings.sip_domain or settings.public_host,
        )

    async def _answer_api(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The REST API, from the moment when there is a switchboard to ask."""
        if self._api is None:
            starting = APIError(20503, "The server is starting; try again", headers={"Retry-After": "1"})
            await error_response(starting)(scope, receive, send)
        else:
            await self._api(scope, receive, send)

    def _start_api(self) -> None:
        settings = self.settings
        self._api = create_api(
            Engine(
                account_sid=settings.account_sid,
                auth_token=settings.auth_token.get_secret_value(),
                base_url=self.base_url,
                store=self.store,
                switchboard=self.switchboard,
                requests_per_s=settings.api_requests_per_second,
            )
        )

    async def _start_recordings(self, callbacks: CallbackSender, journal: StoreJournal) -> RecordingDesk:
        settings = RecordingSettings(
            account_sid=self.settings.account_sid,
            directory=self.settings.data_dir / "recordings",
            base_url=self.base_url,
            keep_days=self.settings.recordings_keep_days,
        )
        desk = RecordingDesk(
            settings, media=self.media, records=self.store.recordings, callbacks=callbacks, notices=journal
        )
        await desk.recover()
        self._exits.push_async_callback(desk.close)
        return desk

    async def _prefetch_words(self) -> None:
        """Have what the application says spoken before the first caller asks for it."""
        book = _LineBook(self.store)
        for stored in await self.store.lines.list():
            if line := await book.get(stored.number):
                voice = line.voice or Utterance("").voice
                texts = spoken_texts(line)
                self.speech.prefetch(Utterance(text, voice, language) for text, language in texts)

    async def _stop_calls(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_WITHIN_S):
                await asyncio.gather(self.user_agent.stop(), self.switchboard.drain())

    async def _route_of(self, user: str) -> Route | None:
        """A number's voice URL, else our own application for a line."""
        number = await self.store.numbers.get(user)
        if number is not None:
            return self._route_to(await self._webhooks_of(number))
        if await self.store.lines.get(user) is not None:
            return Route(voice_url=f"{self.base_url}{APPLICATION_PATH}/menu")
        return None

    async def _webhooks_of(self, number: Number) -> Number | Application:
        """An application's URLs count instead of the number's own."""
        sid = number.voice_application_sid
        return (sid and await self.store.applications.get(sid)) or number

    def _route_to(self, webhooks: Number | Application) -> Route | None:
        """None for a number without a voice URL: it takes no calls."""
        # The operator configured these origins: that is his consent to reach them, be
        # they inner addresses.
        for url in (webhooks.voice_url, webhooks.voice_fallback_url, webhooks.status_callback):
            if url:
                self._consent.allow(url)
        if not webhooks.voice_url:
            return None
        return Route(
            voice_url=webhooks.voice_url,
            voice_method=_method(webhooks.voice_method),
            fallback_url=webhooks.voice_fallback_url,
            fallback_method=_method(webhooks.voice_fallback_method),
            status_callback=webhooks.status_callback,
            status_callback_method=_method(webhooks.status_callback_method),
        )

    def health(self) -> Health:
        ok = self._status == "ok"
        return Health(
            status=self._status,
            version=__version__,
            uptime_s=self._uptime.seconds(),
            sip=[f"{t}:{h}:{p}" for t, h, p in self.user_agent.addresses] if ok else [],
            calls=self.switchboard.calls if ok else 0,
            conferences=len(self.switchboard.hall.conferences) if ok else 0,
            media=self.media.stats,
        )

    def welcome(self) -> str:
        """What `townhall serve` prints once calls are taken."""
        _, host, port = self.user_agent.addresses[0]
        here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        shown = f"[{here}]" if ":" in here else here
        call, command = f"sip:1000@{shown}:{port}", _command()
        elsewhere = "" if here == host else "; from elsewhere at this machine's address"
        return "\n".join(
            (
                f"Townhall {__version__} takes calls.",
                "",
                f"  Call   {call}  (UDP and TCP{elsewhere})",
                f"  Web    {self.base_url}",
                f"  Data   {self.settings.data_dir}  (database, sounds; credentials in credentials.toml)",
                f"  Voice  {self.speech.description}",
                "",
                "Try it from another terminal, a moderator and a speaker:",
                f"  {command} call {call} --press 3",
                f"  {command} call {call} --press 2 --tone 440",
                "",
                "Ctrl-C hangs up and stops.",
            )
        )


class _LineBook:
    """The stored lines as the application sees them: the one place where both sides of the seam are known."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, number: str) -> Line | None:
        stored = await self._store.lines.get(number)
        if stored is None:
            return None
        return Line(
            number=stored.number,
            conference_name=stored.conference_name,
            welcome=stored.welcome,
            speaker_pin=stored.speaker_pin,
            moderator_pin=stored.moderator_pin,
            voice=stored.voice,
            language=stored.language,
            music=stored.music,
            max_participants=stored.max_participants,
        )


class _QuietServer(uvicorn.Server):
    """Signals are the server's business, not its HTTP part's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _spare_the_collector() -> None:
    """Keep what lives as long as the server out of the garbage collector's rounds, and make them rarer.

    A full round over all the libraries' objects stalls every call meanwhile: without it the slowest answers
    at 60 calls a second came three times as fast.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _command() -> str:
    """How this program was called, for commands that can be copied: `.venv/bin/townhall` or `townhall`."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "townhall" else "townhall"


def _method(stored: str) -> Method:
    return "GET" if stored == "GET" else "POST"


async def _address_of(host: str | None) -> str | None:
    """The address that SDP can carry of a public host, which may be a name; raises `ServerError`."""
    if host is None:
        return None
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise ServerError(
            f"TOWNHALL_PUBLIC_HOST: read {host!r}, which has no address ({error}); "
            "allowed is an IP address, or a name that resolves"
        ) from None
    return str(found[0][4][0])


def _listen(hosts: Sequence[str], port: int) -> list[socket.socket]:
    """A listening socket per host, all on one port (chosen by the first one when it is 0)."""
    sockets: list[socket.socket] = []
    for host in hosts:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            # Sets SO_REUSEADDR, so that a restart need not wait for the last one's connections to fade.
            listener = socket.create_server((host, port), family=family)
        except OSError:
            for opened in sockets:
                opened.close()
            raise
        port = listener.getsockname()[1]
        sockets.append(listener)
    return sockets


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM, which also end a start that hangs."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    server = Server(settings)
    stopping = asyncio.create_task(stop.wait())
    starting = asyncio.create_task(server.start())
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.wait({starting})
        return
    await starting
    print(server.welcome(), flush=True)  # noqa: T201
    await stopping
    print("\nHanging up and leaving.", flush=True)  # noqa: T201
    await server.stop()


def _allow_open_files() -> None:
    """Every connection is an open file: a flood of them must meet our limits before the system's 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def serve(settings: Settings) -> None:
    """Run the server in the foreground until it is told to stop."""
    _allow_open_files()
    uvloop.run(run(settings))
