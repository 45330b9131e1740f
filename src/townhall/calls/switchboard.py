"""The switchboard: takes each incoming call, finds where its number leads, and runs its TwiML until it is
over.

One call, one task: whatever the call runs ends with it, and nothing outlives it but its record.
"""

import asyncio
import ipaddress
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from townhall.calls.call import FINAL, Call
from townhall.calls.clips import ClipLibrary
from townhall.calls.control import LiveCall
from townhall.calls.dialing import DialDesk
from townhall.calls.guests import GuestList
from townhall.calls.hall import ConferenceHall
from townhall.calls.journal import StoreJournal
from townhall.calls.levels import LevelBoard
from townhall.calls.moderation import Moderation
from townhall.calls.negotiation import CallAudio
from townhall.calls.plain_audio import PlainAudio
from townhall.calls.plan import OutboundPlan
from townhall.calls.progress import tell_progress
from townhall.calls.queue_desk import QueueDesk, QueueShelf
from townhall.calls.queueing import QueueHall
from townhall.calls.reception import Directory, Reception
from townhall.calls.recording import RecordingDesk
from townhall.calls.turnstile import Ticket, Turnstile
from townhall.calls.web_audio import WebAudio
from townhall.media import Leg, Media
from townhall.routing import CallRefused
from townhall.sdp import Codec
from townhall.signalling import IncomingInvite
from townhall.signalling.protocols import BrowserCall, CallInvite
from townhall.twiml import InlineDocument, run_call
from townhall.twiml.control import CallRedirected, DocumentRequest
from townhall.webhooks import CallbackSender, WebhookClient

log = logging.getLogger(__name__)

Course = Callable[[LiveCall], Awaitable[None]]
"""What a call does from its beginning to its end."""

RETRY_AFTER_S = 10
TOLD_AT_MOST = 20
"""So many at a time are told in words that the server is full, where their line asks for it."""
TOLD_WITHIN_S = 20.0
LEAVING_OF_SOURCE = 50
"""So many calls of one source, which are over but whose books are open, count against its share no more."""
LEAVING_AT_MOST = 500
"""So many calls whose books are still open do not count as calls; what is more does, as it is work."""


def _nothing(*values: object) -> None:
    """Nobody is interested."""


def _part(call: Call) -> None:
    """A call that is over and its leg know each other no more: otherwise both would be kept until the garbage
    is collected, which is seldom.
    """
    call.audio.on_open = _nothing
    if (leg := call.audio.leg) is not None:
        leg.on_digit = leg.on_silent = leg.on_left = leg.on_insecure = leg.on_lost = None


class Outbound(Protocol):
    """How calls of ours go out (`townhall.calls.outbound`)."""

    async def place(self, plan: OutboundPlan) -> Call: ...


@dataclass(frozen=True, slots=True)
class SwitchboardSettings:
    account_sid: str
    max_calls: int = 2000
    calls_per_source: int = 1500
    media_silence_s: float = 30.0
    public_address: str | None = None
    """The address written into SDP instead of the one the call came in on (behind NAT)."""
    codecs: tuple[Codec, ...] = ("G722", "PCMU", "PCMA")
    """What phones may speak, in the order of our offers."""


class Switchboard:
    """Every live call of the server."""

    def __init__(
        self,
        settings: SwitchboardSettings,
        *,
        directory: Directory,
        media: Media,
        clips: ClipLibrary,
        webhooks: WebhookClient,
        callbacks: CallbackSender,
        journal: StoreJournal,
        queues: QueueShelf,
        recordings: RecordingDesk,
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._reception = Reception(settings.account_sid, directory, self)
        self._media = media
        self._clips = clips
        self._webhooks = webhooks
        self._callbacks = callbacks
        self._journal = journal
        self._tasks: set[asyncio.Task[None]] = set()
        self._errands: set[asyncio.Task[None]] = set()
        """Goodbyes said from places that can't wait."""
        self._leaving: set[asyncio.Task[None]] = set()
        self._leaving_of: Counter[str] = Counter()
        """Of the tasks, those whose caller has gone: their place is free, while their books are closed."""
        self._told: set[asyncio.Task[None]] = set()
        """Of the tasks, those of callers who are told that there is no room; they take no place."""
        self._calls: dict[str, Call] = {}
        self._draining = False
        self.turnstile = Turnstile(settings.max_calls, settings.calls_per_source)
        self.hall = ConferenceHall(
            account_sid=settings.account_sid,
            media=media,
            clips=clips,
            callbacks=callbacks,
            journal=journal,
            recordings=recordings,
        )
        self.recordings = recordings
        self.queue_hall = QueueHall(clips, queues)
        self.queues = QueueDesk(self.queue_hall, queues)
        self._dialling = DialDesk(self, clips)
        self.outbound: Outbound | None = None
        """Calls of ours; None until the server has told how they go out."""
        self.moderation = Moderation(self.hall, settings.account_sid, media, clips, webhooks, journal)
        self.guests = GuestList(self.hall, lambda call: self.hang_up(call, "its conference is over"))
        self.levels = LevelBoard(self.hall, media)

    @property
    def calls(self) -> int:
        """How many places are taken."""
        told = len(self._told - self._leaving)
        return len(self._tasks) - min(len(self._leaving), LEAVING_AT_MOST) - told

    @property
    def most_participants(self) -> int:
        """Twilio's conferences hold 250; ours hold as many as the server takes calls."""
        return self._settings.max_calls

    def take(self, invite: IncomingInvite) -> None:
        """A phone calls. Returns at once; the call lives in a task of its own."""
        self._take(invite, partial(self._reception.admit_phone, invite))

    def take_browser(self, invite: BrowserCall) -> None:
        """A browser calls."""
        self._take(invite, partial(self._reception.admit_browser, invite))

    def _take(self, invite: CallInvite, admit: Callable[[], Awaitable[Call | None]]) -> None:
        host, now = invite.source[0], asyncio.get_running_loop().time()
        why_not = "it is about to stop" if self._draining else self._why_not(host, now)
        if why_not and not self._may_be_told(host, now):
            self._turn_away(invite, why_not)
            return
        admission = self._admit_to_be_told(invite, admit(), why_not) if why_not else admit()
        ticket = self.turnstile.enter(host, now)
        task = asyncio.create_task(self._serve(invite, admission, ticket), name=f"call {invite.call_id}")
        self._tasks.add(task)
        if why_not:
            self._told.add(task)

        def gone() -> None:
            # Whoever has hung up may call again at once, before the books of this call are closed; but not
            # without end, for open books cost as much as a call.
            leaving = self._leaving_of[ticket.source]
            if task not in self._leaving and (leaving < LEAVING_OF_SOURCE or host in self.turnstile.trunks):
                self._leaving.add(task)
                self._leaving_of[ticket.source] += 1
                self.turnstile.leave(ticket)

        def done(_: object) -> None:
            invite.session.on_ended = _nothing
            if task in self._leaving:
                self._leaving.discard(task)
                self._leaving_of[ticket.source] -= 1
                if not self._leaving_of[ticket.source]:
                    del self._leaving_of[ticket.source]
            else:
                self.turnstile.leave(ticket)
            self._tasks.discard(task)
            self._told.discard(task)

        invite.session.on_ended = gone
        task.add_done_callback(done)

    def _why_not(self, host: str, now: float) -> str:
        """Why no call can be taken from there now; the media process is not asked for every call, but says
        each second whether it takes any.
        """
        stats = self._media.stats
        return self.turnstile.why_not(host, self.calls, now) or (stats.refusal if stats else "")

    def _turn_away(self, invite: CallInvite, why_not: str) -> None:
        self._reception.turn_away(invite, why_not, 503, [("Retry-After", str(RETRY_AFTER_S))])

    def _may_be_told(self, host: str, now: float) -> bool:
        """Whether one more can be told that there is no room: every place is taken, and that is all."""
        if self._draining or len(self._told) >= TOLD_AT_MOST or self.calls < self._settings.max_calls:
            return False
        stats = self._media.stats
        return not self.turnstile.why_not(host, 0, now) and not (stats and stats.refusal)

    async def _admit_to_be_told(
        self, invite: CallInvite, admission: Awaitable[Call | None], why_not: str
    ) -> Call | None:
        """Only where the number's document has words for it; everybody else gets 503."""
        call = await admission
        if call is None or call.route is None or not call.route.tells_when_full:
            if call is not None:
                self._turn_away(invite, why_not)
            return None
        call.own_parameters.append(("ServerFull", "true"))
        self.limit(call, TOLD_WITHIN_S)
        return call

    def live(self, sid: str) -> Call | None:
        """The call of this SID, unless it is over."""
        call = self._calls.get(sid)
        return call if call is not None and not call.over.done() else None

    async def place(self, plan: OutboundPlan) -> Call:
        """Call somebody; returns at once, with status `queued`. Raises `CallRefused`."""
        if self.outbound is None:
            raise CallRefused(21215, "this server places no calls")
        return await self.outbound.place(plan)

    def known(self, sid: str) -> Call | None:
        """The call of this SID until it is written down as over."""
        return self._calls.get(sid)

    def all_known(self) -> list[Call]:
        """Every call until it is written down as over, in the order in which they began."""
        return list(self._calls.values())

    async def owns(self, number: str) -> bool:
        """Whether a number leads somewhere on this server."""
        return await self._directory.route_of(number) is not None

    def redirect(self, call: Call, to: DocumentRequest | InlineDocument) -> None:
        """Have a live call leave what it is doing, a conference too, and run another document now."""
        if isinstance(to, InlineDocument):
            call.redirect(CallRedirected(inline=to.twiml))
        else:
            call.redirect(CallRedirected(to))

    def limit(self, call: Call, seconds: float) -> None:
        """Hang a live call up once it has lasted so long since its answer."""
        left_s = max(0.0, seconds - call.duration_s)
        timer = asyncio.get_running_loop().call_later(left_s, self.hang_up, call, "its time is up")
        call.over.add_done_callback(lambda _: timer.cancel())

    async def complete(self, call: Call) -> None:
        """Hang a call up from outside."""
        call.ended_by_api = True
        if call.status in ("queued", "ringing"):
            call.status = "canceled"
        call.end("ended by the API")
        await call.hang_up()

    async def drain(self) -> None:
        """Take no more calls, and wait until those that were taken have ended (the user agent hangs them
        up).
        """
        self._draining = True
        while pending := self._tasks | self._errands:
            await asyncio.wait(pending)

    async def _serve(self, invite: CallInvite, admission: Awaitable[Call | None], ticket: Ticket) -> None:
        try:
            call = await admission
            self.turnstile.set_up(ticket)
            if call is not None:
                call.audio.on_open = lambda leg: self.listen(call, leg)
                await self._run(call, self._answer_by_document)
        except Exception:
            # A fault of ours ends this call and no other.
            log.exception("%s: the call ended by a fault of the server", invite.call_id)
            invite.reject(500)
            await invite.session.hang_up()

    def audio_toward(
        self, local_address: str, peer_address: str, is_direct: bool = False, by_trunk: bool = False
    ) -> CallAudio:
        """The audio of a call whose peer is reached from this address of ours.

        `by_trunk`: it goes out by a trunk, which would have to bring G.722 back to G.711 for most whom it
        reaches, so we offer it last.
        """
        codecs = self._settings.codecs
        if by_trunk:
            codecs = tuple(sorted(codecs, key=lambda codec: codec == "G722"))
        return PlainAudio(
            self._media,
            self._settings.public_address or local_address,
            peer_address,
            self._settings.media_silence_s,
            is_direct,
            codecs,
        )

    def audio_for_browser(self, local_addresses: Sequence[str]) -> CallAudio:
        """The audio of a call with a browser that reached us at one of these addresses."""
        public = self._settings.public_address
        # Behind a proxy of this machine, what it reached us at means nothing to the browser.
        near = [a for a in local_addresses if public is None or not ipaddress.ip_address(a).is_loopback]
        addresses = near if public is None else [public, *near]
        return WebAudio(self._media, list(dict.fromkeys(addresses)), self._settings.media_silence_s)

    def listen(self, call: Call, leg: Leg) -> None:
        """What the media process tells of a call."""

        def silent() -> None:
            limit = self._settings.media_silence_s
            self._hang_up(call, f"nothing heard of the phone for {limit:g} s", 408, "Media timeout")

        leg.on_digit = lambda digit: call.press(digit, "media")
        leg.on_silent = silent
        leg.on_left = lambda: self.hang_up(call, "the browser has closed the call")
        leg.on_insecure = lambda reason: self._hang_up(call, f"no sound: {reason}", 488, "No secure media")
        leg.on_lost = lambda reason: self._hang_up(call, f"media lost: {reason}", 503, "Media lost")

    def _hang_up(self, call: Call, cause: str, status: int, text: str) -> None:
        log.warning("%s: %s; hanging up", call.sid, cause)
        self.hang_up(call, cause, f'SIP;cause={status};text="{text}"')

    def hang_up(self, call: Call, cause: str, reason_header: str | None = None) -> None:
        """End a call from a place that can't wait."""
        call.end(cause)
        task = asyncio.create_task(call.hang_up(reason_header))
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    def begin(self, call: Call, course: Course) -> None:
        """Run a call of ours in a task of its own; it is known by its SID at once.

        Raises `CallRefused` when no call can be taken any more.
        """
        if self._draining or self.calls >= self._settings.max_calls:
            raise CallRefused(10004, f"the server has {self.calls} calls, which is all that it takes")
        self._calls[call.sid] = call
        task = asyncio.create_task(self._run_ours(call, course), name=f"call {call.sid}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run_ours(self, call: Call, course: Course) -> None:
        try:
            await self._run(call, course)
        except Exception:
            log.exception("%s: the call ended by a fault of the server", call.sid)
            await call.hang_up()

    async def _run(self, call: Call, course: Course) -> None:
        log.info("%s: %s calls %s (%s, %s)", call.sid, call.from_, call.to, call.direction, call.call_id)
        self._journal.started(call)
        tell_progress(call, self._callbacks.send)
        self._calls[call.sid] = call
        control = LiveCall(
            call,
            clips=self._clips,
            webhooks=self._webhooks,
            hall=self.hall,
            queues=self.queue_hall,
            dialling=self._dialling,
            journal=self._journal,
            recordings=self.recordings,
        )
        try:
            await course(control)
            await control.hang_up()
        finally:
            try:
                self._close_books(call, await call.audio.close())
                _part(call)
            finally:
                # Known until its end is handed to the store: there is no moment when nobody can tell of it.
                del self._calls[call.sid]

    async def _answer_by_document(self, control: LiveCall) -> None:
        """The course of a call that came in: ring, and run the TwiML of the number that was called."""
        route = control.call.route
        assert route is not None
        first = DocumentRequest(route.voice_url, route.voice_method)
        fallback = DocumentRequest(route.fallback_url, route.fallback_method) if route.fallback_url else None
        watch = asyncio.create_task(self.watch(control.call), name=f"end of {control.call.sid}")
        try:
            await control.ring()
            await self.run_document(control, first, fallback)
        finally:
            watch.cancel()

    async def run_document(
        self,
        control: LiveCall,
        first: DocumentRequest | InlineDocument,
        fallback: DocumentRequest | None = None,
    ) -> None:
        """Run a document, and what it leads to, until the call is over."""
        await run_call(control, first, fallback, participants_limit=self.most_participants)

    async def watch(self, call: Call) -> None:
        """Tell the call when its SIP session is over."""
        assert call.session is not None
        ended = await call.session.wait_ended()
        if call.invite is not None and call.status == "ringing":
            call.status = "canceled" if ended.cause == "cancel" else "failed"
        who = "the caller" if call.invite is not None else "the callee"
        causes = {
            "bye": f"{who} hung up",
            "cancel": f"{who} gave up",
            "timeout": f"{who} does not answer any more",
            "local": "hung up from this side",
        }
        call.end(causes.get(ended.cause, ended.cause))

    def _close_books(self, call: Call, media: Mapping[str, object] | None) -> None:
        call.end("its document ended")
        if call.status not in FINAL:
            call.status = "failed"  # a fault of ours ended it
        log.info("%s: %s after %d s: %s", call.sid, call.status, call.duration_s, call.over.result())
        self._journal.ended(call, media)
        call.became(call.status)
