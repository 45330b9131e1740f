"""Starts the parts and joins them, and stops everything in order at the end.

store ─┐
media ─┼─ switchboard ── user agent (SIP)
speech ┘        └─ webhooks ── HTTP server: /health, the application under /app
"""

import asyncio
import contextlib
import logging

from townhall import __version__
from townhall.api import Engine, create_api
from townhall.api.health import Health, Uptime
from townhall.app import PinGuard, create_app, spoken_texts
from townhall.calls import (
    ClipLibrary,
    RecordingDesk,
    RecordingSettings,
    StoreJournal,
    Switchboard,
    SwitchboardSettings,
)
from townhall.calls.destinations import Destinations
from townhall.calls.outbound import OutboundDesk
from townhall.calls.trunks import TrunkKeeper
from townhall.media import Media, MediaPool, MediaProcess, MediaSettings
from townhall.routing import CallPermissions, PermissionSettings
from townhall.server.certificate import Certificate
from townhall.server.front import APPLICATION_PATH, Front
from townhall.server.network import address_of, listen, url_of
from townhall.server.numbering import NumberPlan, StoredLines
from townhall.server.pages import open_console
from townhall.server.web import web_server
from townhall.settings import Settings
from townhall.signalling import UserAgent, UserAgentSettings
from townhall.signalling.voice_sdk import AccessTokens, VoiceSDK, VoiceSDKSettings
from townhall.speech import Speech
from townhall.store import Store
from townhall.twiml.control import Utterance
from townhall.webhooks import AudioCache, CallbackSender, CallbackSettings, OriginConsent, WebhookClient

log = logging.getLogger(__name__)

MOST_FRAME_BYTES = 1 << 16
"""Of a WebSocket message; the longest that is of use, an offer, has some 3,000."""
LEAVE_WITHIN_S = 3.0
GOODBYE_WITHIN_S = 2.0
"""Ctrl-C is obeyed in under five seconds; this is what calls, and the answers to our BYEs, get of them."""


class Server:
    """One Townhall in this process and its media child."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._uptime = Uptime()
        self._status = "starting"
        self.certificate: Certificate | None = None
        self._exits = contextlib.AsyncExitStack()

    async def start(self) -> None:
        """Start everything; raises `OSError` when an address is taken and `TownhallError` for the rest."""
        settings = self.settings
        try:
            self._read_certificate()
            self.store = await Store.open(settings.database_url, takes_calls=True)
            self._exits.push_async_callback(self.store.close)
            await self.store.lines.ensure_default()
            self._sockets = listen(settings.http_bind or settings.bind, settings.http_port)
            self.base_url = settings.public_url or url_of(
                self._sockets[0], "https" if self.certificate else "http"
            )
            self.media = self._media()
            self._exits.push_async_callback(self.media.stop)
            self.speech = Speech(settings.data_dir / "speech", settings.voice_python)
            self._exits.push_async_callback(self.speech.stop)
            await asyncio.gather(self.media.start(), self.speech.start())
            await self._start_http()
            await self._start_calls()
            self._start_api()
            await self._start_console()
            await self._prefetch_words()
        except BaseException:
            await self._exits.aclose()
            raise
        self._status = "ok"

    def renew_certificate(self) -> None:
        """Read the certificate's files again, where there are any."""
        if self.certificate is not None:
            self.certificate.renew()

    async def stop(self) -> None:
        """Hang up every call with BYE, write everything down, leave."""
        self._status = "stopping"
        await self._exits.aclose()

    # ---- parts ----

    def _read_certificate(self) -> None:
        if self.settings.tls_cert and self.settings.tls_key:
            self.certificate = Certificate(self.settings.tls_cert, self.settings.tls_key)
            fresh = asyncio.create_task(self.certificate.keep_fresh(), name="certificate")
            self._exits.callback(fresh.cancel)

    def _media(self) -> Media:
        settings = self.settings
        chosen = MediaSettings(
            bind_hosts=settings.bind,
            rtp_ports=settings.rtp_ports,
            ice_port=settings.browser_port,
            certificate=str(settings.data_dir / "dtls.pem"),
            opus_library=str(settings.opus_library or ""),
            auto_gain=settings.auto_gain,
            noise_suppression=settings.noise_suppression,
            speech_pause_ms=settings.speech_pause_ms,
            hold_music_s=settings.hold_music_s,
            loudest_talkers=settings.loudest_talkers,
            busy_share=settings.busy_share,
        )
        if settings.media_workers == 1:
            return MediaProcess(chosen)
        return MediaPool(chosen, settings.media_workers)

    async def _start_http(self) -> None:
        settings = self.settings
        token = settings.auth_token.get_secret_value()
        guard = PinGuard(token, settings.data_dir / "pin-guesses.json")
        self._front = Front(self.health)
        self.console = await open_console(settings, self.store, self._front, self.base_url, guard)
        # When all else has stopped: how the last calls left is told after the console has closed.
        self._exits.push_async_callback(self.console.desk.close)
        self._front.application = create_app(
            StoredLines(self.store),
            auth_token=token,
            base_url=self.base_url,
            guard=guard,
            console_url=self.console.callback_url,
            attendance=self.console.attendance,
        )
        http = web_server(
            self._front,
            settings,
            self.certificate,
            ws="websockets-sansio",
            ws_max_size=MOST_FRAME_BYTES,
            ws_per_message_deflate=False,
        )
        serving = asyncio.create_task(http.serve(sockets=self._sockets), name="http")

        async def stop() -> None:
            http.should_exit = True
            http.force_exit = True
            await serving

        self._exits.push_async_callback(stop)

    async def _start_calls(self) -> None:
        settings = self.settings
        token = settings.auth_token.get_secret_value()
        consent = OriginConsent(settings.webhook_inner_origins, setting="TOWNHALL_WEBHOOK_INNER_ORIGINS")
        webhooks = WebhookClient(
            token, consent, {self.base_url: self._front}, AudioCache(settings.data_dir / "web-cache")
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
        numbers = NumberPlan(self.store, consent, f"{self.base_url}{APPLICATION_PATH}/menu")
        self.switchboard = Switchboard(
            SwitchboardSettings(
                account_sid=settings.account_sid,
                max_calls=settings.max_calls,
                calls_per_source=settings.most_of_source,
                media_silence_s=settings.media_silence_s,
                public_address=await address_of(settings.public_host),
                codecs=settings.codecs,
            ),
            directory=numbers,
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
        self._let_browsers_in()
        self._exits.push_async_callback(self._stop_calls)
        self._start_outbound(journal)

    def _let_browsers_in(self) -> None:
        """Take calls of browsers over WebSockets."""
        tokens = AccessTokens(self.settings.account_sid, self.store.api_keys.secret_of)
        self.voice_sdk = VoiceSDK(VoiceSDKSettings(), tokens, self.switchboard.take_browser)
        self._front.signal, self._front.gateway = self.voice_sdk.endpoint, self.voice_sdk.insights

    def _start_outbound(self, journal: StoreJournal) -> None:
        settings = self.settings
        self.trunks = TrunkKeeper(self.store.trunks.list, self.user_agent, settings.data_dir)
        self.trunks.start()
        self.switchboard.turnstile.trunks = self.trunks.hosts
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
            browsers=self.voice_sdk.devices,
        )
        self.switchboard.outbound = OutboundDesk(
            settings.account_sid,
            self.switchboard,
            self.user_agent,
            self.voice_sdk,
            destinations,
            journal,
            own_host=settings.sip_domain or settings.public_host,
        )

    def _start_api(self) -> None:
        settings = self.settings
        self._front.api = create_api(
            Engine(
                account_sid=settings.account_sid,
                auth_token=settings.auth_token.get_secret_value(),
                base_url=self.base_url,
                store=self.store,
                switchboard=self.switchboard,
                requests_per_s=settings.api_requests_per_second,
            )
        )

    async def _start_console(self) -> None:
        await self.console.start()
        self._exits.push_async_callback(self.console.stop)
        self._front.pages = self.console.app

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
        book = StoredLines(self.store)
        for stored in await self.store.lines.list():
            if line := await book.get(stored.number):
                voice = line.voice or Utterance("").voice
                texts = spoken_texts(line)
                self.speech.prefetch(Utterance(text, voice, language) for text, language in texts)

    async def _stop_calls(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_WITHIN_S):
                await asyncio.gather(self.user_agent.stop(), self.voice_sdk.stop(), self.switchboard.drain())

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
            tasks=len(asyncio.all_tasks()),
        )
